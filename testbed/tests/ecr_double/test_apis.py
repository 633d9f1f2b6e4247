"""The AWS APIs: rows W of testbed/docs/ecr-double.md."""

import base64
import datetime as dt

import boto3
import httpx2
import pytest
from botocore.exceptions import ClientError

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.tokens import fingerprint
from testbed.sandbox.world import World
from testbed.tests.ecr_double.callers import api, code_of, keys_of, with_keys


@pytest.mark.row("W1")
def test_get_authorization_token_has_the_shape_of_ecr(refresher: boto3.Session, bundle: str, world: World) -> None:
    (data,) = api(refresher, "ecr", bundle).get_authorization_token()["authorizationData"]

    assert data["proxyEndpoint"] == f"https://{world.ecr_host}"
    assert len(data["authorizationToken"]) == 6400
    assert base64.b64decode(data["authorizationToken"]).startswith(b"AWS:")
    assert dt.timedelta(hours=11, minutes=59) < data["expiresAt"] - dt.datetime.now(dt.UTC) <= dt.timedelta(hours=12)


@pytest.mark.row("W2")
def test_the_token_opens_the_registry(
    refresher: boto3.Session, bundle: str, client: httpx2.Client, world: World
) -> None:
    (data,) = api(refresher, "ecr", bundle).get_authorization_token()["authorizationData"]

    answer = client.get(
        f"{data['proxyEndpoint']}/v2/", headers={"Authorization": f"Basic {data['authorizationToken']}"}
    )

    assert answer.status_code == 200
    assert answer.url.host == world.ecr_host


@pytest.mark.row("W3")
def test_every_call_gives_another_token(refresher: boto3.Session, bundle: str) -> None:
    ecr = api(refresher, "ecr", bundle)

    tokens = {ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"] for _ in range(3)}

    assert len(tokens) == 3


@pytest.mark.row("W4")
def test_registry_ids_name_the_endpoints(refresher: boto3.Session, bundle: str, world: World) -> None:
    answer = api(refresher, "ecr", bundle).get_authorization_token(registryIds=[world.other_account])

    assert [data["proxyEndpoint"] for data in answer["authorizationData"]] == [
        f"https://{world.registry_host(world.other_account)}"
    ]


@pytest.mark.row("W5")
def test_size_and_lifetime_of_tokens_are_as_set(refresher: boto3.Session, bundle: str, control: Control) -> None:
    control.set(Behaviour(token_characters=16384, token_lifetime_seconds=60))

    (data,) = api(refresher, "ecr", bundle).get_authorization_token()["authorizationData"]

    assert len(data["authorizationToken"]) == 16384
    assert data["expiresAt"] - dt.datetime.now(dt.UTC) <= dt.timedelta(minutes=1)


@pytest.mark.row("W6")
@pytest.mark.parametrize(
    ("code", "status"), [("AccessDeniedException", 400), ("ThrottlingException", 400), ("ServerException", 500)]
)
def test_get_authorization_token_can_fail(
    refresher: boto3.Session, bundle: str, control: Control, code: str, status: int
) -> None:
    control.set(Behaviour.model_validate({"token_api_error": code}))

    with pytest.raises(ClientError) as error:
        api(refresher, "ecr", bundle).get_authorization_token()

    assert code_of(error) == (status, code)


@pytest.mark.row("W7")
@pytest.mark.usefixtures("control")
@pytest.mark.parametrize(
    ("host", "status", "code"),
    [
        ("api.ecr", 400, "MissingAuthenticationTokenException"),
        ("eks", 403, "MissingAuthenticationTokenException"),
        ("sts", 403, "MissingAuthenticationToken"),
    ],
)
def test_an_unsigned_request_is_refused(client: httpx2.Client, world: World, host: str, status: int, code: str) -> None:
    target = {"X-Amz-Target": "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"}

    answer = client.post(f"https://{host}.{world.region}.amazonaws.com/", headers=target, content=b"{}")

    assert answer.status_code == status
    assert f">{code}<" in answer.text or answer.json()["__type"] == code


@pytest.mark.row("W8")
@pytest.mark.usefixtures("control")
def test_an_unknown_access_key_is_refused(bundle: str, world: World) -> None:
    nobody = with_keys(world.region, "AKIANOBODY", "secret")

    with pytest.raises(ClientError) as ecr:
        api(nobody, "ecr", bundle).get_authorization_token()
    with pytest.raises(ClientError) as sts:
        api(nobody, "sts", bundle).get_caller_identity()

    assert code_of(ecr) == (400, "UnrecognizedClientException")
    assert code_of(sts) == (403, "InvalidClientTokenId")


@pytest.mark.row("W9")
def test_a_wrong_secret_is_refused(refresher: boto3.Session, bundle: str, world: World) -> None:
    key_id, _, token = keys_of(refresher)
    forger = with_keys(world.region, key_id, "guess", token)

    with pytest.raises(ClientError) as ecr:
        api(forger, "ecr", bundle).get_authorization_token()
    with pytest.raises(ClientError) as sts:
        api(forger, "sts", bundle).get_caller_identity()

    assert code_of(ecr) == (400, "InvalidSignatureException")
    assert code_of(sts) == (403, "SignatureDoesNotMatch")


@pytest.mark.row("W10")
def test_a_session_key_without_its_token_is_refused(refresher: boto3.Session, bundle: str, world: World) -> None:
    key_id, secret, _ = keys_of(refresher)
    thief = with_keys(world.region, key_id, secret)

    with pytest.raises(ClientError) as error:
        api(thief, "ecr", bundle).get_authorization_token()

    assert code_of(error) == (400, "UnrecognizedClientException")


@pytest.mark.row("W11")
def test_a_signature_for_another_region_is_refused(refresher: boto3.Session, bundle: str, world: World) -> None:
    here = f"https://api.ecr.{world.region}.amazonaws.com"

    elsewhere = with_keys("eu-west-1", *keys_of(refresher))

    with pytest.raises(ClientError) as error:
        api(elsewhere, "ecr", bundle, endpoint_url=here).get_authorization_token()

    assert code_of(error) == (400, "InvalidSignatureException")


@pytest.mark.row("W16")
def test_describe_cluster_gives_the_cluster_that_is_there(refresher: boto3.Session, bundle: str, world: World) -> None:
    cluster = api(refresher, "eks", bundle).describe_cluster(name=world.cluster)["cluster"]

    assert (cluster["name"], cluster["status"]) == (world.cluster, "ACTIVE")
    assert cluster["endpoint"] == world.api_url
    assert base64.b64decode(cluster["certificateAuthority"]["data"]) == world.ca.certificate.read_bytes()
    assert cluster["kubernetesNetworkConfig"]["serviceIpv4Cidr"] == world.service_cidr
    assert cluster["accessConfig"]["authenticationMode"] == "API"


@pytest.mark.row("W17")
def test_an_unknown_cluster_is_not_found(refresher: boto3.Session, bundle: str) -> None:
    with pytest.raises(ClientError) as error:
        api(refresher, "eks", bundle).describe_cluster(name="other")

    assert code_of(error) == (404, "ResourceNotFoundException")


@pytest.mark.row("W18")
def test_other_ecr_operations_are_motos(refresher: boto3.Session, bundle: str) -> None:
    ecr = api(refresher, "ecr", bundle)

    with pytest.raises(ClientError) as error:
        ecr.get_lifecycle_policy(repositoryName="team/app")

    assert code_of(error) == (400, "RepositoryNotFoundException")


@pytest.mark.row("W19")
def test_s3_answers_what_is_signed_in_the_header(refresher: boto3.Session, bundle: str, world: World) -> None:
    s3 = api(refresher, "s3", bundle, endpoint_url=f"https://{world.s3_host}")

    assert s3.list_buckets()["Buckets"] == []


@pytest.mark.row("W20")
def test_the_journal_names_the_operation_and_hides_the_signature(
    refresher: boto3.Session, bundle: str, control: Control
) -> None:
    mark = control.mark()

    api(refresher, "ecr", bundle).get_authorization_token()

    (entry,) = control.requests(mark).of("ecr.GetAuthorizationToken")
    assert entry.headers["x-amz-security-token"] == fingerprint(keys_of(refresher)[2])
    assert "Signature=" not in entry.headers["authorization"]


@pytest.mark.row("W21")
def test_the_credentials_file_is_for_its_owner_alone(world: World) -> None:
    assert (world.cloud / "credentials").stat().st_mode & 0o777 == 0o600
