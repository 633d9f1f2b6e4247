"""`python -m cli.doctor`: examine a deployed front door and print a line for each thing looked at."""

import argparse
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError

from cli.doctor.finding import Finding, Verdict
from cli.doctor.site import USUAL_CONFIG, Site
from cli.doctor.terminal import Waiting, has_colours, painted
from lambda_fn.contract.errors import FrontdoorError
from lambda_fn.settings import parse_toml

UNWELL = 1
"""Exit status when a check failed."""
UNUSABLE = 2
"""Exit status for settings or an AWS profile that cannot be used, as for a wrong command line."""
_LONGEST_SECONDS = 60

_DESCRIPTION = """\
Examine a deployed front door from where you sit: the stack in AWS, the objects and pods in the cluster, and the
domain as a client sees it. Nothing is changed anywhere. Each thing looked at is one line:

    ok    all is well
    warn  it serves, but somebody should look at it
    FAIL  something is broken: pulls, refreshes or the next deployment fail, or will
    skip  not looked at, and why
"""
_EPILOG = """\
exit status:
  0   nothing failed; there may be warnings
  1   something failed
  2   the command line, the settings file or the AWS profile cannot be used: nothing was looked at

docs/operations.md says what each check looks at, which rights it needs of you, and what --json prints.
"""


def main(words: Sequence[str] | None = None) -> int:
    """Examine; returns the exit status."""
    arguments = _parser().parse_args(words)
    try:
        settings = parse_toml(arguments.config.read_text(encoding="utf-8", errors="replace"), str(arguments.config))
        aws = boto3.Session(profile_name=arguments.profile, region_name=settings.cluster.region)
    except OSError as error:
        return _refuse(f"cannot read {arguments.config}: {error.strerror}; --config PATH takes another file")
    except (FrontdoorError, BotoCoreError) as error:
        return _refuse(str(error))
    site = Site(
        settings=settings,
        aws=aws,
        config=str(arguments.config),
        image=arguments.image,
        answer_seconds=arguments.timeout,
    )
    waiting = Waiting(_wait)
    try:
        verdicts = _told(_findings(site, waiting.begin), as_json=arguments.json)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Whoever read has enough. The interpreter flushes once more at its end:
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    finally:
        waiting.end()
    return UNWELL if verdicts[Verdict.FAILED] else 0


def _findings(site: Site, begin: Callable[[str], None]) -> Iterator[Finding]:
    begin("charts")
    from cli.doctor.examination import examine  # noqa: PLC0415 - cdk8s takes seconds, and a wrong command line none

    yield from examine(site, begin)


def _told(findings: Iterator[Finding], *, as_json: bool) -> Counter[Verdict]:
    """Prints the findings, each as it comes, or all as JSON; returns how many there are of each verdict."""
    found: list[Finding] = []
    colours = has_colours(sys.stdout)
    for finding in findings:
        found.append(finding)
        if not as_json:
            print(painted(finding, colours=colours), flush=True)  # noqa: T201 - a command-line tool prints
    verdicts = Counter(finding.verdict for finding in found)
    print(json.dumps([finding.to_json() for finding in found], indent=2) if as_json else _summary(verdicts))  # noqa: T201 - as above
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
        "--config", type=Path, default=Path(USUAL_CONFIG), metavar="PATH", help="the settings file (%(default)s)"
    )
    parser.add_argument(
        "--image",
        metavar="REPOSITORY:TAG",
        help="an image to pull as a test: its manifest and its smallest layer (the canary's, where [canary] is set)",
    )
    parser.add_argument("--profile", help="the AWS profile (as the AWS command line chooses it)")
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=10.0,
        metavar="SECONDS",
        help="for each answer (%(default)g)",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON, when all are there")
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds up to {_LONGEST_SECONDS}")
    return seconds


def _wait(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _refuse(message: str) -> int:
    sys.stderr.write(f"ecr-frontdoor: {message}\n")
    return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
