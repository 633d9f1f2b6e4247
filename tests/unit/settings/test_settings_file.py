"""A `frontdoor.toml` is read whole or answered with every mistake at once."""

from pathlib import Path

import pytest

from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings import ENVIRONMENT_NAME, Settings, parse_environment, parse_toml, to_environment
from tests.unit.settings.files import SMALLEST, mistakes

ROOT = Path(__file__).parents[3]


def test_the_smallest_file_gives_the_defaults_of_the_article() -> None:
    settings = parse_toml(SMALLEST, "my.toml")
    assert settings.names.template_config_map == "aws-registry-proxy-tpl"
    assert settings.names.config_map == "aws-registry-proxy-config"
    assert settings.names.secret == "aws-registry"
    assert settings.registries[0].repositories == ("*",)
    assert settings.refresh.period_minutes == 240
    assert settings.manifests == "kubectl"


def test_the_file_in_the_repository_is_valid() -> None:
    assert parse_toml((ROOT / "frontdoor.toml").read_text(), "frontdoor.toml").domain == "registry.shrd.example.net"


def test_settings_survive_the_lambdas_environment_unchanged() -> None:
    settings = parse_toml((ROOT / "frontdoor.toml").read_text(), "frontdoor.toml")
    assert parse_environment(to_environment(settings)) == settings


def test_tables_where_a_list_of_tables_belongs_are_answered_with_how_to_write_it() -> None:
    (found,) = mistakes(SMALLEST.replace("[[registries]]", "[registries]"))
    assert "tables headed in double brackets like [[registries]]" in found


def test_an_exposure_without_a_kind_lists_the_kinds() -> None:
    (found,) = mistakes(SMALLEST.replace('kind = "service"', ""))
    assert found == "proxy.exposure.kind is missing: must be one of 'ingress', 'nlb', 'pod', 'service'"


def test_every_table_given_as_something_else_is_answered_in_the_words_of_toml() -> None:
    found = mistakes("domain = []\ncluster = 'x'\nregistries = ['a']\nproxy = 3\nrefresh = []\nnames = 1.5\n")
    assert [line.split(" = ")[0] for line in found] == [
        "domain",
        "cluster",
        "registries[0]",
        "proxy",
        "refresh",
        "names",
    ]
    assert not [line for line in found if "valid" in line or "instance" in line]


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert parse_toml(f"\ufeff{SMALLEST}", "my.toml") == parse_toml(SMALLEST, "my.toml")


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "9" * 5000])
def test_a_file_beyond_what_python_reads_is_still_answered_in_one_message(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^my\.toml is not TOML"):
        parse_toml(text, "my.toml")


def test_all_mistakes_are_reported_at_once() -> None:
    text = SMALLEST.replace('"shared"', "7").replace('"123456789012"', '"12"').replace('"service"', '"servce"')
    assert [line.split(" = ")[0] for line in mistakes(text)] == [
        "cluster.name",
        "registries[0].account",
        "proxy.exposure.kind",
    ]


def test_a_file_that_is_no_toml_names_the_line() -> None:
    with pytest.raises(SettingsError, match=r"^my\.toml is not TOML: .*line 1"):
        parse_toml("domain = registry", "my.toml")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "FRONTDOOR_SETTINGS is missing: deploy the stack again"),
        ({ENVIRONMENT_NAME: "{"}, "FRONTDOOR_SETTINGS is not JSON .*: deploy the stack again"),
        ({ENVIRONMENT_NAME: "[]"}, r"(?s)FRONTDOOR_SETTINGS has 1 mistake.*: deploy the stack again"),
    ],
)
def test_a_broken_environment_says_to_deploy_again(environment: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_environment(environment)


def test_settings_cannot_be_changed_after_parsing() -> None:
    settings = parse_toml(SMALLEST, "my.toml")
    with pytest.raises(ValueError, match="frozen"):
        settings.domain = "other.example.net"  # type: ignore[misc]
    assert isinstance(settings, Settings)
