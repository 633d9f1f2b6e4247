"""The environments that a command works on: that of one settings file, or all of a folder.

A `defaults.toml` beside a settings file has what all files of the folder share. This is without CDK, whose import takes
seconds.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings.endpoints import Endpoints
from lambda_fn.settings.exposure import NlbExposure
from lambda_fn.settings.models import Settings
from lambda_fn.settings.parse import Location, load_toml, validated
from lambda_fn.settings.registry import Registry
from stacks.stack_name import stack_name

DEFAULT_CONFIG = "frontdoor.toml"
"""The settings file, unless the command line names another."""
DEFAULTS = "defaults.toml"
"""The file of a folder that is not an environment."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
"""Of an environment: CDK selects a stack by it."""
_Claim = tuple[tuple[str, ...], str]
"""What one environment alone may have, and what is wrong with two that have it."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One installation.

    Attributes:
        name: Of its file, without `.toml`; empty for a file that was named alone.
        path: Of its file.
        settings: With the defaults.
    """

    name: str
    path: Path
    settings: Settings


def environments(config: Path, *, option: str) -> list[Environment]:
    """The environments of a folder in the order of their names, or the one of a file.

    Args:
        config: The folder or the file.
        option: How the command line names it, for messages.

    Raises:
        SettingsError: A file cannot be read or has mistakes, or two of them are the same installation; lists every
            mistake of every file.
    """
    if not config.is_dir():
        return [Environment("", config, settings_of(config, option=option))]
    found, mistakes = [], []
    for path in _files(config):
        try:
            found.append(Environment(path.stem, path, settings_of(path, option=option)))
        except SettingsError as error:
            mistakes.append(str(error))
    if mistakes:
        raise SettingsError("\n".join(mistakes))
    _reject_equal(found)
    return found


def settings_of(path: Path, *, option: str) -> Settings:
    """The settings of one file, with those of a `defaults.toml` beside it.

    Raises:
        SettingsError: The path is a folder, a file cannot be read, or has mistakes; lists all of them.
    """
    if path.is_dir():
        names = ", ".join(str(each) for each in _files(path))
        raise SettingsError(f"{path} is a folder, and this works on one environment. Fix: name one of {names}")
    beside = path.with_name(DEFAULTS)
    if path.name == DEFAULTS:
        raise SettingsError(f"{path} has the defaults of other files. Fix: name one of them, or their folder")
    own = load_toml(_text(path, option), str(path))
    if not beside.is_file():
        return validated(own, str(path))
    defaults = load_toml(_text(beside, option), str(beside))
    return validated(merged(defaults, own), str(path), _place(beside, defaults, own))


def merged(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Tables merge key by key, and everything else replaces the default: lists, too, and a table of another `kind`."""
    found = {**defaults, **own}
    for key in defaults.keys() & own.keys():
        default, value = defaults[key], own[key]
        if isinstance(default, dict) and isinstance(value, dict):
            is_other_kind = "kind" in value and value["kind"] != default.get("kind", value["kind"])
            found[key] = value if is_other_kind else merged(default, value)
    return found


def _files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.glob("*.toml") if path.name != DEFAULTS)
    if not found:
        raise SettingsError(f"{folder} has no environment: it needs a file such as {folder / 'shared.toml'}")
    for path in found:
        if not _NAME.fullmatch(path.stem):
            raise SettingsError(
                f"{path} cannot name an environment: a name has letters, digits, - and _ before .toml. Fix: rename it"
            )
    return found


def _text(path: Path, option: str) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")  # invalid bytes become a TOML error
    except OSError as error:
        raise SettingsError(
            f"cannot read {path}: {error.strerror}. Fix: name an existing file or folder with {option}"
        ) from error


def _place(path: Path, defaults: Mapping[str, Any], own: Mapping[str, Any]) -> Callable[[Location], str]:
    def place(location: Location) -> str:
        return f" (in {path})" if _has(defaults, location) and not _has(own, location) else ""

    return place


def _has(raw: Any, location: Location) -> bool:  # noqa: ANN401 - whatever the file held
    for part in location:
        try:
            raw = raw[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _reject_equal(found: Sequence[Environment]) -> None:
    """Two files of one stack, or of one namespace of a cluster, would overwrite what the other one has deployed.

    Two of one domain serve clients of two VPCs, each with its private zone; in one zone both would write its alias.
    """
    claimed: dict[tuple[str, ...], Path] = {}
    for environment in found:
        for claim, conflict in _claims(environment.settings):
            if (other := claimed.setdefault(claim, environment.path)) != environment.path:
                raise SettingsError(f"{other} and {environment.path} {conflict}")


def _claims(settings: Settings) -> Iterator[_Claim]:
    domain, exposure, cluster = settings.domain, settings.proxy.exposure, settings.cluster
    if isinstance(exposure, NlbExposure) and exposure.alias_zone_id:
        conflict = (
            f'both have domain = "{domain}" and alias_zone_id = "{exposure.alias_zone_id}", so both would write one '
            "DNS record. Fix: give each its own domain, or the zone of its own VPC"
        )
        yield ("record", exposure.alias_zone_id, domain), conflict
    name = stack_name(settings)
    conflict = (
        f"have the same stack, {name} in {cluster.region}. Fix: set deployment.stack_name in one of them, or another "
        "cluster.name or cluster.namespace"
    )
    yield ("stack", cluster.region, name), conflict
    conflict = (
        f"are both namespace {cluster.namespace} of cluster {cluster.name} in {cluster.region}. Fix: give each its own "
        "cluster.namespace"
    )
    yield ("namespace", cluster.region, cluster.name, cluster.namespace), conflict
    group = settings.refresher_group
    conflict = (
        f"both have the group {group} in cluster {cluster.name} in {cluster.region}, so either Lambda could write into "
        "the namespace of the other. Fix: set names.group to another one, or remove it"
    )
    yield ("group", cluster.region, cluster.name, group), conflict
    yield from _cache_rules(settings.registries)
    yield from _endpoints(cluster.vpc_id, settings.endpoints)


def _cache_rules(registries: Sequence[Registry]) -> Iterator[_Claim]:
    for registry in registries:
        if registry.cache_rule and registry.mirror:
            prefix = registry.mirror.prefix
            conflict = (
                f"both have cache_rule = true for the prefix {prefix} of {registry.place}, and "
                "ECR allows one rule for a prefix. Fix: remove cache_rule and upstream_credential from all but one: "
                "its stack makes the rule for all, and destroying that stack ends their imports, too"
            )
            yield ("cache rule", registry.account, registry.region, prefix), conflict


def _endpoints(vpc_id: str | None, endpoints: Endpoints) -> Iterator[_Claim]:
    """A VPC has one private name of a service, and a route table one route to S3."""
    for service in endpoints.create:
        for place in endpoints.route_table_ids if service == "s3" else (vpc_id or "",):
            conflict = (
                f"both create the endpoint {service} in {place}, and EC2 refuses a second one. Fix: move it to "
                "endpoints.existing in all but one, which is deployed first and destroyed last"
            )
            yield ("endpoint", service, place), conflict
