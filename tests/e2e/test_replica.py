"""A region fails while real clients pull through pods on the real node, and comes back. The other region has a replica.

Running pulls go on, new ones succeed, and no operator does anything.
"""

import itertools
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from threading import Event

import pytest

from lambda_fn.contract import secret
from lambda_fn.settings import Settings
from testbed.sandbox import hosts, installation, pulls
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control, Requests
from testbed.sandbox.cloud.locations import Layer as S3Layer
from testbed.sandbox.kubectl import kubectl_json
from testbed.sandbox.progress import say
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.e2e.replicated import AT_ONCE, Ended, Replicator, Tagged, pull_all, replicating
from tests.e2e.slow_pulls import Containerd, Crane, Layer, Skopeo, SlowPull, was_broken
from tests.e2e.throttle import Throttle, throttled

MIB = 1 << 20
ECR_SECONDS = 5
BACK_SECONDS = 60
"""How soon the registry itself serves again, after its return."""
MORE_SECONDS = 1.0
"""How much slower the slowest of a hundred pulls may be while the replica serves."""
FINISH_SECONDS = 240
RECEIVED_BYTES = 1 * MIB

_SETTINGS = """
[proxy.cache]
slice_mib = 1

[proxy.timeouts]
ecr_seconds = {ecr_seconds}

[[registries.replicas]]
account = "{world.account}"
region = "{world.replica_region}"
"""


@dataclass(frozen=True, slots=True)
class Phase:
    """What fails in the registry's region.

    Attributes:
        title: For the figures.
        behaviour: Of that region.
        has_names: Whether DNS knows its ECR and S3.
    """

    title: str
    behaviour: Behaviour
    has_names: bool = True


SILENT_ECR = Phase("ECR is silent", Behaviour(registry_delay_seconds=60))
NO_S3 = Phase("S3 refuses connections", Behaviour(s3_outage="refused"))
NEITHER = Phase("ECR and S3 reset connections", Behaviour(registry_outage="reset", s3_outage="reset"))
NOTHING = Phase(
    "nothing of the region answers, nor has a name",
    Behaviour(registry_outage="refused", s3_outage="refused", token_api_error="ServerException"),
    has_names=False,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is pulled.

    Attributes:
        phases: One after the other, each with a pause in which the region is back.
        slow: Kinds of clients whose pull runs all the time.
        layer_bytes: Of each slow pull.
        bytes_per_second: To each slow client.
        new: New pulls in each phase.
        back: New pulls after each phase.
    """

    phases: Sequence[Phase]
    slow: tuple[type[SlowPull], ...]
    layer_bytes: int
    bytes_per_second: int
    new: int
    back: int


SHORT = Plan((NO_S3, NOTHING), (Containerd, Skopeo, Crane) * 2, 20 * MIB, 300_000, new=9, back=3)
FULL = Plan(
    (SILENT_ECR, NO_S3, NEITHER, NOTHING),
    (Containerd,) * 8 + (Skopeo,) * 4 + (Crane,) * 8,
    36 * MIB,
    150_000,
    new=40,
    back=10,
)


@pytest.fixture
def with_replica(installed: World) -> Iterator[Settings]:
    """The same front door with a replica, and with slices so small that running pulls need both regions."""
    world, more = installed, _SETTINGS.format(world=installed, ecr_seconds=ECR_SECONDS)
    settings = installation.settings(world, more)
    try:
        installation.apply_charts(world, more)
        invocation = installation.refresh(world, {}, settings)
        assert invocation.error is None, invocation.log
        yield settings
    finally:
        invocation = installation.install(world)
        assert invocation.error is None, invocation.log


@dataclass
class Figures:
    """What was seen.

    Attributes:
        healthy: New pulls before the first phase.
        failing: New pulls while the region fails, by phase.
        back: New pulls after its return, by phase.
        broken: Running pulls that needed another start or request.
        refresh: What a run of the Lambda did not do while the region failed.
        switched: Layers of running pulls, of which the other region has sent a part.
    """

    healthy: list[Ended]
    failing: dict[str, list[Ended]] = field(default_factory=dict)
    back: dict[str, list[Ended]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    refresh: list[str] = field(default_factory=list)
    switched: set[str] = field(default_factory=set)

    @property
    def new(self) -> list[Ended]:
        """Of all phases."""
        return [one for ended in (*self.failing.values(), *self.back.values()) for one in ended]

    @property
    def p99_seconds(self) -> float:
        """Of new pulls while the region fails, but for those that are under way when it begins to."""
        seconds = sorted(one.seconds for ended in self.failing.values() for one in ended[AT_ONCE:])
        return seconds[ceil(len(seconds) * 0.99) - 1]

    @property
    def lost(self) -> list[str]:
        """Each new pull that failed, with its phase."""
        phases = itertools.chain(self.failing.items(), self.back.items())
        return [f"{title}: {one.client}: {one.lost}" for title, ended in phases for one in ended if one.lost]

    def show(self) -> None:
        """Print them."""
        slowest = {title: round(max(one.seconds for one in ended), 2) for title, ended in self.failing.items()}
        figures = {
            "healthy, slowest seconds": round(max(one.seconds for one in self.healthy), 2),
            "failing, slowest seconds": slowest,
            "failing, p99 seconds without the first": round(self.p99_seconds, 2),
            "new pulls": len(self.new),
            "lost": self.lost,
            "broken": self.broken,
            "refresh": self.refresh,
            "running pulls that read from both regions": len(self.switched),
        }
        say(f"replica: {json.dumps(figures)}")


@contextmanager
def slow_network(world: World, settings: Settings, bytes_per_second: int) -> Iterator[Throttle]:
    """Clients of the domain's other name get the pods' answers slowly."""
    service = kubectl_json("get", "service", settings.names.workload, f"--namespace={world.namespace}")["spec"]
    with (
        throttled(world.api_address, service["clusterIP"], bytes_per_second=bytes_per_second) as throttle,
        hosts.pointed(world, {world.api_address: (world.new_domain,)}),
    ):
        yield throttle


@contextmanager
def running(world: World, replicator: Replicator, plan: Plan, folder: Path) -> Iterator[list[SlowPull]]:
    """The slow clients, each in the middle of a layer of its own."""
    released = Event()
    released.set()  # the network is slow, and not the clients
    found = []
    with ExitStack() as stack:
        for number, kind in enumerate(plan.slow):
            tagged = replicator.push((plan.layer_bytes,))
            layer = Layer(f"{world.new_domain}/{world.app_repository}:{tagged.tag}", tagged.image.layers[0])
            found.append(kind(world, layer, folder / str(number), released))
        for pull in found:
            pull.start()
            stack.callback(pull.stop)
        wait_until(
            lambda: all(pull.received_bytes() >= RECEIVED_BYTES for pull in found), "every client receives", seconds=90
        )
        yield found


@contextmanager
def failing(world: World, control: Control, phase: Phase) -> Iterator[None]:
    """The registry's region fails until the block ends."""
    names = (*world.ecr_hosts, world.layer_host, f"api.ecr.{world.region}.amazonaws.com")
    with ExitStack() as stack:
        if not phase.has_names:
            stack.enter_context(hosts.without(world, names))
        stack.enter_context(control.behaving(phase.behaviour.model_copy(update={"region": world.region})))
        yield


@contextmanager
def requested_from_each_pod(world: World, images: Sequence[Tagged]) -> Iterator[None]:
    """Each pod has a circuit of its own, which its first failure opens. Without these requests all first pulls may come
    to one pod, and many later ones would wait at the other.
    """
    pods = installation.proxy_pods(world)
    paths = [f"v2/{world.app_repository}/blobs/{tagged.image.layers[0]}" for tagged in images]
    with ThreadPoolExecutor(len(pods)) as pool:
        requests = [pool.submit(pulls.fetch_from_pod, world, pod, path) for pod, path in zip(pods, paths, strict=True)]
        yield
        for request in requests:
            request.result()


def serves(world: World, control: Control, replicator: Replicator) -> bool:
    """Whether a new pull is all of the registry itself, and none of it of the replica."""
    tagged, mark = replicator.push(), control.mark()
    (ended,) = pull_all(world, [tagged])
    assert not ended.lost, ended
    asked = {entry.host for entry in control.requests(mark).of("registry") if entry.method in {"GET", "HEAD"}}
    return asked == {world.ecr_host}


def observed(world: World, control: Control, settings: Settings, plan: Plan, folder: Path) -> Figures:
    """Let the region fail in each way of the plan, and come back."""
    with ExitStack() as stack:
        replicator = stack.enter_context(replicating(world, control))
        throttle = stack.enter_context(slow_network(world, settings, plan.bytes_per_second))
        new = {phase.title: [replicator.push() for _ in range(plan.new)] for phase in plan.phases}
        back = {phase.title: [replicator.push() for _ in range(plan.back)] for phase in plan.phases}
        first = {phase.title: [replicator.push() for _ in installation.proxy_pods(world)] for phase in plan.phases}
        figures = Figures(pull_all(world, [replicator.push() for _ in range(max(plan.back, plan.new // 2))]))
        assert [one.lost for one in figures.healthy if one.lost] == []
        slow = stack.enter_context(running(world, replicator, plan, folder))
        mark, layers = control.mark(), {pull.layer.digest for pull in slow}
        for phase in plan.phases:
            with failing(world, control, phase), requested_from_each_pod(world, first[phase.title]):
                figures.failing[phase.title] = pull_all(world, new[phase.title])
                if not phase.has_names:
                    figures.refresh += refreshed_and_rolled_out(world, settings)
            wait_until(
                lambda: serves(world, control, replicator), f"{phase.title}: the registry is back", seconds=BACK_SECONDS
            )
            figures.back[phase.title] = pull_all(world, back[phase.title])
        assert [str(pull) for pull in slow if not pull.is_running] == [], "a pull that has ended shows nothing"
        figures.switched = layers & replicated_layers(world, control.requests(mark))
        throttle.released.set()
        digests = [(pull.finish(FINISH_SECONDS), pull.layer.digest) for pull in slow]
        assert [found for found, digest in digests if found != digest] == []
        figures.broken = [str(pull) for pull in slow if was_broken(pull)]
    figures.show()
    return figures


def replicated_layers(world: World, seen: Requests) -> set[str]:
    """The digests of layers of which the replica's bucket has sent something."""
    of_replica = [entry.path for entry in seen.of("s3.layer") if entry.host == world.replica_layer_host]
    return {f"sha256:{layer.digest}" for path in of_replica if (layer := S3Layer.parse(path))}


def refreshed_and_rolled_out(world: World, settings: Settings) -> list[str]:
    """What a run of the Lambda that has to replace the pods does while the registry's region fails: what is wrong."""
    before = installation.proxy_pods(world)
    tokens = tokens_of(world, settings)
    invocation = installation.refresh(world, {"force_rollout": True}, settings)
    wrong = []
    if not invocation.error or invocation.error["errorType"] != "StaleRegionError":
        wrong.append(f"the run does not fail by StaleRegionError: {invocation.error or invocation.payload}")
    after = tokens_of(world, settings)
    if after[world.ecr_host] != tokens[world.ecr_host]:
        wrong.append("the token of the registry has changed")
    if after[world.replica_host] == tokens[world.replica_host]:
        wrong.append("the token of the replica is not new")
    if set(before) & set(installation.proxy_pods(world)):
        wrong.append("no new pod has started")
    return wrong


def tokens_of(world: World, settings: Settings) -> dict[str, str]:
    """The token of each host in the Secret."""
    found = kubectl_json("get", "secret", settings.names.secret, f"--namespace={world.namespace}")
    return {host: entry.authorization.reveal() for host, entry in secret.parse(found["data"]).items()}


def test_no_pull_is_lost_while_a_region_fails_and_comes_back(
    with_replica: Settings, world: World, control: Control, tmp_path: Path
) -> None:
    figures = observed(world, control, with_replica, SHORT, tmp_path / "pulls")
    assert figures.lost == []
    assert figures.broken == []
    assert figures.refresh == []
    assert len(figures.switched) == len(SHORT.slow)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_none_of_20_running_and_200_new_pulls_is_lost_and_none_is_much_slower(
    with_replica: Settings, world: World, control: Control, tmp_path: Path
) -> None:
    figures = observed(world, control, with_replica, FULL, tmp_path / "pulls")
    assert len(figures.new) == 200
    assert figures.lost == []
    assert figures.broken == []
    assert figures.refresh == []
    assert len(figures.switched) == len(FULL.slow) == 20
    slowest = max(one.seconds for one in figures.healthy)
    # Those that are under way when the region fails wait for ECR side by side, once at each pod that they come to.
    waits = len(installation.proxy_pods(world)) * ECR_SECONDS
    assert max(one.seconds for ended in figures.failing.values() for one in ended) <= slowest + waits + MORE_SECONDS
    assert figures.p99_seconds <= slowest + MORE_SECONDS
