"""The operator of the story, and the actions of several steps: deploy, pull, invoke a schedule's target."""

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from stacks.stack_name import stack_name
from testbed.sandbox import installation, pulls
from testbed.sandbox.deployment import cdk, functions, observed
from testbed.sandbox.deployment.pulling import Tally, pulling
from testbed.sandbox.deployment.stack import Deployment, RolledBackError, Stack
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.installation import SCHEDULED_EVENT
from testbed.sandbox.story import Lines, expect
from testbed.sandbox.world import World

_DIGEST_CHARACTERS = 8
"""CDK's, at the end of a logical id."""


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
        self.stack = Stack(self.world, stack_name(installation.settings(self.world).cluster))

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
        """Synthesize with these settings, and deploy that.

        Raises:
            RolledBackError: It failed, and the earlier deployment is in force again.
            SandboxError: It failed, and there was no earlier deployment.
        """
        config, folder = self.world.run / f"{name}.toml", self.world.run / f"{name}.out"
        config.write_text(settings)
        adapted = cdk.synthesize(self.world, config, folder, self.checkout)
        if self.stack.current is None:
            yield from (f"altered for the stand-in: {line}" for line in adapted.altered)
        self.stack.deploy(Deployment(folder, adapted))
        self.config = config
        yield json.dumps(self.stack.emulator.runs[-1].payload)

    def fail_to_deploy(self, name: str, settings: str, why: str) -> Lines:
        """Deploy settings that must fail, while a client pulls, and check that all is as before.

        Raises:
            SandboxError: It is not, or it was deployed, or it failed for another reason, or a pull failed.
        """
        function = self.stack.assets().physical("RefresherFunction")
        before = observed.in_force(self.world, function)
        with self.pulling(self.world.new_domain) as tally:
            try:
                list(self.deploy(name, settings))
            except RolledBackError as error:
                expect(why in str(error), f"it failed for another reason: {error}")
                yield " ".join(str(error).split())
            else:
                raise SandboxError("a deployment that must fail succeeded")
        yield f"{tally.whole} pulls at {self.world.new_domain} during the update, all complete"
        changed = observed.differences(before, observed.in_force(self.world, function))
        expect(not changed, f"not as before: {changed}")
        ready = len(installation.proxy_pods(self.world))
        yield f"as before: settings, schedules, alarms, objects, configuration, {ready} pods"

    def run_schedule(self, construct: str) -> Lines:
        """Invoke what a schedule invokes, with its event; `construct` is what its name is, before CDK's digest.

        Raises:
            SandboxError: The run failed, or the canary's pull.
        """
        (schedule,) = (
            one for name, one in observed.schedules(self.world).items() if name[:-_DIGEST_CHARACTERS] == construct
        )
        target = schedule["Target"]
        yield f"{schedule['ScheduleExpression']} -> {target['Arn']} {target.get('Input', '')}"
        event = json.loads(target["Input"]) if "Input" in target else SCHEDULED_EVENT | {"resources": [schedule["Arn"]]}
        name = target["Arn"].split(":")[6]
        done = functions.call(self.world, self.stack.assets(), name, event, native_parts=True)
        expect(done.error is None, f"the scheduled run failed: {done.error}\n{done.log}")
        pulled = done.payload.get("canary")
        expect(pulled is None or pulled["succeeded"], f"the canary failed: {pulled}")
        yield json.dumps(done.payload)
