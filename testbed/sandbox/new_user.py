"""What a new user does, step by step: from `frontdoor init` to the pull in the metrics and in the report of usage.

How the front door is deployed is for a subclass to say: `make deploy-local` does it by CDK, the end-to-end tests by the
charts and the handlers.
"""

import json
import shutil
import ssl
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
from playwright.sync_api import Page

from cli.doctor.finding import Verdict
from lambda_fn.settings import parse_toml
from testbed.sandbox import browser, first_steps, image, installation, pod_metrics, pulls
from testbed.sandbox.browser import Tab
from testbed.sandbox.commands import run
from testbed.sandbox.deployment import configurations, examination
from testbed.sandbox.deployment.cdk import ROOT
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.story import Lines, expect
from testbed.sandbox.world import World
from testbed.waiting import eventually

FRONTDOOR = (sys.executable, "-m", "cli.command")
CHECKS = {
    "settings",
    "tools",
    "aws",
    "bootstrap",
    "stack",
    "cluster",
    "network",
    "registries",
    "namespace",
    "tls-secret",
}
"""What `frontdoor check` finds in order before this deployment."""
DOCKER, CONTAINERD = "Docker, Podman", "containerd"
"""Clients, as the page calls them, with the beginning of their commands."""
COMMANDS = {DOCKER: "docker pull", CONTAINERD: "ctr images pull"}
MISSES, FROM_S3, TO_CLIENTS = (
    'frontdoor_requests_total{cache="miss"}',
    "frontdoor_s3_bytes_total",
    "frontdoor_sent_bytes_total",
)
STEPS = (
    "initialized",
    "prepared",
    "checked",
    "deployed",
    "listed",
    "opened",
    "copied",
    "pulled",
    "measured",
    "reported",
)
"""The methods, in order."""
_QUESTIONS = 3
_RUNS = 5
_NODE_SECONDS = 120
"""The kubelet looks at changed ConfigMaps each minute."""
_COUNTED_SECONDS = 10
_ANSWERS = 8
"""Each connection leads to another pod."""


@dataclass
class NewUser(ABC):
    """The steps in order.

    Attributes:
        world: The sandbox: its application's image is in the private ECR.
        config: The settings file, which the first step writes.
        commands: What was copied from the page, by client.
        before: The sums of the pods' metrics before the pulls.
    """

    world: World
    config: Path
    commands: dict[str, str] = field(default_factory=dict, init=False)
    before: Counter[str] = field(default_factory=Counter, init=False)

    def initialized(self) -> Lines:
        """`frontdoor init` asks three questions; in what it writes, the user turns on the catalogue and the metrics."""
        world = self.world
        first_steps.add_cluster(world)
        shutil.copyfile(ROOT / "frontdoor.toml", self.config)  # as in a clone
        done = first_steps.initialize(world, self.config, FRONTDOOR, ROOT, kind="pod")
        expect(len(done.questions) <= _QUESTIONS, f"it asked {done.questions}")
        written = self.config.read_text()
        cluster, (registry,) = (found := parse_toml(written, str(self.config))).cluster, found.registries
        names = (found.domain, cluster.name, registry.account, found.proxy.exposure.kind)
        expect(names == (world.domain, world.cluster, world.account, "pod"), f"it found {names}")
        expect(cluster.vpc_id and len(cluster.subnet_ids) == 2 and cluster.nat, f"of the network it found {cluster}")  # noqa: PLR2004 - a subnet in each zone
        expect(set(registry.repositories) == {"frontdoor/*", "team/*"}, f"it opens {registry.repositories}")
        proxy_keys = installation.proxy_keys(world, image=image.proxy_image(world))
        self.config.write_text(configurations.first(written, world.namespace, proxy_keys))
        yield f"{len(done.questions)} questions: {'; '.join(done.questions)}"
        yield f"cluster {cluster.name} in {cluster.vpc_id}, {', '.join(registry.repositories)} of {registry.account}"

    def prepared(self) -> Lines:
        """The namespace and the TLS Secret, word for word as in the README."""
        pair, namespace = self.world.pair("domain"), self.world.namespace
        run(("kubectl", "create", "namespace", namespace))
        tls = ("secret", "tls", installation.TLS_SECRET, f"--cert={pair.certificate}", f"--key={pair.key}")
        yield run(("kubectl", "-n", namespace, "create", *tls)).strip()

    def checked(self) -> Lines:
        """`frontdoor check` finds nothing that the deployment would fail for."""
        findings = examination.checked(self.world, self.config)
        failed = [one.line for one in findings if one.verdict is Verdict.FAILED]
        expect(not failed, f"it found {failed}")
        fine = {one.check for one in findings if one.verdict is Verdict.OK}
        expect(fine >= CHECKS, f"it did not find in order: {', '.join(sorted(CHECKS - fine))}")
        yield from (one.line for one in findings)

    @abstractmethod
    def deployed(self) -> Lines:
        """The front door is deployed with the written settings, and the domain leads to it."""

    @abstractmethod
    def listed(self) -> Lines:
        """The watcher reads ECR until its round is complete."""

    def opened(self) -> Lines:
        """The page at the domain, in a browser: it serves, its catalogue has the image, and axe finds nothing wrong."""
        expect(eventually(self._every_pod_lists, _NODE_SECONDS, pause_seconds=1), "not every pod has the catalogue")
        digest = self._digest()
        with self._tab() as tab:
            page = tab.open()
            tab.shows("#health", "Serving")
            page.locator("#search").press_sequentially(self.world.app_repository)
            tab.shows("#found", "1 repository found")
            page.keyboard.press("Enter")
            tab.shows("#repository h1", self.world.app_repository)
            tab.shows("#repository .facts", digest)
            wrong = tab.accessibility()
            expect(not wrong, f"axe finds {wrong}")
            yield f"{page.url} shows {digest}"

    def copied(self) -> Lines:
        """The commands of a tag, by the copy buttons at its deep link."""
        tag = urlencode({"repository": self.world.app_repository, "tag": self.world.app_tag})
        with self._tab("clipboard-read", "clipboard-write") as tab:
            page = tab.open(f"/?{tag}")
            for client, words in COMMANDS.items():
                wanted = f"{words} {pulls.public_image(self.world)}"
                self.commands[client] = _copy(page, client, wanted)
                expect(self.commands[client] == wanted, f"{client}: {self.commands[client]!r} is not {wanted!r}")
                yield wanted

    def pulled(self) -> Lines:
        """By the copied commands: containerd's word for word, Docker's by skopeo, since no dockerd runs here."""
        self.before = self._counted()
        digest = self._digest()
        by_containerd = pulls.pull_with_containerd(self.world, self.commands[CONTAINERD].split())
        by_skopeo = pulls.pull_with_skopeo(self.world, self.commands[DOCKER].split()[-1])
        expect(by_containerd == by_skopeo == digest, f"{by_containerd} and {by_skopeo} came instead of {digest}")
        yield f"2 pulls of {digest}"

    def measured(self) -> Lines:
        """The pulls are in the metrics of the pods: misses, bytes from S3, and at least twice as many to clients."""
        payload = image.APP_PAYLOAD_BYTES
        least = {MISSES: 1, FROM_S3: payload, TO_CLIENTS: 2 * payload}

        def more() -> Counter[str]:
            return self._counted() - self.before

        eventually(lambda: more() >= Counter(least), _COUNTED_SECONDS, pause_seconds=1)
        found = more()
        expect(found >= Counter(least), f"the metrics have {dict(found)} more, and not {least}")
        yield ", ".join(f"{name} +{found[name]:,}" for name in least)

    def reported(self) -> Lines:
        """`frontdoor usage` knows the pulls: repository, tag, and the client's address."""
        with examination.signed_in(self.world) as environment:
            words = ("usage", "--json", "--since", "1h", "--repository", self.world.app_repository)
            command = (*FRONTDOOR, *words, "--config", self.config)
            report = json.loads(run(command, environment=environment, directory=ROOT))
        tags = {tag["tag"]: tag for repository in report["repositories"] for tag in repository["tags"]}
        used = tags.get(self.world.app_tag, {"pulls": 0})
        expect(used["pulls"] == len(COMMANDS), f"it knows {json.dumps(report)}")
        names, ours = [one["name"] for one in report["repositories"]], {one["client"] for one in used["last_clients"]}
        expect(names == [self.world.app_repository], f"it reports {names}")
        node = str(next(ip_network(self.world.pod_cidr).hosts()))
        expect(ours == {node}, f"the clients are {ours} instead of {node}")
        yield f"{names[0]}:{used['tag']}: {used['pulls']} pulls by {used['last_client']}, last {used['last_used_at']}"

    def _digest(self) -> str:
        return run(("crane", "digest", self.world.app_image), environment=installation.logged_in(self.world)).strip()

    @contextmanager
    def _tab(self, *permissions: str) -> Iterator[Tab]:
        """A browser does not trust the sandbox's authority."""
        with (
            browser.chromium(f"https://{self.world.domain}") as chromium,
            chromium.tab(ignore_https_errors=True, permissions=permissions) as tab,
        ):
            yield tab

    def _every_pod_lists(self) -> bool:
        trust = ssl.create_default_context(cafile=str(self.world.ca.certificate))
        url, alone = f"https://{self.world.domain}/-/catalogue/index.json", {"Connection": "close"}
        with httpx2.Client(verify=trust, trust_env=False) as session:
            return all(session.get(url, headers=alone).is_success for _ in range(_ANSWERS))

    def _counted(self) -> Counter[str]:
        """The sums of the pods' counters."""
        found = Counter[str]()
        for pod in installation.proxy_pod_objects(self.world):
            samples = pod_metrics.samples(pod["status"]["podIP"])
            found.update({name: int(samples[name]) for name in (MISSES, FROM_S3, TO_CLIENTS)})
        return found


def read_catalogue(run_watcher: Callable[[], tuple[Any, str | None]]) -> Lines:
    """Run the watcher until a round of the catalogue is complete.

    Args:
        run_watcher: One run with the event of the catalogue's schedule; returns its report, or None and its error.

    Raises:
        SandboxError: A run failed, or the round does not end.
    """
    for _ in range(_RUNS):
        report, error = run_watcher()
        expect(error is None, f"the watcher failed: {error}")
        yield json.dumps(report)
        if report["ended_at"]:
            return
    raise SandboxError(f"the round is not complete after {_RUNS} runs")


def _copy(page: Page, client: str, wanted: str) -> str:
    """Press the button of a client's command; returns what the clipboard then has."""
    page.get_by_role("button", name=f"Copy: {client}").click()

    def clipboard() -> str:
        return str(page.evaluate("navigator.clipboard.readText()"))

    eventually(lambda: clipboard() == wanted, pause_seconds=0.1)
    return clipboard()
