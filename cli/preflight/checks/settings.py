"""Whether the settings fit together, as synthesis checks them, and what in them may be a mistake."""

from collections.abc import Iterator

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from stacks.preflight import conflicts
from stacks.synth_hints import synth_hints


def run(context: CheckContext) -> Iterator[Finding]:
    """Each conflict, and each hint of `cdk synth`."""
    settings = context.settings
    found = conflicts(settings)
    for conflict in found:
        yield failed(f"{conflict.setting}: {conflict.cause}", conflict.fix)
    for hint in synth_hints(settings):
        message, _, fix = hint.partition(". Fix: ")
        yield warning(message, fix)
    if not found:
        yield ok(f"{context.config} has no conflicts")


CHECK = Check("settings", Category.SETTINGS, run, runbook="docs/configuration.md")
