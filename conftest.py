"""What every suite shares: the world of real parts, and the rule that in CI nothing is left out."""

import os
import ssl
from collections.abc import Generator, Iterator
from typing import TypeVar

import pytest

from testbed.sandbox.cloud.control import Control
from testbed.sandbox.world import STATE_VARIABLE, World

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.fixture(scope="session")
def world() -> World:
    """The sandbox these tests run in; without one they are skipped."""
    if not os.environ.get(STATE_VARIABLE):
        pytest.skip(
            f"{STATE_VARIABLE} is not set: run `make test` as root on Linux, which runs this inside the sandbox"
        )
    return World.current()


@pytest.fixture(scope="session")
def trust(world: World) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(world.ca.certificate))


@pytest.fixture(scope="session")
def double(world: World) -> Control:  # noqa: ARG001 - where there is no world there is no double
    control = Control()
    control.wait_until_ready()
    return control


@pytest.fixture
def control(double: Control) -> Iterator[Control]:
    """The double's control API; the double is healthy before and after the test."""
    double.reset()
    yield double
    double.reset()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where CI=true, a skipped test has failed."""
    return _not_in_ci((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Where CI=true, a skipped module has failed."""
    return _not_in_ci((yield))


def _not_in_ci(report: Report) -> Report:
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI=true forbids: {_reason(report)}"
    return report


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    _, _, reason = report.longrepr if isinstance(report.longrepr, tuple) else ("", 0, str(report.longrepr))
    return reason.removeprefix("Skipped: ")
