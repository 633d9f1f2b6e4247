"""The credential in the cluster: whose it is, how long it is good for, and whether ECR takes it."""

import base64
import binascii
import json
from collections.abc import Generator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.doctor.finding import Finding, failure, fine, warning
from cli.doctor.kubernetes import Kubernetes, Unreadable
from cli.doctor.site import Site
from lambda_fn.contract.errors import RegistryError
from lambda_fn.edges.ecr import Ecr
from lambda_fn.job.credential import Authorization, Credential
from lambda_fn.settings import Registry, Settings
from lambda_fn.settings.fields import ECR_HOST

_CHECK = "credential"
_LIFETIME = timedelta(hours=12)
"""https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_AuthorizationData.html"""
_LATE = timedelta(minutes=30)
"""What a run, its retries and its rollout may take."""
_REFRESH = "run the refresh and read what it says: docs/operations.md, When a refresh fails"

Stored = dict[str, Credential]
"""ECR host name to what the Secret holds for it."""


def examine(site: Site, kubernetes: Kubernetes) -> Generator[Finding, None, Stored]:
    """The Secret's age and hosts, and ECR's word on it.

    Returns:
        The credentials in it; none when it could not be read.
    """
    settings = site.settings
    name = settings.names.secret
    place = {"name": name, "namespace": settings.cluster.namespace}
    try:
        found = kubernetes.find({"apiVersion": "v1", "kind": "Secret", "metadata": place})
    except Unreadable as error:
        yield warning(_CHECK, error.said, error.way_out)
        return {}
    if found is None:
        yield failure(_CHECK, f"Secret {name} is missing: no refresh has succeeded yet", _REFRESH)
        return {}
    try:
        stored = _stored(found)
    except ValueError as error:
        yield failure(_CHECK, f"Secret {name} is damaged: {error}", _REFRESH)
        return {}
    yield _age(settings, min(credential.expires_at for credential in stored.values()), site.now)
    yield from _hosts(settings, stored)
    return stored


def host_of(registry: Registry, stored: Stored) -> str | None:
    """The host under which a registry's credential is kept; None when there is none."""
    if registry.endpoint:
        return registry.endpoint if registry.endpoint in stored else None
    place = (registry.account, registry.region)
    hosts = ((host, ECR_HOST.fullmatch(host)) for host in stored)
    return next((host for host, of in hosts if of and (of["account"], of["region"]) == place), None)


def _stored(secret: dict[str, Any]) -> Stored:
    """What the Secret holds.

    Raises:
        ValueError: It is not what a refresh writes; never quotes a value.
    """
    data = secret.get("data") or {}
    try:
        expires_at = datetime.strptime(_text(data, "expires_at"), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        auths = json.loads(_text(data, ".dockerconfigjson"))["auths"]
        stored = {host: Credential(host, "", Authorization(entry["auth"]), expires_at) for host, entry in auths.items()}
    except KeyError as error:
        raise ValueError(f"it has no {error}") from None
    except (ValueError, TypeError, AttributeError):  # their messages quote the text
        raise ValueError("its .dockerconfigjson or expires_at is not what a refresh writes") from None
    if not stored:
        raise ValueError("its auths are empty")
    return stored


def _text(data: dict[str, str], key: str) -> str:
    try:
        return base64.b64decode(data[key], validate=True).decode()
    except binascii.Error:
        raise ValueError from None


def _age(settings: Settings, expires_at: datetime, now: datetime) -> Finding:
    schedule = settings.refresh.schedule
    left = expires_at - now
    said = f"the token is good until {expires_at:%F %H:%M} UTC, {_hours(left)} from now"
    if left <= timedelta():
        return failure(_CHECK, f"the token died at {expires_at:%F %H:%M} UTC, {_hours(-left)} ago", _REFRESH)
    if left < schedule.longest_gap:
        return failure(_CHECK, f"{said}: it may die before the next run", _REFRESH)
    expected = _LIFETIME - schedule.longest_until(1) - _LATE
    if left < expected:
        return warning(_CHECK, f"{said}: a refresh was missed or failed", _REFRESH)
    return fine(_CHECK, said)


def _hosts(settings: Settings, stored: Stored) -> Iterator[Finding]:
    ecr = Ecr()
    for registry in settings.registries:
        host = host_of(registry, stored)
        place = f"{registry.account} in {registry.region}"
        if host is None:
            yield failure(
                _CHECK, f"the Secret holds none for registry {place}", f"deploy these settings, then {_REFRESH}"
            )
            continue
        try:
            unasked = ecr.verify(host, stored[host])
        except RegistryError:
            yield failure(_CHECK, f"{host} refuses the token in the cluster", _REFRESH)
            continue
        if unasked:
            yield warning(
                _CHECK, f"{host} could not be asked from here whether it takes the token", "ask from inside the VPC"
            )
        else:
            yield fine(_CHECK, f"{host} takes the token")


def _hours(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60} min"
