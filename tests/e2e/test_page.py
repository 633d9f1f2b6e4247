"""The page of the pods on the node, in Chromium: from the catalogue in ConfigMaps to a pull by the copied command."""

import json
import secrets
import ssl
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import expect

from testbed.sandbox import pulls
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.commands import run
from testbed.sandbox.kubectl import kubectl_apply
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.fakes.catalogue import Catalogue
from tests.proxy.browser import Chromium, chromium

pytestmark = pytest.mark.usefixtures("installed")

KUBELET_SECONDS = 120
"""The kubelet's default: it looks each minute, and its watch is earlier."""


@pytest.fixture(scope="module")
def image(installed: World, trust: ssl.SSLContext) -> Image:
    """An image that is in ECR under a new tag."""
    token = Control().issue_token(installed.region)
    with httpx2.Client(verify=trust, trust_env=False) as session:
        publisher = Publisher(session, installed.ecr_host, token.authorization)
        return publisher.image(installed.app_repository, "seen-1", [secrets.token_bytes(50_000)])


@pytest.fixture(scope="module")
def catalogue(installed: World, image: Image) -> Iterator[Catalogue]:
    """A catalogue with that image, as the watcher writes it."""
    made = Catalogue(repositories=500)
    described = made.image(installed.app_repository, "seen-1", digest=image.digest, tags=["seen-1"])
    made.add(installed.app_repository, described)
    objects = made.config_maps("aws-registry-proxy", installed.namespace)
    # `kubectl apply` writes an object into its annotations, which have less room.
    kubectl_apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    yield made
    names = [item["metadata"]["name"] for item in objects]
    run(("kubectl", "delete", "configmap", *names, f"--namespace={installed.namespace}"))


@pytest.fixture(scope="module")
def browser(installed: World) -> Iterator[Chromium]:
    with chromium(f"https://{installed.domain}") as found:
        yield found


@pytest.mark.usefixtures("catalogue")
def test_a_developer_finds_an_image_copies_its_command_and_pulls_it(
    installed: World, image: Image, browser: Chromium, trust: ssl.SSLContext
) -> None:
    def is_written() -> bool:
        with httpx2.Client(verify=trust, trust_env=False) as session:
            # Each pod has its own volume, and each connection another pod.
            answers = [
                session.get(f"https://{installed.domain}/-/catalogue/index.json", headers={"Connection": "close"})
                for _ in range(8)
            ]
        return all(answer.status_code == 200 for answer in answers)

    wait_until(is_written, "every pod has the catalogue", seconds=KUBELET_SECONDS)
    with browser.tab(ignore_https_errors=True, permissions=["clipboard-read", "clipboard-write"]) as found:
        page = found.open()
        expect(page.locator("#found")).to_contain_text("501 repositories")
        expect(page.locator("#health")).to_have_text("Serving")
        page.locator("#search").press_sequentially(installed.app_repository)
        page.keyboard.press("Enter")
        expect(page.locator("#repository")).to_contain_text(image.digest)
        page.get_by_role("button", name="Copy: Docker, Podman").click()
        copied: str = page.evaluate("navigator.clipboard.readText()")
    command, reference = copied.rsplit(" ", 1)
    assert command == "docker pull"
    assert pulls.pull_with_skopeo(installed, reference) == image.digest


def test_axe_finds_nothing_on_the_page_over_tls(browser: Chromium) -> None:
    with browser.tab(ignore_https_errors=True) as found:
        found.open()
        assert found.accessibility() == []
