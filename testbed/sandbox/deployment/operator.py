"""The operator of the story, and the actions of several steps: deploy, pull, invoke a schedule's target."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from stacks.stack_name import stack_name
from testbed.sandbox import installation, pulls
from testbed.sandbox.deployment import cdk, examination, observed
from testbed.sandbox.deployment.pulling import Tally, pulling
from testbed.sandbox.deployment.stack import Stack
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.installation import SCHEDULED_EVENT, TLS_SECRET
from testbed.sandbox.kubectl import kubectl_json
from testbed.sandbox.progress import say
from testbed.sandbox.story import Lines, expect
from testbed.sandbox.world import World

_AROUND_CHARACTERS = 80


@dataclass
class Operator:
    """The operator: what is deployed, and from which sources.

    Attributes:
        stack: What is deployed.
        digest: Of the image that is pulled.
        config: The settings file that was deployed last.
        checkout: The sources that are deployed.
    """

    world: World
    stack: Stack = field(init=False)
    digest: str = ""
    config: Path = Path()
    checkout: Path = cdk.ROOT

    def __post_init__(self) -> None:
        self.stack = Stack(self.world, stack_name(installation.settings(self.world)))

    def image(self, domain: str) -> str:
        """The application's image at a public domain."""
        return f"{domain}/{self.world.app_repository}:{self.world.app_tag}"

    def pull(self, domain: str) -> str:
        """Pull anonymously; returns the image with its digest.

        Raises:
            SandboxError: The pull failed, or brought another digest.
        """
        found = pulls.pull_with_crane(self.world, self.image(domain))
        expect(found == self.digest, f"{self.image(domain)} is {found} instead of {self.digest}")
        return f"{self.image(domain)}@{found}"

    def pulling(self, domain: str) -> AbstractContextManager[Tally]:
        """Pull over and over while something happens: see `testbed.sandbox.deployment.pulling`."""
        return pulling(self.world, self.image(domain), self.digest)

    def deploy(self, name: str, settings: str) -> Lines:
        """Deploy these settings.

        Raises:
            SandboxError: It failed.
        """
        config = self.world.run / f"{name}.toml"
        config.write_text(settings)
        cdk.deploy(self.world, config, self.checkout)
        self.config = config
        yield self.stack.status()

    def fail_to_deploy(self, name: str, settings: str, why: str, status: str) -> Lines:
        """Deploy settings that must fail.

        Raises:
            SandboxError: It was deployed, it failed for another reason, or the stack has another status.
        """
        try:
            list(self.deploy(name, settings))
        except SandboxError:
            failures = self.stack.failures()
        else:
            raise SandboxError("a deployment that must fail succeeded")
        expect(any(why in failure for failure in failures), f"it failed for another reason: {failures}")
        yield from failures
        expect(self.stack.status() == status, f"the stack is {self.stack.status()} instead of {status}")
        yield status

    def read_log(self, why: str) -> Lines:
        """What the deployment's log says of its failure.

        Raises:
            SandboxError: It does not say so.
        """
        line = observed.logged(self.world, why)
        expect(line, f"the deployment's log does not have {why!r}")
        before, found, after = line.partition(why)
        yield f"in the deployment's log: ...{before[-_AROUND_CHARACTERS:]}{found}{after[:_AROUND_CHARACTERS]}..."

    def destroy(self, kinds: str) -> Lines:
        """`cdk destroy`, and what `make destroy` checks afterwards, of the settings that were deployed last.

        Args:
            kinds: What the stack applied, as kubectl lists it.

        Raises:
            SandboxError: It failed, or more is left than docs/operations.md names.
        """
        retained, keys = (self.stack.retained(kind) for kind in ("AWS::Logs::LogGroup", "AWS::KMS::Key"))
        cdk.destroy(self.world, self.config, self.checkout)
        yield from examination.removed(self.world, self.checkout, self.config)
        left = {kind: names for kind, names in observed.left_behind(self.world).items() if set(names) != keys}
        expect(not left, f"left behind in AWS: {left}")
        self.expect_none(kinds)
        logs = observed.log_groups(self.world)
        expect(retained <= set(logs), f"{logs} stay instead of {retained}")
        yield f"what stays: {', '.join((*logs, *keys))}; namespace {self.world.namespace} with Secret {TLS_SECRET}"

    def fail_to_destroy(self, why: str) -> Lines:
        """What `make destroy` does of the settings that were deployed last, which must fail although CDK succeeds.

        Raises:
            SandboxError: It succeeded, it failed for another reason, or there still is a stack.
        """
        try:
            list(self.destroy("deployments"))
        except SandboxError as error:
            found = str(error)
        else:
            raise SandboxError("a removal that must fail succeeded")
        expect(why in found, f"it failed for another reason: {found}")
        expect(not self.stack.status(), f"the stack is {self.stack.status()}")
        yield found

    def expect_none(self, kinds: str) -> None:
        """Check that the operator's Secret is in the namespace, and no object of these kinds.

        Raises:
            SandboxError: Something else holds.
        """
        place = ("--namespace", self.world.namespace)
        kubectl_json("get", "secret", TLS_SECRET, *place)
        listed = kubectl_json("get", kinds, *place)["items"]
        names = [f"{one['kind']} {one['metadata']['name']}" for one in listed]
        expect(not names, f"{names} are still there")

    @contextmanager
    def nothing_changes(self) -> Iterator[None]:
        """Pull while the block runs, and check afterwards that all is as before.

        Raises:
            SandboxError: It is not, or a pull failed.
        """
        function = self.stack.physical("AWS::Lambda::Function", "RefresherFunction")
        before = observed.in_force(self.world, function)
        with self.pulling(self.world.new_domain) as tally:
            yield
        changed = observed.differences(before, observed.in_force(self.world, function))
        expect(not changed, f"not as before: {changed}")
        say(f"         {tally.whole} pulls at {self.world.new_domain} meanwhile, all complete")
        ready = len(installation.proxy_pods(self.world))
        say(f"         as before: settings, schedules, alarms, objects, configuration, {ready} pods")

    def run_schedule(self, construct: str, *, pulls: bool = True) -> Lines:
        """Invoke what a schedule invokes, with its event.

        Args:
            construct: What made the schedule.
            pulls: Whether a canary can pull from here.

        Raises:
            SandboxError: The run failed, or the canary's pull.
        """
        physical_id = self.stack.physical("AWS::Scheduler::Schedule", construct)
        (schedule,) = (one for name, one in observed.schedules(self.world).items() if physical_id.endswith(name))
        target = schedule["Target"]
        yield f"{schedule['ScheduleExpression']} -> {target['Arn']} {target.get('Input', '')}"
        event = json.loads(target["Input"]) if "Input" in target else SCHEDULED_EVENT | {"resources": [schedule["Arn"]]}
        payload, error = self.stack.invoke(target["Arn"], event)
        expect(error is None, f"the scheduled run failed: {error}")
        pulled = payload.get("canary")
        expect(not pulls or pulled is None or pulled["succeeded"], f"the canary failed: {pulled}")
        yield json.dumps(payload)
