"""Attacks of one anonymous client on one pod, at full size, beside other clients.

`python -m testbed.soak.hostile`, inside the sandbox. The pod has the default memory limit: its nginx in a cgroup, or,
with `--on-node`, on the real node, whose kubelet restarts it. Every attack comes from one address, not that of other
clients. `cases` has the attacks.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from testbed.sandbox.cloud.control import Control
from testbed.sandbox.progress import say, step
from testbed.sandbox.world import World
from testbed.soak import command, hostile_report, target
from testbed.soak.cases import CASES, Case
from testbed.soak.ground import prepared
from testbed.soak.watched import attacked


def main() -> int:
    """Run; returns 1 when another client fails, memory passes 80 % of the limit, or a process is killed."""
    parser = command.parser("testbed.soak.hostile", __doc__)
    parser.add_argument("--seconds", type=int, default=90, help="how long each attack lasts [%(default)s]")
    parser.add_argument("--part", type=int, default=1, help="attack with one in so many connections [%(default)s]")
    parser.add_argument("--on-node", action="store_true", help="attack a pod that the real kubelet probes")
    parser.add_argument("--kind", action="append", choices={case.kind for case in CASES}, help="only such attacks")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table of docs/performance.md here")
    arguments = parser.parse_args()
    cases = [case.smaller(arguments.part) for case in CASES if not arguments.kind or case.kind in arguments.kind]

    def figures() -> dict[str, object]:
        attacks = list(run(World.current(), cases, arguments.seconds, on_node=arguments.on_node))
        if arguments.markdown:
            arguments.markdown.write_text(hostile_report.table(attacks), encoding="utf-8")
        return {"seconds": arguments.seconds, "attacks": attacks, "holds": not any(one["faults"] for one in attacks)}

    return command.status(figures, arguments.json)


def run(world: World, cases: Sequence[Case], seconds: int, *, on_node: bool) -> Iterator[dict[str, object]]:
    """Attack and watch; yields the figures of each attack.

    Raises:
        SandboxError: The front door cannot be installed.
    """
    Control().reset()
    for place in dict.fromkeys(case.installation for case in cases):
        with (
            (target.on_node if on_node else target.alone)(world, place.settings) as pod,
            prepared(world, pod, place) as ground,
        ):
            for case in cases:
                if case.installation == place:
                    with step(f"{case.title}: {case.size}, {seconds} s"):
                        found = attacked(case, ground, seconds)
                    say(hostile_report.line(found))
                    yield found


if __name__ == "__main__":
    sys.exit(main())
