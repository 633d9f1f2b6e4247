"""What the rehearsal of a deployment takes for a removal."""

from pathlib import Path

import pytest

from cli.doctor.finding import Finding, Verdict
from testbed.sandbox.deployment import examination
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.world import World


def removed(monkeypatch: pytest.MonkeyPatch, *verdicts: Verdict) -> list[str]:
    """The lines that the story shows, of a doctor with these findings."""
    findings = [Finding(check="objects", verdict=verdict, message="a message") for verdict in verdicts]
    monkeypatch.setattr(examination, "_as_operator", lambda *_: findings)
    return examination.removed(World(), Path(), Path("frontdoor.toml"))


def test_a_removal_that_was_checked_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(removed(monkeypatch, Verdict.OK, Verdict.SKIPPED)) == len((Verdict.OK, Verdict.SKIPPED))


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.WARNING])
def test_what_is_left_or_could_not_be_read_fails_as_make_destroy_does(
    monkeypatch: pytest.MonkeyPatch, verdict: Verdict
) -> None:
    with pytest.raises(SandboxError, match="a message"):
        removed(monkeypatch, Verdict.OK, verdict)


def test_a_doctor_that_finds_nothing_at_all_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SandboxError):
        removed(monkeypatch)
