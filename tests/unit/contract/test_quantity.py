from decimal import Decimal

import pytest

from lambda_fn.contract.quantity import parse_quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("512Mi", Decimal(536870912)),
        ("1Gi", parse_quantity("1024Mi")),
        ("250m", Decimal("0.25")),
        ("0.5", parse_quantity("500m")),
        ("2k", Decimal(2000)),
        ("1e3", Decimal(1000)),
        ("1E", Decimal(10) ** 18),
        ("3", Decimal(3)),
    ],
)
def test_a_quantity_stands_for_its_number(text: str, number: Decimal) -> None:
    assert parse_quantity(text) == number


@pytest.mark.parametrize("text", ["", "Mi", "1 Gi", "1KiB", "one", "1.2.3"])
def test_other_text_is_not_a_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="not a Kubernetes quantity"):
        parse_quantity(text)
