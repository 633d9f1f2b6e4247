"""Short reads of blobs, as clients send them that pull lazily: small slices, and several ranges in one request."""

import hashlib
import random
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.content import Generated
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from tests.proxy.client import ADDRESS, TIMEOUT_SECONDS, Client

KIB = 1 << 10
MIB = 1 << 20
SMALL = 256 * KIB
AWAY = Behaviour(registry_outage="refused", s3_outage="refused")

pytestmark = pytest.mark.usefixtures("proxy")


@dataclass(frozen=True)
class Layer:
    """A blob of 24 MiB that no client has read."""

    content: Generated
    digest: str

    @property
    def path(self) -> str:
        return f"/v2/team/app/blobs/{self.digest}"

    @property
    def size_bytes(self) -> int:
        return self.content.size_bytes

    def part(self, begin: int, end: int) -> bytes:
        """The bytes that a client has to get."""
        return self.content.part(begin, end)


@pytest.fixture
def layer(control: Control, publisher: Publisher) -> Layer:
    publisher.blob("team/app", b"so that the repository exists")
    content = Generated(24 * MIB - 1000, seed=secrets.randbelow(2**31))
    return Layer(content, control.generated_layer(content.size_bytes, content.seed))


@pytest.fixture
def s3_ranges(control: Control, layer: Layer) -> Callable[[], list[str]]:  # noqa: ARG001 - the layer comes first
    """The ranges that S3 has been asked for."""
    mark = control.mark()
    return lambda: [entry.headers["range"].removeprefix("bytes=") for entry in control.requests(mark).of("s3.layer")]


def slice_of(number: int, size: int) -> str:
    return f"{number * size}-{(number + 1) * size - 1}"


@pytest.mark.rule("R45")
@pytest.mark.parametrize(
    ("begin", "end", "numbers"),
    [
        (0, 1, [0]),
        (300_000, 420_000, [1]),
        (SMALL - 1, SMALL + 1, [0, 1]),
        (999_999, 1_000_001, [3]),
        (1_900_000, 2_100_000, [7, 8]),
        (12_345_678, 12_400_000, [47]),
        (21_000_000, 22_999_999, list(range(80, 88))),
    ],
)
def test_a_short_range_is_read_in_small_slices(
    client: Client, layer: Layer, s3_ranges: Callable[[], list[str]], begin: int, end: int,
    numbers: list[int],
) -> None:  # fmt: skip
    for _ in range(2):
        answer = client.get(layer.path, {"Range": f"bytes={begin}-{end - 1}"})
        assert (answer.status, answer.body == layer.part(begin, end)) == (206, True)
        assert answer.header("Content-Range") == f"bytes {begin}-{end - 1}/{layer.size_bytes}"
    time.sleep(0.5)  # nothing is read ahead
    assert s3_ranges() == [slice_of(number, SMALL) for number in numbers]


@pytest.mark.rule("R45")
def test_the_last_bytes_are_read_in_small_slices(
    client: Client, layer: Layer, s3_ranges: Callable[[], list[str]]
) -> None:
    for _ in range(2):
        answer = client.get(layer.path, {"Range": "bytes=-50000"})
        assert (answer.status, answer.body) == (206, layer.part(layer.size_bytes - 50_000, layer.size_bytes))
    time.sleep(0.5)
    assert s3_ranges() == [slice_of(number, SMALL) for number in (0, layer.size_bytes // SMALL)]


@pytest.mark.rule("R45")
@pytest.mark.parametrize(
    ("begin", "end", "size"),
    [
        (0, 2_000_000, SMALL),
        (0, 2_000_001, MIB),
        (3_000_000, 5_000_001, MIB),
        (9_999_999, 10_000_001, MIB),  # short, but not recognised
        (1, 15_000_001, MIB),
        (1_000_000, 20_000_001, MIB),
    ],
)
def test_only_a_range_below_2_mb_is_short(
    client: Client, layer: Layer, s3_ranges: Callable[[], list[str]], begin: int, end: int, size: int
) -> None:
    assert client.get(layer.path, {"Range": f"bytes={begin}-{end - 1}"}).body == layer.part(begin, end)
    assert s3_ranges() == [slice_of(number, size) for number in range(begin // size, (end - 1) // size + 1)]


@pytest.mark.rule("R45")
def test_a_range_that_if_range_turns_into_the_whole_blob_is_not_short(
    client: Client, layer: Layer, s3_ranges: Callable[[], list[str]]
) -> None:
    answer = client.get(layer.path, {"Range": "bytes=0-9", "If-Range": '"another"'})
    assert (answer.status, len(answer.body)) == (200, layer.size_bytes)
    assert set(s3_ranges()) <= {slice_of(number, MIB) for number in range(24)}


@pytest.mark.rule("R45")
def test_scattered_short_reads_cost_at_most_five_times_their_bytes(
    client: Client, control: Control, layer: Layer
) -> None:
    chance = random.Random(1)  # noqa: S311 - not a secret
    reads = [(begin, begin + 120_000) for begin in (chance.randrange(20_000_000) for _ in range(20))]
    mark = control.mark()
    for begin, end in reads:
        assert client.get(layer.path, {"Range": f"bytes={begin}-{end - 1}"}).body == layer.part(begin, end)
    assert control.requests(mark).sent_bytes("s3.layer") <= 5 * 20 * 120_000


@pytest.mark.rule("R45")
def test_short_reads_of_a_blob_that_was_pulled_whole_ask_no_upstream(
    client: Client, control: Control, layer: Layer
) -> None:
    client.get(layer.path)
    mark = control.mark()
    with control.behaving(AWAY):
        for begin, end in [
            (0, 1),
            (MIB - 5, MIB + 5),
            (5_000_000, 5_900_000),
            (layer.size_bytes - 9, layer.size_bytes),
        ]:
            answer = client.get(layer.path, {"Range": f"bytes={begin}-{end - 1}"})
            assert (answer.status, answer.body) == (206, layer.part(begin, end))
        assert client.get(layer.path, {"Range": "bytes=-7"}).body == layer.part(layer.size_bytes - 7, layer.size_bytes)
        assert client.head(layer.path).header("Content-Length") == str(layer.size_bytes)
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R45")
def test_a_head_after_a_short_read_asks_no_upstream(client: Client, control: Control, layer: Layer) -> None:
    """stargz opens a layer with these two requests."""
    client.get(layer.path, {"Range": "bytes=0-1"})
    with control.behaving(AWAY):
        answer = client.head(layer.path)
    assert (answer.status, answer.header("Content-Length")) == (200, str(layer.size_bytes))


@pytest.mark.rule("R45")
def test_a_pull_after_short_reads_gets_the_whole_blob(client: Client, control: Control, layer: Layer) -> None:
    for begin in range(0, 20_000_000, 3_000_000):
        client.get(layer.path, {"Range": f"bytes={begin}-{begin + 99_999}"})
    mark = control.mark()
    assert f"sha256:{hashlib.sha256(client.get(layer.path).body).hexdigest()}" == layer.digest
    assert control.requests(mark).sent_bytes("s3.layer") == layer.size_bytes


@pytest.mark.rule("R45")
def test_a_blob_that_is_put_together_from_ranges_has_its_digest(client: Client, layer: Layer) -> None:
    """Short and long ones, on and off the limits of slices, by several clients at once."""
    chance = random.Random(2)  # noqa: S311 - not a secret
    ends = sorted(
        {*(chance.randrange(1, layer.size_bytes) for _ in range(60)), *range(SMALL, layer.size_bytes, 10 * SMALL)}
    )
    parts = list(zip([0, *ends], [*ends, layer.size_bytes], strict=True))
    shuffled = chance.sample(parts, len(parts))

    def read(part: tuple[int, int]) -> bytes:
        return client.get(layer.path, {"Range": f"bytes={part[0]}-{part[1] - 1}"}).body

    with ThreadPoolExecutor(4) as pool:
        found = dict(zip(shuffled, pool.map(read, shuffled), strict=True))
    whole = b"".join(found[part] for part in parts)
    assert f"sha256:{hashlib.sha256(whole).hexdigest()}" == layer.digest


@pytest.mark.rule("R45")
def test_concurrent_short_reads_of_one_place_cost_one_request(
    client: Client, control: Control, layer: Layer, s3_ranges: Callable[[], list[str]]
) -> None:
    with control.behaving(Behaviour(s3_delay_seconds=0.3)), ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: client.get(layer.path, {"Range": "bytes=5000-6000"}), range(10)))
    assert [answer.status for answer in answers] == [206] * 10
    assert s3_ranges() == [slice_of(0, SMALL)]


@pytest.mark.rule("R45")
def test_a_short_read_that_fails_has_an_error_of_the_registry(client: Client, control: Control, layer: Layer) -> None:
    with control.behaving(Behaviour(s3_outage="refused")):
        answer = client.get(layer.path, {"Range": "bytes=0-1"})
    assert (answer.status, answer.error_code()) == (503, "UNAVAILABLE")


@pytest.mark.rule("R18")
@pytest.mark.parametrize("header", ["bytes=0-1,5-6", "bytes=0-10, 5-15", "bytes=0-1,", "BYTES=-1,0-0"])
def test_several_ranges_are_refused(
    client: Client, layer: Layer, s3_ranges: Callable[[], list[str]], header: str
) -> None:
    """On 400 stargz and SOCI ask for one range."""
    answer = client.get(layer.path, {"Range": header})
    assert (answer.status, answer.error_code()) == (400, "UNSUPPORTED")
    assert s3_ranges() == []


@pytest.mark.rule("R18")
def test_a_second_range_header_is_a_second_range(client: Client, layer: Layer) -> None:
    with closing(HTTPConnection(ADDRESS, 8080, timeout=TIMEOUT_SECONDS)) as connection:
        connection.putrequest("GET", layer.path)
        connection.putheader("Range", "bytes=0-1")
        connection.putheader("Range", "bytes=5-6")
        connection.endheaders()
        assert client.read(connection).status == 400


@pytest.mark.rule("R18")
def test_ranges_of_a_head_are_ignored(client: Client, layer: Layer) -> None:
    answer = client.head(layer.path, {"Range": "bytes=0-1,5-6"})
    assert (answer.status, answer.header("Content-Length")) == (200, str(layer.size_bytes))
