"""Which rounds count; no figure is held to anything."""

from pathlib import Path

from testbed.bench.cold_start import Place, measure

PYTHON = """#!/bin/sh
echo 'import time:       100 |        100 | lambda_fn' >&2
"""


def test_the_round_that_reads_the_files_from_the_disk_counts_neither_in_times_nor_in_shares(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    seconds, profiles = measure(Place(str(python), tmp_path, tmp_path, tmp_path), rounds=2)
    assert {len(rounds) for rounds in seconds.values()} == {2}
    assert profiles == [{"lambda_fn": 1.0}, {"lambda_fn": 1.0}]
