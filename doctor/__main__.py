"""`python -m doctor`: examine a deployed front door and print a line for each thing looked at."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError

from doctor.examination import examine
from doctor.finding import Finding, Verdict
from doctor.site import Site
from lambda_fn.errors import FrontdoorError
from lambda_fn.settings import parse_toml

UNWELL = 1
"""Exit status when a check failed."""
UNUSABLE = 2
"""Exit status for settings or AWS credentials that cannot be used, as for a wrong command line."""


def main(words: Sequence[str] | None = None) -> int:
    """Examine; 0 when nothing failed (warnings included), 1 when something did, 2 when it could not begin."""
    arguments = _parser().parse_args(words)
    try:
        settings = parse_toml(arguments.config.read_text(encoding="utf-8", errors="replace"), str(arguments.config))
        aws = boto3.Session(profile_name=arguments.profile, region_name=settings.cluster.region)
    except OSError as error:
        return _refuse(f"cannot read {arguments.config}: {error.strerror}; --config PATH takes another file")
    except (FrontdoorError, BotoCoreError) as error:
        return _refuse(str(error))
    found: list[Finding] = []
    for finding in examine(Site(settings=settings, aws=aws, image=arguments.image)):
        found.append(finding)
        if not arguments.json:
            print(finding.line, flush=True)  # noqa: T201 - a command-line tool prints
    verdicts = Counter(finding.verdict for finding in found)
    print(json.dumps([finding.to_json() for finding in found], indent=2) if arguments.json else _summary(verdicts))  # noqa: T201 - as above
    return UNWELL if verdicts[Verdict.FAILED] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m doctor",
        description="Examine a deployed front door, read-only: AWS, the cluster, the domain.",
        epilog="Exit status: 0 nothing failed, 1 something failed, 2 it could not begin.",
    )
    parser.add_argument(
        "--config", type=Path, default=Path("frontdoor.toml"), metavar="PATH", help="settings file (%(default)s)"
    )
    parser.add_argument("--image", metavar="REPOSITORY:TAG", help="pull this image's manifest and smallest layer")
    parser.add_argument("--profile", help="AWS profile (as the AWS command line chooses it)")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON, at the end")
    return parser


def _summary(verdicts: Counter[Verdict]) -> str:
    return ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in Verdict if verdicts[verdict])


def _refuse(message: str) -> int:
    sys.stderr.write(f"ecr-frontdoor: {message}\n")
    return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
