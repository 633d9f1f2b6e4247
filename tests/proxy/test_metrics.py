"""What Prometheus gets from a pod, where the settings name the namespace of the monitoring."""

import os
import secrets
import signal
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from lambda_fn.contract.paths import METRICS_PATH
from lambda_fn.contract.times import instant_text
from lambda_fn.settings import Settings
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from testbed.sandbox.pod_metrics import PASSES, READ_BYTES, ROUNDS, ask, damaged, samples, value, with_metrics
from testbed.sandbox.prometheus import promtool
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.client import ACCEPT, Client
from tests.proxy.revalidated import DAY_SECONDS, with_short_days

ROOT = Path(__file__).parents[2]
MIB = 1 << 20
DELETED_SECONDS = 5
SERVED, REFUSED = 'frontdoor_missing_images{answer="served"}', 'frontdoor_missing_images{answer="refused"}'
EVICTED = "frontdoor_evicted_slices_total"
FOUND = "frontdoor_missing_images_found_total"


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return with_metrics(with_short_days(settings, deleted_seconds=DELETED_SECONDS))


@pytest.fixture
def observed(pod: Pod) -> Iterator[Pod]:
    """A pod whose scrub does not pause between its rounds."""
    pod.tolerated += ("cache file",)
    script = pod.folder / "scripts" / "scrub_contents.js"
    script.write_text(script.read_text().replace("ROUND_MS = 30_000", "ROUND_MS = 500"), encoding="utf-8")
    pod.start()
    yield pod
    pod.stop()


@pytest.mark.rule("R80")
@pytest.mark.usefixtures("observed")
def test_prometheus_accepts_the_metrics(world: World, tmp_path: Path) -> None:
    status, content_type, text = ask(METRICS_PATH)
    assert (status, content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    checked = promtool(world, tmp_path, "check", "metrics", text=text)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.rule("R80")
@pytest.mark.usefixtures("observed")
def test_each_port_has_only_its_own_paths(client: Client) -> None:
    assert client.get(METRICS_PATH).status == 404
    assert [ask(path)[0] for path in ("/", "/v2/", "/-/nginx", "/-/ready", f"{METRICS_PATH}/x")] == [404] * 5


@pytest.mark.rule("R80")
@pytest.mark.usefixtures("observed")
def test_requests_and_connections_are_those_that_nginx_counts(client: Client) -> None:
    names = [f"frontdoor_nginx_{name}_total" for name in ("requests", "connections_accepted", "connections_handled")]
    before = samples()
    for _ in range(20):
        assert client.get("/v2/").status == 200
    after = samples()
    # The scrub and the wake-up of the cache manager are requests, too.
    assert all(20 < after[name] - before[name] < 60 for name in names)
    assert after['frontdoor_nginx_connections{state="writing"}'] >= 1


@pytest.mark.rule("R81")
def test_a_damaged_file_is_counted_by_its_kind_and_a_killed_worker_loses_no_count(
    observed: Pod, client: Client, publisher: Publisher
) -> None:
    content = secrets.token_bytes(MIB // 2)
    path = f"/v2/team/app/blobs/{publisher.blob('team/app', content)}"
    assert client.get(path).body == content
    wait_until(lambda: value(READ_BYTES) >= len(content), "the scrub has read the blob")
    wait_until(lambda: value(ROUNDS) >= 1, "a round is complete")
    wait_until(lambda: value("frontdoor_cached_bytes") >= len(content), "the sizes are known")
    assert set(damaged().values()) == {0}
    (file,) = (observed.folder / "cache" / "blobs").glob("*/*/*")
    os.truncate(file, 1000)
    wait_until(lambda: damaged()["size"] == 1, "the damaged file is counted")
    assert client.get(path).body == content
    workers = observed.children
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: set(observed.children).isdisjoint(workers), "nginx starts workers anew")
    assert damaged() == {"size": 1, "header": 0, "content": 0, "unreadable": 0}


@pytest.mark.rule("R82")
@pytest.mark.usefixtures("observed")
def test_an_image_that_ecr_lacks_is_counted_while_it_is_served_and_when_it_is_refused(
    client: Client, control: Control, publisher: Publisher, world: World
) -> None:
    image = publisher.image("team/app", "metered", [b"a layer"])
    path = f"/v2/team/app/manifests/{image.digest}"
    assert client.get(path, ACCEPT).status == 200
    assert [value(name) for name in (SERVED, REFUSED, FOUND)] == [0, 0, 0]
    control.delete_image(world.ecr_host, "team/app", image.digest)
    time.sleep(DAY_SECONDS)
    wait_until(lambda: client.get(path, ACCEPT).header("Warning"), "the deletion is noticed")
    assert [value(name) for name in (SERVED, REFUSED, FOUND)] == [1, 0, 1]
    wait_until(lambda: client.get(path, ACCEPT).status == 404, "the image is refused")
    assert [value(name) for name in (SERVED, REFUSED, FOUND)] == [0, 1, 1]
    control.restore_image(world.ecr_host, "team/app", image.digest)
    wait_until(lambda: client.get(path, ACCEPT).status == 200, "the image is back")
    assert [value(name) for name in (SERVED, REFUSED, FOUND)] == [0, 0, 1]


@pytest.mark.rule("R115")
def test_a_pod_reports_the_time_of_its_token_and_what_it_runs(observed: Pod) -> None:
    now = datetime.now(UTC)
    expires_at, refreshed_at = now + timedelta(hours=11), now - timedelta(hours=1)
    times = {"expires_at": instant_text(expires_at), "refreshed_at": instant_text(refreshed_at)}
    secret = (observed.folder / "credential" / ".dockerconfigjson").read_bytes()
    observed.mount("credential", {".dockerconfigjson": secret, **{key: at.encode() for key, at in times.items()}})
    found = samples()
    assert found["frontdoor_token_seconds_left"] == pytest.approx(11 * 3600, abs=5)
    assert found["frontdoor_last_refresh_seconds"] == pytest.approx(3600, abs=5)
    (build,) = (name for name in found if name.startswith("frontdoor_build_info"))
    modules = {file.name: file.read_text() for file in sorted((observed.folder / "scripts").glob("*.js"))}
    text = "".join(f"{name}\n{module}" for name, module in modules.items())
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f'version="{version}"' in build
    assert f'config_sha256="{sha256(observed.configuration().encode()).hexdigest()}"' in build
    assert f'scripts_sha256="{sha256(text.encode()).hexdigest()}"' in build


@pytest.mark.rule("R115")
def test_evicted_slices_and_the_limit_of_the_cache_are_reported(
    observed: Pod, client: Client, publisher: Publisher, settings: Settings
) -> None:
    for _ in range(3):
        client.get(f"/v2/team/app/blobs/{publisher.blob('team/app', secrets.token_bytes(1000))}")
    first = value(PASSES)
    wait_until(lambda: value(PASSES) >= first + 2, "the slices are known")
    files = list((observed.folder / "cache" / "blobs").glob("*/*/*"))
    assert (len(files), value(EVICTED)) == (3, 0)
    for file in files[:2]:
        file.unlink()
    second = value(PASSES)
    wait_until(lambda: value(PASSES) >= second + 2, "they are missed")
    assert value(EVICTED) == 2
    assert value("frontdoor_cache_limit_bytes") == settings.proxy.cache.size_gib * 2**30
    assert value("frontdoor_cache_writable") == 1
