"""What importing a program costs: the processor time of fresh processes, and each package's share."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence

from testbed.bench.samples import Spread

WHOLE = "the handler"
_LEAST_SHARE = 0.02


def processor_seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """User and system time of a process that succeeds."""
    process = os.posix_spawnp(command[0], [*command], environment)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"{command[-1]!r} ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime


def shares(profile: str) -> dict[str, float]:
    """Of what `-X importtime` prints, each top-level package's own share.

    https://docs.python.org/3/using/cmdline.html#cmdoption-X
    """
    own: Counter[str] = Counter()
    for line in profile.splitlines():
        microseconds, _, name = line.removeprefix("import time:").split("|") if "|" in line else ("", "", "")
        if microseconds.strip().isdecimal():
            own[name.strip().partition(".")[0]] += int(microseconds)
    return {name: count / own.total() for name, count in own.items()}


def table(seconds: Mapping[str, Sequence[float]], profiles: Sequence[Mapping[str, float]]) -> str:
    """Medians in Markdown: times and their ratios to the whole, then packages by their share."""
    lines = ["| a fresh process | processor time | of the whole |", "| --- | --- | --- |"]
    for kind, values in seconds.items():
        ratio = Spread.of([value / whole for value, whole in zip(values, seconds[WHOLE], strict=True)])
        of_whole = f"{ratio.median:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"
        lines.append(f"| {kind} | {Spread.of(values).median:.2f} s | {of_whole} |")
    lines += ["", "| package | share of the import |", "| --- | --- |"]
    names = {name for profile in profiles for name in profile}
    medians = {name: Spread.of([profile.get(name, 0) for profile in profiles]).median for name in names}
    for name, share in sorted(medians.items(), key=lambda item: -item[1]):
        if share >= _LEAST_SHARE:
            lines.append(f"| {name} | {share:.0%} |")
    return "\n".join(lines)
