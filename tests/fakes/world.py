"""One front door made of fakes: what a test of the job gives it, runs, and looks at."""

import base64
import json
from dataclasses import dataclass, field

from lambda_fn.contract import objects
from lambda_fn.job import manifests
from lambda_fn.job.event import Request
from lambda_fn.job.refresh import refresh
from lambda_fn.job.report import Report
from lambda_fn.settings import Settings, parse_toml
from tests.contract.cluster import SETTINGS, deployment, template
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.registry import FakeRegistry

HOST = "123456789012.dkr.ecr.ap-southeast-2.amazonaws.com"
CONFIGURATION = (
    "# {{ domain }} {{ resolver }}{% for r in registries %} {{ r.host }}{% endfor %}"
    "{% for e in routes.depths %} {{ e.folders[0].path }}{% endfor %}"
)
TWO_ACCOUNTS = SETTINGS.replace(
    "registries = [",
    'registries = [{ account = "210987654321", region = "ap-southeast-2", repositories = ["other/*"] }, '
    '{ account = "123456789012", region = "eu-west-1", repositories = ["eu/*"] }, ',
)


@dataclass
class World:
    """The Lambda's three ports as fakes, and the job over them."""

    settings: Settings = field(default_factory=lambda: parse_toml(SETTINGS, "the test's settings"))
    clock: FakeClock = field(default_factory=FakeClock)
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    resolver: str = "10.96.0.10"

    def __post_init__(self) -> None:
        self.cluster = FakeCluster(self.settings, self.clock)

    def run(self, request: Request | None = None) -> Report:
        """One refresh."""
        return refresh(
            self.settings,
            request or Request(),
            resolver=self.resolver,
            registry=self.registry,
            cluster=self.cluster,
            clock=self.clock,
        )

    def edit_template(self, text: str) -> None:
        """The template, changed by a person."""
        self.cluster.edit("ConfigMap", self.settings.names.template_config_map, ("data", objects.TEMPLATE_KEY), text)

    def annotations(self) -> dict[str, str]:
        """The Lambda's annotations of the pod template."""
        workload = self.cluster.read_workload()
        assert workload is not None
        return manifests.own_annotations(workload.annotations)

    def auths(self) -> dict[str, dict[str, str]]:
        """What the Secret holds."""
        secret = self.cluster.read("Secret", "aws-registry")
        assert secret is not None
        auths: dict[str, dict[str, str]] = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]
        return auths


def installed(world: World) -> World:
    """A cluster with the charts applied."""
    world.cluster.create(template(world.settings, CONFIGURATION))
    world.cluster.create(deployment(world.settings))
    return world
