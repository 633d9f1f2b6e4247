"""A `frontdoor.toml` is accepted, or refused with every mistake at once."""

from pathlib import Path

import pytest

from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings import Settings, parse_json, parse_toml, to_json
from tests.unit.settings.files import SMALLEST, mistakes

ROOT = Path(__file__).parents[3]


def test_the_smallest_file_gives_the_defaults() -> None:
    settings = parse_toml(SMALLEST, "my.toml")
    assert settings.names.template_config_map == "aws-registry-proxy-tpl"
    assert settings.names.config_map == "aws-registry-proxy-config"
    assert settings.names.secret == "aws-registry"
    assert settings.registries[0].repositories == ("*",)
    assert settings.refresh.period_minutes == 240
    assert settings.manifests == "kubectl"


def test_the_file_in_the_repository_is_valid() -> None:
    assert parse_toml((ROOT / "frontdoor.toml").read_text(), "frontdoor.toml").domain == "registry.shrd.example.net"


def test_settings_survive_the_lambdas_bundle_unchanged() -> None:
    settings = parse_toml((ROOT / "frontdoor.toml").read_text(), "frontdoor.toml")
    assert parse_json(to_json(settings), "settings.json") == settings


def test_one_table_instead_of_a_list_is_refused_with_the_right_syntax() -> None:
    (found,) = mistakes(SMALLEST.replace("[[registries]]", "[registries]"))
    assert "tables headed in double brackets like [[registries]]" in found


def test_an_exposure_without_a_kind_lists_the_kinds() -> None:
    (found,) = mistakes(SMALLEST.replace('kind = "service"', ""))
    assert found == "proxy.exposure.kind is missing: must be one of 'gateway', 'ingress', 'nlb', 'pod', 'service'"


def test_every_table_of_a_wrong_type_is_refused_in_the_terms_of_toml() -> None:
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


def test_a_byte_order_mark_is_accepted() -> None:
    assert parse_toml(f"\ufeff{SMALLEST}", "my.toml") == parse_toml(SMALLEST, "my.toml")


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "9" * 5000])
def test_a_file_that_python_cannot_parse_gives_one_message(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^my\.toml is not TOML"):
        parse_toml(text, "my.toml")


def test_all_mistakes_are_reported_at_once() -> None:
    text = SMALLEST.replace('"shared"', "7").replace('"123456789012"', '"12"').replace('"service"', '"servce"')
    assert [line.split(" = ")[0] for line in mistakes(text)] == [
        "cluster.name",
        "registries[0].account",
        "proxy.exposure.kind",
    ]


def test_a_file_that_is_not_toml_is_refused_with_the_line() -> None:
    with pytest.raises(SettingsError, match=r"^my\.toml is not TOML: .*line 1"):
        parse_toml("domain = registry", "my.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"settings\.json is not JSON .*\. Fix: deploy the stack again"),
        ("[]", r"(?s)settings\.json has 1 mistake.*Fix: deploy the stack again"),
    ],
)
def test_wrong_settings_in_the_bundle_are_refused_with_the_fix(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_json(text, "settings.json")


def test_settings_cannot_be_changed_after_parsing() -> None:
    settings = parse_toml(SMALLEST, "my.toml")
    with pytest.raises(ValueError, match="frozen"):
        settings.domain = "other.example.net"  # type: ignore[misc]
    assert isinstance(settings, Settings)
