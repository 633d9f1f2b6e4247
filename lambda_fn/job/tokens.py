"""The tokens of one run: region by region, so that a failure in one region does not stop the others. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import RegistryError
from lambda_fn.contract.registries import ECR_HOST
from lambda_fn.contract.secret import Entry
from lambda_fn.job.credential import registry_host
from lambda_fn.job.ports import Cluster, Registry
from lambda_fn.settings.registry import EcrRegistry, Replica, with_replicas
from lambda_fn.settings.registry import Registry as RegistrySettings


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the Secret is to hold.

    Attributes:
        entries: ECR host to token, in the order of the settings, a replica after its registry: new ones, and of a
            failed region the earlier ones that are still valid.
        former: Valid tokens of hosts that the settings no longer name. The pods use them until a rollout with the new
            configuration is complete, and that may fail.
        hosts: The ECR host of each registry, in the order of the settings. Of one without a token: as the settings
            name it.
        missing: Registries without a token, each as `account in region`.
        unserved: Those of them whose replica has no token either.
        errors: By region, why its registries have no new token.
        replica_errors: By region, why its replicas have no new token.
        warnings: Hosts that could not be asked.
    """

    entries: Mapping[str, Entry]
    former: Mapping[str, Entry]
    hosts: tuple[str, ...]
    missing: tuple[str, ...]
    unserved: tuple[str, ...]
    errors: Mapping[str, RegistryError]
    replica_errors: Mapping[str, RegistryError]
    warnings: tuple[str, ...]

    def expires_at(self, now: datetime) -> datetime:
        """When the first registry is without a valid token of its own: now, where one has none."""
        return now if self.missing else min(self.entries[host].expires_at for host in self.hosts)


@dataclass(frozen=True, slots=True)
class _Region:
    """The new tokens of one region; or the reason why there are none.

    Attributes:
        entries: The host by which the settings call a registry or replica, to its host name and token.
        warnings: Hosts that could not be asked.
        error: Why its registries have no new token, nor its replicas.
        replica_error: Why a replica has none.
    """

    entries: Mapping[str, tuple[str, Entry]]
    warnings: tuple[str, ...] = ()
    error: RegistryError | None = None
    replica_error: RegistryError | None = None


def gather(
    registries: Iterable[RegistrySettings],
    *,
    now: datetime,
    must_outlive: timedelta,
    registry: Registry,
    cluster: Cluster,
) -> Tokens:
    """A token for every registry and replica, each new one accepted by its host.

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
    # Each host once: a registry may have several tables, and be the replica of another one. A dict keeps the last entry
    # of a key: so it counts as a registry, whose refused token is an error and not a warning.
    every = {each.host: each for each in (*with_replicas(registries), *registries)}.values()

    def tokens_of(region: str) -> _Region:
        return _region(region, [each for each in every if each.region == region], now, must_outlive, registry)

    names = dict.fromkeys(each.region for each in every)
    # One after the other, regions and hosts that do not answer would take longer than a run has.
    regions = dict(zip(names, registry.side_by_side(tokens_of, names), strict=True))
    errors = {name: region.error for name, region in regions.items() if region.error}
    if len(errors) == len(regions):
        raise _none_usable(errors)
    earlier = {host: entry for host, entry in cluster.read_tokens().items() if entry.expires_at > now}
    found = {name: entry for region in regions.values() for name, entry in region.entries.items()}
    usable = {each.host: found.get(each.host) or _earlier(each, earlier) for each in every}
    entries = dict(entry for entry in usable.values() if entry)
    missing = [each for each in registries if not usable[each.host]]
    own_regions = {each.region for each in registries}
    of_replicas = {name: error for name, region in regions.items() if (error := region.replica_error)}
    return Tokens(
        entries=entries,
        former={host: entry for host, entry in earlier.items() if host not in entries},
        hosts=tuple((usable[each.host] or (each.host,))[0] for each in registries),
        missing=_places(missing),
        unserved=_places(each for each in missing if not (each.replica and usable[each.replica.host])),
        errors={name: error for name, error in errors.items() if name in own_regions},
        replica_errors=of_replicas | {name: error for name, error in errors.items() if name not in own_regions},
        warnings=tuple(warning for region in regions.values() for warning in region.warnings),
    )


def host_of(registry: EcrRegistry, hosts: Iterable[str]) -> str | None:
    """The one of these hosts that is the registry's; None when none is."""
    if registry.endpoint or isinstance(registry, Replica):
        return registry.host if registry.host in hosts else None
    place = (registry.account, registry.region)
    parsed = ((host, ECR_HOST.fullmatch(host)) for host in hosts)
    return next((host for host, of in parsed if of and (of["account"], of["region"]) == place), None)


def _region(
    name: str, registries: Sequence[EcrRegistry], now: datetime, must_outlive: timedelta, registry: Registry
) -> _Region:
    """The tokens of one region. A replica whose host refuses its token does not stop the others."""
    try:
        credential = registry.fetch_credential(name, now=now, must_outlive=must_outlive)
    except RegistryError as error:
        return _Region({}, error=error)
    entry = Entry(credential.authorization, credential.expires_at)
    # The configuration has a replica's host from the settings, also while its region gives no token.
    hosts = [each.host if isinstance(each, Replica) else registry_host(each, credential) for each in registries]
    answers = registry.side_by_side(lambda host: _verified(registry, host, credential.authorization), hosts)
    entries, warnings, refused = {}, [], None
    for each, host, answer in zip(registries, hosts, answers, strict=True):
        if not isinstance(answer, RegistryError):
            warnings.append(answer)
            entries[each.host] = (host, entry)
        elif isinstance(each, Replica):
            refused = answer
        else:
            return _Region({}, error=answer)
    return _Region(entries, tuple(filter(None, warnings)), replica_error=refused)


def _verified(registry: Registry, host: str, token: Authorization) -> str | RegistryError | None:
    """A warning, or why the host refuses the token; None where it accepts it."""
    try:
        return registry.verify(host, token)
    except RegistryError as error:
        return error


def _none_usable(errors: Mapping[str, RegistryError]) -> RegistryError:
    first, *others = errors.values()
    return RegistryError("; ".join(str(error) for error in errors.values())) if others else first


def _earlier(registry: EcrRegistry, entries: Mapping[str, Entry]) -> tuple[str, Entry] | None:
    host = host_of(registry, entries)
    return (host, entries[host]) if host else None


def _places(registries: Iterable[EcrRegistry]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.place for each in registries))
