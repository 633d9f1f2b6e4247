"""What a run of the catalogue reads from ECR and leaves in the cluster, over fakes of both."""

import gzip
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from lambda_fn.contract.errors import ClusterError, RegistryError
from lambda_fn.contract.hints import Image
from lambda_fn.job.catalogue import shards
from lambda_fn.job.catalogue.manifest import HELM
from lambda_fn.job.catalogue.ports import DeniedError, SlowError, ThrottledError, UnreachableError
from lambda_fn.job.catalogue.round import ROUND_EVERY, WORK_SECONDS, Report, Run
from lambda_fn.settings.registry import Registry
from lambda_fn.settings.routing import Routing
from tests.fakes.clock import FakeClock
from tests.fakes.ecr_catalogue import INDEX, MANIFEST, REGISTRY, SOURCE, FakeEcr, FakeFiles

ELSEWHERE = Registry(account="210987654321", region="eu-west-1", repositories=("team/*", "other/*"))
DAY = timedelta(days=1)
OF = "org.opencontainers.image"


class Site:
    """ECR, a cluster, and runs in it."""

    def __init__(self, *registries: Registry) -> None:
        self.clock = FakeClock(remaining_seconds=90)
        self.ecr = FakeEcr(self.clock)
        self.files = FakeFiles()
        self.registries = registries or (REGISTRY,)
        self.findings = False
        self.refused: set[Image] = set()
        self.doubtful: list[Image] = []
        self.ecr_answers = True

    def run(self) -> Report:
        return self._catalogue().continue_round()

    def update(self, *repositories: str) -> Report:
        return self._catalogue().update(repositories)

    def next_run(self) -> Report:
        self.clock.sleep(300)
        return self.run()

    def next_round(self) -> Report:
        self.clock.sleep(ROUND_EVERY.total_seconds())
        return self.run()

    def _catalogue(self) -> Run:
        self.clock.begin_invocation()
        return Run(
            Routing(self.registries),
            self.ecr,
            self.files,
            self.clock,
            findings=self.findings,
            refused=self.refused,
            look_again=self._look_again,
        )

    def _look_again(self, doubtful: Sequence[Image]) -> bool:
        self.doubtful += doubtful
        return self.ecr_answers

    def names(self) -> list[str]:
        return [each["name"] for each in self.files.document()["repositories"]]

    def image(self, repository: str = "team/app") -> dict[str, Any]:
        """The one image of a repository."""
        (found,) = self.files.images(repository)
        return found


@pytest.fixture
def site() -> Site:
    return Site()


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


def test_a_deleted_repository_goes_with_the_next_round(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.ecr.image("team/old", "1")
    site.run()
    site.ecr.delete("team/old")
    report = site.next_round()
    assert (site.names(), report.removed) == (["team/app"], 1)
    with pytest.raises(KeyError):
        site.files.images("team/old")


@pytest.mark.parametrize("error", [DeniedError("denied"), RegistryError("failed"), UnreachableError("no route")])
def test_what_cannot_be_read_stays_as_it_was_and_all_else_is_read(site: Site, error: RegistryError) -> None:
    site.registries = (REGISTRY, ELSEWHERE)
    for registry, name in ((REGISTRY, "team/app"), (ELSEWHERE, "other/app")):
        site.ecr.image(name, "1", registry=registry)
    site.run()
    site.ecr.image("team/app", "2", age=-DAY)
    site.ecr.image("other/app", "2", registry=ELSEWHERE, age=-DAY)
    site.ecr.errors = {"other/app": error}
    report = site.next_round()
    assert [len(site.files.images(name)) for name in ("team/app", "other/app")] == [2, 1]
    assert report.problems == (f"{error} (other/app)",)
    assert report.left == 0


def test_many_problems_of_a_kind_are_one_line(site: Site) -> None:
    for number in range(50):
        site.ecr.image(f"team/app-{number:02d}", "1")
        site.ecr.errors[f"team/app-{number:02d}"] = DeniedError("denied")
    (line,) = site.run().problems
    assert line.startswith("denied (team/app-")
    assert line.endswith(" and 49 more)")


def test_a_registry_without_an_answer_is_asked_once_a_run(site: Site) -> None:
    for number in range(20):
        site.ecr.image(f"team/app-{number}", "1")
        site.ecr.errors[f"team/app-{number}"] = UnreachableError("no route")
    site.run()
    assert site.ecr.asked["images"] == 1


def test_a_throttled_run_ends_and_the_next_one_continues_after_it(site: Site) -> None:
    names = [f"team/app-{number}" for number in range(10)]
    for name in names:
        site.ecr.image(name, "1")
        site.ecr.errors[name] = ThrottledError("too many requests")
    assert site.run().left == 9
    assert site.ecr.asked["images"] == 1
    site.ecr.errors.clear()
    assert site.run().left == 0
    assert len(site.names()) == 9, "the next round reads it"
    assert not site.files.document()["complete"]
    site.run()
    assert (len(site.names()), site.files.document()["complete"]) == (10, True)


@pytest.mark.parametrize("error", [SlowError("too many images"), ThrottledError("too many requests")])
def test_a_round_that_skipped_every_repository_is_not_complete_and_the_alarm_sees_it(
    site: Site, error: RegistryError
) -> None:
    names = [f"team/app-{number}" for number in range(4)]
    for name in names:
        site.ecr.image(name, "1")
        site.ecr.errors[name] = error
    reports = [site.next_run() for _ in range(12)]
    assert [report.left for report in reports[:4]] == [3, 2, 1, 0]
    assert (site.names(), site.files.document()["complete"], reports[-1].ended_at) == ([], False, None)
    assert reports[-1].age(site.clock.now()) == timedelta(minutes=55)
    site.ecr.errors.clear()
    report = site.next_run()
    assert (site.names(), site.files.document()["complete"], report.ended_at) == (names, True, site.clock.now())


def test_a_round_that_skipped_a_repository_leaves_when_one_was_complete(site: Site) -> None:
    site.ecr.image("team/app", "1")
    ended_at = site.run().ended_at
    site.ecr.errors["team/app"] = ThrottledError("too many requests")
    for _ in range(3):
        assert site.next_round().ended_at == ended_at
        assert site.files.document()["complete"]
    assert site.names() == ["team/app"], "what cannot be read stays as it was"


def test_an_event_that_a_run_skipped_has_its_repository_read_by_the_round_of_the_next_one(site: Site) -> None:
    site.ecr.image("team/app", "1")
    ended_at = site.run().ended_at
    site.ecr.image("team/new", "1")
    site.ecr.errors["team/new"] = ThrottledError("too many requests")
    site.update("team/new")
    assert site.next_run().ended_at == ended_at
    site.ecr.errors.clear()
    site.next_run()
    assert site.names() == ["team/app", "team/new"]


def test_a_repository_that_is_too_large_for_the_rest_of_a_run_begins_the_next_one_and_holds_up_no_other(
    site: Site,
) -> None:
    names = sorted((f"team/app-{number}" for number in range(10)), key=shards.shard_of)
    for name in names:
        site.ecr.image(name, "1")
    site.ecr.errors[names[5]] = SlowError("too many images")
    assert (site.run().problems, len(site.names())) == ((), 5)
    report = site.run()
    assert (report.problems, report.left) == ((f"too many images ({names[5]})",), 4)
    assert site.run().left == 0
    assert len(site.names()) == 9


@pytest.mark.parametrize("error", [SlowError("too many images"), ThrottledError("too many requests")])
def test_an_event_of_a_repository_that_a_run_cannot_read_in_time_waits_for_the_next_one(
    site: Site, error: RegistryError
) -> None:
    site.ecr.image("team/app", "1")
    site.ecr.errors["team/app"] = error
    site.update("team/app")
    assert site.files.index.pending == ("team/app",)


@pytest.mark.parametrize("where", ["", "other/app"], ids=["the list", "a repository"])
def test_a_round_that_cannot_reach_a_registry_is_not_complete_and_its_age_grows(site: Site, where: str) -> None:
    site.registries = (REGISTRY, ELSEWHERE)
    site.ecr.image("team/app", "1")
    site.ecr.image("other/app", "1", registry=ELSEWHERE)
    site.ecr.errors[where] = UnreachableError("no route")
    site.run()
    assert not site.files.document()["complete"]
    site.ecr.errors.clear()
    site.next_round()
    assert site.files.document()["complete"]
    site.ecr.errors[where] = UnreachableError("no route")
    site.next_round()
    assert site.next_round().age(site.clock.now()) == 2 * ROUND_EVERY
    site.ecr.errors.clear()
    assert site.next_round().age(site.clock.now()) == timedelta()


@pytest.mark.parametrize("error", [DeniedError("denied"), UnreachableError("no route"), ThrottledError("too many")])
def test_after_a_list_that_failed_the_next_run_lists_again(site: Site, error: RegistryError) -> None:
    site.ecr.image("team/app", "1")
    site.ecr.errors[""] = error
    for _ in range(3):
        site.next_run()
    assert (site.names(), site.files.document()["complete"]) == ([], False)
    site.ecr.errors.clear()
    site.next_run()
    assert (site.names(), site.files.document()["complete"]) == (["team/app"], True)
    asked = site.ecr.asked.copy()
    site.next_run()
    assert site.ecr.asked == asked, "a complete round is not due again"


def test_a_registry_that_no_round_could_list_has_an_age_although_others_are_read(site: Site) -> None:
    """CloudWatch takes the least age of an hour: no run may call such a catalogue young."""
    site.registries = (REGISTRY, ELSEWHERE.model_copy(update={"repositories": ("exact/app",)}))
    site.ecr.image("team/app", "1")
    site.ecr.errors["exact/app"] = UnreachableError("no route")
    ages = [site.next_run().age(site.clock.now()) for _ in range(6)]
    assert ages == [timedelta(minutes=5 * number) for number in range(6)]
    assert site.names() == ["team/app"]


@pytest.mark.parametrize(
    ("error", "complete"), [(DeniedError("denied"), True), (RegistryError("ServerException"), False)]
)
def test_a_repository_that_its_owner_denies_is_no_gap_and_one_that_fails_is(
    site: Site, error: RegistryError, *, complete: bool
) -> None:
    for name in ("team/app", "team/other"):
        site.ecr.image(name, "1")
    site.ecr.errors["team/other"] = error
    for _ in range(2):
        site.next_run()
    assert (site.names(), site.files.document()["complete"]) == (["team/app"], complete)


@pytest.mark.parametrize("denied", ["team/app", "team/other"])
def test_a_denied_repository_is_no_gap_wherever_it_comes_in_the_first_round(site: Site, denied: str) -> None:
    for name in ("team/app", "team/other"):
        site.ecr.image(name, "1")
    site.ecr.errors[denied] = DeniedError("denied")
    assert site.run().ended_at is not None


def test_a_round_to_which_every_repository_is_denied_is_not_complete(site: Site) -> None:
    for name in ("team/app", "team/other"):
        site.ecr.image(name, "1")
        site.ecr.errors[name] = DeniedError("denied")
    for _ in range(2):
        site.next_run()
    assert (site.names(), site.files.document()["complete"]) == ([], False)


def test_a_repository_that_is_newly_allowed_is_read_by_the_next_run(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.ecr.image("other/app", "1")
    ended_at = site.run().ended_at
    site.registries = (REGISTRY.model_copy(update={"repositories": ("team/*", "other/*")}),)
    report = site.next_run()
    assert site.names() == ["other/app", "team/app"]
    assert report.ended_at == site.clock.now() != ended_at
    asked = site.ecr.asked.copy()
    site.next_run()
    assert site.ecr.asked == asked


def test_routes_that_change_within_a_round_start_it_anew_and_completeness_stays(site: Site) -> None:
    site.ecr.image("team/app-0", "1")
    ended_at = site.run().ended_at
    site.ecr.seconds = WORK_SECONDS / 6
    for number in range(9):
        site.ecr.image(f"team/app-{number}", "1")
        site.ecr.image(f"other/app-{number}", "1")
    assert site.next_round().left
    site.registries = (REGISTRY.model_copy(update={"repositories": ("team/*", "other/*")}),)
    report = site.next_run()
    assert (report.ended_at, site.files.document()["complete"]) == (ended_at, True)
    while site.next_run().left:
        pass
    assert len(site.names()) == 18


def test_a_first_round_that_other_settings_start_anew_has_no_age(site: Site) -> None:
    site.ecr.seconds = WORK_SECONDS / 3
    for number in range(8):
        site.ecr.image(f"team/app-{number}", "1")
    site.run()
    site.registries = (REGISTRY.model_copy(update={"repositories": ("team/*", "other/*")}),)
    assert site.next_run().age(site.clock.now()) == timedelta()


def test_an_index_of_an_earlier_version_has_its_repositories_and_a_new_round(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.run()
    stated = site.files.document()
    del stated["round"]["routes"]
    site.files.put(shards.INDEX_FILE, shards.pack(stated))
    site.ecr.image("team/new", "1")
    assert site.next_run().problems == ()
    assert site.names() == ["team/app", "team/new"]
    assert len(site.ecr.read) == 2, "what is known is not read again"


def test_the_first_round_has_no_age_while_it_advances_and_one_from_its_start_where_nothing_can_be_read(
    site: Site,
) -> None:
    site.ecr.image("team/app", "1")
    site.ecr.image("team/web", "1")
    site.ecr.seconds = 15
    assert site.run().age(site.clock.now()) == timedelta()
    assert not site.files.document()["complete"]
    other = Site()
    other.ecr.errors[""] = UnreachableError("no route")
    other.run()
    for _ in range(5):
        other.next_round()
    assert other.next_round().age(other.clock.now()) == 6 * ROUND_EVERY


def test_repositories_that_may_not_be_listed_are_read_where_the_settings_or_the_catalogue_name_them() -> None:
    site = Site(Registry(account="123456789012", region="ap-southeast-2", repositories=("team/*", "exact/app")))
    for name in ("team/known", "exact/app"):
        site.ecr.image(name, "1", registry=site.registries[0])
    site.run()
    site.ecr.image("team/new", "1", registry=site.registries[0])
    site.ecr.errors[""] = DeniedError("denied")
    report = site.next_round()
    assert report.problems == ("denied",)
    assert (report.repositories, site.names()) == (2, ["exact/app", "team/known"])


def test_repositories_are_not_listed_where_the_settings_name_each() -> None:
    site = Site(Registry(account="123456789012", region="ap-southeast-2", repositories=("exact/app", "exact/missing")))
    site.ecr.image("exact/app", "1", registry=site.registries[0])
    site.run()
    assert site.names() == ["exact/app"]
    assert site.ecr.asked["repositories"] == 0


def test_a_name_in_two_registries_is_that_of_the_first_one_that_allows_it(site: Site) -> None:
    site.registries = (REGISTRY, ELSEWHERE)
    first = site.ecr.image("team/app", "1", labels={SOURCE: "https://first"})
    site.ecr.image("team/app", "1", registry=ELSEWHERE)
    site.ecr.image("team/only-elsewhere", "1", registry=ELSEWHERE)
    site.run()
    assert site.names() == ["team/app"], "clients do not get the other one"
    assert site.image()["digest"] == first


def test_a_repository_that_left_the_allow_list_goes_at_the_next_run(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.run()
    site.registries = (Registry(account="123456789012", region="ap-southeast-2", repositories=("team/x",)),)
    site.run()
    assert site.names() == []


def test_a_round_takes_several_runs_and_reads_every_repository_once(site: Site) -> None:
    site.ecr.seconds = 1.0
    for number in range(100):
        site.ecr.image(f"team/app-{number}", "1")
    reports = [site.run()]
    while reports[-1].left:
        started_at = site.clock.now()
        reports.append(site.run())
        assert (site.clock.now() - started_at).total_seconds() < 60
    assert len(reports) > 3
    assert sum(report.repositories for report in reports) == 100
    assert len(site.names()) == 100
    assert [report.ended_at is None for report in reports] == [True] * (len(reports) - 1) + [False]


def test_the_catalogue_is_complete_only_after_its_first_round(site: Site) -> None:
    site.ecr.seconds = WORK_SECONDS / 3
    for number in range(8):
        site.ecr.image(f"team/app-{number}", "1")
    site.run()
    assert not site.files.document()["complete"]
    while site.run().left:
        pass
    assert site.files.document()["complete"]
    site.next_round()
    assert site.files.document()["complete"]


def test_between_rounds_a_run_asks_and_writes_nothing(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.run()
    asked, writes = site.ecr.asked.copy(), [*site.files.writes]
    site.clock.sleep(300)
    site.run()
    assert (site.ecr.asked, site.files.writes) == (asked, writes)


def test_a_run_without_time_reads_nothing_and_changes_no_repository(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.clock = FakeClock(remaining_seconds=10)
    assert site.run().left == 1
    assert site.names() == []


def test_an_event_has_its_repository_read_at_once_and_nothing_else(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.ecr.image("team/other", "1")
    site.run()
    asked = site.ecr.asked["images"]
    site.ecr.image("team/app", "2", age=-DAY)
    report = site.update("team/app", "team/app")
    assert (report.repositories, site.ecr.asked["images"] - asked) == (1, 1)
    assert [image["tags"] for image in site.files.images("team/app")] == [["2"], ["1"]]


def test_pods_refuse_every_image_of_a_repository_that_was_deleted_with_its_images(site: Site) -> None:
    one, other = (site.ecr.image("team/app", platform=platform) for platform in ("linux/amd64", "linux/arm64"))
    whole = site.ecr.index("team/app", "1", platforms={"linux/amd64": one, "linux/arm64": other})
    single = site.ecr.image("team/app", "0")
    site.run()
    site.ecr.delete("team/app")
    site.next_round()
    assert sorted(image.digest for image in site.doubtful) == sorted([one, other, whole, single])
    assert {(image.host, image.repository) for image in site.doubtful} == {(REGISTRY.host, "team/app")}
    assert site.names() == []


def test_pods_refuse_an_image_whose_deletion_no_event_reported(site: Site) -> None:
    gone, kept = site.ecr.image("team/app", "gone"), site.ecr.image("team/app", "kept")
    site.run()
    site.ecr.delete_image("team/app", gone)
    site.next_round()
    assert [image.digest for image in site.doubtful] == [gone]
    assert [each["digest"] for each in site.files.images("team/app")] == [kept]
    site.next_round()
    assert len(site.doubtful) == 1


def test_pods_serve_again_what_ecr_lists_also_untagged_and_by_ecrs_name() -> None:
    site = Site(Registry(**{**REGISTRY.model_dump(), "repositories": ("base/*",), "strip": "base/", "prefix": "team/"}))
    platform = site.ecr.image("team/app")
    index = site.ecr.index("team/app", "1", platforms={"linux/amd64": platform})
    gone, elsewhere = f"sha256:{1:064x}", Image(REGISTRY.host, "team/other", site.ecr.image("team/app", "2"))
    site.refused = {*(Image(REGISTRY.host, "team/app", digest) for digest in (index, platform, gone)), elsewhere}
    site.run()
    assert {str(each) for each in site.doubtful} == {f"{REGISTRY.host}/team/app@{each}" for each in (index, platform)}
    assert site.names() == ["base/app"]


def test_what_pods_refuse_already_is_not_looked_at_when_ecr_no_longer_lists_it(site: Site) -> None:
    gone = site.ecr.image("team/app", "gone")
    site.run()
    site.ecr.delete_image("team/app", gone)
    site.refused = {Image(REGISTRY.host, "team/app", gone)}
    site.next_round()
    assert (site.doubtful, site.files.images("team/app")) == ([], [])


@pytest.mark.parametrize("deleted", ["image", "repository"])
def test_what_ecr_does_not_say_of_an_image_the_next_round_asks_again(site: Site, deleted: str) -> None:
    gone = site.ecr.image("team/app", "1")
    site.run()
    if deleted == "image":
        site.ecr.delete_image("team/app", gone)
    else:
        site.ecr.delete("team/app")
    site.ecr_answers = False
    assert site.next_round().problems == (
        "ECR does not say whether it has images that its list and the hints differ about (team/app)",
    )
    assert site.image()["digest"] == gone
    site.ecr_answers = True
    site.next_round()
    assert [image.digest for image in site.doubtful] == [gone, gone]
    assert site.names() == (["team/app"] if deleted == "image" else [])


def test_a_repository_that_leaves_the_allow_list_has_no_image_refused(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.run()
    site.registries = (REGISTRY.model_copy(update={"repositories": ("other/*",)}),)
    site.next_round()
    assert (site.names(), site.doubtful) == ([], [])


def test_an_event_of_a_deleted_repository_removes_it(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.run()
    site.ecr.delete("team/app")
    site.update("team/app", "team/never-known")
    assert site.names() == []


def test_events_without_time_are_read_first_by_the_next_run(site: Site) -> None:
    site.run()
    site.ecr.seconds = WORK_SECONDS / 2
    names = [f"team/app-{number}" for number in range(5)]
    for name in names:
        site.ecr.image(name, "1")
    assert site.update(*names).left == 4
    while site.run().left:
        pass
    assert site.names() == names
    assert site.files.index.pending == ()


def another_event(site: Site, on: Callable[[str], bool]) -> None:
    """While a file is written, another repository of the same shard is made, and its event followed."""

    def meanwhile(file: str) -> None:
        if on(file):
            site.files.meanwhile = lambda _: None
            site.ecr.image("team/b", "1")
            Run(Routing(site.registries), site.ecr, site.files, site.clock, findings=False).update(["team/b"])

    site.files.meanwhile = meanwhile


@pytest.mark.parametrize("run", [Site.run, lambda site: site.update("team/a")], ids=["round", "event"])
@pytest.mark.parametrize("on", [lambda file: file != shards.INDEX_FILE, lambda file: file == shards.INDEX_FILE])
def test_two_writers_lose_nothing_of_each_other(
    site: Site, monkeypatch: pytest.MonkeyPatch, on: Callable[[str], bool], run: Callable[[Site], Report]
) -> None:
    monkeypatch.setattr(shards, "shard_of", lambda _: 7)
    site.ecr.image("team/a", "1")
    another_event(site, on)
    run(site)
    assert site.names() == ["team/a", "team/b"]
    assert [len(site.files.images(name)) for name in site.names()] == [1, 1]


def test_a_writer_that_never_stops_is_an_error_that_names_the_file(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.files.meanwhile = lambda file: site.files.put(file, b"")
    with pytest.raises(ClusterError, match=r"\.json\.gz of the catalogue was written by another writer"):
        site.run()


@pytest.mark.parametrize("file", [shards.INDEX_FILE, shards.file_of(shards.shard_of("team/app"))])
@pytest.mark.parametrize(
    "content",
    [b"x", shards.pack({"schema": 2}), shards.pack({"schema": 1, "repositories": [1], "round": [], "shards": []})],
    ids=["not gzip", "another schema", "wrong types"],
)
def test_a_file_that_is_not_readable_counts_as_empty_and_is_written_anew(site: Site, file: str, content: bytes) -> None:
    site.ecr.image("team/app", "1")
    site.run()
    site.files.put(file, content)
    report = site.next_round()
    assert any("is not readable and is written anew" in problem for problem in report.problems)
    assert (site.names(), len(site.files.images("team/app"))) == (["team/app"], 1)


def test_a_place_in_the_round_that_is_not_a_text_is_named(site: Site) -> None:
    site.run()
    edited = shards.unpack(site.files.contents[shards.INDEX_FILE])
    edited["round"]["after"] = 7
    site.files.put(shards.INDEX_FILE, shards.pack(edited))
    expected = "the catalogue's index is not readable and is written anew: round.after is not a text"
    assert site.run().problems == (expected,)


@pytest.mark.parametrize(
    "wrong",
    [
        7,
        {},
        {"digest": 7, "tags": []},
        {"digest": "x", "tags": 7},
        {"digest": "x", "tags": [7]},
        {"digest": "x", "tags": [], "platforms": 7},
        {"digest": "x", "tags": [], "platforms": [7]},
        {"digest": "x", "tags": [], "platforms": [{"digest": []}]},
    ],
)
def test_an_entry_that_was_edited_by_hand_does_not_stop_the_rounds(
    site: Site, monkeypatch: pytest.MonkeyPatch, wrong: object
) -> None:
    monkeypatch.setattr(shards, "shard_of", lambda _: 7)
    for name in ("team/app", "team/other"):
        site.ecr.image(name, "1")
    site.run()
    edited = shards.unpack(site.files.contents[shards.file_of(7)])
    edited["repositories"]["team/other"]["images"].append(wrong)
    site.files.put(shards.file_of(7), shards.pack(edited))
    site.ecr.image("team/app", "2")
    site.update("team/app")
    assert [len(site.files.images(name)) for name in ("team/app", "team/other")] == [2, 1]


def test_a_label_that_was_edited_by_hand_and_is_not_unicode_does_not_stop_the_rounds(site: Site) -> None:
    site.ecr.image("team/app", "1", labels={SOURCE: "here"})
    site.run()
    file = shards.file_of(shards.shard_of("team/app"))
    text = json.dumps(shards.unpack(site.files.contents[file])).replace('"here"', r'"\ud800"')
    site.files.put(file, gzip.compress(text.encode()))
    site.next_round()
    assert site.image()["labels"] == {SOURCE: "?"}


def test_a_cursor_that_was_edited_by_hand_starts_the_rounds_anew(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.run()
    edited = site.files.document()
    edited["round"]["after"] = 7
    site.files.put(shards.INDEX_FILE, shards.pack(edited))
    assert site.run().repositories == 1


def test_a_shard_keeps_no_repository_that_the_index_does_not_have(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "shard_of", lambda _: 7)
    for name in ("team/app", "team/old"):
        site.ecr.image(name, "1")
    site.run()
    site.ecr.delete("team/old")
    del site.files.contents[shards.INDEX_FILE]
    site.run()
    assert set(shards.decode(site.files.contents[shards.file_of(7)])) == {"team/app"}


def large(monkeypatch: pytest.MonkeyPatch, largest_bytes: int) -> None:
    monkeypatch.setattr(shards, "LARGEST_BYTES", largest_bytes)
    monkeypatch.setattr(shards, "shard_of", lambda _: 7)


def tags_and_labels(images: Iterable[dict[str, Any]]) -> tuple[int, int, int]:
    found = [*images]
    digests = sum("digest" in platform for image in found for platform in image.get("platforms", []))
    return sum(len(image["tags"]) for image in found), sum("labels" in image for image in found), digests


def push_20(site: Site) -> None:
    for number in range(20):
        labels = {SOURCE: f"https://git.example.com/{number * 7919}"}
        site.ecr.image("team/app", f"1.{number}", age=timedelta(hours=number), labels=labels)


@pytest.mark.parametrize(
    ("largest_bytes", "kept"),
    [
        (4_000, (20, 20, 20)),
        (1_440, (20, 10, 20)),
        (1_390, (20, 3, 20)),
        (1_330, (20, 0, 20)),
        (1_240, (20, 0, 0)),
        (800, (10, 0, 0)),
        (100, (0, 0, 0)),
    ],
)
def test_what_does_not_fit_loses_its_labels_first_then_its_older_tags(
    site: Site, monkeypatch: pytest.MonkeyPatch, largest_bytes: int, kept: tuple[int, int, int]
) -> None:
    large(monkeypatch, largest_bytes)
    push_20(site)
    report = site.run()
    assert tags_and_labels(site.files.images("team/app")) == kept
    assert len(site.files.contents[shards.file_of(7)]) <= largest_bytes
    assert bool(report.reduced) == (kept != (20, 20, 20))
    stated = site.files.document()["shards"][7]
    assert (stated["tags"], stated["labels"]) == kept[:2]


def test_a_reduced_shard_is_not_read_again_for_what_it_cannot_hold(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    large(monkeypatch, 1_240)
    push_20(site)
    site.run()
    for _ in range(3):
        site.next_round()
    assert len(site.ecr.read) == 20


PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/s390x")


def push_for_four_platforms(site: Site) -> None:
    """20 images, whose entries are more than 2.5 times as large with the digests of their platforms."""
    for number in range(20):
        images = {each: site.ecr.image("team/app", platform=each, size_bytes=number) for each in PLATFORMS}
        site.ecr.index("team/app", f"1.{number}", platforms=images)


def test_what_a_shard_cannot_hold_is_not_read_again_however_small_it_is_without(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    large(monkeypatch, 3_600)
    push_for_four_platforms(site)
    site.run()
    read = len(site.ecr.read)
    for _ in range(3):
        site.next_round()
    assert tags_and_labels(site.files.images("team/app")) == (20, 0, 0)
    assert len(site.files.contents[shards.file_of(7)]) < 0.4 * 3_600
    assert len(site.ecr.read) == read


def test_an_attempt_that_fails_is_not_repeated(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an upgrade, when nothing is known of the extent before."""
    large(monkeypatch, 3_600)
    push_for_four_platforms(site)
    site.run()
    stated = site.files.document()
    for part in stated["shards"]:
        del part["growth"]
    site.files.put(shards.INDEX_FILE, shards.pack(stated))
    before = len(site.ecr.read)
    site.next_round()
    read = len(site.ecr.read)
    assert read > before
    for _ in range(3):
        site.next_round()
    assert len(site.ecr.read) == read


def test_a_shard_gets_back_what_it_lost_when_it_has_shrunk_far_enough(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    large(monkeypatch, 3_600)
    push_for_four_platforms(site)
    site.run()
    for image in site.files.images("team/app")[:10]:
        site.ecr.delete_image("team/app", image["digest"])
    for _ in range(3):
        site.next_round()
    assert tags_and_labels(site.files.images("team/app"))[2] == 40


def test_a_shard_with_room_again_gets_back_what_it_lost(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    large(monkeypatch, 1_240)
    push_20(site)
    site.run()
    large(monkeypatch, 20_000)
    for _ in range(len(shards.EXTENTS)):
        report = site.next_round()
    assert tags_and_labels(site.files.images("team/app")) == (20, 20, 20)
    assert report.reduced == ()
