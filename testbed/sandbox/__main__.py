"""The sandbox's command line: `python -m testbed.sandbox COMMAND`."""

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

from testbed.sandbox import inside, lifecycle, report, setup
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.interpreter import PYTHON
from testbed.sandbox.progress import say
from testbed.sandbox.world import World

NOT_UP = 3
"""Exit status of `status` when the sandbox is not up, as systemctl's."""


def main() -> int:
    """Run one command; returns its exit status."""
    arguments = _parser().parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        return COMMANDS[arguments.command](arguments)
    except SandboxError as error:
        say(f"sandbox: {error}")
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m testbed.sandbox", description="A Kubernetes node and an AWS, of real parts."
    )
    parser.add_argument(
        "--state",
        type=_absolute,
        default=World().state,
        help="the sandbox's folder; another one is another sandbox [%(default)s]",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("setup", help="install and build what the sandbox needs (needs the network; up does it too)")
    commands.add_parser("up", help="bring it up and leave it up")
    commands.add_parser("install", help="up, and the front door installed in it, ready to pull from")
    commands.add_parser("down", help="end it and remove everything but the cache")
    commands.add_parser("status", help=f"print whether it is up, and how to use it (exit status {NOT_UP} if it is not)")
    run = commands.add_parser("run", help="run a command inside; brings it up and takes it down if it is not up")
    run.add_argument("--without-kubernetes", action="store_true", help="start only DNS and the double of AWS")
    run.add_argument("words", nargs=argparse.REMAINDER, metavar="-- CMD", help="the command and its arguments")
    commands.add_parser("shell", help="open a shell inside")
    commands.add_parser("demo", help="show the product step by step")
    return parser


def _absolute(path: str) -> Path:
    return Path(path).absolute()


def _setup(arguments: argparse.Namespace) -> int:
    setup.setup(World(state=arguments.state))
    say("everything that the sandbox needs is installed")
    return 0


def _up(arguments: argparse.Namespace) -> int:
    world = World(state=arguments.state)
    if not lifecycle.up(world):
        say("it is up already")
    say(report.instructions(world))
    return 0


def _install(arguments: argparse.Namespace) -> int:
    world = World(state=arguments.state)
    lifecycle.up(world)
    status = inside.run(world, [str(PYTHON), "-m", "testbed.sandbox.installation"])
    if not status:
        say(report.instructions(world))
        say(report.pulling(world))
    return status


def _down(arguments: argparse.Namespace) -> int:
    there_was_one = lifecycle.down(World(state=arguments.state))
    say("the sandbox is removed" if there_was_one else "there was no sandbox")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    world = World(state=arguments.state)
    if not lifecycle.is_up(world):
        print("down")
        return NOT_UP
    print(report.status(world))
    return 0


def _run(arguments: argparse.Namespace) -> int:
    words = arguments.words[1:] if arguments.words[:1] == ["--"] else arguments.words
    if not words:
        raise SandboxError("run: no command given; for example `python -m testbed.sandbox run -- kubectl get nodes`")
    return inside.run(World(state=arguments.state), words, kubernetes=not arguments.without_kubernetes)


def _shell(arguments: argparse.Namespace) -> int:
    return inside.run(World(state=arguments.state), [os.environ.get("SHELL", "/bin/sh")])


def _demo(_: argparse.Namespace) -> int:
    return int(importlib.import_module("testbed.sandbox.demo").main())  # late: only the demo needs these dependencies


def _leave(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "setup": _setup, "up": _up, "install": _install, "down": _down, "status": _status,
    "run": _run, "shell": _shell, "demo": _demo,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
