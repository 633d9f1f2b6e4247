"""The check of wordings reads what people read, and nothing else."""

import pytest

from scripts.check_terms import allowed, findings, is_read, terms

TERMS = terms("# a comment\n\\bflibber(s|ed)?\\b\tfix\n\\bglooming\\b\tcircuit open\n")
FINE = allowed("encryption glooming\n")


def found(name: str, text: str) -> list[tuple[int, str, str]]:
    return [(finding.line, finding.found, finding.instead) for finding in findings(name, text, TERMS, FINE)]


def test_a_wording_is_found_in_a_document_with_its_line_and_replacement() -> None:
    assert found("a.md", "one\nWe flibbered it.\n") == [(2, "flibbered", "fix")]


@pytest.mark.parametrize(
    "text",
    [
        "x = 1  # flibber it\n",
        'x = "flibber it"\n',
        'x = f"flibber {x}"\n',
        '"""Say.\n\nflibber it\n"""\n',
        "def test_flibber_it() -> None: ...\n",
    ],
    ids=["comment", "string", "f-string", "docstring", "test name"],
)
def test_a_wording_is_found_wherever_python_has_prose(text: str) -> None:
    assert [instead for _, _, instead in found("a.py", text)] == ["fix"]


def test_an_identifier_is_not_prose() -> None:
    assert found("a.py", "flibber = 1\n") == []


def test_the_line_of_a_finding_counts_within_a_docstring() -> None:
    assert found("a.py", '"""Say.\n\nflibber it\n"""\n') == [(3, "flibber", "fix")]


def test_the_line_of_a_finding_counts_within_an_f_string() -> None:
    assert found("a.py", 'x = f"""Say {x}.\n\nflibber it\n"""\n') == [(3, "flibber", "fix")]


@pytest.mark.parametrize(
    "name",
    [
        ".ci/run",
        "docs/frontdoor.schema.json",
        "docs/paths.svg",
        "scripts/install",
        "testbed/sandbox/layer_server/main.go",
        "tests/njs/read_ahead.test.mjs",
    ],
)
def test_every_kind_of_text_is_read(name: str) -> None:
    assert is_read(name)


@pytest.mark.parametrize("name", ["LICENSE", "testbed/bench/results/clients.png", "scripts/terms.tsv", "no/file.md"])
def test_what_is_not_our_text_is_not_read(name: str) -> None:
    assert not is_read(name)


def test_an_allowed_use_is_not_a_finding() -> None:
    assert found("a.md", "encryption glooming, and ECR glooming") == [(1, "glooming", "circuit open")]


@pytest.mark.parametrize(("text", "named"), [("no tab here", "line 1"), ("(\tbad", "'('")])
def test_a_list_of_terms_that_cannot_be_used_is_refused_with_its_place(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named.replace("(", r"\(")):
        terms(text)
