"""`contact` goes into JSON strings in nginx's configuration: it can break neither."""

import json
import re

import pytest

from k8s_manifests.configuration import template
from lambda_fn.contract.errors import SettingsError
from lambda_fn.job.configuration import rendered
from lambda_fn.settings import parse_toml

TEXT = """
{line}
domain = "registry.shrd.example.net"
cluster = {{ name = "shared", region = "ap-southeast-2" }}
registries = [{{ account = "123456789012", region = "ap-southeast-2" }}]
proxy = {{ exposure = {{ kind = "service" }} }}
"""
ALLOWED = "#help; {a} <b@example.net> https://example.net/x?y=1&z=(2)|[3]%20~!*+,.-_^@:/="


def configuration(line: str) -> str:
    settings = parse_toml(TEXT.format(line=line), "frontdoor.toml")
    hosts = ("123456789012.dkr.ecr.ap-southeast-2.amazonaws.com",)
    return rendered(settings, hosts, "10.100.0.10", template())


def messages(text: str) -> list[str]:
    """As JSON strings, which they become in the body of an error."""
    return [json.loads(f'"{found}"') for found in re.findall(r"set \$error_message '(.*)';", text)]


def test_the_contact_is_in_the_messages_for_an_unknown_repository_a_push_and_a_503() -> None:
    text = configuration(f'contact = "{ALLOWED}"')
    assert [m for m in messages(text) if "allow-list" in m and m.endswith(f"; contact: {ALLOWED}")]
    for status in (405, 503):
        assert re.search(rf'^ +{status} ".*; contact: {re.escape(ALLOWED)}";$', text, re.MULTILINE)


def test_without_a_contact_no_message_mentions_one() -> None:
    assert "contact:" not in configuration("")


@pytest.mark.parametrize(
    "text", ["a'b", 'a"b', "a\\b", "a$b", "a\nb", "a\tb", "ä", "a`b", "", " ", " a", "a ", "a" * 201]
)
def test_a_contact_that_could_break_nginx_or_json_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="contact"):
        configuration(f"contact = {json.dumps(text, ensure_ascii=False)}")


def test_the_longest_contact_is_accepted() -> None:
    assert "x" * 200 in configuration(f'contact = "{"x" * 200}"')
