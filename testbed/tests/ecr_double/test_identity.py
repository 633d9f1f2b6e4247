"""The caller's identity, by STS: rows W12 to W15 of testbed/docs/ecr-double.md."""

import boto3
import httpx2
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from testbed.sandbox.world import World
from testbed.tests.ecr_double.callers import api, keys_of


@pytest.mark.row("W12")
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


@pytest.mark.row("W13")
def test_a_presigned_identity_is_json_when_the_client_accepts_json(
    refresher: boto3.Session, client: httpx2.Client, world: World
) -> None:
    answer = ask_identity(client, presigned(refresher, world, world.cluster), world.cluster)

    assert answer.status_code == 200
    result = answer.json()["GetCallerIdentityResponse"]["GetCallerIdentityResult"]
    assert result["Account"] == world.account
    assert result["Arn"].startswith(f"arn:aws:sts::{world.account}:assumed-role/{world.refresher_role}/")
    assert result["UserId"].startswith("AROA")


@pytest.mark.row("W14")
@pytest.mark.parametrize("cluster", ["another", None])
def test_a_presigned_identity_is_valid_only_for_the_cluster_it_was_signed_for(
    refresher: boto3.Session, client: httpx2.Client, world: World, cluster: str | None
) -> None:
    answer = ask_identity(client, presigned(refresher, world, world.cluster), cluster)

    assert (answer.status_code, "SignatureDoesNotMatch" in answer.text) == (403, True)


@pytest.mark.row("W15")
def test_a_presigned_identity_expires(refresher: boto3.Session, client: httpx2.Client, world: World) -> None:
    answer = ask_identity(client, presigned(refresher, world, world.cluster, lifetime_seconds=-1), world.cluster)

    assert (answer.status_code, "Signature expired" in answer.text) == (403, True)
