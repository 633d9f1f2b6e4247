"""Parse, don't trust: every way in which ECR's answer may be wrong is an error that says which."""

import base64
import copy
import logging
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import RegistryError
from lambda_fn.job.credential import Credential, parse, registry_host
from lambda_fn.settings import Registry

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TWO_RUNS = timedelta(minutes=495)
REGION = "ap-southeast-2"
HOST = f"123456789012.dkr.ecr.{REGION}.amazonaws.com"


def token(text: str = "AWS:hunter2hunter2") -> str:
    return base64.b64encode(text.encode()).decode()


def entry(**changes: object) -> dict[str, Any]:
    usual = {
        "authorizationToken": token(),
        "proxyEndpoint": f"https://{HOST}",
        "expiresAt": NOW + timedelta(hours=12),
    }
    return {"authorizationData": [{key: value for key, value in {**usual, **changes}.items() if value is not None}]}


def parsed(response: dict[str, Any]) -> Credential:
    return parse(response, region=REGION, now=NOW, must_outlive=TWO_RUNS)


def test_a_good_answer_becomes_a_credential_with_the_token_verbatim() -> None:
    found = parsed(entry())
    assert (found.host, found.region, found.expires_at) == (HOST, REGION, NOW + timedelta(hours=12))
    assert found.authorization.reveal() == token()


@pytest.mark.parametrize("text", ["AWS:a:b:c", "AWS:a:"])
def test_a_password_may_hold_colons(text: str) -> None:
    assert parsed(entry(authorizationToken=token(text))).authorization.reveal() == token(text)


@given(st.binary(min_size=1, max_size=12_000))
def test_a_token_of_any_length_and_password_is_taken_verbatim(password: bytes) -> None:
    encoded = base64.b64encode(b"AWS:" + password).decode()
    assert parsed(entry(authorizationToken=encoded)).authorization.reveal() == encoded


def test_the_expiry_is_turned_into_utc() -> None:
    sydney = timezone(timedelta(hours=11))
    found = parsed(entry(expiresAt=(NOW + timedelta(hours=12)).astimezone(sydney)))
    assert found.expires_at.isoformat() == "2026-11-23T21:00:00+00:00"


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ({}, "without authorizationData"),
        ({"authorizationData": []}, "without authorizationData"),
        (entry(authorizationToken=None), "without an authorizationToken"),
        (entry(authorizationToken=""), "without an authorizationToken"),
        (entry(authorizationToken="QVdTOmh1bnRlcjI*"), "not base64"),
        (entry(authorizationToken="QVdTOmh1bnRlcjI"), "not base64"),
        (entry(authorizationToken="pässword"), "not base64"),
        (entry(authorizationToken=token("hunter2hunter2")), "has no colon: it must be user:password"),
        (entry(authorizationToken=token("AWS:")), "user or password is empty"),
        (entry(authorizationToken=token(":hunter2")), "user or password is empty"),
        (entry(proxyEndpoint=None), "proxyEndpoint None, which is not an ECR address"),
        (entry(proxyEndpoint="https://evil.example"), "'https://evil.example', which is not an ECR address"),
        (entry(proxyEndpoint=f"https://{HOST}.evil.example"), "not an ECR address"),
        (entry(proxyEndpoint=f"https://{HOST}/x"), "not an ECR address"),
        (entry(proxyEndpoint=f"https://user@{HOST}"), "not an ECR address"),
        (entry(proxyEndpoint=f"http://{HOST}"), "not an ECR address"),
        (entry(proxyEndpoint=HOST), "not an ECR address"),
        (
            entry(proxyEndpoint="https://123456789012.dkr.ecr.eu-west-1.amazonaws.com"),
            "proxyEndpoint of region eu-west-1",
        ),
        (entry(expiresAt=None), "without a usable expiresAt"),
        (entry(expiresAt="2026-11-23"), "'2026-11-23' is not an instant"),
        (entry(expiresAt=(NOW + TWO_RUNS * 2).replace(tzinfo=None)), "is not an instant"),
        (entry(expiresAt=NOW), "expired at 2026-11-23T09:00:00Z. Fix: check the clock"),
        (
            entry(expiresAt=NOW + TWO_RUNS - timedelta(seconds=1)),
            "at 2026-11-23T17:14:59Z, before the second run from now (2026-11-23T17:15:00Z). Fix: shorten refresh",
        ),
    ],
)
def test_a_wrong_answer_is_an_error_that_says_what_is_wrong(response: dict[str, Any], message: str) -> None:
    with pytest.raises(RegistryError) as caught:
        parsed(response)
    assert f"GetAuthorizationToken in {REGION} answered" in str(caught.value)
    assert message in str(caught.value)
    assert ". Fix: " in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@given(st.text())
def test_any_text_for_a_token_is_taken_whole_or_refused_in_words_that_do_not_depend_on_it(text: str) -> None:
    fix = "check what the Lambda's DNS and AWS_ENDPOINT_URL lead to"
    refusals = {
        f"GetAuthorizationToken in {REGION} answered {reason}"
        for reason in (
            "without an authorizationToken. Fix: run again, then ask AWS support",
            f"with an authorizationToken that is not base64. Fix: {fix}",
            f"with an authorizationToken that has no colon: it must be user:password. Fix: {fix}",
            f"with an authorizationToken whose user or password is empty. Fix: {fix}",
        )
    }
    try:
        found = parsed(entry(authorizationToken=text))
    except RegistryError as error:
        assert str(error) in refusals  # noqa: PT017 - either outcome is right
    else:
        assert found.authorization.reveal() == text


@given(st.text())
def test_any_endpoint_that_is_not_an_ecr_host_is_refused(endpoint: str) -> None:
    with pytest.raises(RegistryError, match="not an ECR address"):
        parsed(entry(proxyEndpoint=endpoint))


@pytest.mark.parametrize(
    ("registry", "host"),
    [
        (Registry(account="123456789012", region=REGION), HOST),
        (Registry(account="210987654321", region=REGION), f"210987654321.dkr.ecr.{REGION}.amazonaws.com"),
        (
            Registry(account="123456789012", region=REGION, endpoint=f"123456789012.dkr-ecr.{REGION}.on.aws"),
            f"123456789012.dkr-ecr.{REGION}.on.aws",
        ),
    ],
)
def test_a_registrys_host_is_its_endpoint_or_the_credentials_host_with_its_account(
    registry: Registry, host: str
) -> None:
    assert registry_host(registry, parsed(entry())) == host


def test_a_token_with_a_character_outside_base64_is_refused() -> None:
    with pytest.raises(RegistryError, match="not base64"):
        parsed(entry(authorizationToken=f"{token()[:8]}!{token()[8:]}"))


def test_a_token_that_expires_exactly_at_the_second_run_is_used_and_its_expiry_is_in_utc() -> None:
    east = timezone(timedelta(hours=10))
    found = parsed(entry(expiresAt=(NOW + TWO_RUNS).astimezone(east)))
    assert found.expires_at == NOW + TWO_RUNS
    assert found.expires_at.tzinfo is UTC


def test_a_host_in_another_partition_keeps_its_domain() -> None:
    response = entry(proxyEndpoint="https://123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn")
    found = parse(response, region="cn-north-1", now=NOW, must_outlive=TWO_RUNS)
    registry = Registry(account="210987654321", region="cn-north-1")
    assert registry_host(registry, found) == "210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn"


def test_an_authorization_hides_itself_wherever_it_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    found = parsed(entry())
    logging.getLogger("test").warning("%s %r %s", found, found.authorization, f"{found.authorization}")
    shown = f"{found} {found!r} {found.authorization!s} {[found.authorization]} {caplog.text}"
    assert token() not in shown
    assert shown.count("Authorization(***)") == 7


@pytest.mark.parametrize("copying", [pickle.dumps, copy.copy, copy.deepcopy])
def test_an_authorization_is_neither_pickled_nor_copied(copying: object) -> None:
    assert callable(copying)
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        copying(Authorization("x"))


def test_authorizations_compare_by_value() -> None:
    assert Authorization("a") == Authorization("a")
    assert Authorization("a") != Authorization("b")
    assert Authorization("a") != "a"
    assert len({Authorization("a"), Authorization("a")}) == 1
