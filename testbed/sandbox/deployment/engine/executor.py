"""Python functions of MiniStack's Lambda, under AWS's own runtime interface client instead of MiniStack's wrapper.

MiniStack itself runs those in JavaScript, which are CDK's: the provider of the kubectl function, and the trigger's.
"""

import json
from pathlib import Path
from typing import Any

from ministack.services import lambda_svc

from lambda_fn.contract.runtime import HANDLER, WATCHER_HANDLER
from testbed.sandbox.deployment.functions import Deployed, call
from testbed.sandbox.world import World


def register(world: World, native: Path | None) -> None:
    """Take the place of MiniStack's executor where the runtime is Python.

    Args:
        world: The sandbox.
        native: Compiled dependencies of the Lambda for this machine; None where the bundle runs as it is.
    """
    wrapped = lambda_svc._execute_function_warm

    def execute(function: dict[str, Any], event: object, request_id: str) -> dict[str, Any]:
        configuration = function["config"]
        if not configuration["Runtime"].startswith("python"):
            answer: dict[str, Any] = wrapped(function, event, request_id)
            return answer
        layers = [lambda_svc._resolve_layer_zip(layer) for layer in configuration.get("Layers", [])]
        deployed = Deployed(configuration, function["code_zip"], tuple(layers))
        done = call(world, deployed, event, native if configuration["Handler"] in {HANDLER, WATCHER_HANDLER} else None)
        with (world.logs / "functions.log").open("a") as log:
            log.write(json.dumps({"handler": configuration["Handler"], "error": done.error, "payload": done.payload}))
            log.write("\n")
        if done.error:
            return {"body": done.error, "error": True, "log": done.log}
        return {"body": done.payload, "log": done.log}

    lambda_svc._execute_function_warm = execute
