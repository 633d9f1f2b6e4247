"""A registry that ECR fills from a public registry, as an operator sets it."""

import re

import pytest

from lambda_fn.contract.public_registries import PUBLIC_REGISTRIES, public_registry, url_regex
from lambda_fn.settings import parse_json, parse_toml, to_json
from lambda_fn.settings.mirrors import Mirror, mirror
from tests.unit.settings.files import SMALLEST, mistakes, with_line

HUB = 'pull_through = true\nrepositories = ["docker-hub/*"]\n'
CREDENTIAL = "arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:ecr-pullthroughcache/docker-hub-AbCdEf"


def with_registry(lines: str) -> str:
    return with_line("[[registries]]", lines)


def mirror_of(lines: str) -> Mirror:
    found = parse_toml(with_registry(lines), "my.toml").registries[0].mirror
    assert found
    return found


def test_a_registry_is_no_mirror_unless_the_settings_say_so() -> None:
    (registry,) = parse_toml(SMALLEST, "my.toml").registries
    assert registry.mirror is None


def test_the_prefix_of_the_rule_is_the_first_part_of_the_names() -> None:
    found = mirror_of('pull_through = true\nrepositories = ["docker-hub/library/*", "docker-hub/grafana/*"]')
    assert (found.prefix, found.upstream, found.redirect_hosts) == ("docker-hub", "", ())
    assert (found.upstream_start, found.public_start) == ("", "docker-hub/")


def test_a_prefix_of_several_parts_is_set() -> None:
    found = mirror_of('pull_through = true\nrepositories = ["mirror/quay/*"]\ncache_prefix = "mirror/quay"')
    assert (found.prefix, found.public_start) == ("mirror/quay", "mirror/quay/")


def test_blobs_may_come_from_the_hosts_that_the_upstream_documents_or_from_those_that_are_set() -> None:
    assert "production.cloudflare.docker.com" in mirror_of(HUB + 'upstream = "docker.io"').redirect_hosts
    own = mirror_of(HUB + 'upstream = "docker.io"\nredirect_hosts = ["cdn.example.net", "*.quay.io"]')
    assert own.redirect_hosts == ("cdn.example.net", "*.quay.io")


@pytest.mark.parametrize(
    ("strip", "prefix", "patterns", "upstream_start", "public_start"),
    [
        ("", "", ("docker-hub/*",), "", "docker-hub/"),
        ("hub/", "docker-hub/", ("docker-hub/*",), "", "hub/"),
        ("", "docker-hub/", ("docker-hub/*",), "", ""),
        ("base/", "docker-hub/library/", ("docker-hub/library/*",), "library/", "base/"),
    ],
)
def test_names_at_the_upstream_become_public_names(
    strip: str, prefix: str, patterns: tuple[str, ...], upstream_start: str, public_start: str
) -> None:
    found = mirror(
        ecr_patterns=patterns, cache_prefix=None, upstream=None, redirect_hosts=(), strip=strip, prefix=prefix
    )
    assert (found.upstream_start, found.public_start) == (upstream_start, public_start)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("pull_through = true", "registries[0]: repositories has '*', which is not below one prefix in ECR"),
        (
            'pull_through = true\nrepositories = ["docker-hub/*", "team/*"]',
            "registries[0]: repositories has 'team/*', which is not below one prefix in ECR",
        ),
        (
            'pull_through = true\nrepositories = ["docker-hub*"]',
            "registries[0]: repositories has 'docker-hub*', which is not",
        ),
        ('upstream = "docker.io"', "registries[0]: upstream needs pull_through = true in the same table"),
        ("cache_rule = true", "registries[0]: cache_rule needs pull_through = true in the same table"),
        (HUB + "cache_rule = true", "registries[0]: cache_rule = true needs upstream: the public registry"),
        (
            HUB + 'upstream = "docker.io"\ncache_rule = true',
            "registries[0]: cache_rule = true needs upstream_credential: ECR makes no rule for docker.io without",
        ),
        (
            HUB + f'upstream = "docker.io"\nupstream_credential = "{CREDENTIAL}"',
            "registries[0]: upstream_credential needs cache_rule = true",
        ),
        (HUB + 'upstream = "gcr.io"', 'registries[0].upstream = "gcr.io": must be a public registry that ECR has'),
        (
            HUB + 'redirect_hosts = ["*.net"]',
            'registries[0].redirect_hosts[0] = "*.net": must be a host name, where * stands for',
        ),
        (
            HUB + f'upstream_credential = "{CREDENTIAL.replace("ecr-pullthroughcache/", "")}"',
            "registries[0].upstream_credential = ",
        ),
    ],
)
def test_mistakes_name_the_key_and_the_fix(lines: str, message: str) -> None:
    (found,) = mistakes(with_registry(lines))
    assert found.startswith(message), found


def test_the_settings_of_a_mirror_survive_the_bundle() -> None:
    lines = f'{HUB}upstream = "docker.io"\ncache_rule = true\nupstream_credential = "{CREDENTIAL}"'
    settings = parse_toml(with_registry(lines), "my.toml")
    assert parse_json(to_json(settings), "the bundle") == settings


@pytest.mark.parametrize("name", [*(registry.name for registry in PUBLIC_REGISTRIES), "myregistry.azurecr.io"])
def test_every_upstream_of_ecr_is_known_with_the_hosts_of_its_blobs(name: str) -> None:
    found = public_registry(name)
    assert found.name == name
    assert found.redirect_hosts
    assert mirror_of(HUB + f'upstream = "{name}"').upstream == name


def test_an_upstream_that_ecr_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'gcr\.io'"):
        public_registry("gcr.io")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://cdn01.quay.io/layer", True),
        ("https://cdn.quay.io/layer", True),
        ("https://evil.net/cdn01.quay.io/", False),
        ("https://cdn01.quay.io.evil.net/", False),
        ("https://cdn01.evil.quay.io/", False),
        ("https://cdn01.quay.io:444/", False),
        ("https://user@cdn01.quay.io/", False),
        ("http://cdn01.quay.io/", False),
        ("https://cdn01xquay.io/", False),
    ],
)
def test_a_redirect_is_allowed_by_its_whole_host(url: str, *, allowed: bool) -> None:
    hosts = public_registry("quay.io").redirect_hosts
    assert bool(re.match(url_regex(hosts), url)) is allowed


def test_without_hosts_no_redirect_is_allowed() -> None:
    assert not re.match(url_regex(()), "https:///")
    assert not re.match(url_regex(()), "https://cdn01.quay.io/")
