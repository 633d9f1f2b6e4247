"""The Lambda's lock file, as the Lambda's Python on Linux reads it."""

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lambda_fn.contract.runtime import PYTHON
from stacks import bundling


def pinned_for_the_lambda() -> dict[str, str]:
    """Name to version of every line that counts there."""
    lines = bundling.LOCK.read_text(encoding="utf-8").splitlines()
    pinned = [Requirement(line.rstrip(" \\")) for line in lines if "==" in line and line[0].isalnum()]
    lambdas = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0", "sys_platform": "linux"}
    return {
        canonicalize_name(requirement.name): str(requirement.specifier).removeprefix("==")
        for requirement in pinned
        if requirement.marker is None or requirement.marker.evaluate(lambdas)
    }
