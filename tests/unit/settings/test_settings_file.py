"""A `frontdoor.toml` is read whole or answered with every mistake at once."""

import re
from pathlib import Path

import pytest

from lambda_fn.errors import SettingsError
from lambda_fn.settings import ENVIRONMENT_NAME, Settings, parse_environment, parse_toml, to_environment

ROOT = Path(__file__).parents[3]
SMALLEST = """
domain = "registry.example.net"
[cluster]
name = "shared"
region = "ap-southeast-2"
[[registries]]
account = "123456789012"
region = "ap-southeast-2"
[proxy]
[proxy.exposure]
kind = "service"
"""

NETWORK = "vpc_id = 'vpc-12345678'\nsecurity_group_id = 'sg-12345678'\n"


def mistakes(text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse_toml(text, "my.toml")
    first, *lines = str(caught.value).splitlines()
    count = "1 mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
    assert first == f"my.toml has {count}:"
    return [line.strip() for line in lines]


def with_line(table: str, line: str) -> str:
    """The smallest file with `line` put at the top of `table`; an earlier value of the same key gives way."""
    key = line.split("=", maxsplit=1)[0].strip()
    head, tail = SMALLEST.split(f"{table}\n", 1) if table else ("", SMALLEST)
    body, *rest = re.split(r"^(?=\[)", tail, maxsplit=1, flags=re.MULTILINE)
    body = re.sub(rf"^{key} = .*\n", "", body, flags=re.MULTILINE)
    return f"{head}{table}\n{line}\n{body}{''.join(rest)}"


def test_the_smallest_file_gives_the_defaults_of_the_article() -> None:
    settings = parse_toml(SMALLEST, "my.toml")
    assert settings.names.template_config_map == "aws-registry-proxy-tpl"
    assert settings.names.config_map == "aws-registry-proxy-config"
    assert settings.names.secret == "aws-registry"
    assert settings.registries[0].repositories == ("*",)
    assert settings.refresh.period_minutes == 240
    assert settings.manifests == "kubectl"


def test_the_file_in_the_repository_is_valid() -> None:
    assert parse_toml((ROOT / "frontdoor.toml").read_text(), "frontdoor.toml").domain == "registry.shrd.example.net"


def test_settings_survive_the_lambdas_environment_unchanged() -> None:
    settings = parse_toml((ROOT / "frontdoor.toml").read_text(), "frontdoor.toml")
    assert parse_environment(to_environment(settings)) == settings


@pytest.mark.parametrize(
    ("table", "line", "message"),
    [
        (
            "",
            "domian = 'x.example.net'",
            "domian is no setting; allowed here: cluster, domain, manifests, names, proxy",
        ),
        ("[cluster]", "nam = 'x'", "cluster.nam is no setting; allowed here: certificate_authority, endpoint, name"),
        ("[[registries]]", "acount = '1'", "registries[0].acount is no setting; allowed here: account, endpoint"),
        ("[proxy.exposure]", "tls = 'x'", "proxy.exposure.tls is no setting; allowed here: kind"),
        (
            "[proxy.exposure]",
            "kind = 'nlb'",
            "proxy.exposure.kind = \"nlb\": must be one of 'ingress', 'pod', 'service'",
        ),
        ("[proxy.exposure]", "kind = 'pod'", "proxy.exposure.tls_secret is missing"),
        ("[proxy]", "replicas = 1", "proxy.replicas = 1: must be greater than or equal to 2"),
        ("[proxy]", "replicas = '3'", 'proxy.replicas = "3": must be a valid integer'),
        ("[proxy]", "client_cidrs = ['10.0.0.1/8']", "'10.0.0.1/8' is not one"),
        ("[proxy]", "resolver = 'kube-dns'", 'proxy.resolver = "kube-dns": must be an IPv4 or IPv6 address'),
        ("[proxy]", "image = 'nginx latest'", 'proxy.image = "nginx latest": must be an image with its registry'),
        ("", "domain = 'Registry.example.net'", 'domain = "Registry.example.net": must be a lower-case host name'),
        ("", "domain = 'registry'", 'domain = "registry": must be a lower-case host name with at least one dot'),
        ("", "domain = '10.0.0.1'", 'domain = "10.0.0.1": must be a lower-case host name'),
        ("", "domain = 3", "domain = 3: must be a valid string"),
        ("", "registries = []", "registries = []: must have at least one entry"),
        ("[[registries]]", "account = '12345678901'", 'registries[0].account = "12345678901": must be an AWS account'),
        ("[[registries]]", "account = 123456789012", "registries[0].account = 123456789012: must be a valid string"),
        ("[[registries]]", "region = 'Sydney'", 'registries[0].region = "Sydney": must be an AWS region'),
        ("[[registries]]", "repositories = ['Team/*']", 'registries[0].repositories[0] = "Team/*": must be lower-case'),
        ("[[registries]]", "repositories = []", "registries[0].repositories = []: must have at least one entry"),
        ("[[registries]]", "endpoint = 'ecr.example.net'", "must be an ECR host name, like 123456789012.dkr.ecr"),
        (
            "[[registries]]",
            "endpoint = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'",
            "is of another account or region than 123456789012 in ap-southeast-2",
        ),
        ("[cluster]", "vpc_id = 'vpc-12345678'", "vpc_id, subnet_ids and security_group_id belong together"),
        (
            "[cluster]",
            f"{NETWORK}subnet_ids = ['subnet-12345678', 'subnet-12345678']",
            "subnet_ids names a subnet twice",
        ),
        ("[cluster]", "endpoint = 'https://x.eks.amazonaws.com'", "endpoint and certificate_authority belong together"),
        ("[cluster]", "namespace = 'My_Space'", 'cluster.namespace = "My_Space": must be lower-case letters'),
    ],
)
def test_a_mistake_is_answered_with_the_key_the_value_and_what_is_allowed(table: str, line: str, message: str) -> None:
    text = with_line(table, line)
    if line == "registries = []":
        text = re.sub(r"\[\[registries\]\]\n(.*\n){2}", "", text)
    (found,) = mistakes(text)
    assert message in found


@pytest.mark.parametrize(
    ("period", "window", "right"), [(240, 15, True), (330, 0, True), (323, 15, False), (720, 0, False)]
)
def test_two_refreshes_must_fit_into_the_hours_a_token_is_counted_on(period: int, window: int, *, right: bool) -> None:
    text = f"{SMALLEST}[refresh]\nperiod_minutes = {period}\nflexible_window_minutes = {window}\n"
    if right:
        assert parse_toml(text, "my.toml").refresh.two_runs_minutes == 2 * period + window
    else:
        (found,) = mistakes(text)
        assert found.startswith(
            f"refresh: period_minutes = {period} with flexible_window_minutes = {window} leaves less"
        )


REGISTRY = '[[registries]]\naccount = "{}"\nregion = "ap-southeast-2"\nrepositories = {}\n'


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([("123456789012", "['a']"), ("123456789012", "['b']")], "registry 1 repeats registry 0: 123456789012 in"),
        ([("123456789012", "['*']"), ("210987654321", "['b']")], "registry 1 never serves 'b': registry 0 comes first"),
        ([("123456789012", "['a/*']"), ("210987654321", "['a/*']")], "registry 1 never serves 'a/*': registry 0 comes"),
    ],
)
def test_a_registry_that_could_never_serve_is_refused(entries: list[tuple[str, str]], message: str) -> None:
    single = re.search(r"\[\[registries\]\]\n(.*\n){2}", SMALLEST)
    assert single
    text = SMALLEST.replace(single[0], "".join(REGISTRY.format(*entry) for entry in entries))
    (found,) = mistakes(text)
    assert message in found


def test_an_explicit_endpoint_needs_an_explicit_resolver() -> None:
    text = with_line("[cluster]", "endpoint = 'https://10.0.0.1'\ncertificate_authority = 'Zm9v'")
    (found,) = mistakes(text)
    assert found.startswith("the file: proxy.resolver is needed with cluster.endpoint")


def test_all_mistakes_are_told_at_once() -> None:
    text = SMALLEST.replace('"shared"', "7").replace('"123456789012"', '"12"').replace('"service"', '"servce"')
    assert [line.split(" = ")[0] for line in mistakes(text)] == [
        "cluster.name",
        "registries[0].account",
        "proxy.exposure.kind",
    ]


def test_a_file_that_is_no_toml_names_the_line() -> None:
    with pytest.raises(SettingsError, match=r"^my\.toml is not TOML: .*line 1"):
        parse_toml("domain = registry", "my.toml")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "FRONTDOOR_SETTINGS is missing: deploy the stack again"),
        ({ENVIRONMENT_NAME: "{"}, "FRONTDOOR_SETTINGS is not JSON"),
        ({ENVIRONMENT_NAME: "[]"}, "FRONTDOOR_SETTINGS has 1 mistake"),
    ],
)
def test_a_broken_environment_says_to_deploy_again(environment: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_environment(environment)


def test_settings_cannot_be_changed_after_parsing() -> None:
    settings = parse_toml(SMALLEST, "my.toml")
    with pytest.raises(ValueError, match="frozen"):
        settings.domain = "other.example.net"  # type: ignore[misc]
    assert isinstance(settings, Settings)
