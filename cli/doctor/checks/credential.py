"""Whether the Secret holds a token for every registry, until when the token is valid, and whether ECR accepts it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from lambda_fn.contract import secret
from lambda_fn.contract.errors import RegistryError
from lambda_fn.contract.secret import Entry
from lambda_fn.edges.ecr import Ecr
from lambda_fn.job.tokens import host_of
from lambda_fn.settings.registry import EcrRegistry, Replica, by_place, with_replicas
from lambda_fn.settings.schedule import Schedule

_LIFETIME = timedelta(hours=12)
"""https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_AuthorizationData.html"""
_RUN_TIME = timedelta(minutes=30)
"""What a run, its retries and its rollout may take."""
_REFRESH = "run a refresh and read its result (docs/operations.md, When a refresh fails)"


def run(context: CheckContext) -> Iterator[Finding]:
    """The token's age, then each registry's host."""
    name = context.settings.names.secret
    found = context.kubernetes.find_named("Secret", name)
    if found is None:
        yield failed(f"Secret {name} is missing: no refresh has succeeded yet", _REFRESH)
        return
    try:
        stored = secret.parse(found.get("data") or {})
    except ValueError as error:
        yield failed(f"Secret {name} is damaged: {error}", _REFRESH)
        return
    # Not the first of all tokens: a host that the settings no longer name keeps its token, which is not renewed.
    registries = [registry for registry, *_ in by_place(context.settings.registries).values()]
    hosts = [(registry, host_of(registry, stored)) for registry in registries]
    expiries = [stored[host].expires_at for _, host in hosts if host]
    if expiries:
        yield _age(context.settings.refresh.schedule, min(expiries), context.now)
    replicas = [(each, host_of(each, stored)) for each in with_replicas(registries) if isinstance(each, Replica)]
    yield from _hosts([*hosts, *replicas], stored)


def _age(schedule: Schedule, expires_at: datetime, now: datetime) -> Finding:
    left = expires_at - now
    if left <= timedelta():
        return failed(f"the token expired at {expires_at:%F %H:%M} UTC, {_hours(-left)} ago", _REFRESH)
    message = f"the token expires at {expires_at:%F %H:%M} UTC, in {_hours(left)}"
    if left < schedule.longest_gap:
        return failed(f"{message}, possibly before the next run", _REFRESH)
    if left < _LIFETIME - schedule.longest_until(1) - _RUN_TIME:
        return warning(f"{message}: the last refresh failed or did not run", _REFRESH)
    return ok(message)


def _hosts(hosts: Sequence[tuple[EcrRegistry, str | None]], stored: Mapping[str, Entry]) -> Iterator[Finding]:
    """A replica without a token serves nothing, and pulls work without it."""
    ecr = Ecr()
    for registry, host in hosts:
        kind, wrong = ("replica", warning) if isinstance(registry, Replica) else ("registry", failed)
        if host is None:
            yield wrong(
                f"the Secret has no token for {kind} {registry.place}",
                f"deploy these settings, then {_REFRESH}",
            )
            continue
        try:
            unverified = ecr.verify(host, stored[host].authorization)
        except RegistryError:
            yield wrong(f"{host} refuses the token in the cluster", _REFRESH)
            continue
        if unverified:
            yield warning(f"{host} is not reachable from here: the token was not tested", "run this inside the VPC")
        else:
            yield ok(f"{host} accepts the token")


def _hours(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60} min"


CHECK = Check("credential", Category.CLUSTER, run, needs=("cluster",), runbook="docs/operations.md#tokenrunsout")
