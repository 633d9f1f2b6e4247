"""The page over HTTP: for browsers only, under one name only, and with which headers."""

import gzip
import re
from datetime import UTC, datetime, timedelta

import pytest

from lambda_fn.settings import Page, Settings
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.tokens import Token
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.fakes.catalogue import Catalogue
from tests.proxy.client import ACCEPT, Answer, Client

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
STATUS = "/-/status.json"
FILES = ("/-/page/style.css", "/-/page/page.js", "/-/page/icon.svg", STATUS, "/-/catalogue/index.json")


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"page": Page(catalogue=True)})


@pytest.fixture(autouse=True)
def catalogue(serving: Pod) -> Catalogue:
    made = Catalogue(repositories=40)
    serving.mount("catalogue", made.files())
    return made


@pytest.fixture
def browse(client: Client, world: World) -> "Browse":
    return Browse(client, world.domain)


class Browse:
    """What a browser requests."""

    def __init__(self, client: Client, domain: str) -> None:
        self._client = client
        self._domain = domain

    def __call__(self, path: str = "/", **headers: str) -> Answer:
        given = {key.replace("_", "-"): value for key, value in headers.items()}
        return self._client.get(path, {"Host": self._domain, "Accept": BROWSER, "Accept-Encoding": "gzip", **given})


@pytest.mark.rule("R100")
@pytest.mark.parametrize("path", ["/", "/?repository=team/app&tag=1.4"])
def test_a_browser_gets_the_page(browse: Browse, world: World, path: str) -> None:
    answer = browse(path)
    assert (answer.status, answer.header("Content-Type")) == (200, "text/html; charset=utf-8")
    assert f"docker pull {world.domain}/REPOSITORY:TAG" in answer.body.decode()


@pytest.mark.rule("R100")
@pytest.mark.parametrize("accept", ["*/*", "application/json", ACCEPT["Accept"], "text/htmlx", ""])
def test_other_clients_see_no_change(browse: Browse, accept: str) -> None:
    answer = browse(Accept=accept)
    assert (answer.status, answer.error_code()) == (404, "UNSUPPORTED")


@pytest.mark.rule("R100")
@pytest.mark.parametrize(
    "host", ["attacker.example", "127.0.0.1", "127.0.0.1:8080", "[::1]", "x.{domain}", "{domain}.attacker.example", ""]
)
@pytest.mark.parametrize("path", ["/", *FILES])
def test_another_name_gets_nothing_of_it(browse: Browse, world: World, host: str, path: str) -> None:
    answer = browse(path, Host=host.format(domain=world.domain))
    assert answer.status in {400, 404}
    assert answer.error_code() == "UNSUPPORTED"


@pytest.mark.rule("R100")
@pytest.mark.parametrize("path", ["/", *FILES])
def test_the_name_may_have_a_port_a_final_dot_and_capitals(browse: Browse, world: World, path: str) -> None:
    hosts = (f"{world.domain}:8443", f"{world.domain}.", world.domain.upper())
    assert [browse(path, Host=host).status for host in hosts] == [200, 200, 200]


@pytest.mark.rule("R101")
def test_the_page_may_load_only_its_own_files_and_stand_in_no_frame(browse: Browse) -> None:
    answer = browse()
    found = answer.header("Content-Security-Policy")
    assert found
    policy = dict(part.strip().split(" ", 1) for part in found.split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    sources = {source for name, of in policy.items() if name.endswith("-src") for source in of.split()}
    assert sources == {"'none'", "'self'"}
    assert answer.header("Referrer-Policy") == "no-referrer"
    assert answer.header("X-Content-Type-Options") == "nosniff"


@pytest.mark.rule("R101")
def test_every_file_of_the_page_is_there_with_its_type(browse: Browse) -> None:
    html = browse().body.decode()
    paths = set(re.findall(r'(?:href|src)="(/-/page/[^"]+)"', html))
    assert len(paths) > 8
    types = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    for path in paths:
        answer = browse(path)
        assert (answer.status, answer.header("Content-Type")) == (200, types[path[path.rindex(".") :]])
    assert browse("/-/page/index.html").status == 404
    assert browse("/-/page").status == 404


@pytest.mark.rule("R101")
@pytest.mark.parametrize("path", ["/", "/-/page/page.js", "/-/catalogue/index.json"])
def test_a_browser_asks_each_time_and_a_known_file_is_304(browse: Browse, path: str) -> None:
    answer = browse(path)
    etag = str(answer.header("ETag"))
    assert answer.header("Cache-Control") == "no-cache"
    assert answer.header("Last-Modified") is None
    for known in (etag, f"W/{etag}", f'"other", {etag}'):
        again = browse(path, If_None_Match=known)
        assert (again.status, again.body, again.header("ETag")) == (304, b"", etag)
    assert browse(path, If_None_Match='"other"').status == 200


@pytest.mark.rule("R101")
def test_the_etag_survives_a_rollout_and_changes_with_the_content(
    browse: Browse, serving: Pod, catalogue: Catalogue
) -> None:
    path = "/-/catalogue/index.json"
    etag = browse(path).header("ETag")
    serving.mount("catalogue", catalogue.files())
    assert browse(path).header("ETag") == etag
    catalogue.add("team/new", catalogue.image("team/new", "1.0"))
    serving.mount("catalogue", catalogue.files())
    assert browse(path).header("ETag") != etag


@pytest.mark.rule("R102")
def test_the_catalogue_is_sent_as_it_is_stored(browse: Browse, catalogue: Catalogue) -> None:
    for name in ("index", "00", "15"):
        answer = browse(f"/-/catalogue/{name}.json")
        assert answer.body == catalogue.files()[f"{name}.json.gz"]
        assert (answer.header("Content-Encoding"), answer.header("Vary")) == ("gzip", "Accept-Encoding")
        assert answer.header("Content-Type") == "application/json"


@pytest.mark.rule("R102")
@pytest.mark.parametrize("encoding", ["", "identity", "br"])
def test_a_client_without_gzip_gets_plain_json(browse: Browse, catalogue: Catalogue, encoding: str) -> None:
    answer = browse("/-/catalogue/index.json", Accept_Encoding=encoding)
    assert answer.header("Content-Encoding") is None
    assert answer.body == gzip.decompress(catalogue.files()["index.json.gz"])


@pytest.mark.rule("R102")
@pytest.mark.parametrize("name", ["16.json", "1.json", "index.json.gz", "index", "..%2fcredential%2f.dockerconfigjson"])
def test_nothing_else_of_the_volume_is_served(browse: Browse, name: str) -> None:
    assert browse(f"/-/catalogue/{name}").status == 404


@pytest.mark.rule("R102")
def test_a_catalogue_that_is_not_written_yet_is_404(browse: Browse, serving: Pod) -> None:
    serving.mount("catalogue", {})
    assert browse("/-/catalogue/index.json").error_code() == "UNSUPPORTED"


@pytest.mark.rule("R103")
def test_the_status_is_serving_while_ecr_answers(browse: Browse) -> None:
    answer = browse(STATUS)
    assert answer.json() == {"schema": 1, "state": "serving", "reason": None, "since": None}
    assert answer.header("Cache-Control") == "no-store"


@pytest.mark.rule("R103")
def test_the_status_names_no_registry_and_says_since_when_ecr_does_not_answer(
    browse: Browse, client: Client, control: Control, world: World
) -> None:
    with control.behaving(Behaviour(registry_status=503)):
        began = datetime.now(UTC)
        for number in range(4):
            client.get(f"/v2/team/missing-{number}/manifests/1", ACCEPT)
        first = browse(STATUS)
        while datetime.now(UTC) - began < timedelta(seconds=3):  # longer than the circuit is open: probes fail
            client.get("/v2/team/missing-9/manifests/1", ACCEPT)
        assert browse(STATUS).json() == first.json(), "the time is that of the first failure"
    assert (first.json()["state"], first.json()["reason"]) == ("partial", "unavailable")
    assert abs(datetime.fromisoformat(first.json()["since"]) - began) < timedelta(seconds=10)
    assert not any(host in first.body.decode() for host in (*world.ecr_hosts, world.account, world.other_account))
    wait_until(
        lambda: client.get("/v2/base/manifests/none", ACCEPT) and browse(STATUS).json()["state"] == "serving",
        "the circuit is closed",
    )


@pytest.mark.rule("R103")
def test_an_expired_credential_is_seen_without_a_pull(browse: Browse, serving: Pod, world: World, token: Token) -> None:
    credential = (serving.folder / "credential" / ".dockerconfigjson").read_bytes()
    try:
        expiries = dict.fromkeys(world.ecr_hosts, "2026-01-01T00:00:00Z")
        serving.mount(
            "credential",
            {".dockerconfigjson": credential, "expires_at_by_host": str(expiries).replace("'", '"').encode()},
        )
        assert browse(STATUS).json() == {
            "schema": 1,
            "state": "cached_only",
            "reason": "credential",
            "since": "2026-01-01T00:00:00.000Z",
        }
        serving.give({world.ecr_hosts[0]: token.authorization})
        assert browse(STATUS).json() == {"schema": 1, "state": "partial", "reason": "credential", "since": None}
    finally:
        serving.mount("credential", {".dockerconfigjson": credential})


@pytest.mark.rule("R103")
def test_the_status_asks_no_upstream_and_is_not_logged(browse: Browse, control: Control, serving: Pod) -> None:
    mark = control.mark()
    assert browse(STATUS).status == 200
    assert control.requests(mark).entries == ()
    assert f'"path":"{STATUS}","status":200' not in serving.logs()
