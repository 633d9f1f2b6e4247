"""The proxy's credential: when it is read, and what a client receives when it does not work."""

import json

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher, digest_of
from testbed.sandbox.cloud.tokens import Token, fingerprint
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.leaks import leaks
from tests.proxy.client import ACCEPT, Answer, Client

PATHS = (
    "/v2/team/app/manifests/1.4",
    f"/v2/team/app/blobs/{digest_of(b'layer')}",
    "/v2/team/app/tags/list",
    f"/v2/team/app/referrers/{digest_of(b'layer')}",
)
ACTIONS = frozenset(
    {"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:ListImages"}
)


@pytest.fixture(scope="module")
def image(publisher: Publisher) -> Image:
    return publisher.image("team/app", "1.4", [b"layer"])


@pytest.fixture
def proxy(pod: Pod, image: Image) -> Pod:
    """A serving pod for one test; `image` is published."""
    assert image
    pod.start()
    return pod


def assert_unavailable(answer: Answer) -> None:
    """503, so that a client retries, and without a challenge, so that it does not ask for a login."""
    assert (answer.status, answer.error_code()) == (503, "UNAVAILABLE")
    assert int(answer.header("Retry-After") or 0) > 0
    assert answer.header("WWW-Authenticate") is None


@pytest.mark.rule("R11")
def test_each_ecr_host_gets_its_own_token(proxy: Pod, client: Client, control: Control, world: World) -> None:
    ours, theirs = control.issue_token(world.region), control.issue_token(world.region)
    proxy.give({world.ecr_hosts[0]: ours.authorization, world.ecr_hosts[1]: theirs.authorization})
    mark = control.mark()
    client.get("/v2/team/app/tags/list")
    client.get("/v2/other/app/tags/list")
    asked = control.requests(mark).entries
    assert [(entry.host, entry.server_name) for entry in asked] == [(host, host) for host in world.ecr_hosts]
    sent = [entry.headers["authorization"] for entry in asked]
    assert sent == [f"Basic {fingerprint(token.authorization)}" for token in (ours, theirs)]


@pytest.mark.rule("R11")
def test_a_new_token_is_used_at_once_without_a_reload(
    proxy: Pod, client: Client, control: Control, world: World
) -> None:
    old, new = control.issue_token(world.region), control.issue_token(world.region)
    proxy.give({world.ecr_host: old.authorization})
    assert client.get(PATHS[0], ACCEPT).status == 200
    control.expire_tokens(fingerprint(old.authorization))
    assert_unavailable(client.get(PATHS[1]))
    pid = proxy.pid
    proxy.give({world.ecr_host: new.authorization})
    assert client.get(PATHS[2]).status == 200
    assert proxy.pid == pid


@pytest.mark.rule("R11")
@pytest.mark.parametrize("characters", [1_000, 4_096, 6_400, 16_000])
def test_tokens_of_every_size_work(proxy: Pod, client: Client, control: Control, world: World, characters: int) -> None:
    with control.behaving(Behaviour(token_characters=characters)):
        token = control.issue_token(world.region)
    proxy.give({world.ecr_host: token.authorization})
    assert client.get(PATHS[1]).body == b"layer"


@pytest.mark.rule("R11")
def test_throttling_is_passed_on_with_tokens_of_every_size(
    proxy: Pod, client: Client, control: Control, world: World
) -> None:
    with control.behaving(Behaviour(token_characters=16_000)):
        token = control.issue_token(world.region)
    proxy.give({world.ecr_host: token.authorization})
    with control.behaving(Behaviour(registry_status=429, registry_retry_after_seconds=30)):
        answers = [client.get(PATHS[0]), client.get(PATHS[2])]
    assert [answer.status for answer in answers] == [429, 429]


@pytest.mark.rule("R32", "F4", "F5")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "ENOENT"),
        ("", "SyntaxError"),
        ("{", "SyntaxError"),
        ("[]", "TypeError"),
        ("null", "TypeError"),
        ('{"auths": {}}', "TypeError"),
        ('{"auths": null}', "TypeError"),
        ('{"auths": {"HOST": null}}', "TypeError"),
        ('{"auths": {"HOST": {}}}', "is not base64"),
        ('{"auths": {"HOST": {"auth": ""}}}', "is not base64"),
        ('{"auths": {"HOST": {"auth": ["QVdTOng="]}}}', "is not base64"),
        ('{"auths": {"HOST": {"auth": "QVdTOng=\\r\\nX-Injected: yes"}}}', "is not base64"),
        ('{"auths": {"https://HOST": {"auth": "QVdTOng="}}}', "TypeError"),
    ],
)
def test_an_unusable_credential_is_never_sent_and_the_reason_is_logged(
    proxy: Pod, client: Client, control: Control, world: World, text: str | None, reason: str
) -> None:
    proxy.put_credential(text and text.replace("HOST", world.ecr_host))
    mark = control.mark()
    for path in PATHS:
        assert_unavailable(client.get(path, ACCEPT))
    assert control.requests(mark).entries == ()
    assert reason in proxy.error_log()
    assert "/etc/frontdoor/credential/.dockerconfigjson" in proxy.error_log()


@pytest.mark.rule("R32", "F5")
def test_a_truncated_secret_is_not_quoted_in_the_log(proxy: Pod, client: Client, token: Token, world: World) -> None:
    text = json.dumps({"auths": {world.ecr_host: {"auth": token.authorization}}})
    proxy.put_credential(text[: len(text) // 2])
    assert_unavailable(client.get(PATHS[0]))
    proxy.put_credential(text.replace('"auth":', '"auth"'))
    assert_unavailable(client.get(PATHS[0]))
    assert leaks(token.authorization, proxy.logs()) == []


@pytest.mark.rule("R11")
def test_a_credential_is_sent_only_to_its_own_registry(
    proxy: Pod, client: Client, control: Control, world: World, token: Token
) -> None:
    proxy.give({world.ecr_hosts[1]: token.authorization})
    mark = control.mark()
    assert_unavailable(client.get(PATHS[0]))
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R32", "F2")
@pytest.mark.parametrize(
    ("authorization", "statuses"),
    # ECR says 400 of a request that is not valid, too.
    [("bm90OmF3cw==", [401]), ("QVdTOm1hZGUtdXA=", [400, 400])],
    ids=["not of AWS", "made up"],
)
def test_ecrs_refusal_of_the_credential_is_503_without_a_challenge(
    proxy: Pod, client: Client, control: Control, world: World, authorization: str, statuses: list[int]
) -> None:
    proxy.give({world.ecr_host: authorization})
    for path in PATHS:
        mark = control.mark()
        assert_unavailable(client.get(path, ACCEPT))
        assert [entry.status for entry in control.requests(mark).entries] == statuses


@pytest.mark.rule("R32")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_request_that_ecr_refuses_as_not_valid_is_400_and_no_refused_credential(
    proxy: Pod, client: Client, control: Control, method: str
) -> None:
    """ECR's status is that for a token that it does not know. Then it accepts the token at `/v2/`."""
    with control.behaving(Behaviour(registry_status=400, registry_actions=ACTIONS)):
        for path in PATHS if method == "GET" else PATHS[:2]:
            mark = control.mark()
            answer = client.ask(method, path, ACCEPT)
            assert answer.status == 400
            if method == "GET":
                assert answer.error_code() == "UNSUPPORTED"
                assert "not valid" in answer.text() or "malformed" in answer.text()
            assert "credential" not in (answer.header("Warning") or "")
            asked = [(entry.path, entry.status) for entry in control.requests(mark).entries]
            assert [status for _, status in asked] == [400, 200]
            assert asked[1][0] == "/v2/"
    assert proxy.access_log("ecr", PATHS[0])[-1]["upstream_status"] == "400 : 200"
    assert client.get(PATHS[2]).status == 200


@pytest.mark.rule("R32", "F1")
def test_an_expired_token_is_503(proxy: Pod, client: Client, control: Control, world: World) -> None:
    with control.behaving(Behaviour(token_lifetime_seconds=-1)):
        dead = control.issue_token(world.region)
    proxy.give({world.ecr_host: dead.authorization})
    for path in PATHS:
        mark = control.mark()
        assert_unavailable(client.get(path, ACCEPT))
        # ECR says this of a repository, too: so it is asked for `/v2/`, which needs the credential alone.
        asked = [(entry.method, entry.path, entry.status) for entry in control.requests(mark).entries]
        assert [status for _, _, status in asked] == [403, 403]
        assert asked[1] == ("GET", "/v2/", 403)


@pytest.mark.rule("R32", "F3")
def test_a_token_of_another_region_is_503(proxy: Pod, client: Client, control: Control, world: World) -> None:
    proxy.give({world.ecr_host: control.issue_token("eu-west-1").authorization})
    assert_unavailable(client.get(PATHS[0]))


@pytest.mark.rule("R32", "F2")
def test_a_missing_permission_is_403_and_names_the_repository(proxy: Pod, client: Client, control: Control) -> None:
    """Also for a client that gets the answer to another one."""
    mark = control.mark()
    with control.behaving(Behaviour(denied_actions=ACTIONS)):
        for path in PATHS:
            for _ in range(2):
                answer = client.get(path, ACCEPT)
                assert (answer.status, answer.error_code()) == (403, "DENIED"), path
                (error,) = answer.json()["errors"]
                assert error["message"].startswith("ECR denies this registry the repository team/app, or")
                assert (answer.header("WWW-Authenticate"), answer.header("Retry-After")) == (None, None)
        assert {client.head(path, ACCEPT).status for path in PATHS[:2]} == {403}
    assert proxy.access_log("ecr", PATHS[0])[-1]["upstream_status"] == "403 : 200"
    shared = [entry.path for entry in control.requests(mark).entries if entry.path in PATHS[:1]]
    assert len(shared) <= 2, "one answer lasts a second"


@pytest.mark.rule("R32")
@pytest.mark.usefixtures("proxy")
@pytest.mark.parametrize("content", ["manifest", "blob"])
def test_what_ecr_denies_one_repository_is_no_answer_of_another(
    client: Client, control: Control, publisher: Publisher, content: str
) -> None:
    """A client that asks for a digest where it is denied takes it from no other client, not even for a second."""
    images = [publisher.image(name, "same", [content.encode()]) for name in ("team/app", "team/copy")]
    assert images[0].digest == images[1].digest
    found = f"manifests/{images[0].digest}" if content == "manifest" else f"blobs/{images[0].layers[0]}"
    with control.behaving(Behaviour(denied_actions=ACTIONS)):
        assert client.get(f"/v2/team/copy/{found}", ACCEPT).status == 403
    assert client.get(f"/v2/team/app/{found}", ACCEPT).status == 200


@pytest.mark.rule("R32")
def test_a_head_has_the_same_status_and_no_body(proxy: Pod, client: Client) -> None:
    proxy.put_credential(None)
    for path in PATHS[:2]:
        answer = client.head(path)
        assert (answer.status, answer.body) == (503, b"")
        assert answer.header("Retry-After")
