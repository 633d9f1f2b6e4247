from datetime import UTC, datetime, timedelta, timezone

import pytest

from lambda_fn.contract.times import instant_text, parse_instant


def test_an_instant_is_written_in_utc() -> None:
    assert instant_text(datetime(2026, 11, 23, 21, tzinfo=timezone(timedelta(hours=1)))) == "2026-11-23T20:00:00Z"


def test_an_instant_is_read_as_it_was_written() -> None:
    assert parse_instant("2026-11-23T21:00:00Z") == datetime(2026, 11, 23, 21, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-11-23T21:00:00", "2026-11-23T21:00:00+00:00"])
def test_another_format_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="does not match format"):
        parse_instant(text)
