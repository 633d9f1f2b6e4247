"""The replica of a registry, as an operator sets it."""

import re
import tomllib

import jsonschema
import pytest

from lambda_fn.job.template_inputs import inputs_of
from lambda_fn.settings import Settings, parse_json, parse_toml, to_json
from lambda_fn.settings.registry import replicas_as_registries, with_replicas
from tests.unit.settings.files import SMALLEST, WITH_REPLICA, mistakes

HOST = "123456789012.dkr.ecr.ap-southeast-2.amazonaws.com"
HOST_OF_REPLICA = "123456789012.dkr.ecr.ap-southeast-4.amazonaws.com"
DUAL_STACK = "123456789012.dkr-ecr.ap-southeast-4.on.aws"


def with_replica(line: str) -> str:
    """The settings with `line` in the replica, instead of an earlier value of the same key."""
    key = line.split("=", maxsplit=1)[0].strip()
    head, tail = WITH_REPLICA.split("[[registries.replicas]]\n", 1)
    body, rest = tail.split("[proxy]", 1)
    others = re.sub(rf"^{key} = .*\n", "", body, flags=re.MULTILINE)
    return f"{head}[[registries.replicas]]\n{line}\n{others}[proxy]{rest}"


def with_tags(value: str, text: str) -> str:
    return text.replace("[[registries]]\n", f"[[registries]]\ntags = '{value}'\n", 1)


FIX = "Fix: name the region to which ECR replicates the repositories of 123456789012 in ap-southeast-2"
SECOND = "[[registries.replicas]]\naccount = '123456789012'\nregion = 'us-east-1'\n[proxy]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            with_replica("region = 'ap-southeast-2'"),
            f"registries[0]: replicas[0] is 123456789012 in ap-southeast-2, which is the registry itself. {FIX}",
        ),
        (
            with_replica("account = '210987654321'").replace("ap-southeast-4", "ap-southeast-2"),
            "registries[0]: replicas[0] is 210987654321 in ap-southeast-2, the registry's own region: both would fail",
        ),
        (
            with_replica("region = 'cn-north-1'"),
            "registries[0]: replicas[0] is 123456789012 in cn-north-1, in the partition aws-cn: must be in aws, as the",
        ),
        (
            with_replica(f"endpoint = '{HOST}'"),
            f"registries[0].replicas[0]: endpoint {HOST} is not a host name of the registry of 123456789012 in ap-sou",
        ),
        (
            with_replica("repositories = ['*']"),
            "registries[0].replicas[0].repositories is not a known setting: must be one of account, endpoint, region",
        ),
        (
            WITH_REPLICA.replace("[proxy]", SECOND, 1),
            "registries[0].replicas: has 2 entries, and at most one is allowed. Fix: keep the one that is to serve",
        ),
        (with_tags("replica", WITH_REPLICA), "registries[0].tags = \"replica\": must be 'any' or 'primary'"),
        (
            with_tags("primary", SMALLEST),
            'registries[0]: tags = "primary" has no effect without replicas. Fix: remove tags, or add a replica',
        ),
    ],
)
def test_a_replica_that_cannot_serve_is_refused(text: str, message: str) -> None:
    (found,) = mistakes(text)
    assert found.startswith(message)


def test_the_schema_accepts_one_replica_and_refuses_two() -> None:
    schema = jsonschema.Draft202012Validator(Settings.model_json_schema())
    raw = tomllib.loads(WITH_REPLICA)
    assert schema.is_valid(raw)
    raw["registries"][0]["replicas"] *= 2
    assert not schema.is_valid(raw)


def test_each_registry_is_followed_by_its_replica() -> None:
    text = WITH_REPLICA + "\n[[registries]]\naccount = '210987654321'\nregion = 'eu-west-1'\nrepositories = ['x']\n"
    settings = parse_toml(text.replace("[[registries]]", "[[registries]]\nrepositories = ['team/*']", 1), "my.toml")
    assert [each.region for each in with_replicas(settings.registries)] == [
        "ap-southeast-2",
        "ap-southeast-4",
        "eu-west-1",
    ]


def test_a_replica_has_the_routes_of_its_registry() -> None:
    settings = parse_toml(with_replica(f"endpoint = '{DUAL_STACK}'"), "my.toml")
    (found,) = replicas_as_registries(settings.registries)
    assert (found.region, found.host, found.replicas) == ("ap-southeast-4", DUAL_STACK, ())
    assert found.routes == settings.registries[0].routes


def test_the_lambda_gets_the_replica_from_its_bundle() -> None:
    settings = parse_toml(with_tags("primary", with_replica(f"endpoint = '{DUAL_STACK}'")), "my.toml")
    (found,) = parse_json(to_json(settings), "settings.json").registries
    assert found == settings.registries[0]


@pytest.mark.parametrize(
    ("text", "host", "tags_of_replica"),
    [
        (SMALLEST, "", False),
        (WITH_REPLICA, HOST_OF_REPLICA, True),
        (with_tags("primary", WITH_REPLICA), HOST_OF_REPLICA, False),
        (with_replica(f"endpoint = '{DUAL_STACK}'"), DUAL_STACK, True),
    ],
)
def test_the_template_knows_the_replica_and_whether_it_serves_tags(
    text: str, host: str, *, tags_of_replica: bool
) -> None:
    (upstream,) = inputs_of(parse_toml(text, "my.toml"), (HOST,), "10.0.0.10").registries
    assert (upstream.replica, upstream.tags_of_replica) == (host, tags_of_replica)


def test_the_proxy_reads_layers_of_both_regions() -> None:
    inputs = inputs_of(parse_toml(WITH_REPLICA, "my.toml"), (HOST,), "10.0.0.10")
    buckets = [f"prod-{region}-starport-layer-bucket.s3.{region}" for region in ("ap-southeast-2", "ap-southeast-4")]
    assert inputs.layer_hosts == [f"{bucket}.amazonaws.com" for bucket in buckets]
    assert inputs.layer_choices == ["|".join(inputs.layer_hosts)]
    assert all(re.match(inputs.layer_urls, f"https://{host}/layer") for host in inputs.layer_hosts)
