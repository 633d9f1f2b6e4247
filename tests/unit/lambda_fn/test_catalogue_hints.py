"""What a round of the catalogue leads to in the hints: images that pods refuse, or serve again."""

import pytest

from lambda_fn.contract.hints import Image
from lambda_fn.settings.registry import Registry
from tests.fakes.catalogue_site import Site
from tests.fakes.ecr_catalogue import REGISTRY


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
