"""The checks before a deployment, one module each.

To add a check, add a module that declares a `CHECK` (see `cli.doctor.check`). Nothing else has to know of it.
"""

import sys

from cli.doctor.check import Check, checks_in

RUNBOOK = "docs/operations.md#before-a-deployment-the-check"


def all_checks() -> list[Check]:
    """The `CHECK` of every module in this folder, in the order in which they run."""
    return checks_in(sys.modules[__name__])
