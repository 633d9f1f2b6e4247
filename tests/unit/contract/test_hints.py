from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_fn.contract import hints
from lambda_fn.contract.hints import Hints, Image

NOW = datetime(2026, 11, 27, 2, tzinfo=UTC)
AT = int(NOW.timestamp())
HOST = "123456789012.dkr.ecr.ap-southeast-2.amazonaws.com"
LONGEST_HOST = "123456789012.dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn"


def image(number: int = 0, repository: str = "team/app", host: str = HOST) -> Image:
    return Image(host, repository, f"sha256:{number:064x}")


IMAGES = st.builds(image, st.integers(0, 20), st.sampled_from(["ab", "team/app", "a.b/c-d/e__f"]))
TIMES = st.dictionaries(IMAGES, st.integers(AT - 86_400, AT), max_size=12)


def test_the_format_is_one_line_for_an_image_with_the_oldest_first() -> None:
    built = hints.build(Hints({image(1): AT, image(2): AT - 60}, {}), now=NOW)
    assert built == {
        "gone": f"1795744740 {HOST}/team/app@sha256:{2:064x}\n1795744800 {HOST}/team/app@sha256:{1:064x}\n",
        "named": "",
    }


@given(TIMES, TIMES)
def test_what_is_built_is_parsed_again(deleted: dict[Image, int], named: dict[Image, int]) -> None:
    deleted = {each: at for each, at in deleted.items() if each not in named}
    assert hints.parse(hints.build(Hints(deleted, named), now=NOW)) == (Hints(deleted, named), 0)


def test_the_oldest_lines_go_first() -> None:
    deleted = {image(number): AT - number for number in range(6_000)}
    kept, _ = hints.parse(hints.build(Hints(deleted, {}), now=NOW))
    assert kept.deleted == {image(number): AT - number for number in range(5_000)}


def test_a_deletion_is_forgotten_after_thirty_days_and_what_an_operator_named_is_not() -> None:
    ages = {1: timedelta(days=30), 2: timedelta(days=30, seconds=1)}
    times = {image(number): int((NOW - age).timestamp()) for number, age in ages.items()}
    named = {image(3): AT - 86_400 * 400}
    kept, _ = hints.parse(hints.build(Hints(times, named), now=NOW))
    assert kept == Hints({image(1): times[image(1)]}, named)


def test_all_lines_of_the_longest_names_fit_into_a_config_map() -> None:
    longest = ["a" * 250 + f"{number:06d}" for number in range(5_000)]
    images = [image(0, repository, LONGEST_HOST) for repository in longest]
    built = hints.build(Hints(dict.fromkeys(images, AT), dict.fromkeys(images[:200], AT - 1)), now=NOW)
    assert 890_000 < len(built["gone"]) <= 900_000
    assert sum(map(len, built.values())) < 1_000_000
    kept, _ = hints.parse(built)
    assert set(kept.named) == set(images[:200]), "what an operator named is kept, although it is older"


@pytest.mark.parametrize(
    "line",
    [
        f"{AT}",
        f"{HOST}/team/app@sha256:{0:064x}",
        f"{AT}  {image()}",
        f"{AT} {image()} ",
        f" {AT} {image()}",
        f"{AT} {image()}\r",
        f"{AT}\t{image()}",
        f"-{AT} {image()}",
        f"99{AT} {image()}",
        f"{AT} docker.io/team/app@sha256:{0:064x}",
        f"{AT} {HOST}.example.net/team/app@sha256:{0:064x}",
        f"{AT} {HOST}/../app@sha256:{0:064x}",
        f"{AT} {HOST}/Team/App@sha256:{0:064x}",
        f"{AT} {HOST}/{'a' * 257}@sha256:{0:064x}",
        f"{AT} {HOST}/team/app:1.4",
        f"{AT} {HOST}/team/app@sha256:{'A' * 64}",
        f"{AT} {HOST}/team/app@sha256:{0:063x}",
        "\u0661" * 10 + f" {image()}",
        '{"gone": []}',
    ],
)
def test_a_line_of_another_format_is_counted_and_ignored(line: str) -> None:
    found, wrong = hints.parse({"gone": f"{line}\n{AT} {image(7)}\n"})
    assert (found, wrong) == (Hints({image(7): AT}, {}), 1)


def test_of_several_lines_of_an_image_the_latest_counts() -> None:
    found, _ = hints.parse({"gone": f"{AT} {image()}\n{AT - 5} {image()}\n"})
    assert found.deleted == {image(): AT}


def test_a_config_map_without_keys_has_no_hints() -> None:
    assert hints.parse({}) == (Hints({}, {}), 0)


@given(st.text("0 1\n\r@:/ab.\u0661", max_size=40))
def test_no_text_breaks_the_parser(text: str) -> None:
    hints.parse({"gone": text, "named": text})


def test_an_image_is_parsed_from_its_text() -> None:
    assert Image.parse(str(image(3))) == image(3)
    with pytest.raises(ValueError, match="is not <ECR host>/<repository>@sha256"):
        Image.parse("team/app:1.4")
