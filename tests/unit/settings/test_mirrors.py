"""A registry that ECR fills from a public registry, as an operator sets it."""

import json
import re

import pytest

from lambda_fn.contract.public_registries import PUBLIC_REGISTRIES, public_registry, url_regex
from lambda_fn.contract.routes import Route
from lambda_fn.settings import parse_json, parse_toml, to_json
from lambda_fn.settings.mirrors import Mirror, mirror
from tests.unit.settings.files import SMALLEST, mistakes, with_line
from tests.unit.settings.test_routes import FIRST, SECOND, with_tables

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
        ("hub/", "docker-hub/", ("hub/*",), "", "hub/"),
        ("", "docker-hub/", ("*",), "", ""),
        ("base/", "docker-hub/library/", ("base/*",), "library/", "base/"),
    ],
)
def test_names_at_the_upstream_become_public_names(
    strip: str, prefix: str, patterns: tuple[str, ...], upstream_start: str, public_start: str
) -> None:
    found = mirror(
        names={("repositories", pattern): Route(pattern, strip, prefix).ecr_pattern for pattern in patterns},
        cache_prefix=None,
        upstream=None,
        redirect_hosts=(),
        strip=strip,
        prefix=prefix,
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
        (
            'pull_through = true\nrepositories = ["docker-hub/*"]\nrenames = { "app" = "other/nginx" }',
            "registries[0]: renames has 'app', 'other/nginx' in ECR, which is not below one prefix in ECR",
        ),
        (
            'pull_through = true\nrepositories = ["hub/*"]\nprefix = "docker-"\ncache_prefix = "hub"',
            "registries[0]: repositories has 'hub/*', 'docker-hub/*' in ECR, which is not below one prefix in ECR",
        ),
        (
            'pull_through = true\nrepositories = ["v2/*"]\nstrip = "v2/"\nprefix = "docker-hub/"',
            "registries[0]: the names of a mirror begin with v2/, so its path for Docker would be one of the API",
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
        (
            f'region = "cn-north-1"\n{HUB}',
            "registries[0]: pull_through = true: ECR has no pull-through cache rules in cn-north-1 or elsewhere in",
        ),
        (
            f'region = "us-gov-west-1"\n{HUB}',
            "registries[0]: pull_through = true: ECR has no pull-through cache rules in us-gov-west-1",
        ),
        (
            f'endpoint = "123456789012.dkr.ecr-fips.ap-southeast-2.amazonaws.com"\n{HUB}',
            "registries[0]: endpoint = 123456789012.dkr.ecr-fips.ap-southeast-2.amazonaws.com cannot be used with",
        ),
        (
            f'endpoint = "123456789012.dkr-ecr-fips.ap-southeast-2.on.aws"\n{HUB}',
            "registries[0]: endpoint = 123456789012.dkr-ecr-fips.ap-southeast-2.on.aws cannot be used with",
        ),
        (
            HUB + f'upstream_credential = "{CREDENTIAL.replace("arn:aws:", "arn:aws-eusc:")}"',
            "registries[0].upstream_credential = ",
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


def test_a_mirror_may_have_a_dual_stack_endpoint_and_its_replica_a_fips_one() -> None:
    host = "123456789012.dkr-ecr.ap-southeast-2.on.aws"
    fips = "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com"
    replica = f'[[registries.replicas]]\naccount = "123456789012"\nregion = "us-east-1"\nendpoint = "{fips}"\n[proxy]'
    text = with_registry(f'endpoint = "{host}"\n{HUB}').replace("[proxy]", replica, 1)
    (registry,) = parse_toml(text, "my.toml").registries
    assert (registry.host, registry.replicas[0].host, bool(registry.mirror)) == (host, fips, True)


KUBERNETES = 'pull_through = true\nupstream = "registry.k8s.io"\n'
QUAY = 'pull_through = true\nupstream = "quay.io"\n'


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            'pull_through = true\nrepositories = ["hub/a/*"]',
            'pull_through = true\nrepositories = ["hub/b/*"]',
            "both mirrors below 'hub/'. Fix: put their repositories into one table",
        ),
        (
            f'{KUBERNETES}repositories = ["one/*"]',
            f'{KUBERNETES}repositories = ["two/*"]',
            "both mirrors of registry.k8s.io, and a node that names it could mean either. Fix: remove upstream",
        ),
        (
            f'{KUBERNETES}cache_rule = true\nrepositories = ["k8s/*"]',
            f'{QUAY}cache_rule = true\nrepositories = ["x/*"]\nstrip = "x/"\nprefix = "k8s/"',
            "both mirrors with cache_rule, and have the same rule, k8s. Fix: remove cache_rule",
        ),
    ],
)
def test_mirrors_that_a_node_or_ecr_cannot_tell_apart_are_refused_with_both_names(
    first: str, second: str, message: str
) -> None:
    """nginx refuses a name or a location that it has twice, and CDK a rule."""
    (found,) = mistakes(with_tables((FIRST, first), (FIRST, second)))
    assert found.startswith(f"registries: registries[0] and registries[1] are {message}"), found


def test_mirrors_of_several_registries_and_accounts_are_accepted() -> None:
    tables = (FIRST, HUB), (SECOND, f'{KUBERNETES}repositories = ["k8s/*"]'), (SECOND, 'repositories = ["team/*"]')
    settings = parse_toml(with_tables(*tables), "my.toml")
    assert [bool(registry.mirror) for registry in settings.registries] == [True, True, False]


@pytest.mark.parametrize("other", ['repositories = ["*"]', 'repositories = ["docker-hub/library/app"]'])
def test_another_name_for_what_a_mirror_imports_is_refused(other: str) -> None:
    stripped = 'pull_through = true\nrepositories = ["hub/*"]\nstrip = "hub/"\nprefix = "docker-hub/"'
    (found,) = mistakes(with_tables((FIRST, other), (FIRST, stripped)))
    assert found.startswith("registries: registries[0] serves "), found
    assert "which in ECR may be what registries[1] imports (docker-hub/*)" in found
    assert parse_toml(with_tables((SECOND, other), (FIRST, stripped)), "my.toml")


def with_replica_at_mirror(other: str) -> str:
    """A table of another region, whose replica is the registry of a mirror."""
    replica = f'[[registries.replicas]]\naccount = "{FIRST}"\nregion = "ap-southeast-2"'
    text = with_tables((FIRST, f"{other}\n{replica}"), (FIRST, HUB))
    return text.replace(
        f'account = "{FIRST}"\nregion = "ap-southeast-2"', f'account = "{FIRST}"\nregion = "us-west-2"', 1
    )


@pytest.mark.parametrize(
    ("other", "served"),
    [
        ('repositories = ["docker-hub/library/*"]', "docker-hub/library/*"),
        ('repositories = ["hub/*"]\nstrip = "hub/"\nprefix = "docker-hub/"', "hub/*"),
    ],
)
def test_a_replica_that_is_the_registry_of_a_mirror_is_no_way_around_it(other: str, served: str) -> None:
    """While the registry of the other table fails, its pulls would import without the limits of imports."""
    (found,) = mistakes(with_replica_at_mirror(other))
    assert found.startswith(
        f"registries: registries[0] serves {served!r}, which at the replica may be what registries[1] imports "
        "(docker-hub/*), so clients would get it without the limits of imports. Fix: "
    )


@pytest.mark.parametrize("other", ['repositories = ["team/*"]', 'repositories = ["*"]'])
def test_a_replica_that_is_the_registry_of_a_mirror_may_have_other_names(other: str) -> None:
    assert parse_toml(with_replica_at_mirror(other), "my.toml")


RENAMED = (
    'pull_through = true\nupstream = "docker.io"\nrepositories = []\nrenames = {{ "{}" = "docker-hub/library/a" }}'
)


def test_names_at_the_upstream_lead_to_no_renamed_repository() -> None:
    found = mirror_of(RENAMED.format("base/a"))
    assert (found.upstream, found.upstream_start, found.public_start, found.is_renamed) == ("docker.io", "", "", True)
    assert not mirror_of(HUB + 'upstream = "docker.io"').is_renamed


@pytest.mark.parametrize("other", [RENAMED.format("base/b"), f'{HUB}upstream = "docker.io"'])
def test_mirrors_that_names_at_the_upstream_do_not_lead_to_may_have_one_prefix_and_one_upstream(other: str) -> None:
    assert parse_toml(with_tables((FIRST, RENAMED.format("base/a")), (SECOND, other)), "my.toml")


@pytest.mark.parametrize("others", ["*", "docker*", "docker-hub*"])
def test_a_mirror_within_another_table_has_the_same_names_and_is_accepted(others: str) -> None:
    assert parse_toml(with_tables((FIRST, f'repositories = ["{others}"]'), (FIRST, HUB)), "my.toml")


def test_a_renamed_repository_of_a_mirror_within_another_table_is_accepted_where_it_has_the_same_name_there() -> None:
    other = 'repositories = ["hub/*"]\nstrip = "hub/"\nprefix = "docker-hub/"'
    renamed = 'pull_through = true\nrepositories = []\nrenames = {{ "{}" = "docker-hub/library/app" }}'
    assert parse_toml(with_tables((FIRST, other), (FIRST, renamed.format("hub/library/app"))), "my.toml")
    (found,) = mistakes(with_tables((FIRST, other), (FIRST, renamed.format("hub/app"))))
    assert "registries[0] serves 'hub/*', which in ECR may be what registries[1] imports" in found


@pytest.mark.parametrize(
    "other",
    [
        'repositories = ["docker-hub/team/*"]',
        'repositories = ["docker-hub/library/app"]',
        'repositories = ["team/*"]\nrenames = { "app" = "docker-hub/library/app" }',
    ],
)
def test_a_part_of_a_mirror_in_another_table_is_refused(other: str) -> None:
    """Its names would be imported without the limits of imports."""
    (found,) = mistakes(with_tables((FIRST, other), (FIRST, HUB)))
    assert "which in ECR may be what registries[1] imports (docker-hub/*)" in found
    assert parse_toml(with_tables((SECOND, other), (FIRST, HUB)), "my.toml")


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


@pytest.mark.parametrize(
    ("upstream", "host"),
    [
        ("docker.io", "production.cloudfront.docker.com"),
        ("docker.io", "production.cloudflare.docker.com"),
        ("docker.io", "docker-images-prod.6aa30f8b08e16409b46e0173d6de2f56.r2.cloudflarestorage.com"),
        ("docker.io", "docker-images-prod.s3.dualstack.us-east-1.amazonaws.com"),
        ("quay.io", "cdn06.quay.io"),
        ("quay.io", "quayio-production-s3.s3.us-east-1.amazonaws.com"),
        ("ghcr.io", "pkg-containers.githubusercontent.com"),
        ("registry.k8s.io", "prod-registry-k8s-io-eu-west-1.s3.dualstack.eu-west-1.amazonaws.com"),
        (
            "registry.k8s.io",
            "767373bbdcb8270361b96548387bf2a9ad0d48758c35-eu-west-2.s3.dualstack.eu-west-2.amazonaws.com",
        ),
        ("registry.k8s.io", "cdn.registry.k8s.io"),
        ("registry.k8s.io", "us-west2-docker.pkg.dev"),
        ("public.ecr.aws", "d5l0dvt14r5h8.cloudfront.net"),
        ("registry.gitlab.com", "cdn.registry.gitlab-static.net"),
        ("cgr.dev", "9236a389bd48b984df91adc1bc924620.r2.cloudflarestorage.com"),
        ("myregistry.azurecr.io", "weumanaged42.blob.core.windows.net"),
        ("myregistry.azurecr.io", "myregistry.westeurope.data.azurecr.io"),
    ],
)
def test_blobs_come_from_where_the_upstream_sends_clients_in_aws(upstream: str, host: str) -> None:
    assert re.match(url_regex(public_registry(upstream).redirect_hosts), f"https://{host}/blob?signature=any")


@pytest.mark.parametrize(
    ("upstream", "host"),
    [
        ("docker.io", "docker-images-prod-copy.s3.dualstack.us-east-1.amazonaws.com"),
        ("docker.io", "other.s3.amazonaws.com"),
        ("quay.io", "s3.us-east-1.amazonaws.com"),
        ("registry.k8s.io", "pkg.dev"),
        ("myregistry.azurecr.io", "other.westeurope.data.azurecr.io"),
        ("myregistry.azurecr.io", "westeurope.data.mcr.microsoft.com"),
    ],
)
def test_blobs_do_not_come_from_another_customers_host(upstream: str, host: str) -> None:
    assert not re.match(url_regex(public_registry(upstream).redirect_hosts), f"https://{host}/")


@pytest.mark.parametrize("name", [*(registry.name for registry in PUBLIC_REGISTRIES), "myregistry.azurecr.io"])
def test_the_hosts_of_an_upstream_may_be_written_into_the_settings(name: str) -> None:
    hosts = public_registry(name).redirect_hosts
    own = mirror_of(HUB + f'upstream = "{name}"\nredirect_hosts = {json.dumps(hosts)}')
    assert own.redirect_hosts == hosts


def test_without_hosts_no_redirect_is_allowed() -> None:
    assert not re.match(url_regex(()), "https:///")
    assert not re.match(url_regex(()), "https://cdn01.quay.io/")
    assert not re.match(url_regex(()), "-")


@pytest.mark.parametrize("hosts", [(), *(registry.redirect_hosts for registry in PUBLIC_REGISTRIES)])
def test_the_expression_of_hosts_names_no_variable_of_nginx(hosts: tuple[str, ...]) -> None:
    """nginx refuses a configuration that has a `$` without a name."""
    assert "$" not in url_regex(hosts)
