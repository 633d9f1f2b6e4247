"""The pictures of the page in the documents, of a real pod in Chromium. `make pictures` writes them.

They do not change from run to run but for the digests of the page itself: clock, catalogue and fonts are given.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from lambda_fn.settings import Settings, parse_toml
from testbed.sandbox.browser import Tab, chromium
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.fakes.catalogue import WRITTEN_AT, Catalogue

DOCS = Path(__file__).parents[1] / "docs"
DOMAIN = "registry.shrd.example.net"
REPOSITORY = "payments/ledger-api"
SIZE = (1280, 860)
LARGEST_BYTES = 200_000
_NOW = WRITTEN_AT.replace(hour=2, minute=20)


def main() -> None:
    """Write both pictures."""
    world = World.current()
    with TemporaryDirectory() as folder:
        pod = Pod(Path(folder), world, _settings(world))
        pod.give({host: Control().issue_token(world.region).authorization for host in world.ecr_hosts})
        pod.mount("catalogue", _catalogue().files())
        pod.start()
        try:
            with chromium(f"http://{DOMAIN}:8080", address="127.0.0.1") as browser:
                for name, path, scheme in (
                    ("page", "/", "light"),
                    ("page-repository", f"/?repository={REPOSITORY}", "dark"),
                ):
                    with browser.tab(size=SIZE, color_scheme=scheme) as tab:
                        _take(tab, path, DOCS / f"{name}.png")
        finally:
            pod.stop()


def _take(tab: Tab, path: str, to: Path) -> None:
    tab.page.clock.set_fixed_time(_NOW)
    tab.open(path)
    picture = tab.page.screenshot(animations="disabled")
    if len(picture) > LARGEST_BYTES:
        raise ValueError(f"{to.name} has {len(picture)} bytes: a picture in the documents has at most {LARGEST_BYTES}")
    to.write_bytes(picture)


def _settings(world: World) -> Settings:
    return parse_toml(
        f"""
        domain = "{DOMAIN}"
        contact = "platform@example.net"
        page = {{ catalogue = true, findings = true }}
        cluster = {{ name = "{world.cluster}", region = "{world.region}" }}
        registries = [{{ account = "{world.account}", region = "{world.region}" }}]
        proxy = {{ resolver = "{world.dns_address}", exposure = {{ kind = "service" }} }}
        """,
        "the pictures' settings",
    )


def _catalogue() -> Catalogue:
    """Repositories of different ages and sizes, one with everything that a page can show."""
    made = Catalogue(repositories=240)
    for place, name in enumerate(sorted(made.images)):
        made.images[name] = made.images[name][place * 7 % 5 :: 1 + place % 3]
    shown = made.images[REPOSITORY] = [made.image(REPOSITORY, f"4.{19 - place}.0", place) for place in range(18)]
    shown[0] |= {"signed": True, "findings": {"MEDIUM": 2}}
    for number, name in enumerate(("platform/charts/ingress", "platform/charts/monitoring")):
        made.add(name, made.image(name, f"2.{number}.1"), made.image(name, f"2.{number}.0", 9))
    return made


if __name__ == "__main__":
    main()
