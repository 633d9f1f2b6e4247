"""The checks of the doctor, one module each.

To add a check, add a module that declares a `CHECK` (see `cli.doctor.check`). Nothing else has to know of it.
"""

from importlib import import_module
from pkgutil import iter_modules

from cli.doctor.check import Check, in_order


def all_checks() -> list[Check]:
    """The `CHECK` of every module in this folder, in the order in which they run."""
    return in_order(import_module(f"{__name__}.{module.name}").CHECK for module in iter_modules(__path__))
