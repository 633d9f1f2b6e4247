"""The figures of attacks, as lines for the terminal and as the table of docs/performance.md. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

MIB = 1 << 20
MB = 1_000_000
Attack = Mapping[str, Any]
"""As `testbed.soak.watched` returns it."""

_HEAD = (
    "| one client | tries | gets | others' pulls, cached and new; slowest | ECR, requests/s | memory, at most |",
    "| --- | --- | --- | --- | --- | --- |",
)


def line(attack: Attack) -> str:
    """One attack, for the terminal."""
    return f"        {json.dumps(attack)}"


def table(attacks: Sequence[Attack]) -> str:
    """All attacks; what does not hold is in bold."""
    return "\n".join([*_HEAD, *map(_row, attacks)]) + "\n"


def _row(attack: Attack) -> str:
    slowest = max(attack[name]["slowest_seconds"] for name in ("cached", "uncached"))
    held_mib = (attack["peak_bytes"] + attack["kernel_peak_bytes"]) / MIB
    cells = [
        attack["title"],
        attack["size"],
        _got(attack),
        f"{_ended(attack['cached'])}, {_ended(attack['uncached'])}; {slowest:.1f} s",
        f"{attack['ecr_requests'] / attack['seconds']:.0f}",
        f"{held_mib:,.0f} of {attack['limit_bytes'] / MIB:,.0f} MiB",
    ]
    faults = ", ".join(attack["faults"])
    return f"| {' | '.join([*cells[:-1], cells[-1] + (f' **{faults}**' if faults else '')])} |"


def _got(attack: Attack) -> str:
    """What the hostile client has reached."""
    attacker = attack["attacker"]
    if "held_peak" in attacker:
        return f"held {attacker['held_peak']:,}, opened {attacker['opened']:,}"
    answers = ", ".join(f"{count:,} x {status}" for status, count in sorted(attacker.items()) if status.isdigit())
    return answers + (f"; {attack['s3_bytes'] / MB:,.0f} MB from S3" if attack["most_s3_bytes"] is not None else "")


def _ended(pulls: Mapping[str, Any]) -> str:
    ok, total = pulls["ended"].get("ok", 0), sum(pulls["ended"].values())
    return f"{total:,}" if ok == total else f"{ok:,} of {total:,}"
