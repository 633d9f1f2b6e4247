"""`frontdoor pull`: everything that a client pulls, each digest verified."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner, Result

from cli.command import app, main
from cli.pull.reference import Reference, parse_reference
from lambda_fn.contract.errors import SettingsError

HOST = "registry.shrd.example.net"
INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE = "application/vnd.oci.image.manifest.v1+json"


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(content: bytes, **more: object) -> dict[str, object]:
    return {"digest": sha256(content), "size": len(content), **more}


def served(content: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> httpx2.Response:
    """An answer that is read as it comes in, as from a connection."""
    return httpx2.Response(status, stream=httpx2.ByteStream(content), headers=headers)


CONFIG, LAYERS = b'{"os":"linux"}', [b"a" * 3_000_000, b"b" * 10]
MANIFEST = json.dumps({"mediaType": IMAGE, "config": descriptor(CONFIG), "layers": [*map(descriptor, LAYERS)]}).encode()
OTHER = json.dumps({"mediaType": IMAGE, "config": descriptor(CONFIG), "layers": []}).encode()
PLATFORMS = [("linux", "amd64", None, MANIFEST), ("linux", "arm64", "v8", OTHER)]
MANIFESTS = json.dumps(
    {
        "mediaType": INDEX,
        "manifests": [
            descriptor(content, platform={"os": system, "architecture": processor, "variant": variant})
            for system, processor, variant, content in PLATFORMS
        ],
    }
).encode()
SERVED: dict[str, bytes] = {
    "/v2/team/app/manifests/1.4": MANIFESTS,
    **{f"/v2/team/app/manifests/{sha256(each)}": each for each in (MANIFESTS, MANIFEST, OTHER)},
    **{f"/v2/team/app/blobs/{sha256(each)}": each for each in (CONFIG, *LAYERS)},
}
BLOB = f"/v2/team/app/blobs/{sha256(LAYERS[0])}"
Pull = Callable[..., Result]


@pytest.fixture
def pull(monkeypatch: pytest.MonkeyPatch) -> Pull:
    """Runs the command against a registry that serves this, but for what is changed."""

    def ran(*words: str, changed: Mapping[str, httpx2.Response | Exception] | None = None) -> Result:
        def answer(request: httpx2.Request) -> httpx2.Response:
            found = (changed or {}).get(request.url.path)
            if isinstance(found, Exception):
                raise found
            if found:
                return found
            if request.url.path not in SERVED:
                return served(b'{"errors": [{"message": "repository is not served"}]}', 404)
            content = SERVED[request.url.path]
            return served(content, headers={"Docker-Content-Digest": sha256(content)})

        monkeypatch.setattr("cli.pull.client.httpx2.HTTPTransport", lambda **_: httpx2.MockTransport(answer))
        return CliRunner().invoke(app, ["pull", *words])

    return ran


def test_all_of_an_image_is_pulled_and_measured(pull: Pull) -> None:
    done = pull(f"{HOST}/team/app:1.4", "--platform", "linux/amd64", "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["image"] == f"{HOST}/team/app:1.4"
    assert [(one["kind"], one["digest"], one["size_bytes"]) for one in report["parts"]] == [
        (kind, sha256(content), len(content))
        for kind, content in (
            ("index", MANIFESTS),
            ("manifest", MANIFEST),
            ("config", CONFIG),
            ("layer", LAYERS[0]),
            ("layer", LAYERS[1]),
        )
    ]
    assert report["size_bytes"] == sum(map(len, (MANIFESTS, MANIFEST, CONFIG, *LAYERS)))
    assert all(0 <= one["first_byte_seconds"] <= one["seconds"] <= report["seconds"] for one in report["parts"])


def test_a_person_sees_a_line_for_each_part_with_its_whole_digest(pull: Pull) -> None:
    done = pull(f"{HOST}/team/app@{sha256(MANIFEST)}")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == ["part", "manifest", "config", "layer", "layer"]
    assert sha256(LAYERS[0]) in lines[3]
    assert lines[-1].startswith(f"pulled {HOST}/team/app@sha256:")


def test_the_domain_of_the_settings_is_the_host_that_was_left_out(pull: Pull) -> None:
    config = Path(__file__).parents[3] / "frontdoor.toml"
    done = pull("team/app:1.4", "--platform", "linux/arm64", "--config", str(config), "--json")
    assert json.loads(done.stdout)["image"] == "registry.shrd.example.net/team/app:1.4"
    assert [one["kind"] for one in json.loads(done.stdout)["parts"]] == ["index", "manifest", "config"]


@pytest.mark.parametrize(
    ("words", "changed", "named"),
    [
        (("--platform", "linux/s390x"), {}, "--platform: linux/amd64, linux/arm64/v8"),
        ((), {BLOB: served(b"x" * len(LAYERS[0]))}, "and not the 3000000 bytes of"),
        ((), {BLOB: served(LAYERS[0] + b"x")}, "returned more than the 3000000 bytes"),
        ((), {BLOB: served(LAYERS[0][:-1])}, "returned 2999999 bytes"),
        ((), {BLOB: served(b"busy", 503)}, "answered 503: busy"),
        ((), {BLOB: httpx2.ConnectTimeout("slow")}, "the connection failed (ConnectTimeout"),
        ((), {"/v2/team/app/manifests/1.4": served(b"<html>")}, "is not a manifest"),
        (
            (),
            {f"/v2/team/app/manifests/{sha256(MANIFEST)}": served(OTHER)},
            f"not that of {sha256(MANIFEST)}",
        ),
        (
            (),
            {"/v2/team/app/manifests/1.4": served(b'{"layers": [{"digest": "md5:1"}]}')},
            "lists a layer without a SHA-256 digest",
        ),
    ],
)
def test_a_pull_that_fails_is_status_1_with_the_cause(
    pull: Pull, words: tuple[str, ...], changed: dict[str, httpx2.Response | Exception], named: str
) -> None:
    done = pull(f"{HOST}/team/app:1.4", *(words or ("--platform", "linux/amd64")), changed=changed)
    assert done.exit_code == 1
    assert named in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"manifests": [descriptor(b"x", platform={"os": "\x1b[2J", "architecture": "amd64"})]}).encode(),
        json.dumps({"layers": [{"digest": sha256(b"x"), "size": 10**400}]}).encode(),
        b"\x1b]0;owned\x07 \xe2\x80\xae",
    ],
    ids=["a platform", "a size", "no manifest"],
)
def test_what_a_pusher_made_up_neither_ends_in_a_traceback_nor_controls_the_terminal(
    pull: Pull, content: bytes
) -> None:
    done = pull(f"{HOST}/team/app:1.4", changed={"/v2/team/app/manifests/1.4": served(content)})
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert done.stderr.rstrip("\n").isprintable()


class Flood(httpx2.SyncByteStream):
    """An error page that never ends."""

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(100_000):
            yield b"busy "
        pytest.fail("it was read to the end")


class Endless(httpx2.SyncByteStream):
    """A layer that never ends."""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b"b"
            time.sleep(0.01)


def test_an_error_that_never_ends_is_read_no_further_than_it_is_shown(pull: Pull) -> None:
    endless = httpx2.Response(503, stream=Flood())
    done = pull(f"{HOST}/team/app:1.4", changed={"/v2/team/app/manifests/1.4": endless})
    assert (done.exit_code, "answered 503: busy busy" in done.stderr) == (1, True)


def test_a_part_that_fails_ends_the_others(pull: Pull) -> None:
    endless = httpx2.Response(200, stream=Endless())
    big = {"digest": sha256(b"big"), "size": 1 << 40}
    manifest = json.dumps({"config": descriptor(CONFIG), "layers": [big, descriptor(LAYERS[0])]}).encode()
    changed = {
        "/v2/team/app/manifests/1.4": served(manifest),
        f"/v2/team/app/blobs/{sha256(b'big')}": endless,
        BLOB: served(b"busy", 503),
    }
    done = pull(f"{HOST}/team/app:1.4", changed=changed)
    assert done.exit_code == 1
    assert "answered 503: busy" in done.stderr


def test_a_repository_that_is_not_served_has_the_message_of_the_registry(pull: Pull) -> None:
    done = pull(f"{HOST}/team/none:1")
    assert done.exit_code == 1
    assert "answered 404" in done.stderr
    assert "repository is not served" in done.stderr


def test_a_blob_redirected_off_tls_is_refused_and_no_signature_is_shown(pull: Pull) -> None:
    away = served(b"", 307, {"Location": "http://s3.example.net/blob?X-Amz-Signature=secret"})
    elsewhere = {BLOB: away, "/blob": served(LAYERS[0])}
    done = pull(f"{HOST}/team/app:1.4", "--platform", "linux/amd64", changed=elsewhere)
    assert done.exit_code == 1
    assert "s3.example.net without TLS" in done.stderr
    assert "secret" not in done.output


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("team/app:1.4", Reference(None, "team/app", "1.4")),
        ("app", Reference(None, "app", "latest")),
        (f"{HOST}/team/app", Reference(HOST, "team/app", "latest")),
        (f"{HOST}:8443/a/b:v1", Reference(f"{HOST}:8443", "a/b", "v1")),
        (f"team/app:1.4@sha256:{'a' * 64}", Reference(None, "team/app", f"sha256:{'a' * 64}")),
    ],
)
def test_an_image_is_read_as_docker_reads_it(text: str, expected: Reference) -> None:
    assert parse_reference(text) == expected


@pytest.mark.parametrize("text", ["", "Team/App", "team/app:", "team/app@sha256:1", "https://host/team/app"])
def test_what_is_not_an_image_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match="is not an image"):
        parse_reference(text)


def test_a_file_of_authorities_that_is_not_one_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    assert main(["pull", f"{HOST}/team/app:1.4", "--ca", str(tmp_path / "ca.pem")]) == 2
    assert main(["pull", f"{HOST}/team/app:1.4", "--ca", str(tmp_path / "none.pem")]) == 2
    assert capsys.readouterr().err.count(str(tmp_path)) == 2
