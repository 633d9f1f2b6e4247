"""A real Prometheus, and promtool, from Debian's package in a root filesystem of their own."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from testbed.sandbox import rootfs
from testbed.sandbox.world import World
from testbed.waiting import eventually

_ADDRESS, _PORT = "127.0.0.1", 9090
_START_SECONDS = 30
_TIMEOUT_SECONDS = 10

Sample = Mapping[str, Any]
"""What the API answers for each series: https://prometheus.io/docs/prometheus/latest/querying/api/ ."""


class Prometheus:
    """A server that runs, by its HTTP API."""

    def query(self, expression: str) -> list[Sample]:
        """The series of an instant query, now."""
        found: list[Sample] = self._ask("query", query=expression)["result"]
        return found

    def query_range(self, expression: str, begin: float, end: float) -> list[Sample]:
        """The series of a query from one time to another, in seconds since the epoch, with a value for each second."""
        found: list[Sample] = self._ask("query_range", query=expression, start=str(begin), end=str(end), step="1")[
            "result"
        ]
        return found

    def targets(self) -> list[Mapping[str, Any]]:
        """What it scrapes, with the health of each."""
        found: list[Mapping[str, Any]] = self._ask("targets", state="active")["activeTargets"]
        return found

    def rules(self) -> dict[str, Mapping[str, Any]]:
        """The alerting rules by name, with `health`, `state` and `lastError`."""
        return {rule["name"]: rule for group in self._ask("rules")["groups"] for rule in group["rules"]}

    def _ask(self, what: str, **parameters: str) -> Any:  # noqa: ANN401 - the API's JSON
        with closing(HTTPConnection(_ADDRESS, _PORT, timeout=_TIMEOUT_SECONDS)) as connection:
            connection.request("GET", f"/api/v1/{what}?{urlencode(parameters)}")
            answer = json.loads(connection.getresponse().read())
        if answer["status"] != "success":
            raise ValueError(f"Prometheus refuses {what} {parameters}: {answer['error']}")
        return answer["data"]


@contextmanager
def running(folder: Path, world: World, scrape: Mapping[str, Any], rules: Path) -> Iterator[Prometheus]:
    """A server that scrapes and evaluates each second.

    Args:
        folder: An empty one, for its configuration and data. What the configuration names is there.
        world: The sandbox.
        scrape: Its `scrape_configs`, under this key.
        rules: A file of rules.

    Raises:
        RuntimeError: It does not start.
    """
    configuration = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["/tmp/rules.yaml"],  # noqa: S108 - inside, its folder
        **scrape,
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    (folder / "rules.yaml").write_bytes(rules.read_bytes())
    options = ("--config.file=/tmp/prometheus.yaml", "--storage.tsdb.path=/tmp/data")
    with (folder / "log").open("ab") as log:
        command = [*_inside(world, folder), "/usr/bin/prometheus", *options, f"--web.listen-address={_ADDRESS}:{_PORT}"]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        if not eventually(_is_ready, _START_SECONDS):
            raise RuntimeError(f"Prometheus does not start: {(folder / 'log').read_text()[-2000:]}")
        yield Prometheus()
    finally:
        process.terminate()
        process.wait(_START_SECONDS)


def promtool(world: World, folder: Path, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run promtool in a folder, with a text as its standard input."""
    command = [*_inside(world, folder), "/usr/bin/promtool", *words]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def _inside(world: World, folder: Path) -> list[str]:
    """The folder is /tmp there: a root filesystem that is mounted read-only has no other that may be written."""
    root = str(rootfs.prometheus(world.cache).root)
    mounts = ("--ro-bind", root, "/", "--bind", str(folder), "/tmp", "--ro-bind", "/proc", "/proc")  # noqa: S108 - inside
    return ["bwrap", *mounts, "--chdir", "/tmp", "--die-with-parent", "--"]  # noqa: S108 - inside


def _is_ready() -> bool:
    try:
        with closing(HTTPConnection(_ADDRESS, _PORT, timeout=_TIMEOUT_SECONDS)) as connection:
            connection.request("GET", "/-/ready")
            return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
