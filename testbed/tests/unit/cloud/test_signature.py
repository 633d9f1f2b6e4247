"""Signatures that botocore made, read and checked; and the same ones bent."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.auth import S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from testbed.sandbox.cloud.signature import Received, claim, is_genuine

KEY = Credentials("AKIAEXAMPLE", "a secret", "a session token")
REGION = "eu-west-1"


def by_header() -> Received:
    request = AWSRequest("POST", "https://api.ecr.eu-west-1.amazonaws.com/", headers={"X-Amz-Target": "T"}, data=b"{}")
    SigV4Auth(KEY, "ecr", REGION).add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Received("POST", str(request.url), headers | {"host": "api.ecr.eu-west-1.amazonaws.com"}, b"{}")


def by_header_as_javascript_does() -> Received:
    """The digest of the body is one of the signed headers: what the SDK for JavaScript sends, and so `cdk`."""
    digest = hashlib.sha256(b"{}").hexdigest()
    headers = {"X-Amz-Content-SHA256": digest, "amz-sdk-request": "attempt=1; max=3"}
    request = AWSRequest("POST", "https://api.ecr.eu-west-1.amazonaws.com/", headers=headers, data=b"{}")
    SigV4Auth(KEY, "ecr", REGION).add_auth(request)
    sent = {name.lower(): value for name, value in request.headers.items()}
    return Received("POST", str(request.url), sent | {"host": "api.ecr.eu-west-1.amazonaws.com"}, b"{}")


def by_query() -> Received:
    request = AWSRequest("GET", "https://sts.eu-west-1.amazonaws.com/?Action=A&B=", headers={"x-k8s-aws-id": "shared"})
    SigV4QueryAuth(KEY, "sts", REGION, expires=60).add_auth(request)
    return Received("GET", str(request.url), {"host": "sts.eu-west-1.amazonaws.com", "x-k8s-aws-id": "shared"})


def of_s3() -> Received:
    request = AWSRequest("GET", "https://b.s3.eu-west-1.amazonaws.com/a/key%20with%2Bsigns")
    S3SigV4QueryAuth(KEY, "s3", REGION, expires=60).add_auth(request)
    return Received("GET", str(request.url), {"host": "b.s3.eu-west-1.amazonaws.com"})


REQUESTS = [
    pytest.param(make(), id=make.__name__) for make in (by_header, by_header_as_javascript_does, by_query, of_s3)
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_signature_of_the_keys_owner_is_genuine(request_: Received) -> None:
    claimed = claim(request_)

    assert (claimed.key_id, claimed.region, claimed.session_token) == (KEY.access_key, REGION, KEY.token)
    assert is_genuine(request_, claimed, "a secret")


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_signature_of_another_key_is_not_genuine(request_: Received) -> None:
    assert not is_genuine(request_, claim(request_), "another secret")


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_signature_covers_method_host_and_path(request_: Received) -> None:
    claimed = claim(request_)

    assert not is_genuine(replace(request_, method="HEAD"), claimed, "a secret")
    assert not is_genuine(replace(request_, headers={**request_.headers, "host": "elsewhere"}), claimed, "a secret")
    assert not is_genuine(replace(request_, url=request_.url.replace(".com/", ".com/x")), claimed, "a secret")


def test_a_signature_covers_the_body() -> None:
    request = by_header()

    assert not is_genuine(replace(request, body=b"{ }"), claim(request), "a secret")


def test_a_signature_covers_the_query() -> None:
    request = by_query()

    assert not is_genuine(replace(request, url=request.url.replace("Action=A", "Action=B")), claim(request), "a secret")


@pytest.mark.parametrize("cluster", ["other", None])
def test_a_signed_header_must_arrive_as_it_was(cluster: str | None) -> None:
    request = by_query()
    headers = {"host": request.headers["host"]} | ({"x-k8s-aws-id": cluster} if cluster else {})

    assert not is_genuine(replace(request, headers=headers), claim(request), "a secret")


def test_a_presigned_request_is_late_after_its_own_span() -> None:
    claimed = claim(by_query())

    assert not claimed.is_expired(claimed.signed_at + timedelta(seconds=60))
    assert claimed.is_expired(claimed.signed_at + timedelta(seconds=61))


def test_a_request_signed_by_header_is_late_after_a_quarter_of_an_hour() -> None:
    claimed = claim(by_header())

    assert not claimed.is_expired(datetime.now(UTC))
    assert claimed.is_expired(claimed.signed_at + timedelta(minutes=16))


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(Received("GET", "https://x/", {}), id="unsigned"),
        pytest.param(Received("GET", "https://x/", {"authorization": "Basic abc"}), id="basic"),
        pytest.param(Received("GET", "https://x/?X-Amz-Signature=1", {}), id="incomplete"),
        pytest.param(
            Received("GET", "https://x/", {"authorization": "AWS4-HMAC-SHA256 Credential=a/b"}), id="short-scope"
        ),
    ],
)
def test_what_is_not_signed_has_no_claim(request_: Received) -> None:
    with pytest.raises(ValueError, match=r"signature|unpack"):
        claim(request_)


def test_a_claim_hides_its_signature_and_token() -> None:
    claimed = claim(by_query())

    assert claimed.signature not in repr(claimed)
    assert claimed.session_token not in repr(claimed)
