"""`python -m cli.doctor`: examine a deployed front door and print a line for each finding."""

import argparse
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError

from cli.doctor.context import DEFAULT_CONFIG, CheckContext
from cli.doctor.finding import Finding, Verdict
from cli.doctor.terminal import SlowCheckNotice, has_colours, render_line
from lambda_fn.contract.errors import FrontdoorError
from lambda_fn.settings.parse import parse_toml

EXIT_FAILED = 1
"""Exit status when a check failed."""
EXIT_UNUSABLE = 2
"""Exit status for settings or an AWS profile that cannot be used, as for a wrong command line."""
_MAX_TIMEOUT_SECONDS = 60

_DESCRIPTION = """\
Check a deployed front door: the stack in AWS, the objects and pods in the cluster, and the domain as a client on this
machine sees it. The doctor only reads. It prints one line for each finding:

    ok    nothing is wrong
    warn  pulls work, but you should act, or you have no right to read this
    FAIL  pulls, refreshes or the next deployment fail, or will fail
    skip  not checked, and why
"""
_EPILOG = """\
exit status:
  0   no check failed; there may be warnings
  1   a check failed; with --removed also where something could not be checked
  2   the command line, the settings file or the AWS profile is not valid; no check ran

docs/operations.md describes each check, the rights that the doctor needs, and the output of --json.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        settings = parse_toml(options.config.read_text(encoding="utf-8", errors="replace"), str(options.config))
        aws = boto3.Session(profile_name=options.profile, region_name=settings.cluster.region)
    except OSError as error:
        return _refuse(
            f"cannot read {options.config}: {error.strerror}. Fix: name the settings file with --config PATH"
        )
    except (FrontdoorError, BotoCoreError) as error:
        return _refuse(str(error))
    context = CheckContext(
        settings=settings,
        aws=aws,
        config=str(options.config),
        image=options.image,
        timeout_seconds=options.timeout,
    )
    return _examine(context, removed=options.removed, as_json=options.json)


def _examine(context: CheckContext, *, removed: bool, as_json: bool) -> int:
    notice = SlowCheckNotice(_write_notice)
    try:
        with closing(context):
            verdicts = _print(_findings(context, notice.start, removed=removed), as_json=as_json)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader has closed the pipe. The interpreter flushes once more when it exits:
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    finally:
        notice.stop()
    # What could not be read after a removal may still serve.
    return EXIT_FAILED if verdicts[Verdict.FAILED] or (removed and verdicts[Verdict.WARNING]) else 0


def _findings(context: CheckContext, on_start: Callable[[str], None], *, removed: bool) -> Iterator[Finding]:
    on_start("charts")
    # Importing the charts' library takes seconds. A wrong command line must not wait for it.
    from cli.doctor.checks import all_checks  # noqa: PLC0415
    from cli.doctor.examination import examine  # noqa: PLC0415
    from cli.doctor.removal import removal_checks  # noqa: PLC0415

    checks = all_checks()
    yield from examine(removal_checks(checks) if removed else checks, context, on_start)


def _print(findings: Iterator[Finding], *, as_json: bool) -> Counter[Verdict]:
    """Print each finding when it is known, or all of them as JSON; returns the number of each verdict."""
    printed: list[Finding] = []
    colours = has_colours(sys.stdout)
    for finding in findings:
        printed.append(finding)
        if not as_json:
            print(render_line(finding, colours=colours), flush=True)  # noqa: T201 - a command-line tool prints
    verdicts = Counter(finding.verdict for finding in printed)
    print(json.dumps([one.to_json() for one in printed], indent=2) if as_json else _summary(verdicts))  # noqa: T201 - as above
    return verdicts


def _summary(verdicts: Counter[Verdict]) -> str:
    return ", ".join(f"{verdicts[verdict]} {verdict.word}" for verdict in Verdict if verdicts[verdict])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cli.doctor",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--config", type=Path, default=Path(DEFAULT_CONFIG), metavar="PATH", help="the settings file (%(default)s)"
    )
    parser.add_argument(
        "--image",
        metavar="REPOSITORY:TAG",
        help="pull this image's manifest and smallest layer as a test (default: the image in [canary], if set)",
    )
    parser.add_argument("--profile", help="the AWS profile (default: as for the AWS command line)")
    parser.add_argument(
        "--timeout",
        type=_timeout_seconds,
        default=10.0,
        metavar="SECONDS",
        help=f"how long to wait for each answer, up to {_MAX_TIMEOUT_SECONDS} (%(default)g)",
    )
    parser.add_argument(
        "--removed",
        action="store_true",
        help="check instead that nothing is left that serves, after make destroy",
    )
    parser.add_argument("--json", action="store_true", help="print all findings as one JSON list at the end")
    return parser


def _timeout_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= _MAX_TIMEOUT_SECONDS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not valid: write a number of seconds above 0 and up to {_MAX_TIMEOUT_SECONDS}"
        )
    return seconds


def _write_notice(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _refuse(message: str) -> int:
    sys.stderr.write(f"ecr-frontdoor: {message}\n")
    return EXIT_UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
