"""What the catalogue shows of the images of a repository, read from a fake of ECR."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from lambda_fn.job.catalogue import shards
from lambda_fn.job.catalogue.manifest import HELM
from lambda_fn.job.catalogue.round import WORK_SECONDS
from lambda_fn.settings.registry import Registry
from tests.fakes.catalogue_site import Site
from tests.fakes.ecr_catalogue import INDEX, MANIFEST, REGISTRY, SOURCE

DAY = timedelta(days=1)
OF = "org.opencontainers.image"


def test_an_image_has_all_that_ecr_and_its_manifest_say(site: Site) -> None:
    digest = site.ecr.image(
        "team/app", "1.4", labels={SOURCE: "https://git.example.com"}, age=2 * DAY, pulled_at=site.clock.now() - DAY
    )
    report = site.run()
    assert site.image() == {
        "digest": digest,
        "tags": ["1.4"],
        "pushed_at": "2026-11-21T09:00:00Z",
        "pulled_at": "2026-11-22T09:00:00Z",
        "kind": "image",
        "media_type": MANIFEST,
        "size_bytes": 1000,
        "platforms": [{"platform": "linux/amd64", "digest": digest, "size_bytes": 1000}],
        "labels": {SOURCE: "https://git.example.com"},
        "signed": False,
    }
    assert (report.repositories, report.manifests, report.left, report.problems) == (1, 1, 0, ())


def test_the_index_names_every_repository_with_its_shard_tags_and_newest_push(site: Site) -> None:
    site.ecr.create("team/empty")
    site.ecr.image("team/app", "2", age=DAY)
    site.ecr.image("team/app", "1", "old", age=2 * DAY)
    site.ecr.image("secret/app", "1")
    site.run()
    found = site.files.document()
    assert found["repositories"] == [
        {"name": "team/app", "shard": shards.shard_of("team/app"), "tags": 3, "pushed_at": "2026-11-22T09:00:00Z"},
        {"name": "team/empty", "shard": shards.shard_of("team/empty"), "tags": 0},
    ]
    assert (found["schema"], found["complete"], found["written_at"]) == (1, True, "2026-11-23T09:00:00Z")


def test_a_repository_is_listed_under_each_public_name_and_read_by_ecrs_name() -> None:
    registry = partial(Registry, account=REGISTRY.account, region=REGISTRY.region)
    site = Site(
        registry(repositories=("base/*",), strip="base/", prefix="platform/images/"),
        registry(repositories=("team/*",), renames={"python": "platform/images/python"}),
    )
    site.ecr.image("platform/images/python", "3.14")
    site.ecr.image("team/app", "1")
    site.ecr.image("base/python", "1")
    report = site.run()
    assert (report.problems, site.names()) == ((), ["base/python", "python", "team/app"])
    assert site.image("python") == site.image("base/python")
    assert site.image("python")["tags"] == ["3.14"]
    assert site.ecr.asked["repositories"] == 1
    site.ecr.image("platform/images/python", "3.15")
    site.update("base/python")
    assert len(site.files.images("base/python")) == 2


def test_an_index_shows_its_platforms_with_their_sizes_and_the_labels_of_its_first_image(site: Site) -> None:
    amd64 = site.ecr.image("team/app", platform="linux/amd64", size_bytes=500, labels={SOURCE: "https://amd64"})
    arm = site.ecr.image("team/app", platform="linux/arm/v7", size_bytes=300, labels={SOURCE: "https://arm"})
    attestation = site.ecr.image("team/app", platform="unknown/unknown")
    platforms = {"linux/amd64": amd64, "linux/arm/v7": arm, "unknown/unknown": attestation}
    site.ecr.index("team/app", "1.4", platforms=platforms)
    site.run()
    assert site.image()["platforms"] == [
        {"platform": "linux/amd64", "digest": amd64, "size_bytes": 500},
        {"platform": "linux/arm/v7", "digest": arm, "size_bytes": 300},
    ]
    assert site.image()["labels"] == {SOURCE: "https://amd64"}
    assert (site.image()["kind"], site.image()["media_type"]) == ("image", INDEX)


def test_annotations_of_an_index_save_the_look_at_its_images(site: Site) -> None:
    amd64 = site.ecr.image("team/app", labels={SOURCE: "https://image"})
    site.ecr.index("team/app", "1.4", platforms={"linux/amd64": amd64}, annotations={SOURCE: "https://index"})
    site.run()
    assert site.image()["labels"] == {SOURCE: "https://index"}
    assert amd64 not in site.ecr.read


def test_a_chart_and_an_artifact_have_their_kinds_and_no_platform(site: Site) -> None:
    chart = site.ecr.manifest_of(b'{"name": "app"}', HELM) | {"annotations": {f"{OF}.title": "app"}}
    site.ecr.push("team/chart", chart, "1.0.0")
    artifact = site.ecr.manifest_of(b"{}", "application/vnd.oci.empty.v1+json") | {"artifactType": "application/x-sbom"}
    site.ecr.push("team/sbom", artifact, "1")
    site.run()
    assert (site.image("team/chart")["kind"], site.image("team/chart")["platforms"]) == ("chart", [])
    assert site.image("team/chart")["labels"] == {f"{OF}.title": "app"}
    assert (site.image("team/sbom")["kind"], site.image("team/sbom")["platforms"]) == ("artifact", [])


def cosign_tag(site: Site, digest: str) -> None:
    site.ecr.image("team/app", f"{digest.replace(':', '-')}.sig")


def referrer_of(artifact_type: str) -> Callable[[Site, str], None]:
    def push(site: Site, digest: str) -> None:
        manifest = site.ecr.manifest_of(b"{}", "application/vnd.oci.empty.v1+json")
        site.ecr.push("team/app", manifest | {"subject": {"digest": digest}, "artifactType": artifact_type})

    return push


@pytest.mark.parametrize(
    ("sign", "signed"),
    [
        (cosign_tag, True),
        (referrer_of("application/vnd.cncf.notary.signature"), True),
        (referrer_of("application/vnd.dev.sigstore.bundle.v0.3+json"), True),
        (referrer_of("application/spdx+json"), False),
        (referrer_of(""), None),
        (lambda site, _: site.ecr.image("team/app", "sha256-not-one.sig", age=DAY), False),
    ],
    ids=["tag of cosign", "notation", "cosign 3", "bill of materials", "of unknown type", "another tag"],
)
def test_an_image_is_signed_when_a_signature_names_it(
    site: Site, sign: Callable[[Site, str], None], signed: object
) -> None:
    digest = site.ecr.image("team/app", "1.4")
    sign(site, digest)
    site.run()
    found = {image["digest"]: image for image in site.files.images("team/app")}
    assert found[digest]["signed"] is signed


def test_tags_of_signatures_are_not_shown(site: Site) -> None:
    digest = site.ecr.image("team/app", "1.4", age=DAY)
    cosign_tag(site, digest)
    site.run()
    assert site.image()["tags"] == ["1.4"]
    assert site.files.document()["repositories"][0]["tags"] == 1


def test_the_20_newest_tags_are_shown_newest_first(site: Site) -> None:
    for number in range(30):
        site.ecr.image("team/app", f"1.{number}", age=timedelta(days=30 - number))
    site.run()
    assert [image["tags"] for image in site.files.images("team/app")] == [[f"1.{n}"] for n in range(29, 9, -1)]
    assert site.files.document()["repositories"][0]["tags"] == 30


def test_of_an_image_with_many_tags_the_highest_versions_are_shown(site: Site) -> None:
    site.ecr.image("team/app", *(f"1.{number}" for number in range(100)))
    site.ecr.image("team/app", "older", age=DAY)
    site.run()
    assert site.image()["tags"] == [f"1.{number}" for number in range(99, 79, -1)]


@pytest.mark.parametrize("shown", [True, False])
def test_findings_are_there_only_where_the_settings_allow_it(site: Site, *, shown: bool) -> None:
    site.ecr.image("team/app", "1.4", findings={"CRITICAL": 2})
    site.findings = shown
    site.run()
    assert ("findings" in site.image()) is shown


def test_findings_go_at_the_next_run_after_the_setting_was_turned_off(site: Site) -> None:
    site.ecr.image("team/app", "1.4", findings={"CRITICAL": 2})
    site.findings = True
    site.run()
    site.findings = False
    site.run()
    assert "findings" not in site.image()


def test_findings_that_are_no_longer_allowed_end_the_round_under_way(site: Site) -> None:
    site.findings = True
    site.ecr.seconds = WORK_SECONDS / 6
    names = [f"team/app-{number}" for number in range(9)]
    for name in names:
        site.ecr.image(name, "1.4", findings={"CRITICAL": 2})
    assert site.run().left
    site.findings = False
    while site.run().left:
        pass
    assert [image for name in names for image in site.files.images(name) if "findings" in image] == []


def test_each_manifest_is_read_once(site: Site) -> None:
    old = site.ecr.image("team/app", "1.4", labels={SOURCE: "https://git.example.com"})
    site.run()
    new = site.ecr.image("team/app", "1.5")
    for _ in range(3):
        site.next_round()
    assert site.ecr.read == [old, new]
    assert {image["digest"]: image["labels"] for image in site.files.images("team/app")} == {
        old: {SOURCE: "https://git.example.com"},
        new: {},
    }


def test_a_new_pull_time_comes_with_the_next_round_without_a_look_at_the_manifest(site: Site) -> None:
    site.ecr.image("team/app", "1.4")
    site.run()
    site.ecr.image("team/app", "1.4", pulled_at=site.clock.now())
    site.next_round()
    assert site.image()["pulled_at"] == "2026-11-23T09:00:00Z"
    assert len(site.ecr.read) == 1


@pytest.mark.parametrize(
    "content", [b"", b"not json", b"[]", b'{"manifests": [1, {"digest": 2}]}', b"[" * 100_000, b'{"config": [1]}']
)
def test_a_malformed_manifest_has_no_details_and_is_not_read_again(site: Site, content: bytes) -> None:
    site.ecr.push("team/app", content, "broken", age=DAY)
    good = site.ecr.image("team/app", "1.4")
    for _ in range(2):
        site.next_round()
    assert {image["tags"][0]: image["platforms"] != [] for image in site.files.images("team/app")} == {
        "broken": False,
        "1.4": True,
    }
    assert len(site.ecr.read) == 2
    assert good in site.ecr.read


def test_a_manifest_or_a_configuration_that_cannot_be_read_is_asked_for_again(site: Site) -> None:
    digest = site.ecr.image("team/app", "1.4")
    site.ecr.unreadable.add(digest)
    assert site.run().problems == ("S3 cannot be reached (team/app)",)
    assert "platforms" not in site.image()
    site.ecr.unreadable.clear()
    site.next_round()
    assert site.image()["platforms"]


def test_without_a_way_to_the_layers_configurations_are_asked_for_once_a_run(site: Site) -> None:
    for number in range(30):
        digest = site.ecr.image(f"team/app-{number}", "1.4")
        site.ecr.unreadable.add(str(site.ecr.configuration_of(digest)))
    site.run()
    assert site.ecr.asked["configurations"] == 1
    assert len(site.names()) == 30


def test_an_image_whose_configuration_is_not_usable_leaves_the_others_readable(site: Site) -> None:
    site.ecr.is_cut_off = False
    for number in range(5):
        digest = site.ecr.image(f"team/odd-{number}", "1")
        site.ecr.unreadable.add(str(site.ecr.configuration_of(digest)))
        site.ecr.image(f"team/app-{number}", "1")
    site.run()
    assert all(site.image(f"team/app-{number}")["platforms"] for number in range(5))


def test_an_image_deleted_between_two_calls_leaves_the_rest(site: Site) -> None:
    gone, kept = site.ecr.image("team/app", "gone", age=DAY), site.ecr.image("team/app", "kept")
    site.ecr.meanwhile = lambda: site.ecr.delete_image("team/app", gone)
    report = site.update("team/app")
    found = {image["digest"]: "platforms" in image for image in site.files.images("team/app")}
    assert found == {gone: False, kept: True}
    assert report.repositories == 1
