from collections.abc import Mapping

import pytest

from scripts.versions import Pin, minors, news, pins


def layer(declined: Mapping[int, str]) -> Pin:
    name, where = "aws-cdk.lambda-layer-kubectl-v{}", "stacks/kubectl.py"
    return Pin(key="layer", name=name, where=where, used=36, declined=declined)


def test_the_newest_version_is_no_news() -> None:
    assert list(news(layer({}), {35, 36})) == []


def test_a_newer_version_is_named_with_what_can_be_done() -> None:
    (message,) = news(layer({}), {36, 37})
    assert message.startswith(
        "aws-cdk.lambda-layer-kubectl-v37 exists, and the stack uses aws-cdk.lambda-layer-kubectl-v36"
    )
    assert "stacks/kubectl.py" in message
    assert "[layer] of scripts/versions.toml" in message


def test_a_declined_version_is_no_news() -> None:
    assert list(news(layer({37: "reason"}), {36, 37})) == []


def test_a_version_after_the_declined_one_is_news() -> None:
    (message,) = news(layer({37: "reason"}), {36, 37, 38})
    assert message.startswith("aws-cdk.lambda-layer-kubectl-v38 exists")


@pytest.mark.parametrize("minor", [35, 36])
def test_a_version_that_is_in_use_or_older_cannot_be_declined(minor: int) -> None:
    (message,) = news(layer({minor: "reason"}), {35, 36})
    assert message.startswith(f"[layer] of scripts/versions.toml declines {minor}, and the stack uses")


def test_a_version_that_does_not_exist_cannot_be_declined() -> None:
    """It would hide those before it."""
    (message,) = news(layer({99: "reason"}), {36, 37})
    assert "declines 99" in message
    assert "does not exist" in message


def test_runtimes_of_python_3_are_compared_by_number_and_not_by_letter() -> None:
    assert minors(["python2.7", "python3.10", "python3.9", "nodejs24.x", "python3.14"]) == {9, 10, 14}


@pytest.mark.parametrize("pin", pins(), ids=lambda pin: pin.key)
def test_what_is_declined_is_newer_than_what_is_used_and_has_a_reason(pin: Pin) -> None:
    assert list(news(pin, pin.known)) == []
    assert all(reason.strip() for reason in pin.declined.values())
