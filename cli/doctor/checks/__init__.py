"""The checks of the doctor, one module each.

To add a check, add a module that declares a `CHECK` (see `cli.doctor.check`). Nothing else has to know of it.
"""

import sys

from cli.doctor.check import Check, checks_in


def all_checks() -> list[Check]:
    """The `CHECK` of every module in this folder, in the order in which they run."""
    return checks_in(sys.modules[__name__])
