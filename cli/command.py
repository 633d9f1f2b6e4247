"""`frontdoor`: the command for operators.

A subcommand is a function of a module in `cli/commands/`, registered here. What takes long to import, such as the
charts' library, it imports itself: `--help`, completion and a mistake on the command line must not wait for it.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from cli.commands.check import check
from cli.commands.doctor import doctor
from cli.commands.forget import forget
from cli.commands.init import init
from cli.commands.manifests import manifests
from cli.commands.overview import overview
from cli.commands.pull import pull
from cli.commands.refresh import refresh
from cli.commands.schema import schema
from cli.commands.usage import usage
from cli.exit_status import UNUSABLE
from lambda_fn.contract.errors import FrontdoorError

app = typer.Typer(
    name="frontdoor",
    help="Deploy and operate a pull-only container registry in front of a private AWS ECR.",
    epilog="Exit status: 0 nothing is wrong; 1 something is wrong; 2 the command line or the settings are not valid.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # it would take `[canary]` in a help text for markup
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(init)
app.command()(check)
app.command()(doctor)
app.command()(overview)
app.command()(refresh)
app.command()(pull)
app.command()(forget)
app.command()(usage)
app.command()(manifests)
app.command()(schema)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status.

    Args:
        arguments: Those of the command line; None for the process's own.
    """
    # cdk8s starts the Node of this environment, which may not be active.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        app(args=arguments, prog_name="frontdoor")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except FrontdoorError as error:
        sys.stderr.write(f"frontdoor: {error}\n")
        return UNUSABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
