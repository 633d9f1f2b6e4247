"""Whether this machine has what a deployment runs."""

import shutil
from collections.abc import Iterator

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok
from cli.preflight.checks import RUNBOOK

_TOOLS = ("cdk", "node")


def run(context: CheckContext) -> Iterator[Finding]:
    """The CDK command line and the Node that it runs on, as `make install` puts them on the PATH."""
    del context
    missing = [tool for tool in _TOOLS if not shutil.which(tool)]
    if missing:
        yield failed(
            f"{' and '.join(missing)} cannot be found on the PATH", "deploy with make deploy, which installs them"
        )
    else:
        yield ok(f"{' and '.join(_TOOLS)} are on the PATH")


CHECK = Check("tools", Category.SETTINGS, run, runbook=RUNBOOK)
