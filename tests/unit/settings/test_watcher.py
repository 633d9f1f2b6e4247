import pytest

from lambda_fn.settings import parse_toml
from tests.unit.settings.files import SMALLEST


@pytest.mark.parametrize(
    ("tables", "has_watcher"),
    [
        ("", True),
        ("[watcher]\ndeletions = false\n", False),
        ("[watcher]\ndeletions = false\n[page]\ncatalogue = true\n", True),
        ("[page]\nenabled = false\n", True),
    ],
)
def test_the_watcher_exists_for_deletions_and_for_the_catalogue(tables: str, has_watcher: bool) -> None:  # noqa: FBT001 - a row of the table
    assert parse_toml(SMALLEST + tables, "my.toml").has_watcher is has_watcher


def test_the_group_of_the_watcher_is_that_of_its_namespace() -> None:
    text = SMALLEST.replace('name = "shared"', 'name = "shared"\nnamespace = "registry-b"')
    assert parse_toml(text, "my.toml").watcher_group == "ecr-frontdoor:watcher:registry-b"
