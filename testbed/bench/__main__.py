"""`python -m testbed.bench`, inside the sandbox: measure, write results, pictures and the document (`make bench`)."""

import argparse
import sys
from pathlib import Path

from testbed.bench.plan import FULL, PLANS
from testbed.bench.present import present, refresh_document
from testbed.bench.results import FOLDER, folder_of, read
from testbed.bench.run import names, run
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.progress import say
from testbed.sandbox.world import World


def main() -> int:
    """Run; returns 1 when a measure fails that should not."""
    arguments = _parser().parse_args()
    folder = arguments.results or folder_of(arguments.plan, arguments.only)
    try:
        if not arguments.present:
            run(World.current(), PLANS[arguments.plan], arguments.only).write(folder)
        results = read(folder)
    except (SandboxError, RuntimeError, OSError) as error:
        say(f"bench: {error}")
        return 1
    present(results, folder)
    if folder == FOLDER:
        refresh_document(results)
    say(f"bench: {folder}/results.md")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m testbed.bench", description=__doc__)
    parser.add_argument("--plan", choices=sorted(PLANS), default=FULL.name, help="how much is measured [%(default)s]")
    parser.add_argument("--only", choices=names(), default="", help="one measure; not for the document")
    where = "where results go [testbed/bench/results; of a part of a run, a folder in it that git ignores]"
    parser.add_argument("--results", type=Path, metavar="DIR", help=where)
    parser.add_argument("--present", action="store_true", help="only write tables and pictures again")
    return parser


if __name__ == "__main__":
    sys.exit(main())
