"""Settings with mirrors of public registries, and the double of an ECR that has rules for them."""

import json

from lambda_fn.settings import Settings, parse_toml
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.world import World
from tests.proxy.client import Answer

IMPORT_SECONDS, ECR_SECONDS, UNKNOWN_SECONDS = 5, 2, 3
RULES = Behaviour(pull_through=frozenset({"docker-hub", "quay"}))


def with_mirrors(world: World, resolver: str, exposure: str = 'kind = "service"', replica: str = "") -> Settings:
    """A registry with a team's images, Docker Hub's, and Fedora's of Quay under other names."""
    return parse_toml(
        f"""
        domain = "{world.domain}"
        contact = "registry@example.net"
        cluster = {{ name = "{world.cluster}", region = "{world.region}" }}
        [[registries]]
        account = "{world.account}"
        region = "{world.region}"
        replicas = [{replica}]
        repositories = ["team/*"]
        [[registries]]
        account = "{world.account}"
        region = "{world.region}"
        replicas = [{replica}]
        repositories = ["docker-hub/library/*", "docker-hub/grafana/*"]
        pull_through = true
        upstream = "docker.io"
        [[registries]]
        account = "{world.account}"
        region = "{world.region}"
        replicas = [{replica}]
        repositories = ["base/*"]
        strip = "base/"
        prefix = "quay/fedora/"
        pull_through = true
        upstream = "quay.io"
        [proxy]
        resolver = "{resolver}"
        cache = {{ slice_mib = 1, tag_seconds = 3, unknown_seconds = {UNKNOWN_SECONDS} }}
        timeouts = {{ ecr_seconds = {ECR_SECONDS}, import_seconds = {IMPORT_SECONDS}, pause_seconds = 1 }}
        [proxy.exposure]
        {exposure}
        """,
        "the test's settings",
    )


def message(answer: Answer) -> str:
    """The message of an error of the proxy."""
    return str(answer.json()["errors"][0]["message"])


def code_of_ecr(answer: Answer) -> str:
    """The code of an error of ECR, which has a charset."""
    return str(json.loads(answer.body)["errors"][0]["code"])


def tags_asked(control: Control, mark: int) -> int:
    """How often ECR was asked for a tag."""
    return sum(":" not in entry.path for entry in control.requests(mark).of("registry.manifests"))
