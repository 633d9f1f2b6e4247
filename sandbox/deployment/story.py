"""A deployment, step by step: each step does something real, shows it, and can fail.

What runs is what was synthesized and uploaded: see `sandbox.deployment.stand_in` for what moto cannot take.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox import installation, pulls
from sandbox.commands import run
from sandbox.deployment import cdk, functions, native
from sandbox.deployment.stack import Stack
from sandbox.installation import SCHEDULED_EVENT, TLS_SECRET, session
from sandbox.lambda_runtime import Invocation
from sandbox.story import Lines, expect
from sandbox.world import World
from stacks.stack_name import stack_name


@dataclass
class Story:
    """The steps in order, and what the later ones need to know of the earlier ones."""

    world: World
    stack: Stack = field(init=False)
    digest: str = ""

    def __post_init__(self) -> None:
        self.stack = Stack(self.world, stack_name(installation.settings(self.world)))

    def bootstrapped(self) -> Lines:
        """`cdk bootstrap`; the images go into the private ECR, the certificate into the namespace."""
        cdk.bootstrap(self.world)
        installation.push_images(self.world)
        reference = self.world.app_image
        self.digest = run(("crane", "digest", reference), environment=installation.logged_in(self.world)).strip()
        pair, namespace = self.world.pair("domain"), self.world.namespace
        # Word for word as in the README.
        run(("kubectl", "create", "namespace", namespace))
        tls = ("secret", "tls", TLS_SECRET, f"--cert={pair.certificate}", f"--key={pair.key}")
        run(("kubectl", "-n", namespace, "create", *tls))
        yield f"{reference}@{self.digest}"

    def deployed(self) -> Lines:
        """`cdk deploy`: the uploaded kubectl applies the manifest, the uploaded Lambda makes the first run."""
        folder = self.world.run / "cdk.out"
        adapted = cdk.synthesize(self.world, installation.settings_file(self.world), folder)
        yield from (f"altered for the stand-in: {line}" for line in adapted.altered)
        self.stack.deploy(folder, adapted)
        yield json.dumps(self.stack.performer.runs[-1].payload)
        installation.open_the_door(self.world)
        yield from self._runs_bundle()

    def pulled(self) -> Lines:
        """An anonymous pull at the public domain."""
        yield self.pull(self.world.domain)

    def scheduled(self) -> Lines:
        """Scheduler's target is invoked with Scheduler's event."""
        schedule = self.schedule()
        target = schedule["Target"]
        yield f"{schedule['ScheduleExpression']} -> {target['Arn']}"
        event = json.loads(target["Input"]) if "Input" in target else SCHEDULED_EVENT | {"resources": [schedule["Arn"]]}
        done = self.invoke(target["Arn"].split(":")[6], event)
        expect(done.error is None, f"the scheduled run failed: {done.error}\n{done.log}")
        yield json.dumps(done.payload)

    def pull(self, domain: str) -> str:
        """Pull anonymously; returns what came.

        Raises:
            SandboxError: Nothing came, or something else.
        """
        reference = f"{domain}/{self.world.app_repository}:{self.world.app_tag}"
        found = pulls.pull_with_crane(self.world, reference)
        expect(found == self.digest, f"{reference} is {found} instead of {self.digest}")
        return f"{reference}@{found}"

    def invoke(self, name: str, event: object) -> Invocation:
        """Invoke the deployed refresher."""
        return functions.call(self.world, self.stack.assets(), name, event, native_parts=True)

    def schedule(self) -> Mapping[str, Any]:
        """The schedule as Scheduler has it."""
        scheduler = session(self.world, "default").client("scheduler")
        (listed,) = scheduler.list_schedules()["Schedules"]
        found: Mapping[str, Any] = scheduler.get_schedule(Name=listed["Name"], GroupName=listed["GroupName"])
        return found

    def _runs_bundle(self) -> Lines:
        if native.is_the_lambdas_machine():
            yield "the Lambda's code: the uploaded bundle as it is"
        else:
            yield "the Lambda's code: the uploaded bundle, its compiled modules those of the same lock for this machine"


STEPS: tuple[Callable[[Story], Lines], ...] = (
    Story.bootstrapped,
    Story.deployed,
    Story.pulled,
    Story.scheduled,
)
"""The story, in order."""
