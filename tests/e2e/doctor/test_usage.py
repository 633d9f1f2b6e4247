"""`frontdoor usage` reads the logs of the pods on the real node, with the operator's documented rights."""

import json
import subprocess
import sys
from typing import Any

from testbed.sandbox import installation
from testbed.sandbox.commands import run
from testbed.sandbox.world import World
from testbed.waiting import wait_until


def usage(world: World, environment: dict[str, str]) -> dict[str, Any]:
    config = str(installation.settings_file(world))
    command = [sys.executable, "-m", "cli.command", "usage", "--config", config, "--json", "--since", "1d"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def pods(world: World) -> set[str]:
    return set(run(("kubectl", "get", "pods", f"--namespace={world.namespace}", "--output=name")).split())


def test_a_pull_is_in_the_report_of_usage_with_its_tag_and_the_period_that_the_pods_cover(
    installed: World, environment: dict[str, str]
) -> None:
    # Those of the installation's first rollout take their logs with them.
    replicas = installation.settings(installed).proxy.replicas
    wait_until(lambda: len(pods(installed)) == replicas, "pods of an earlier rollout are gone", seconds=120)
    run(("crane", "manifest", f"{installed.domain}/{installed.app_repository}:{installed.app_tag}"))
    before = usage(installed, environment)
    run(("crane", "manifest", f"{installed.domain}/{installed.app_repository}:{installed.app_tag}"))
    after = usage(installed, environment)
    (repository,) = [each for each in after["repositories"] if each["name"] == installed.app_repository]
    assert after["pulls"] == before["pulls"] + 1
    assert installed.app_tag in [each["tag"] for each in repository["tags"]]
    assert after["skipped_records"] == {}
    assert {f"pod/{source['name']}" for source in after["sources"]} == pods(installed)
    # The pods are younger than a day.
    assert all(source["note"] for source in after["sources"])
    assert after["since"] < after["covers"]["from"] < after["covers"]["to"]
