"""The scrub: damaged files of the cache are found and removed, and nginx fetches them again."""

import random
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lambda_fn.settings import Settings
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from testbed.sandbox.pod_metrics import BLOBS, PASSES, ROUNDS, damaged, value, with_metrics
from testbed.soak import cached_files
from testbed.soak.cached_files import cut, empty, flip
from testbed.waiting import wait_until
from tests.proxy.client import ACCEPT, Client

MIB = 1 << 20
LAYERS, LAYER_BYTES = 6, 3 * MIB + 7
"""Four slices each."""
SHORT_RANGE = {"Range": "bytes=300000-300009"}
"""Of a slice of 256 KiB that is not the blob's first one."""
QUICK_ROUND = ("ROUND_MS = 30_000", "ROUND_MS = 500")
NO_SECOND_ROUND = ("ROUND_MS = 30_000", "ROUND_MS = 36_000_000")
VALID_UNTIL_AT = 8
"""In a file of nginx's cache: 64 bits, little-endian."""
FOUND_WITHIN_SECONDS = 60
"""What is promised, for a busy machine too. On an idle one, changes of so small a cache are found after two seconds."""


@dataclass(frozen=True)
class Filled:
    """A pod whose cache holds whole blobs, a blob in part, and manifests.

    Attributes:
        contents: Path -> what a GET has to bring.
        partial: The path of a blob of which the cache holds one slice.
    """

    pod: Pod
    contents: dict[str, bytes]
    partial: str
    partial_content: bytes

    @property
    def cache(self) -> Path:
        return self.pod.folder / "cache"

    def files(self, *zones: str) -> list[Path]:
        """The cached files, in an order that does not depend on the file system."""
        return cached_files.cached(self.cache, *zones)

    def wrong(self, client: Client) -> list[str]:
        """The paths whose pull does not bring its content."""
        got = {path: client.get(path, ACCEPT if "/manifests/" in path else None) for path in self.contents}
        return [path for path, answer in got.items() if answer.body != self.contents[path] or not answer.complete]

    def wrong_in_part(self, client: Client) -> bool:
        """Whether the part of a blob is not what it has to be."""
        answer = client.get(self.partial, SHORT_RANGE)
        return answer.status != 206 or answer.body != self.partial_content[300000:300010]

    def removed(self) -> float:
        return sum(damaged().values())

    def removed_names(self) -> list[str]:
        """The names of the removed files, as the log has them."""
        _, *lines = self.pod.error_log().split("the scrub removed the damaged file ")
        return [Path(line.split(" ")[0]).name for line in lines]

    def wait_until_noted(self) -> None:
        """Return when the checksum of every file is noted; then none was taken for a damaged one."""
        names = {file.name for file in self.files("blobs", "manifests")}
        wait_until(lambda: names <= self.noted(), "the checksum of every file is noted", seconds=60)
        assert self.removed() == 0

    def wait_until_compared(self) -> None:
        """Return when every whole blob was compared with its digest: one damaged meanwhile loses all its slices."""
        wait_until(lambda: value(BLOBS) == LAYERS, "every whole blob is compared", seconds=120)

    def noted(self) -> set[str]:
        """The names of the files whose checksums are noted."""
        return cached_files.noted(self.cache)


def replace_script(pod: Pod, name: str, before: str, after: str) -> None:
    script = pod.folder / "scripts" / name
    text = script.read_text(encoding="utf-8")
    assert before in text
    script.write_text(text.replace(before, after), encoding="utf-8")


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return with_metrics(settings)


@pytest.fixture
def filled(pod: Pod, client: Client, publisher: Publisher) -> Iterator[Filled]:
    """With the scrub as it is."""
    # nginx itself says so about a header that is cut short, and removes what it does not find when it evicts.
    pod.tolerated += ("cache file",)
    pod.start()
    yield fill(pod, client, publisher)
    pod.stop()


@pytest.fixture
def pass_alone(pod: Pod, client: Client, publisher: Publisher) -> Iterator[Filled]:
    """Without a round after the files are there: only the pass over sizes and times finds what has changed."""
    pod.tolerated += ("cache file",)
    replace_script(pod, "scrub_contents.js", *NO_SECOND_ROUND)
    pod.start()
    wait_until(lambda: value(PASSES) and value(ROUNDS), "the first pass and the first round are complete")
    yield fill(pod, client, publisher)
    pod.stop()


@pytest.fixture
def round_alone(pod: Pod, client: Client, publisher: Publisher) -> Iterator[Filled]:
    """With the round over the contents alone, and without its pause: as if damage changed no file's time."""
    pod.tolerated += ("cache file",)
    template = pod.configuration()
    without = template.replace("js_periodic frontdoor.scrub_sizes interval=200ms;", "")
    assert without != template
    (pod.folder / "config" / "nginx.conf").write_text(without, encoding="utf-8")
    replace_script(pod, "scrub_contents.js", *QUICK_ROUND)
    pod.start()
    yield fill(pod, client, publisher)
    pod.stop()


def fill(pod: Pod, client: Client, publisher: Publisher) -> Filled:
    contents: dict[str, bytes] = {}
    for number in range(LAYERS):
        image = publisher.image("team/app", f"scrub-{number}", [layer := secrets.token_bytes(LAYER_BYTES)])
        contents[f"/v2/team/app/blobs/{image.layers[0]}"] = layer
        contents[f"/v2/team/app/manifests/{image.digest}"] = image.manifest
    partial_content = secrets.token_bytes(2 * MIB)
    partial = f"/v2/team/app/blobs/{publisher.blob('team/app', partial_content)}"
    made = Filled(pod, contents, partial, partial_content)
    assert made.wrong(client) == []
    assert not made.wrong_in_part(client)
    files = LAYERS * 5 + 1
    wait_until(lambda: len(made.files("blobs", "manifests")) == files, "nginx has stored the last slice")
    return made


BODY_AT = 900
"""No header is longer in these tests."""


@pytest.mark.rule("R58")
@pytest.mark.parametrize("damage", [flip, cut, empty])
def test_pulls_are_right_again_within_a_minute_of_any_damage(
    pass_alone: Filled, client: Client, damage: Callable[[Path, random.Random], None]
) -> None:
    pass_alone.wait_until_noted()
    chance = random.Random(11)  # noqa: S311 - the same damage in every run
    files = chance.sample(pass_alone.files("blobs", "manifests"), 20)
    for file in files:
        damage(file, chance)
    damaged = {file.name for file in files}
    wait_until(
        lambda: damaged <= set(pass_alone.removed_names()),
        "every damaged file is removed",
        seconds=FOUND_WITHIN_SECONDS,
    )
    assert pass_alone.wrong(client) == []
    assert not pass_alone.wrong_in_part(client)


@pytest.mark.rule("R58")
def test_a_round_finds_flipped_bits_that_changed_no_time(round_alone: Filled, client: Client) -> None:
    round_alone.wait_until_noted()
    chance = random.Random(12)  # noqa: S311 - the same damage in every run
    files = round_alone.files("blobs", "manifests")
    for file in files:
        flip(file, chance)
    wait_until(lambda: round_alone.removed() == len(files), "every damaged file is removed", seconds=60)
    assert round_alone.wrong(client) == []
    assert not round_alone.wrong_in_part(client)


@pytest.mark.rule("R58")
def test_checksums_outlive_a_restart_of_the_container(filled: Filled, client: Client) -> None:
    """Nothing is read between the damage and the restart, so only what was noted before can show it."""
    filled.wait_until_noted()
    filled.pod.kill()
    chance = random.Random(13)  # noqa: S311 - the same damage in every run
    files = filled.files("blobs")
    for file in files:
        flip(file, chance)
    filled.pod.restart()
    wait_until(lambda: filled.removed() == len(files), "every damaged file is removed", seconds=60)
    assert filled.wrong(client) == []


@pytest.mark.rule("R58")
def test_a_blob_that_was_damaged_before_its_checksums_were_noted_is_fetched_again(
    pod: Pod, client: Client, publisher: Publisher
) -> None:
    """The scrub begins only after the damage."""
    template = start_without_scrub(pod)
    content = secrets.token_bytes(LAYER_BYTES)
    path = f"/v2/team/app/blobs/{publisher.blob('team/app', content)}"
    assert client.get(path).body == content
    first, *_ = sorted((pod.folder / "cache/blobs").glob("*/*/*"), key=lambda file: -file.stat().st_size)
    flip(first, random.Random(15), BODY_AT)  # noqa: S311 - the same damage in every run
    assert client.get(path).body != content
    restart_with(pod, template)
    wait_until(lambda: client.get(path).body == content, "the blob is fetched again", seconds=60)


@pytest.mark.rule("R58")
def test_blobs_that_lack_a_slice_do_not_keep_a_whole_one_from_its_turn(
    pod: Pod, client: Client, publisher: Publisher
) -> None:
    template = start_without_scrub(pod)
    for _ in range(LAYERS):
        content = secrets.token_bytes(LAYER_BYTES)
        assert client.get(f"/v2/team/app/blobs/{publisher.blob('team/app', content)}").body == content
    by_blob: dict[str, list[Path]] = {}
    for file in cached_files.cached(pod.folder / "cache", "blobs"):
        by_blob.setdefault(cached_files.key(file).split(" ")[0], []).append(file)
    for files in list(by_blob.values())[1:]:
        next(file for file in files if f"bytes={MIB}-" in cached_files.key(file)).unlink()
    left = cached_files.cached(pod.folder / "cache", "blobs")
    restart_with(pod, template)
    wait_until(lambda: value(BLOBS) == 1, "the whole blob is compared", seconds=60)
    wait_until(lambda: value(ROUNDS) > 0, "the contents are read", seconds=60)
    assert cached_files.cached(pod.folder / "cache", "blobs") == left


def start_without_scrub(pod: Pod) -> str:
    """Start a pod whose cache is not checked. Returns the configuration with the scrub."""
    template = pod.configuration()
    pod.tolerated += ("cache file",)
    without = re.sub(r"js_periodic frontdoor\.scrub_\w+ \S+;", "", template)
    (pod.folder / "config" / "nginx.conf").write_text(without, encoding="utf-8")
    pod.start()
    return template


def restart_with(pod: Pod, configuration: str) -> None:
    pod.kill()
    (pod.folder / "config" / "nginx.conf").write_text(configuration, encoding="utf-8")
    assert pod.check().returncode == 0
    pod.restart()


def change_key(file: Path) -> None:
    """Write one byte in place: a file that is written anew is empty for a moment."""
    with file.open("r+b") as opened:
        opened.seek(opened.read(1000).index(b"KEY: sha256:") + len("KEY: sha"))
        opened.write(b"X")


@pytest.mark.rule("R59")
def test_each_damaged_file_has_a_log_line_and_is_counted_by_the_kind_of_its_damage(filled: Filled) -> None:
    filled.wait_until_noted()
    filled.wait_until_compared()
    one, two, three, *_ = (file for file in filled.files("blobs") if file.stat().st_size > MIB)
    chance = random.Random(14)  # noqa: S311 - the same damage in every run
    flip(one, chance, BODY_AT)
    cut(two, chance)
    change_key(three)
    wait_until(lambda: filled.removed() >= 3, "the damaged files are removed", seconds=FOUND_WITHIN_SECONDS)
    assert damaged() == {"size": 1, "header": 1, "content": 1, "unreadable": 0}
    assert sorted(filled.removed_names()) == sorted([one.name, two.name, three.name])


@pytest.mark.rule("R58")
def test_the_state_of_an_image_that_would_last_for_a_century_is_removed(filled: Filled, client: Client) -> None:
    """Until it ends, ECR is not asked for the image again."""
    # The second pull gets the manifest from the cache, and the state with it.
    assert [filled.wrong(client) for _ in range(2)] == [[], []]
    state, *others = filled.files("images")
    assert len(others) == LAYERS - 1
    content = bytearray(state.read_bytes())
    content[VALID_UNTIL_AT + 4] ^= 1
    state.write_bytes(content)
    wait_until(lambda: filled.removed_names() == [state.name], "the state is removed", seconds=FOUND_WITHIN_SECONDS)
    assert filled.wrong(client) == []
    assert state.exists()


@pytest.mark.rule("R60")
def test_the_scrub_leaves_what_is_right_and_what_nginx_still_writes(
    filled: Filled, client: Client, control: Control
) -> None:
    filled.wait_until_noted()
    unfinished = filled.cache / "blobs" / "0" / "00" / f"{'0' * 32}.0000000001"
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    unfinished.write_bytes(b"half")
    before = filled.files("blobs", "manifests", "images")
    mark = control.mark()
    passes, rounds = value(PASSES), value(ROUNDS)
    wait_until(lambda: value(PASSES) > passes + 1, "the sizes are looked at twice")
    wait_until(lambda: value(ROUNDS) > rounds, "the contents are read", seconds=120)
    assert filled.files("blobs", "manifests", "images") == before
    assert unfinished.exists()
    assert filled.wrong(client) == []
    assert control.requests(mark).entries == ()
    assert filled.removed() == 0
