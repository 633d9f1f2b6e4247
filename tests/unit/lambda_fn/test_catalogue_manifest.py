"""What manifests and configurations say: an attacker may have pushed them."""

import json
from typing import Any

import pytest

from lambda_fn.job.catalogue.manifest import (
    LARGEST_CONFIGURATION_BYTES,
    MOST_PLATFORMS,
    Manifest,
    parse,
    parse_configuration,
)

DIGEST = f"sha256:{'a' * 64}"
TITLE = "org.opencontainers.image.title"
CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": DIGEST, "size": 100}


def manifest(**fields: object) -> Manifest:
    return parse(json.dumps(fields).encode())


def test_an_image_names_its_configuration() -> None:
    assert manifest(config=CONFIG, annotations={TITLE: "app"}) == Manifest(DIGEST, "image", (), {TITLE: "app"})


@pytest.mark.parametrize(
    "changes",
    [
        {"size": LARGEST_CONFIGURATION_BYTES + 1},
        {"size": -1},
        {"size": "100"},
        {"digest": "sha256:../../x"},
        {"digest": 7},
        {"mediaType": "application/vnd.cncf.helm.config.v1+json"},
        {"mediaType": "application/x-other"},
    ],
)
def test_a_configuration_that_is_not_an_images_or_too_large_is_not_read(changes: dict[str, Any]) -> None:
    assert manifest(config=CONFIG | changes).configuration is None


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"config": CONFIG}, "image"),
        ({"config": {"mediaType": "application/vnd.docker.container.image.v1+json"}}, "image"),
        ({"config": {"mediaType": "application/vnd.cncf.helm.config.v1+json"}}, "chart"),
        (
            {"config": {"mediaType": "application/vnd.oci.empty.v1+json"}, "artifactType": "application/x-wasm"},
            "artifact",
        ),
        ({"config": CONFIG, "artifactType": "application/x-wasm"}, "artifact"),
        ({"manifests": []}, "image"),
    ],
)
def test_the_kind_follows_from_the_type_of_the_artifact_or_of_its_configuration(
    fields: dict[str, Any], kind: str
) -> None:
    assert manifest(**fields).kind == kind


def test_an_index_lists_platforms_without_attestations_and_without_what_is_malformed() -> None:
    platforms: list[Any] = [
        {"os": "linux", "architecture": "arm", "variant": "v7"},
        {"os": "unknown", "architecture": "unknown"},
        {"os": "linux", "architecture": "<b>"},
        {"os": "linux"},
        "linux",
        None,
    ]
    descriptors = [{"digest": f"sha256:{number:064x}", "platform": one} for number, one in enumerate(platforms)]
    found = manifest(manifests=[*descriptors, 7, {"digest": "x", "platform": platforms[0]}])
    assert found.platforms == (("linux/arm/v7", f"sha256:{0:064x}"),)


def test_the_platforms_of_an_index_are_bounded() -> None:
    platform = {"os": "linux", "architecture": "amd64"}
    descriptors = [{"digest": f"sha256:{number:064x}", "platform": platform} for number in range(1000)]
    assert len(manifest(manifests=descriptors).platforms) == MOST_PLATFORMS


def test_of_four_mebibytes_of_annotations_and_labels_only_what_people_read_is_kept() -> None:
    many = {TITLE: "app"} | {f"x{number:09d}": "" for number in range(250_000)}
    assert manifest(annotations=many).annotations == {TITLE: "app"}
    assert parse_configuration(json.dumps({"config": {"Labels": many}}).encode())[1] == {TITLE: "app"}


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b"7", b"null", b"[" * 100_000, b'{"a": 1' + b"0" * 5_000 + b"}"]
)
def test_what_is_not_an_object_is_an_error(content: bytes) -> None:
    for read in (parse, parse_configuration):
        with pytest.raises(ValueError, match="not "):
            read(content)


@pytest.mark.parametrize(
    ("fields", "platform", "labels"),
    [
        ({"os": "linux", "architecture": "amd64", "config": {"Labels": {TITLE: "b"}}}, "linux/amd64", {TITLE: "b"}),
        ({"os": "linux", "architecture": "arm64", "variant": "v8", "config": {"Labels": None}}, "linux/arm64/v8", {}),
        ({"os": "linux", "architecture": 7, "config": []}, None, {}),
        ({}, None, {}),
    ],
)
def test_a_configuration_has_platform_and_labels(
    fields: dict[str, Any], platform: str | None, labels: dict[str, str]
) -> None:
    assert parse_configuration(json.dumps(fields).encode()) == (platform, labels)
