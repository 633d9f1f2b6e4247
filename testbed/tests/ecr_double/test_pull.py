"""What a pull gets from a registry: rows P of testbed/docs/ecr-double.md."""

import json
import ssl
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher, digest_of
from testbed.sandbox.world import World
from testbed.tests.ecr_double.conftest import MANIFEST
from tests.fakes.repository_names import INVALID, VALID

ABSENT = f"sha256:{'0' * 64}"


@pytest.fixture
def image(publisher: Publisher, repository: str) -> Image:
    return publisher.image(repository, "1.4", [b"a layer", b"another"])


@pytest.mark.row("P1")
@pytest.mark.parametrize("by", ["tag", "digest"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_manifest_comes_inline(ecr: httpx2.Client, image: Image, repository: str, by: str, method: str) -> None:
    reference = "1.4" if by == "tag" else image.digest

    answer = ecr.request(method, f"/v2/{repository}/manifests/{reference}")

    assert answer.status_code == 200
    assert answer.content == (image.manifest if method == "GET" else b"")
    assert answer.headers["Content-Type"] == "application/vnd.oci.image.manifest.v1+json"
    assert answer.headers["Content-Length"] == str(len(image.manifest))
    assert answer.headers["Docker-Content-Digest"] == image.digest


@pytest.mark.row("P2")
@pytest.mark.usefixtures("image")
def test_a_manifest_of_a_type_the_client_does_not_accept_is_unknown(ecr: httpx2.Client, repository: str) -> None:
    accept = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}

    assert ecr.get(f"/v2/{repository}/manifests/1.4", headers=accept).status_code == 404


@pytest.mark.row("P3")
def test_a_blob_is_a_redirect_to_the_layer_bucket(
    ecr: httpx2.Client, image: Image, repository: str, world: World
) -> None:
    answer = ecr.get(f"/v2/{repository}/blobs/{image.layers[0]}")

    location = urlsplit(answer.headers["Location"])
    query = {name: values[0] for name, values in parse_qs(location.query).items()}
    assert answer.status_code == 307
    assert (location.scheme, location.netloc) == ("https", world.layer_host)
    assert query["X-Amz-Expires"] == "3600"
    assert query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert query["X-Amz-SignedHeaders"] == "host"
    assert len(query["X-Amz-Security-Token"]) > 500


@pytest.mark.row("P4")
def test_the_head_of_a_blob_is_answered_by_the_registry_itself(
    ecr: httpx2.Client, image: Image, repository: str, control: Control
) -> None:
    mark = control.mark()

    answer = ecr.head(f"/v2/{repository}/blobs/{image.layers[0]}")

    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == str(len(b"a layer"))
    assert answer.headers["Docker-Content-Digest"] == image.layers[0]
    assert "Location" not in answer.headers
    assert control.requests(mark).count("s3") == 0


@pytest.mark.row("P5")
@pytest.mark.parametrize("path", ["manifests/1", f"manifests/{ABSENT}", f"blobs/{ABSENT}", "tags/list"])
def test_an_unknown_repository_is_named(ecr: httpx2.Client, world: World, path: str) -> None:
    answer = ecr.get(f"/v2/never/pushed/{path}")

    (error,) = answer.json()["errors"]
    assert answer.status_code == 404
    assert error == {
        "code": "NAME_UNKNOWN",
        "message": f"The repository with name 'never/pushed' does not exist in the registry with id '{world.account}'",
    }


@pytest.mark.row("P15")
@pytest.mark.parametrize("name", INVALID)
@pytest.mark.parametrize("path", ["manifests/1", f"manifests/{ABSENT}", f"blobs/{ABSENT}", "tags/list"])
def test_a_name_that_no_repository_may_have_is_400(ecr: httpx2.Client, name: str, path: str) -> None:
    answer = ecr.get(f"/v2/{name}/{path}")

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (400, "UNSUPPORTED")
    assert error["message"].startswith(
        "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy"
    )


@pytest.mark.row("P15")
@pytest.mark.parametrize("name", VALID)
def test_a_name_that_a_repository_may_have_is_unknown(ecr: httpx2.Client, name: str) -> None:
    assert ecr.get(f"/v2/{name}/tags/list").json()["errors"][0]["code"] == "NAME_UNKNOWN"


@pytest.mark.row("P15")
@pytest.mark.usefixtures("image")
def test_a_tag_that_no_image_may_have_is_400(ecr: httpx2.Client, repository: str) -> None:
    path = f"/v2/{repository}/manifests/2024.42.27+1234a5c05"

    answers = [ecr.head(path), ecr.get(path)]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].content == b""
    assert answers[1].json()["errors"][0]["message"].startswith("Invalid parameter at 'imageTag' failed to satisfy")


@pytest.mark.row("P6")
@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("manifests/absent", "MANIFEST_UNKNOWN", "Requested image not found"),
        (f"manifests/{ABSENT}", "MANIFEST_UNKNOWN", "Requested image not found"),
        (f"blobs/{ABSENT}", "BLOB_UNKNOWN", "blob unknown to registry"),
    ],
)
@pytest.mark.usefixtures("image")
def test_a_missing_manifest_or_blob_is_unknown(
    ecr: httpx2.Client, repository: str, path: str, code: str, message: str
) -> None:
    answer = ecr.get(f"/v2/{repository}/{path}")

    assert answer.status_code == 404
    assert answer.json() == {"errors": [{"code": code, "message": message}]}


@pytest.mark.row("P7")
@pytest.mark.parametrize("path", [f"blobs/{ABSENT}", "manifests/absent"])
@pytest.mark.usefixtures("image")
def test_the_head_of_a_missing_manifest_or_blob_is_unknown(ecr: httpx2.Client, repository: str, path: str) -> None:
    assert ecr.head(f"/v2/{repository}/{path}").status_code == 404


@pytest.mark.row("P8")
def test_a_blob_of_another_repository_is_unknown(ecr: httpx2.Client, publisher: Publisher, repository: str) -> None:
    elsewhere = publisher.blob(f"{repository}/elsewhere", b"only there")
    publisher.image(repository, "1", [b"here"])

    assert ecr.get(f"/v2/{repository}/blobs/{elsewhere}").status_code == 404


@pytest.mark.row("P9")
def test_a_push_names_the_subject_that_was_understood(ecr: httpx2.Client, image: Image, repository: str) -> None:
    document = json.loads(image.manifest) | {"subject": {"mediaType": MANIFEST, "digest": image.digest, "size": 1}}
    pushed = json.dumps(document).encode()

    answer = ecr.put(
        f"/v2/{repository}/manifests/{digest_of(pushed)}", content=pushed, headers={"Content-Type": MANIFEST}
    )

    assert (answer.status_code, answer.headers["OCI-Subject"]) == (201, image.digest)


@pytest.mark.row("P10")
@pytest.mark.parametrize("path", ["/", "/v2", "/v1/_ping", "/v2/team/app"])
def test_what_is_not_the_registry_api_is_404(ecr: httpx2.Client, path: str) -> None:
    assert ecr.get(path).status_code == 404


@pytest.mark.row("P11")
def test_a_blob_is_mounted_from_another_repository_of_the_account(
    ecr: httpx2.Client, publisher: Publisher, repository: str
) -> None:
    digest = publisher.blob(f"{repository}/source", b"shared")

    mounted = ecr.post(f"/v2/{repository}/blobs/uploads/?mount={digest}&from={repository}/source")

    assert mounted.status_code == 201
    assert ecr.head(f"/v2/{repository}/blobs/{digest}").status_code == 200


@pytest.mark.row("P12")
def test_two_accounts_have_nothing_in_common(
    client: httpx2.Client, ecr: httpx2.Client, world: World, authorization: str, repository: str
) -> None:
    elsewhere = world.registry_host(world.other_account)
    Publisher(client, elsewhere, authorization).image(repository, "1", [b"theirs"])

    answer = ecr.get(f"/v2/{repository}/manifests/1")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "NAME_UNKNOWN")


@pytest.mark.row("P13")
def test_an_account_has_another_registry_in_each_region(
    ecr: httpx2.Client, trust: ssl.SSLContext, control: Control, publisher: Publisher, world: World, repository: str
) -> None:
    publisher.blob(repository, b"here")
    digest = digest_of(b"there")
    headers = {"Authorization": f"Basic {control.issue_token(world.replica_region).authorization}"}

    with httpx2.Client(
        verify=trust, trust_env=False, headers=headers, base_url=f"https://{world.replica_host}"
    ) as client:
        started = client.post(f"/v2/{repository}/blobs/uploads/")
        pushed = client.put(f"{started.headers['Location']}&digest={digest}", content=b"there")
        there = client.head(f"/v2/{repository}/blobs/{digest}")

    assert (pushed.status_code, there.status_code) == (201, 200)
    assert ecr.head(f"/v2/{repository}/blobs/{digest}").status_code == 404


@pytest.mark.row("P14")
def test_no_answer_to_a_push_names_the_storage(ecr: httpx2.Client, world: World, repository: str) -> None:
    started = ecr.post(f"/v2/{repository}/blobs/uploads/")

    assert started.headers["Location"].startswith(f"https://{world.ecr_host}/v2/{repository}/blobs/uploads/")
    done = ecr.put(httpx2.URL(started.headers["Location"]).copy_add_param("digest", digest_of(b"x")), content=b"x")
    assert done.headers["Location"] == f"https://{world.ecr_host}/v2/{repository}/blobs/{digest_of(b'x')}"
