"""The Lambda's handlers on the real node, under Lambda's own runtime interface client and with a role of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lambda_fn.contract.metrics import NAMESPACE, SERVICE
from lambda_fn.contract.runtime import SETTINGS_FILE, TASK_ROOT
from lambda_fn.settings import Settings, to_json
from testbed.sandbox.access import grant_access, revoke_access
from testbed.sandbox.deployment import entries, functions
from testbed.sandbox.lambda_runtime import invoke
from testbed.sandbox.world import World

FUNCTION_SECONDS = 240


@contextmanager
def role_of(world: World, name: str, group: str) -> Iterator[str]:
    """The ARN of a role that is in a group of Kubernetes."""
    arn = f"arn:aws:iam::{world.account}:role/{world.namespace}-{name}"
    grant_access(world, arn, [group])
    try:
        entries.wait_until_known(world, arn)
        yield arn
    finally:
        revoke_access(world, arn)


@dataclass(frozen=True)
class Function:
    """A handler with its settings and its role."""

    world: World
    settings: Settings
    handler: str
    role: str

    def __call__(self, event: object) -> tuple[Any, str | None]:
        """What it answers, and its error."""
        powertools = {"POWERTOOLS_SERVICE_NAME": SERVICE, "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE}
        with TemporaryDirectory() as bundle:
            (Path(bundle) / SETTINGS_FILE).write_text(to_json(self.settings), encoding="utf-8")
            environment = {**functions.role_environment(self.world, self.role), **powertools, TASK_ROOT: bundle}
            done = invoke(self.handler, event, environment, timeout_seconds=FUNCTION_SECONDS)
        return done.payload, None if done.error is None else str(done.error)
