"""The tokens of one run: region by region, so that a failure in one region does not stop the others. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lambda_fn.contract.errors import RegistryError
from lambda_fn.contract.registries import ECR_HOST
from lambda_fn.contract.secret import Entry
from lambda_fn.job.credential import registry_host
from lambda_fn.job.ports import Cluster, Registry
from lambda_fn.settings.registry import Registry as RegistrySettings


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the Secret is to hold.

    Attributes:
        entries: ECR host to token, in the order of the settings: new ones, and of a failed region the earlier ones
            that are still valid.
        former: Valid tokens of hosts that the settings no longer name. The pods use them until a rollout with the new
            configuration is complete, and that may fail.
        missing: Registries without a token, each as `account in region`.
        errors: By region, why it has no new token.
        warnings: Hosts that could not be asked.
    """

    entries: Mapping[str, Entry]
    former: Mapping[str, Entry]
    missing: tuple[str, ...]
    errors: Mapping[str, RegistryError]
    warnings: tuple[str, ...]

    def expires_at(self, now: datetime) -> datetime:
        """When the first registry is without a valid token: now, where one has none."""
        return now if self.missing else min(entry.expires_at for entry in self.entries.values())


@dataclass(frozen=True, slots=True)
class _Region:
    """The new tokens of one region, by account and region; or the reason why there are none."""

    entries: Mapping[tuple[str, str], tuple[str, Entry]]
    warnings: tuple[str, ...] = ()
    error: RegistryError | None = None


def gather(
    registries: Iterable[RegistrySettings],
    *,
    now: datetime,
    must_outlive: timedelta,
    registry: Registry,
    cluster: Cluster,
) -> Tokens:
    """A token for every registry, each new one accepted by its host.

    Args:
        registries: In the order of the settings.
        now: The current time.
        must_outlive: How long a new token has to be valid from now on.
        registry: ECR.
        cluster: Has the earlier tokens.

    Raises:
        RegistryError: No region gave a usable token.
        ClusterError: The earlier tokens cannot be read.
    """
    registries = tuple(registries)
    names = dict.fromkeys(each.region for each in registries)
    regions = {name: _region(name, registries, now, must_outlive, registry) for name in names}
    errors = {name: region.error for name, region in regions.items() if region.error}
    if len(errors) == len(regions):
        raise _none_usable(errors)
    found = {place: entry for region in regions.values() for place, entry in region.entries.items()}
    earlier = {host: entry for host, entry in cluster.read_tokens().items() if entry.expires_at > now}
    entries: dict[str, Entry] = {}
    missing = []
    for each in registries:
        usable = found.get((each.account, each.region)) or _earlier(each, earlier)
        if usable:
            entries[usable[0]] = usable[1]
        else:
            missing.append(f"{each.account} in {each.region}")
    warnings = tuple(warning for region in regions.values() for warning in region.warnings)
    former = {host: entry for host, entry in earlier.items() if host not in entries}
    return Tokens(entries, former, tuple(missing), errors, warnings)


def host_of(registry: RegistrySettings, hosts: Iterable[str]) -> str | None:
    """The one of these hosts that is the registry's; None when none is."""
    if registry.endpoint:
        return registry.endpoint if registry.endpoint in hosts else None
    place = (registry.account, registry.region)
    parsed = ((host, ECR_HOST.fullmatch(host)) for host in hosts)
    return next((host for host, of in parsed if of and (of["account"], of["region"]) == place), None)


def _region(
    name: str, registries: Iterable[RegistrySettings], now: datetime, must_outlive: timedelta, registry: Registry
) -> _Region:
    try:
        credential = registry.fetch_credential(name, now=now, must_outlive=must_outlive)
        of_region = [each for each in registries if each.region == name]
        hosts = {(each.account, each.region): registry_host(each, credential) for each in of_region}
        answers = [registry.verify(host, credential.authorization) for host in hosts.values()]
    except RegistryError as error:
        return _Region({}, error=error)
    entry = Entry(credential.authorization, credential.expires_at)
    return _Region(
        {place: (host, entry) for place, host in hosts.items()}, tuple(warning for warning in answers if warning)
    )


def _none_usable(errors: Mapping[str, RegistryError]) -> RegistryError:
    first, *others = errors.values()
    return RegistryError("; ".join(str(error) for error in errors.values())) if others else first


def _earlier(registry: RegistrySettings, entries: Mapping[str, Entry]) -> tuple[str, Entry] | None:
    host = host_of(registry, entries)
    return (host, entries[host]) if host else None
