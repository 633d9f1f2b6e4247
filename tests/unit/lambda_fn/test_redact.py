"""Quoted text is short and has nothing that could be a credential."""

import pytest

from lambda_fn.job.redact import LINE_CHARACTERS, excerpt, redact
from tests.leaks import LeakCheck


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Authorization: Basic QVdTOmh1bnRlcg==", "Authorization: Basic ***"),
        ("authorization=Bearer abc.def", "authorization=Bearer ***"),
        ('{"authorization":"Basic QVdT"}', '{"authorization":"Basic ***"}'),
        ("GET /x?X-Amz-Signature=abcdef&X-Amz-Expires=60", "GET /x?X-Amz-Signature=***&X-Amz-Expires=60"),
        ("X-Amz-Security-Token=IQoJb3%2F;", "X-Amz-Security-Token=***;"),
        ("password=hunter2 user=AWS", "password=*** user=AWS"),
        (f"before {'QVdT' * 30}== after", "before *** after"),
        ('nginx: [emerg] unknown directive "foo" in /x.conf:3', 'nginx: [emerg] unknown directive "foo" in /x.conf:3'),
        (f"sha256:{'0' * 64}", f"sha256:{'0' * 64}"),
    ],
)
def test_what_looks_like_a_credential_is_redacted_and_nothing_else(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize("notation", ["Authorization: Basic {}", "{}", "config holds {} there"])
def test_a_token_is_redacted_wherever_it_stands(notation: str) -> None:
    canary = LeakCheck()
    assert canary.leaks(redact(notation.format(canary.authorization))) == []


def test_an_excerpt_is_one_line_of_bounded_length() -> None:
    assert excerpt("a\n  b\t c ") == "a b c"
    assert excerpt("x y " * 200) == f"{('x y ' * 200)[:LINE_CHARACTERS]}..."


def test_an_excerpt_has_no_control_characters() -> None:
    assert excerpt("no\x1b[2J \u202eend\x07") == "no [2J end"
