"""A new user's first hour on the real node: a front door of its own beside the other one, from `init` to `usage`.

`make deploy-local` takes the same steps with `cdk deploy`.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from lambda_fn.contract.runtime import HANDLER, WATCHER_HANDLER
from lambda_fn.settings import Settings, parse_toml
from testbed.sandbox import first_steps, hosts
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.commands import run
from testbed.sandbox.kubectl import kubectl_apply, kubectl_json
from testbed.sandbox.new_user import FRONTDOOR, STEPS, NewUser, read_catalogue
from testbed.sandbox.story import Lines, expect
from testbed.sandbox.world import World
from tests.e2e.handlers import Function, role_of


@dataclass
class OnTheNode(NewUser):
    """Deploys by the charts, and runs the handlers under Lambda's own runtime interface client."""

    undo: ExitStack = field(default_factory=ExitStack)

    def deployed(self) -> Lines:
        kubectl_apply(run((*FRONTDOOR, "manifests", "--config", self.config)))
        settings = self.settings
        report, error = self.invoke(HANDLER, "refresher", settings.refresher_group, {})
        expect(error is None, f"the Lambda failed: {error}")
        service = kubectl_json("get", "service", settings.names.workload, f"--namespace={self.world.namespace}")
        self.undo.enter_context(hosts.pointed(self.world, {service["spec"]["clusterIP"]: (self.world.domain,)}))
        yield f"{report['pods_ready']} of {report['pods_wanted']} pods are ready"

    def listed(self) -> Lines:
        group = self.settings.watcher_group
        yield from read_catalogue(lambda: self.invoke(WATCHER_HANDLER, "watcher", group, {"catalogue": True}))

    @property
    def settings(self) -> Settings:
        return parse_toml(self.config.read_text("utf-8"), str(self.config))

    def invoke(self, handler: str, role: str, group: str, event: object) -> tuple[Any, str | None]:
        """What a function answers that has such a role, and its error."""
        arn = self.undo.enter_context(role_of(self.world, role, group))
        return Function(self.world, self.settings, handler, arn)(event)


@pytest.fixture(scope="module")
def user(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnTheNode]:
    """With a domain, a namespace and a repository that no other test uses."""
    Control().reset()
    own = replace(world, domain=world.new_domain, namespace="new-user", app_repository="team/welcome")
    first_steps.furnish(own)
    found = OnTheNode(own, tmp_path_factory.mktemp("user") / "frontdoor.toml")
    with found.undo:
        found.undo.callback(run, ("kubectl", "delete", "namespace", own.namespace, "--wait=false"))
        yield found


@pytest.fixture(scope="module")
def passed() -> list[str]:
    """The names of the steps that have passed."""
    return []


@pytest.mark.parametrize("step", STEPS)
def test_step_of_a_new_user_passes(user: OnTheNode, passed: list[str], step: str) -> None:
    assert passed == list(STEPS[: STEPS.index(step)]), "an earlier step failed"
    assert list(getattr(user, step)()), "the step shows nothing"
    passed.append(step)
