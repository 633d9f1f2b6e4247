"""`frontdoor usage` says what real clients have done: pulls, tags, checks and bytes, and how many clients they are."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from testbed.clients.addresses import GATEWAY, addresses
from testbed.clients.client import Client
from testbed.clients.copying import Crane
from testbed.clients.helm import Helm
from testbed.clients.kinds import KINDS
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.commands import run
from testbed.sandbox.hosts import point_domain
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.clients.place import HTTPS_PORT, Image, answers, blobs

ROOT = Path(__file__).parents[2]
CHARTS = "team/charts"


@pytest.fixture
def helm(world: World, private_login: Mapping[str, str]) -> Iterator[Helm]:
    """Helm, and a chart in the private registry."""
    with Helm.running(world) as client:
        with client.logged_in(private_login):
            pushed = client.push("used", "1.0.0", f"{world.ecr_host}/{CHARTS}")
            assert pushed.succeeded, pushed.output
        yield client


def usage(pod: Pod, *words: str) -> dict[str, Any]:
    """What the command reports of the pod's log."""
    command = (sys.executable, "-m", "cli.command", "usage", "--json", *words, str(pod.folder / "stdout"))
    found: dict[str, Any] = json.loads(run(command, directory=ROOT))
    return found


def counted(found: Mapping[str, Any], kind: str, count: str = "pulls") -> dict[str, int]:
    """`REPOSITORY:TAG` or `REPOSITORY@DIGEST` -> pulls or checks, without those that have none."""
    joint = ":" if kind == "tag" else "@"
    return {
        f"{repository['name']}{joint}{each[kind]}": each[count]
        for repository in found["repositories"]
        for each in repository[f"{kind}s"]
        if each[count]
    }


def pulls(client: Client, reference: str) -> None:
    client.forget()
    outcome = client.pull(reference)
    assert outcome.succeeded, f"{client.name} {reference}: {outcome.output}"


def test_usage_counts_what_twenty_real_pulls_have_done(  # noqa: PLR0913, PLR0917 - fixtures
    clients: dict[str, Client], helm: Helm, pod: Pod, control: Control, app: Image, multi: Image, world: World
) -> None:
    mark = control.mark()
    done = Counter[str]()

    def pull(client: Client, image: Image, reference: str) -> None:
        pulls(client, reference)
        done[reference.removeprefix(f"{image.host}/")] += 1

    for client in clients.values():
        pull(client, app, app.by("tag"))
        # Its own platform, or all of them; two pulls of one client at once stay two.
        pull(client, multi, multi.by("tag"))
    for name in ("docker", "containerd", "podman", "crane", "oras"):
        pull(clients[name], app, app.by("digest"))
    pulls(helm, f"{world.domain}:{HTTPS_PORT}/{CHARTS}/used:1.0.0")
    done[f"{CHARTS}/used:1.0.0"] += 1
    checked = clients["crane"].enclosure.run("crane", "digest", app.by("tag"))
    assert checked.succeeded, checked.output

    found = usage(pod)
    assert sum(done.values()) == found["pulls"] == 20
    assert counted(found, "tag") | counted(found, "digest") == dict(done)
    tag = app.by("tag").removeprefix(f"{app.host}/")
    assert counted(found, "tag", "checks") == {tag: 1}
    assert (found["checks"], found["clients"], found["skipped_records"]) == (1, 1, {})

    sent = control.requests(mark)
    # Beside layers, manifests.
    assert 0 < found["fetched_bytes"] - sent.sent_bytes("s3.layer") < 10_000
    assert found["saved_bytes"] == found["sent_bytes"] - found["fetched_bytes"] > 0
    only = usage(pod, "--repository", multi.repository.partition("/")[2])
    assert (only["pulls"], [each["name"] for each in only["repositories"]]) == (7, ["team/multi"])


def test_usage_counts_and_names_twenty_real_clients_by_their_addresses(pod: Pod, app: Image, world: World) -> None:
    with ExitStack() as stack, ThreadPoolExecutor(max_workers=5) as pool:
        *twenty, stranger = networks = stack.enter_context(addresses(21))
        point_domain(world, GATEWAY)

        def pull(number: int, address: str) -> None:
            with KINDS[number % len(KINDS)].running(world, network=networks[address]) as client:
                pulls(client, app.by("tag"))

        list(pool.map(pull, range(20), twenty))
        crane = stack.enter_context(Crane.running(world, network=networks[stranger]))
        layer = max(blobs(answers(pod)))
        taken = crane.enclosure.run("crane", "blob", f"{app.repository}@{layer}")
        assert taken.succeeded, taken.output

    found = usage(pod)
    assert (found["pulls"], found["clients"], found["clients_are_exact"]) == (20, 20, True)
    (repository,) = found["repositories"]
    (tag,) = repository["tags"]
    assert (repository["clients"], tag["pulls"]) == (20, 20)
    assert {each["client"] for each in tag["last_clients"]} == set(twenty)
    assert found["clients_without_manifest"] == 1
    assert [each["client"] for each in repository["layers_without_manifest"]] == [stranger]


@pytest.mark.parametrize("name", ["docker", "containerd", "podman"])
def test_a_pull_of_what_a_client_has_is_a_check_or_another_pull(
    clients: dict[str, Client], pod: Pod, app: Image, name: str
) -> None:
    """podman requests the manifest again, containerd asks by HEAD; docker, for a tag, too."""
    pulls(clients[name], app.by("tag"))
    assert clients[name].pull(app.by("tag")).succeeded
    found = usage(pod)
    assert (found["pulls"], found["checks"]) == ((2, 0) if name == "podman" else (1, 1))
