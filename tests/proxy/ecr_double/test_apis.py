"""The AWS APIs: rows W of docs/ecr-double.md."""

import base64
import datetime as dt
from typing import Any

import boto3
import botocore.session
import httpx2
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from sandbox.cloud.behaviour import Behaviour
from sandbox.cloud.control import Control
from sandbox.cloud.tokens import fingerprint
from sandbox.world import World

NO_RETRIES = Config(retries={"total_max_attempts": 1}, proxies={})


@pytest.fixture
def refresher(world: World, control: Control) -> boto3.Session:
    """The Lambda's role, assumed through STS by the operator of the credentials file."""
    control.reset()
    profile = botocore.session.Session()
    profile.set_config_variable("credentials_file", str(world.cloud / "credentials"))
    profile.set_config_variable("profile", "refresher")
    return boto3.Session(botocore_session=profile)


@pytest.fixture
def bundle(world: World) -> str:
    return str(world.ca.certificate)


def api(session: boto3.Session, service: str, bundle: str, **options: Any) -> Any:  # noqa: ANN401
    return session.client(service, verify=bundle, config=NO_RETRIES, **options)  # type: ignore[call-overload]


def with_keys(region: str, key_id: str, secret: str, token: str | None = None) -> boto3.Session:
    return boto3.Session(
        region_name=region, aws_access_key_id=key_id, aws_secret_access_key=secret, aws_session_token=token
    )


def keys_of(session: boto3.Session) -> tuple[str, str, str]:
    found = session.get_credentials()
    assert found is not None
    key = found.get_frozen_credentials()
    return str(key.access_key), str(key.secret_key), str(key.token)


def code_of(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    return error.value.response["ResponseMetadata"]["HTTPStatusCode"], error.value.response["Error"]["Code"]


def test_get_authorization_token_has_the_shape_of_ecr(refresher: boto3.Session, bundle: str, world: World) -> None:
    (data,) = api(refresher, "ecr", bundle).get_authorization_token()["authorizationData"]

    assert data["proxyEndpoint"] == f"https://{world.ecr_host}"
    assert len(data["authorizationToken"]) == 6400
    assert base64.b64decode(data["authorizationToken"]).startswith(b"AWS:")
    assert dt.timedelta(hours=11, minutes=59) < data["expiresAt"] - dt.datetime.now(dt.UTC) <= dt.timedelta(hours=12)


def test_the_token_opens_the_registry(
    refresher: boto3.Session, bundle: str, client: httpx2.Client, world: World
) -> None:
    (data,) = api(refresher, "ecr", bundle).get_authorization_token()["authorizationData"]

    answer = client.get(
        f"{data['proxyEndpoint']}/v2/", headers={"Authorization": f"Basic {data['authorizationToken']}"}
    )

    assert answer.status_code == 200
    assert answer.url.host == world.ecr_host


def test_every_call_gives_another_token(refresher: boto3.Session, bundle: str) -> None:
    ecr = api(refresher, "ecr", bundle)

    tokens = {ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"] for _ in range(3)}

    assert len(tokens) == 3


def test_registry_ids_name_the_endpoints(refresher: boto3.Session, bundle: str, world: World) -> None:
    answer = api(refresher, "ecr", bundle).get_authorization_token(registryIds=[world.other_account])

    assert [data["proxyEndpoint"] for data in answer["authorizationData"]] == [
        f"https://{world.registry_host(world.other_account)}"
    ]


def test_size_and_lifetime_of_tokens_are_as_set(refresher: boto3.Session, bundle: str, control: Control) -> None:
    control.set(Behaviour(token_characters=16384, token_lifetime_seconds=60))

    (data,) = api(refresher, "ecr", bundle).get_authorization_token()["authorizationData"]

    assert len(data["authorizationToken"]) == 16384
    assert data["expiresAt"] - dt.datetime.now(dt.UTC) <= dt.timedelta(minutes=1)


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


@pytest.mark.usefixtures("control")
def test_an_unknown_access_key_is_refused(bundle: str, world: World) -> None:
    nobody = with_keys(world.region, "AKIANOBODY", "secret")

    with pytest.raises(ClientError) as ecr:
        api(nobody, "ecr", bundle).get_authorization_token()
    with pytest.raises(ClientError) as sts:
        api(nobody, "sts", bundle).get_caller_identity()

    assert code_of(ecr) == (400, "UnrecognizedClientException")
    assert code_of(sts) == (403, "InvalidClientTokenId")


def test_a_wrong_secret_is_refused(refresher: boto3.Session, bundle: str, world: World) -> None:
    key_id, _, token = keys_of(refresher)
    forger = with_keys(world.region, key_id, "guess", token)

    with pytest.raises(ClientError) as ecr:
        api(forger, "ecr", bundle).get_authorization_token()
    with pytest.raises(ClientError) as sts:
        api(forger, "sts", bundle).get_caller_identity()

    assert code_of(ecr) == (400, "InvalidSignatureException")
    assert code_of(sts) == (403, "SignatureDoesNotMatch")


def test_a_session_key_without_its_token_is_refused(refresher: boto3.Session, bundle: str, world: World) -> None:
    key_id, secret, _ = keys_of(refresher)
    thief = with_keys(world.region, key_id, secret)

    with pytest.raises(ClientError) as error:
        api(thief, "ecr", bundle).get_authorization_token()

    assert code_of(error) == (400, "UnrecognizedClientException")


def test_a_signature_for_another_region_is_refused(refresher: boto3.Session, bundle: str, world: World) -> None:
    here = f"https://api.ecr.{world.region}.amazonaws.com"

    elsewhere = with_keys("eu-west-1", *keys_of(refresher))

    with pytest.raises(ClientError) as error:
        api(elsewhere, "ecr", bundle, endpoint_url=here).get_authorization_token()

    assert code_of(error) == (400, "InvalidSignatureException")


def test_an_assumed_role_is_who_it_says(refresher: boto3.Session, bundle: str, world: World) -> None:
    identity = api(refresher, "sts", bundle).get_caller_identity()

    assert identity["Account"] == world.account
    assert identity["Arn"].startswith(f"arn:aws:sts::{world.account}:assumed-role/{world.refresher_role}/")


def presigned(refresher: boto3.Session, world: World, cluster: str, *, lifetime_seconds: int = 60) -> str:
    url = f"https://sts.{world.region}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest("GET", url, headers={"x-k8s-aws-id": cluster})
    credentials = Credentials(*keys_of(refresher))
    SigV4QueryAuth(credentials, "sts", world.region, expires=lifetime_seconds).add_auth(request)
    return str(request.url)


def ask_identity(client: httpx2.Client, url: str, cluster: str | None) -> httpx2.Response:
    named = {} if cluster is None else {"x-k8s-aws-id": cluster}
    return client.get(url, headers={"Accept": "application/json"} | named)


def test_a_presigned_identity_is_json_for_who_asks_for_json(
    refresher: boto3.Session, client: httpx2.Client, world: World
) -> None:
    answer = ask_identity(client, presigned(refresher, world, world.cluster), world.cluster)

    assert answer.status_code == 200
    result = answer.json()["GetCallerIdentityResponse"]["GetCallerIdentityResult"]
    assert result["Account"] == world.account
    assert result["Arn"].startswith(f"arn:aws:sts::{world.account}:assumed-role/{world.refresher_role}/")
    assert result["UserId"].startswith("AROA")


@pytest.mark.parametrize("cluster", ["another", None])
def test_a_presigned_identity_is_good_for_the_cluster_it_was_signed_for_alone(
    refresher: boto3.Session, client: httpx2.Client, world: World, cluster: str | None
) -> None:
    answer = ask_identity(client, presigned(refresher, world, world.cluster), cluster)

    assert (answer.status_code, "SignatureDoesNotMatch" in answer.text) == (403, True)


def test_a_presigned_identity_expires(refresher: boto3.Session, client: httpx2.Client, world: World) -> None:
    answer = ask_identity(client, presigned(refresher, world, world.cluster, lifetime_seconds=-1), world.cluster)

    assert (answer.status_code, "Signature expired" in answer.text) == (403, True)


def test_describe_cluster_gives_the_cluster_that_is_there(refresher: boto3.Session, bundle: str, world: World) -> None:
    cluster = api(refresher, "eks", bundle).describe_cluster(name=world.cluster)["cluster"]

    assert (cluster["name"], cluster["status"]) == (world.cluster, "ACTIVE")
    assert cluster["endpoint"] == world.api_url
    assert base64.b64decode(cluster["certificateAuthority"]["data"]) == world.ca.certificate.read_bytes()
    assert cluster["kubernetesNetworkConfig"]["serviceIpv4Cidr"] == world.service_cidr
    assert cluster["accessConfig"]["authenticationMode"] == "API"


def test_an_unknown_cluster_is_not_found(refresher: boto3.Session, bundle: str) -> None:
    with pytest.raises(ClientError) as error:
        api(refresher, "eks", bundle).describe_cluster(name="other")

    assert code_of(error) == (404, "ResourceNotFoundException")


def test_the_rest_of_ecrs_api_is_motos(refresher: boto3.Session, bundle: str) -> None:
    ecr = api(refresher, "ecr", bundle)

    with pytest.raises(ClientError) as error:
        ecr.describe_repositories(repositoryNames=["team/app"])

    assert code_of(error) == (400, "RepositoryNotFoundException")


def test_s3_answers_what_is_signed_in_the_header(refresher: boto3.Session, bundle: str, world: World) -> None:
    s3 = api(refresher, "s3", bundle, endpoint_url=f"https://{world.s3_host}")

    assert "starport" in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}


def test_the_journal_names_the_operation_and_hides_the_signature(
    refresher: boto3.Session, bundle: str, control: Control
) -> None:
    mark = control.mark()

    api(refresher, "ecr", bundle).get_authorization_token()

    (entry,) = control.requests(mark).of("ecr.GetAuthorizationToken")
    assert entry.headers["x-amz-security-token"] == fingerprint(keys_of(refresher)[2])
    assert "Signature=" not in entry.headers["authorization"]


def test_the_credentials_file_is_for_its_owner_alone(world: World) -> None:
    assert (world.cloud / "credentials").stat().st_mode & 0o777 == 0o600
