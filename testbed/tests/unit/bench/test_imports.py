"""What is made of an import profile and of processor times; no figure is held to anything."""

import os
import sys

import pytest

from testbed.bench.imports import WHOLE, processor_seconds, shares, table

PROFILE = """\
import time: self [us] | cumulative | imported package
import time:       100 |        100 |   lightkube.models
import time:       200 |        300 | lightkube
a warning of a library
import time:       100 |        100 | boto3
"""


def test_a_package_has_the_share_of_its_own_modules_alone() -> None:
    assert shares(PROFILE) == {"lightkube": 0.75, "boto3": 0.25}


def test_the_table_has_ratios_within_a_round_and_packages_by_their_share() -> None:
    seconds = {WHOLE: [1.0, 2.0, 4.0], "half": [0.5, 1.0, 1.0]}
    profiles = [{"lightkube": 0.7, "boto3": 0.29, "small": 0.01}, {"lightkube": 0.5, "boto3": 0.5}]
    assert table(seconds, profiles).splitlines() == [
        "| a fresh process | processor time | of the whole |",
        "| --- | --- | --- |",
        "| the handler | 2.00 s | 1.00 (1.00 to 1.00) |",
        "| half | 1.00 s | 0.50 (0.25 to 0.50) |",
        "",
        "| package | share of the import |",
        "| --- | --- |",
        "| lightkube | 60% |",
        "| boto3 | 40% |",
    ]


def test_a_process_that_works_has_used_the_processor() -> None:
    assert processor_seconds((sys.executable, "-c", "sum(range(3_000_000))"), os.environ) > 0


def test_a_program_that_fails_is_not_measured() -> None:
    with pytest.raises(SystemExit, match="'import no_such_module' ended with 1"):
        processor_seconds((sys.executable, "-c", "import no_such_module"), os.environ)
