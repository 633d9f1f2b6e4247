"""One settings file for each environment, and the defaults that they share."""

from pathlib import Path
from typing import Any

import pytest

from lambda_fn.contract.errors import SettingsError
from stacks.environments import environments, merged, settings_of

OPTION = "--config PATH"
DEFAULTS = """
[cluster]
region = "eu-west-1"

[[registries]]
account = "123456789012"
region = "eu-west-1"
repositories = ["team/*", "base/*"]

[proxy.exposure]
kind = "service"

[refresh]
period_minutes = 120
"""


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name.replace('_', '-')}.toml").write_text(text)
    return folder


def of(name: str, *, domain: str = "", more: str = "", in_cluster: str = "") -> str:
    """An environment, with more tables before its cluster, and more keys and tables after the cluster's name."""
    return f'domain = "{domain or f"registry.{name}.example.net"}"\n{more}\n[cluster]\nname = "{name}"\n{in_cluster}'


def in_zone(name: str, zone: str) -> str:
    """One domain for all, behind a load balancer, with its alias in this Route 53 zone."""
    balancer = f"""[proxy]
client_cidrs = ["10.1.0.0/16"]
[proxy.exposure]
kind = "nlb"
tls_secret = "registry-tls"
alias_zone_id = "{zone}"
subnets = {{ subnet-12345678 = "10.1.0.0/24" }}"""
    network = 'vpc_id = "vpc-12345678"\nsubnet_ids = ["subnet-12345678"]\nsecurity_group_id = "sg-12345678"'
    return of(name, domain="one.example.net", more=balancer) + network


@pytest.mark.parametrize(
    ("default", "own", "expected"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"t": {"a": 1, "b": 1}}, {"t": {"b": 2}}, {"t": {"a": 1, "b": 2}}),
        ({"t": {"u": {"a": 1}}}, {"t": {"u": {"b": 2}}}, {"t": {"u": {"a": 1, "b": 2}}}),
        ({"l": [1, 2]}, {"l": [3]}, {"l": [3]}),
        ({"l": [{"a": 1}]}, {"l": [{"b": 2}]}, {"l": [{"b": 2}]}),
        ({"e": {"kind": "nlb", "a": 1}}, {"e": {"kind": "pod", "b": 2}}, {"e": {"kind": "pod", "b": 2}}),
        ({"e": {"kind": "nlb", "a": 1}}, {"e": {"kind": "nlb", "b": 2}}, {"e": {"kind": "nlb", "a": 1, "b": 2}}),
        ({"e": {"kind": "nlb", "a": 1}}, {"e": {"b": 2}}, {"e": {"kind": "nlb", "a": 1, "b": 2}}),
        ({"t": {"a": 1}}, {"t": "text"}, {"t": "text"}),
        ({"t": "text"}, {"t": {"a": 1}}, {"t": {"a": 1}}),
    ],
)
def test_tables_merge_and_lists_values_and_tables_of_another_kind_replace(
    default: dict[str, Any], own: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert merged(default, own) == expected


def test_a_folder_is_its_files_by_name_with_the_defaults_and_the_defaults_are_none(tmp_path: Path) -> None:
    folder = written(
        tmp_path, defaults=DEFAULTS, blue=of("blue"), green=of("green", more="[refresh]\nperiod_minutes = 60")
    )
    blue, green = environments(folder, option=OPTION)
    assert (blue.name, green.name) == ("blue", "green")
    assert blue.settings.cluster.region == green.settings.cluster.region == "eu-west-1"
    assert (blue.settings.refresh.period_minutes, green.settings.refresh.period_minutes) == (120, 60)


def test_one_file_of_a_folder_has_the_defaults_too_and_no_name(tmp_path: Path) -> None:
    written(tmp_path, defaults=DEFAULTS, blue=of("blue"))
    (alone,) = environments(tmp_path / "blue.toml", option=OPTION)
    assert (alone.name, alone.settings.refresh.period_minutes) == ("", 120)


def test_the_mistakes_of_all_files_are_listed_each_with_its_file_and_key(tmp_path: Path) -> None:
    wrong = DEFAULTS.replace("period_minutes = 120", "period_minutes = 5\nwindow = 1")
    folder = written(tmp_path, defaults=wrong, blue=of("blue", domain="no domain"), green=of("green", more="x = 1"))
    with pytest.raises(SettingsError) as raised:
        environments(folder, option=OPTION)
    blue, *of_blue, green, _, _, of_green = str(raised.value).splitlines()
    assert blue == f"{folder}/blue.toml has 3 mistakes:"
    assert of_blue[0].startswith('  domain = "no domain": must be a lower-case host name')
    assert f"{folder}/defaults.toml" not in of_blue[0]
    assert of_blue[1].startswith("  refresh.period_minutes = 5: ")
    assert of_blue[1].endswith(f" (in {folder}/defaults.toml)")
    assert of_blue[2].startswith("  refresh.window is not a known setting: ")
    assert of_blue[2].endswith(f" (in {folder}/defaults.toml)")
    assert green == f"{folder}/green.toml has 3 mistakes:"
    assert of_green.startswith("  x is not a known setting")


def test_a_mistake_in_a_list_of_the_environment_is_not_that_of_the_defaults(tmp_path: Path) -> None:
    registry = '[[registries]]\naccount = "1"\nregion = "eu-west-1"'
    written(tmp_path, defaults=DEFAULTS, blue=f"{of('blue')}\n{registry}")
    with pytest.raises(SettingsError, match=r"registries\[0\].account = \"1\": must be an AWS account: .*'$"):
        settings_of(tmp_path / "blue.toml", option=OPTION)


def test_two_files_with_the_same_stack_are_refused_with_both_names(tmp_path: Path) -> None:
    folder = written(tmp_path, defaults=DEFAULTS, blue=of("shared"), green=of("shared", domain="green.example.net"))
    with pytest.raises(
        SettingsError, match=r"blue\.toml and .*green\.toml have the same stack, ecr-frontdoor-shared-registry"
    ):
        environments(folder, option=OPTION)


def test_clusters_of_one_name_in_two_regions_have_stacks_of_one_name(tmp_path: Path) -> None:
    """CloudFormation has a stack for each name in each region."""
    dublin, frankfurt = of("shared"), of("shared", domain="eu.example.net") + '\nregion = "eu-central-1"'
    folder = written(tmp_path, defaults=DEFAULTS, dublin=dublin, frankfurt=frankfurt)
    found = environments(folder, option=OPTION)
    assert {each.settings.cluster.region for each in found} == {"eu-west-1", "eu-central-1"}


def test_two_stacks_in_one_namespace_are_refused_with_both_names(tmp_path: Path) -> None:
    other = of("shared", domain="green.example.net", more='[deployment]\nstack_name = "other"')
    folder = written(tmp_path, defaults=DEFAULTS, blue=of("shared"), green=other)
    with pytest.raises(
        SettingsError, match=r"blue\.toml and .*green\.toml are both namespace registry of cluster shared"
    ):
        environments(folder, option=OPTION)


def test_two_stacks_that_would_write_one_dns_record_are_refused_with_both_names_and_the_record(tmp_path: Path) -> None:
    files = {"blue": in_zone("blue", "Z0ONE"), "green": in_zone("green", "Z0ONE")}
    folder = written(tmp_path, defaults=DEFAULTS, **files)
    record = r'domain = "one\.example\.net" and alias_zone_id = "Z0ONE"'
    with pytest.raises(SettingsError, match=rf"blue\.toml and .*green\.toml both have {record}, so .* Fix: "):
        environments(folder, option=OPTION)


MIRRORED = """[[registries]]
account = "{account}"
region = "{region}"
repositories = ["{prefix}/*"]
pull_through = true
upstream = "quay.io"
cache_rule = true
"""
GROUP = '[names]\ngroup = "team:writer"'


def mirrored(*, account: str = "123456789012", region: str = "eu-west-1", prefix: str = "quay") -> str:
    return MIRRORED.format(account=account, region=region, prefix=prefix)


def with_endpoints(vpc: str, table: str, *services: str) -> str:
    tables = f'route_table_ids = ["{table}"]' if "s3" in services else ""
    network = f'vpc_id = "{vpc}"\nsubnet_ids = ["subnet-12345678"]\nsecurity_group_id = "sg-12345678"'
    return f"{network}\n[endpoints]\ncreate = {list(services)}\n{tables}"


ONE, OTHER = ("vpc-11111111", "rtb-11111111"), ("vpc-22222222", "rtb-22222222")


@pytest.mark.parametrize(
    ("blue", "green", "message"),
    [
        pytest.param(
            {"more": mirrored()},
            {"more": mirrored()},
            "both have cache_rule = true for the prefix quay of 123456789012 in eu-west-1, and .* destroying that",
            id="cache rule",
        ),
        pytest.param(
            {"in_cluster": with_endpoints(*ONE, "ecr.api", "eks")},
            {"in_cluster": with_endpoints(*ONE, "sts", "eks")},
            "both create the endpoint eks in vpc-11111111, and EC2 refuses a second one. Fix: move it",
            id="interface endpoint",
        ),
        pytest.param(
            {"in_cluster": with_endpoints(*ONE, "s3")},
            {"in_cluster": with_endpoints(*ONE, "s3")},
            "both create the endpoint s3 in rtb-11111111, and EC2",
            id="gateway endpoint",
        ),
    ],
)
def test_what_a_second_stack_could_not_make_is_refused_with_both_names(
    tmp_path: Path, blue: dict[str, str], green: dict[str, str], message: str
) -> None:
    folder = written(tmp_path, defaults=DEFAULTS, blue=of("blue", **blue), green=of("green", **green))
    with pytest.raises(SettingsError, match=rf"blue\.toml and .*green\.toml {message}"):
        environments(folder, option=OPTION)


@pytest.mark.parametrize("group", ["team:writer", "ecr-frontdoor:refresher:registry"])
def test_one_group_for_two_namespaces_of_a_cluster_is_refused_with_both_names(tmp_path: Path, group: str) -> None:
    named = f'[names]\ngroup = "{group}"'
    blue = of("shared", more=named if group == "team:writer" else "")
    green = of("shared", domain="green.example.net", more=named, in_cluster='namespace = "green"')
    folder = written(tmp_path, defaults=DEFAULTS, blue=blue, green=green)
    with pytest.raises(SettingsError, match=rf"both have the group {group} in cluster shared in eu-west-1, so either"):
        environments(folder, option=OPTION)


@pytest.mark.parametrize(
    ("blue", "green"),
    [
        ({"more": mirrored()}, {"more": mirrored(prefix="other")}),
        ({"more": mirrored()}, {"more": mirrored(account="210987654321")}),
        ({"more": mirrored()}, {"more": mirrored().replace("cache_rule = true", "")}),
        ({"more": GROUP}, {"more": GROUP}),
        (
            {"in_cluster": with_endpoints(*ONE, "eks", "s3")},
            {"in_cluster": with_endpoints(*OTHER, "eks", "s3")},
        ),
        (
            {"in_cluster": with_endpoints(*ONE, "eks", "s3")},
            {"in_cluster": with_endpoints(ONE[0], OTHER[1], "sts", "s3")},
        ),
        (
            {"in_cluster": with_endpoints(*ONE, "eks")},
            {"in_cluster": with_endpoints(*ONE, "sts") + 'existing = ["eks"]'},
        ),
    ],
)
def test_two_clusters_may_have_rules_groups_and_endpoints_of_their_own(
    tmp_path: Path, blue: dict[str, str], green: dict[str, str]
) -> None:
    folder = written(tmp_path, defaults=DEFAULTS, blue=of("blue", **blue), green=of("green", **green))
    assert [each.name for each in environments(folder, option=OPTION)] == ["blue", "green"]


def test_one_domain_serves_the_clients_of_several_vpcs(tmp_path: Path) -> None:
    """Each VPC has a private zone, or other DNS, of its own."""
    files = {"blue": in_zone("blue", "Z0ONE"), "green": in_zone("green", "Z0TWO")}
    files |= {name: of(name, domain="one.example.net") for name in ("red", "white")}
    found = environments(written(tmp_path, defaults=DEFAULTS, **files), option=OPTION)
    assert [each.settings.domain for each in found] == ["one.example.net"] * 4


def test_a_command_for_one_environment_names_the_files_of_a_folder(tmp_path: Path) -> None:
    folder = written(tmp_path, defaults=DEFAULTS, blue=of("blue"), green=of("green"))
    with pytest.raises(SettingsError, match=r"is a folder.*name one of .*blue\.toml, .*green\.toml$"):
        settings_of(folder, option=OPTION)


@pytest.mark.parametrize("files", [{}, {"defaults": DEFAULTS}])
def test_a_folder_without_an_environment_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="has no environment: it needs a file such as"):
        environments(written(tmp_path, **files), option=OPTION)


def test_the_defaults_alone_are_no_environment(tmp_path: Path) -> None:
    written(tmp_path, defaults=DEFAULTS)
    with pytest.raises(SettingsError, match="has the defaults of other files"):
        settings_of(tmp_path / "defaults.toml", option=OPTION)


def test_a_file_whose_name_cdk_would_not_take_for_a_stack_is_refused(tmp_path: Path) -> None:
    (tmp_path / "prod eu.toml").write_text(of("prod"))
    with pytest.raises(SettingsError, match=r"prod eu\.toml cannot name an environment"):
        environments(tmp_path, option=OPTION)


@pytest.mark.parametrize("name", ["blue", "defaults"])
def test_a_file_that_is_not_toml_is_named(tmp_path: Path, name: str) -> None:
    written(tmp_path, **{"defaults": DEFAULTS, "blue": of("blue"), name: "="})
    with pytest.raises(SettingsError, match=rf"{name}\.toml is not TOML"):
        environments(tmp_path, option=OPTION)
