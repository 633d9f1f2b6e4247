"""kubectl with the current kubeconfig: objects in, objects out."""

import json
import subprocess
from typing import Any

from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError


def kubectl_apply(objects: str) -> None:
    """`kubectl apply`, every unknown field refused.

    Raises:
        SandboxError: The API server refuses an object; the message is the API server's.
    """
    done = subprocess.run(
        ("kubectl", "apply", "--validate=strict", "-f", "-"), input=objects, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SandboxError(f"kubectl apply: {done.stderr.strip()}")


def kubectl_json(*words: str) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """What `kubectl ... -o json` prints."""
    return json.loads(run(("kubectl", *words, "-o", "json")))
