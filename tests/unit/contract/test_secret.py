import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_fn.contract import secret
from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.secret import Entry

AT = datetime(2026, 11, 23, 21, tzinfo=UTC)
ENTRIES = st.dictionaries(
    st.text("abc.", min_size=1, max_size=8),
    st.builds(
        Entry,
        authorization=st.text("ABCD+/=", min_size=1).map(Authorization),
        expires_at=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1)).map(  # noqa: DTZ001 - made aware below
            lambda at: at.replace(microsecond=0, tzinfo=UTC)
        ),
    ),
    min_size=1,
    max_size=4,
)


def data(**texts: str) -> dict[str, str]:
    return {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}


def docker_config(text: str) -> dict[str, str]:
    return {**data(expires_at="2026-11-23T21:00:00Z"), **data(**{".dockerconfigjson": text})}


@given(ENTRIES)
def test_what_is_built_is_parsed_again(entries: dict[str, Entry]) -> None:
    built = secret.build(entries, AT, AT)
    assert secret.parse(built) == entries
    assert secret.expires_at(built) == AT


def test_the_kubelet_finds_the_tokens_in_dockers_format_and_nginx_each_under_its_host() -> None:
    built = secret.build({"a": Entry(Authorization("dG9rZW4="), AT)}, AT, AT)
    assert json.loads(base64.b64decode(built[".dockerconfigjson"])) == {"auths": {"a": {"auth": "dG9rZW4="}}}
    assert base64.b64decode(built["a"]) == b"dG9rZW4="
    assert base64.b64decode(built["expires_at"]) == b"2026-11-23T21:00:00Z"


def test_a_secret_without_an_expiry_for_each_host_has_the_earliest_for_all() -> None:
    built = secret.build(
        {"a": Entry(Authorization("x"), AT), "b": Entry(Authorization("y"), AT + timedelta(hours=1))}, AT, AT
    )
    del built[secret.EXPIRES_AT_BY_HOST]
    assert {host: entry.expires_at for host, entry in secret.parse(built).items()} == {"a": AT, "b": AT}


@pytest.mark.parametrize("foreign", ['{"username": "x"}', '{"auth": "eA=="}', "1"])
def test_an_entry_that_no_refresh_wrote_is_left_out(foreign: str) -> None:
    built = secret.build({"a": Entry(Authorization("x"), AT)}, AT, AT)
    config = f'{{"auths": {{"a": {{"auth": "x"}}, "foreign.example": {foreign}}}}}'
    assert secret.parse(built | docker_config(config)) == {"a": Entry(Authorization("x"), AT)}


@pytest.mark.parametrize(
    ("found", "key"),
    [
        ({}, "expires_at"),
        (data(expires_at="tomorrow"), "expires_at"),
        (data(expires_at="2026-11-23T21:00:00Z"), ".dockerconfigjson"),
        (docker_config("hidden"), ".dockerconfigjson"),
        (docker_config('{"auths": {"a": {"auth": 1}}}'), ".dockerconfigjson"),
        (docker_config('{"auths": ["hidden"]}'), ".dockerconfigjson"),
        (docker_config('{"auths": {}}'), "auths"),
        ({**docker_config('{"auths": {"a": {"auth": "x"}}}'), **data(expires_at_by_host="[]")}, "expires_at_by_host"),
        ({**docker_config('{"auths": {}}'), ".dockerconfigjson": "%"}, ".dockerconfigjson"),
    ],
)
def test_a_damaged_secret_is_an_error_that_names_the_key_and_quotes_nothing(found: dict[str, str], key: str) -> None:
    with pytest.raises(ValueError, match=key) as caught:
        secret.parse(found)
    assert "hidden" not in str(caught.value)


def test_the_data_hides_itself() -> None:
    assert repr(secret.build({"a": Entry(Authorization("dG9rZW4="), AT)}, AT, AT)) == "{***}"
