"""Public names that differ from ECR's, and routes that overlap."""

import re

import pytest

from lambda_fn.settings import Settings, parse_toml
from tests.fakes.repository_names import INVALID, VALID
from tests.unit.settings.files import SMALLEST, mistakes, with_line

FIRST, SECOND = "123456789012", "210987654321"


def with_tables(*tables: tuple[str, str]) -> str:
    """The smallest file with these tables of registries: each is an account, and lines."""
    single = re.search(r"\[\[registries\]\]\n(.*\n){2}", SMALLEST)
    assert single
    text = "".join(f'[[registries]]\naccount = "{of}"\nregion = "ap-southeast-2"\n{lines}\n' for of, lines in tables)
    return SMALLEST.replace(single[0], text)


def listed(*tables: tuple[str, list[str]]) -> str:
    return with_tables(*((account, f"repositories = {patterns}") for account, patterns in tables))


def settings_of(*tables: tuple[str, str]) -> Settings:
    return parse_toml(with_tables(*tables), "my.toml")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a/special/*", "a/*"),
        ("a/*", "a/special/*"),
        ("*", "b"),
        ("a*z", "a*"),
        ("a*", "ab*z"),
        ("a/*", "a"),
        ("a.b", "acb"),
        ("a/*", "b/*"),
        ("a*b", "a*c"),
    ],
)
def test_routes_that_are_apart_or_one_within_the_other_are_accepted(first: str, second: str) -> None:
    settings = parse_toml(listed((FIRST, [first]), (SECOND, [second])), "my.toml")
    assert [registry.repositories for registry in settings.registries] == [(first,), (second,)]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (["a", "b"], ["b"], "registries[0] and registries[1] both serve 'b'"),
        (["a/*"], ["c", "a/*"], "registries[0] and registries[1] both serve 'a/*'"),
        (["a*"], ["*a"], "registries[0] serves 'a*' and registries[1] serves '*a': these overlap"),
        (["team/*"], ["*-prod"], "registries[0] serves 'team/*' and registries[1] serves '*-prod': these overlap"),
        (["a*"], ["a**"], "registries[0] serves 'a*' and registries[1] serves 'a**': these overlap"),
    ],
)
def test_routes_of_two_tables_that_overlap_are_refused_with_both_names(
    first: list[str], second: list[str], message: str
) -> None:
    (found,) = mistakes(listed((FIRST, first), (SECOND, second)))
    assert f"registries: {message}" in found


def test_patterns_of_one_table_may_overlap() -> None:
    assert parse_toml(listed((FIRST, ["team/*", "*-prod"])), "my.toml").registries[0].repositories


def test_a_renamed_repository_and_a_pattern_of_another_table_may_not_be_equal() -> None:
    renamed = 'repositories = []\nrenames = { "base" = "images/base" }'
    (found,) = mistakes(with_tables((FIRST, 'repositories = ["base"]'), (SECOND, renamed)))
    assert "registries[0] and registries[1] both serve 'base'" in found


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('prefix = "images"', 'registries[0].prefix = "images": must be what names begin with, like platform/images/'),
        ('prefix = "Images/"', "registries[0].prefix"),
        ('prefix = "/images/"', "registries[0].prefix"),
        ('repositories = ["base/*"]\nstrip = "base"', 'registries[0].strip = "base": must be what names begin with'),
        ('repositories = ["base/*"]\nstrip = "base-"', "registries[0].strip"),
        (
            'repositories = ["base/*", "team/*"]\nstrip = "base/"',
            "registries[0]: repositories has 'team/*', which does not begin with strip = 'base/'",
        ),
        ('strip = "base/"', "registries[0]: repositories has '*', which does not begin with strip = 'base/'"),
        ('repositories = ["base/"]\nstrip = "base/"', "must be lower-case letters and digits, with one of"),
        ('renames = { "a/b" = "c/d" }', "registries[0]: renames is set and repositories is not"),
        ("repositories = []\nrenames = {}", "registries[0]: repositories = []: must have at least one entry"),
        (
            'repositories = ["a/b"]\nrenames = { "a/b" = "c/d" }',
            "registries[0]: repositories and renames both have 'a/b'. Fix: remove it from repositories",
        ),
        ('repositories = []\nrenames = { "a/*" = "c/d" }', "must be the name of one repository"),
        ('repositories = []\nrenames = { "a/b" = "c/*" }', "must be the name of one repository"),
        (
            'repositories = ["base/x"]\nstrip = "base/"',
            "registries[0]: 'base/x' would be 'x' in ECR, whose names have 2 to 256 characters",
        ),
        (f'repositories = ["{"a" * 250}"]\nprefix = "images/"', "in ECR, whose names have 2 to 256 characters"),
        (f'repositories = ["{"a/" * 33}*"]', "at most 32 slashes are allowed before the first *"),
    ],
    ids=str,
)
def test_names_that_cannot_be_meant_are_refused(line: str, message: str) -> None:
    (found,) = mistakes(with_line("[[registries]]", line))
    assert message in found


@pytest.mark.parametrize("name", INVALID)
def test_a_name_that_ecr_does_not_have_is_refused_everywhere(name: str) -> None:
    """As a pattern alone it may be shorter: `a*` is one."""
    renames = f'renames = {{ "{name}" = "{name}" }}'
    found = "\n".join(mistakes(with_line("[[registries]]", f"repositories = []\n{renames}")))
    assert found.count("must be the name of one repository") == 2
    if name.strip("a-") or len(name) > 256:
        (found,) = mistakes(with_line("[[registries]]", f"repositories = ['{name}', 'team/*']"))
        assert "must be lower-case letters and digits, with one of /, ., _, __ or any number of - between" in found


@pytest.mark.parametrize("name", [name for name in VALID if name.count("/") <= 32])
def test_a_name_that_ecr_has_may_be_a_pattern_and_a_renamed_repository(name: str) -> None:
    lines = f'repositories = ["{name}"]\nrenames = {{ "{name[:-1]}9" = "{name}" }}'
    assert parse_toml(with_line("[[registries]]", lines), "my.toml").registries[0].repositories == (name,)


@pytest.mark.parametrize("pattern", ["a*", "*", "a/*/b", "*-prod", "a/*-*", "a__*", "a--*b", "*.*", "**", "a*/b"])
def test_a_star_stands_where_a_word_could(pattern: str) -> None:
    text = with_line("[[registries]]", f"repositories = ['{pattern}']")
    assert parse_toml(text, "my.toml").registries[0].repositories == (pattern,)


@pytest.mark.parametrize("pattern", ["a//*", "*..b", "a/-*", "*/", "team/", "*-", "a*.-b", "/*", "*___*"])
def test_a_pattern_that_no_name_could_match_is_refused(pattern: str) -> None:
    (found,) = mistakes(with_line("[[registries]]", f"repositories = ['{pattern}']"))
    assert f'registries[0].repositories[0] = "{pattern}": must be lower-case letters and digits' in found


@pytest.mark.parametrize("prefix", ["a/", "a-", "a--", "a.", "a_", "a__", "a/b-"])
def test_a_prefix_ends_where_a_word_begins(prefix: str) -> None:
    text = with_line("[[registries]]", f"prefix = '{prefix}'")
    assert parse_toml(text, "my.toml").registries[0].prefix == prefix


@pytest.mark.parametrize("prefix", ["a//", "a..", "a/-", "a-/", "a___", "-", "a._"])
def test_a_prefix_that_no_name_could_begin_with_is_refused(prefix: str) -> None:
    (found,) = mistakes(with_line("[[registries]]", f"prefix = '{prefix}'"))
    assert f'registries[0].prefix = "{prefix}": must be what names begin with' in found


@pytest.mark.parametrize("strip", ["a..b/", "a-/", "-a/", "a//", "a/-b/"])
def test_a_strip_of_parts_that_no_name_could_have_is_refused(strip: str) -> None:
    found = "\n".join(mistakes(with_line("[[registries]]", f"repositories = ['team/*']\nstrip = '{strip}'")))
    assert f'registries[0].strip = "{strip}": must be what names begin with' in found


def test_tables_of_one_registry_may_have_prefixes_of_their_own() -> None:
    settings = settings_of(
        (FIRST, 'repositories = ["base/*"]\nstrip = "base/"\nprefix = "platform/images/"'),
        (FIRST, 'repositories = ["team/*"]'),
    )
    assert [route.ecr_pattern for registry in settings.registries for route in registry.routes] == [
        "platform/images/*",
        "team/*",
    ]


def test_tables_of_one_registry_have_the_same_endpoint() -> None:
    endpoint = f'endpoint = "{FIRST}.dkr-ecr.ap-southeast-2.on.aws"'
    (found,) = mistakes(with_tables((FIRST, 'repositories = ["a/*"]'), (FIRST, f'repositories = ["b/*"]\n{endpoint}')))
    assert "registries[1].endpoint differs from registries[0].endpoint, and both are 123456789012 in" in found


def test_a_canary_may_have_a_renamed_repository_and_no_name_of_ecr() -> None:
    renamed = with_line("[[registries]]", 'repositories = []\nrenames = { "base/python" = "images/python" }')
    canary = '[canary]\nreference = "latest"\nrepository = "{}"\n'
    assert parse_toml(renamed + canary.format("base/python"), "my.toml").canary
    (found,) = mistakes(renamed + canary.format("images/python"))
    assert "canary.repository = images/python: must be a repository that clients may pull" in found
