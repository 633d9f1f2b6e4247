"""The product on one machine, step by step: each step does something real, shows it, and can fail.

`main` runs outside and brings up a sandbox of its own; the steps run inside it (`python -m testbed.sandbox.demo`).
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from testbed.sandbox import image, inside, installation, pulls
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.kubectl import kubectl_json
from testbed.sandbox.story import Lines, expect, run_story
from testbed.sandbox.world import World
from testbed.waiting import eventually

STATE = Path("/var/lib/ecr-frontdoor-demo")
LAYER_BYTES = 8 << 20
SLOW_BYTES_PER_SECOND = 200_000
_SECRET_SECONDS = 90
_POLL_SECONDS = 1.0


def main() -> int:
    """Bring up a sandbox, run the steps inside it, and end it; 0 only if every step succeeded."""
    return inside.run(World(state=STATE), [sys.executable, "-m", "testbed.sandbox.demo"])


@dataclass
class Story:
    """The steps in order, with the state that they share."""

    world: World
    control: Control
    digest: str = ""
    last_error: str = ""

    def pushed(self) -> Lines:
        """The application's image goes into the private ECR."""
        installation.push_images(self.world)
        reference = self.world.app_image
        self.digest = run(("crane", "digest", reference), environment=installation.logged_in(self.world)).strip()
        yield f"{reference}@{self.digest}"

    def refused_at_ecr(self) -> Lines:
        """An anonymous pull from ECR itself is refused."""
        try:
            pulls.pull_with_crane(self.world, self.world.app_image)
        except SandboxError as error:
            message = str(error).strip().splitlines()[-1]
            expect("401" in message, f"ECR refused for another reason: {message}")
            yield message
        else:
            raise SandboxError("ECR served the image without a login")

    def charts(self) -> Lines:
        """The charts are applied; the pods wait for the Lambda's Secret and configuration."""
        installation.apply_charts(self.world)
        installation.point_domain_to_proxy(self.world)
        yield from _kubectl("get", "deployment,service,configmap,role", namespace=self.world.namespace)

    def first_refresh(self) -> Lines:
        """The Lambda runs on EventBridge's event, under Lambda's own runtime interface."""
        installation.grant_lambda_access(self.world)
        yield from self._refresh(installation.SCHEDULED_EVENT)

    def proxy_runs(self) -> Lines:
        """The kubelet has pulled the proxy's image from the private ECR, with the fresh pull secret."""
        yield from _kubectl("get", "pods", namespace=self.world.namespace)
        events = kubectl_json("get", "events", "--namespace", self.world.namespace, "--field-selector=reason=Pulled")[
            "items"
        ]
        messages = sorted({event["message"] for event in events if image.proxy_image(self.world) in event["message"]})
        expect(any(text.startswith("Successfully pulled") for text in messages), f"no pull is recorded: {messages}")
        yield from messages

    def pulled_by_crane(self) -> Lines:
        """An anonymous pull at the public domain, by crane."""
        yield from self._same(pulls.pull_with_crane(self.world, pulls.public_image(self.world)))

    def pulled_by_skopeo(self) -> Lines:
        """The same by skopeo."""
        yield from self._same(pulls.pull_with_skopeo(self.world, pulls.public_image(self.world)))

    def pulled_by_kubelet(self) -> Lines:
        """The same by the kubelet, without any pull secret: a pod runs from it."""
        yield from self._same(pulls.pull_with_kubelet(pulls.public_image(self.world), "app"))

    def rotated(self) -> Lines:
        """The token is revoked at ECR and rotated by the Lambda: pulls continue and no pod restarts."""
        before = installation.proxy_pods(self.world)
        yield f"revoked at ECR: {self.control.expire_tokens()} tokens"
        yield from self._refresh({})
        digest = installation.push_new_layer(self.world, self.world.app_repository, LAYER_BYTES)
        started_at = time.monotonic()
        found = eventually(lambda: self._pulled(digest), _SECRET_SECONDS, pause_seconds=_POLL_SECONDS)
        waited_seconds = time.monotonic() - started_at
        expect(found == digest, f"{self.world.domain} does not serve the layer {digest}: {found or self.last_error}")
        yield f"a layer pushed since is pulled {waited_seconds:.0f} s after the Lambda wrote the new token: {found}"
        yield from self._same(pulls.pull_with_crane(self.world, pulls.public_image(self.world)))
        after = installation.proxy_pods(self.world)
        expect(after == before, f"pods restarted or were replaced: {before} became {after}")
        yield f"pods unchanged, restarts: {after}"

    def rolled(self) -> Lines:
        """The template is edited: the Deployment rolls while a slow pull runs, and the pull completes."""
        before = installation.proxy_pods(self.world)
        digest = installation.push_new_layer(self.world, self.world.app_repository, LAYER_BYTES)
        with (
            self.control.behaving(Behaviour(s3_bytes_per_second=SLOW_BYTES_PER_SECOND)),
            pulls.BlobPull.start(self.world, self.world.app_repository, digest) as pull,
        ):
            yield f"pulling a layer of {LAYER_BYTES:,} bytes at {SLOW_BYTES_PER_SECOND:,} bytes/s"
            installation.edit_template(self.world, "# edited by an operator")
            yield from self._refresh({})
            expect(pull.is_running, "the pull ended before the rollout, so the step shows nothing")
            yield f"the new pods serve; the pull continues, {pull.received_bytes:,} bytes so far"
            found = pull.finish(timeout_seconds=LAYER_BYTES / SLOW_BYTES_PER_SECOND + 30)
        expect(found == digest, f"the pull brought {found} instead of {digest}")
        after = installation.proxy_pods(self.world)
        expect(not set(before) & set(after), f"the Deployment did not roll: {before} became {after}")
        yield f"complete: {found}"
        yield f"pods {', '.join(before)} became {', '.join(after)}"

    def push_refused(self) -> Lines:
        """A push is refused."""
        yield pulls.try_to_push(self.world, f"{self.world.domain}/{self.world.app_repository}:mine")

    def _pulled(self, digest: str) -> str:
        """The digest of what a pull brings; empty where it fails."""
        try:
            return pulls.pull_new_layer(self.world, digest, timeout_seconds=30)
        except SandboxError as error:
            self.last_error = str(error)
            return ""

    def _refresh(self, event: Mapping[str, object]) -> Lines:
        invocation = installation.refresh(self.world, event)
        expect(invocation.error is None, f"the Lambda failed: {invocation.error}\n{invocation.log}")
        yield from json.dumps(invocation.payload, indent=2).splitlines()

    def _same(self, digest: str) -> Lines:
        expect(digest == self.digest, f"got {digest} instead of {self.digest}")
        yield digest


STEPS: tuple[Callable[[Story], Lines], ...] = (
    Story.pushed,
    Story.refused_at_ecr,
    Story.charts,
    Story.first_refresh,
    Story.proxy_runs,
    Story.pulled_by_crane,
    Story.pulled_by_skopeo,
    Story.pulled_by_kubelet,
    Story.rotated,
    Story.rolled,
    Story.push_refused,
)
"""The story, in order; the end-to-end tests run the same steps."""


def _kubectl(*words: str, namespace: str) -> Lines:
    yield from run(("kubectl", *words, f"--namespace={namespace}")).splitlines()


if __name__ == "__main__":
    sys.exit(run_story(Story(World.current(), Control()), STEPS))
