"""ECR's tokens on a clock that is held."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.sandbox.cloud.tokens import Token, Tokens, Verdict, fingerprint

REGION = "ap-southeast-2"
PRINCIPAL = "arn:aws:sts::123456789012:assumed-role/refresher/session"
LIFETIME_SECONDS = 60.0


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> Tokens:
    return Tokens(clock)


def issue(tokens: Tokens, characters: int = 6400) -> Token:
    return tokens.issue(REGION, PRINCIPAL, characters=characters, lifetime_seconds=LIFETIME_SECONDS)


@given(st.integers(min_value=64, max_value=20_000))
def test_a_token_is_as_long_as_asked_to_the_base64_group(characters: int) -> None:
    token = issue(Tokens(Clock()), characters)

    assert len(token.authorization) == characters // 4 * 4
    assert base64.b64decode(token.authorization, validate=True).startswith(b"AWS:eyJ")
    assert token.authorization.endswith("=")


def test_a_token_is_valid_until_its_last_second(tokens: Tokens, clock: Clock) -> None:
    token = issue(tokens)
    header = f"Basic {token.authorization}"
    assert tokens.check(header, REGION) is Verdict.VALID

    clock.time = token.expires_at - timedelta(seconds=1)
    assert tokens.check(header, REGION) is Verdict.VALID

    clock.time = token.expires_at
    assert tokens.check(header, REGION) is Verdict.EXPIRED


def test_the_scheme_has_no_case(tokens: Tokens) -> None:
    assert tokens.check(f"basic {issue(tokens).authorization}", REGION) is Verdict.VALID


def test_a_valid_token_acts_as_its_principal(tokens: Tokens) -> None:
    assert tokens.principal(f"Basic {issue(tokens).authorization}") == PRINCIPAL


def test_expire_ends_the_named_token_alone(tokens: Tokens) -> None:
    doomed, spared = issue(tokens), issue(tokens)

    assert tokens.expire(fingerprint(doomed.authorization)) == 1

    assert tokens.check(f"Basic {doomed.authorization}", REGION) is Verdict.EXPIRED
    assert tokens.check(f"Basic {spared.authorization}", REGION) is Verdict.VALID
    assert tokens.expire() == 1
    assert tokens.expire() == 0


def test_a_token_hides_itself(tokens: Tokens) -> None:
    token = issue(tokens)

    assert token.authorization not in repr(token)
    assert fingerprint(token.authorization) in repr(token)
