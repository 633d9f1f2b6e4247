"""The token in the Secret: its age, its hosts, and whether ECR accepts it."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.doctor.checks import credential
from cli.doctor.finding import Finding, Verdict
from lambda_fn.contract.errors import RegistryError
from lambda_fn.settings import Replica, Settings
from tests.fakes.kubernetes import FakeKubernetes
from tests.unit.doctor import account
from tests.unit.doctor.account import SETTINGS, findings, with_cluster

OK, WARNING, FAILED = Verdict.OK, Verdict.WARNING, Verdict.FAILED
HOST = "123456789012.dkr.ecr.ap-southeast-2.amazonaws.com"
TOKEN = base64.b64encode(b"AWS:PRIVATE").decode()


class FakeEcr:
    """Accepts every token, cannot be reached, or refuses."""

    answer: str | None = None
    refuses = False

    def verify(self, host: str, _: object) -> str | None:
        if self.refuses:
            raise RegistryError(f"{host} refuses it")
        return self.answer


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> FakeEcr:
    fake = FakeEcr()
    monkeypatch.setattr(credential, "Ecr", lambda: fake)
    return fake


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def secret(hours_left: float = 11.9, host: str = HOST, changed: Mapping[str, str] | None = None) -> dict[str, Any]:
    # Half a minute more, so that a slow test does not cross a limit.
    expires_at = datetime.now(UTC) + timedelta(hours=hours_left, seconds=30)
    data = {
        "expires_at": encoded(f"{expires_at:%FT%TZ}"),
        ".dockerconfigjson": encoded(json.dumps({"auths": {host: {"auth": TOKEN}}})),
    }
    return {"kind": "Secret", "metadata": {"name": SETTINGS.names.secret}, "data": data | dict(changed or {})}


def found(*documents: dict[str, Any], settings: Settings = SETTINGS) -> list[Finding]:
    return findings(credential.CHECK, with_cluster(account.context(settings=settings), FakeKubernetes(documents)))


def with_replica() -> Settings:
    (registry,) = SETTINGS.registries
    replicas = (Replica(account="123456789012", region="ap-southeast-4"),)
    return SETTINGS.model_copy(update={"registries": (registry.model_copy(update={"replicas": replicas}),)})


@pytest.mark.usefixtures("ecr")
@pytest.mark.parametrize(
    ("hours_left", "verdict"),
    [
        (11.9, OK),
        (7.3, OK),  # 12 h, less a period of 4 h, a window of 15 min and half an hour for the run
        (7.2, WARNING),
        (4.01, WARNING),
        (3.9, FAILED),
        (-0.1, FAILED),
    ],
)
def test_the_age_of_the_token_has_its_verdict(hours_left: float, verdict: Verdict) -> None:
    age, host = found(secret(hours_left))
    assert (age.verdict, host.verdict) == (verdict, OK)
    assert "UTC" in age.message


@pytest.mark.usefixtures("ecr")
def test_a_missing_secret_is_a_failure() -> None:
    (one,) = found()
    assert one.verdict is FAILED
    assert SETTINGS.names.secret in one.message


@pytest.mark.usefixtures("ecr")
@pytest.mark.parametrize(
    "changed",
    [
        {"expires_at": "%%%"},
        {"expires_at": encoded("tomorrow")},
        {".dockerconfigjson": encoded('{"auths": []}')},
        {".dockerconfigjson": encoded('{"auths": {}}')},
        {".dockerconfigjson": encoded("{}")},
        {".dockerconfigjson": encoded(f'"{TOKEN}')},
    ],
    ids=str,
)
def test_a_damaged_secret_is_a_failure_that_quotes_no_value(changed: dict[str, str]) -> None:
    (one,) = found(secret(changed=changed))
    assert one.verdict is FAILED
    assert SETTINGS.names.secret in one.message
    assert TOKEN[:10] not in one.line


@pytest.mark.usefixtures("ecr")
def test_a_registry_without_a_token_is_named() -> None:
    (one,) = found(secret(host="210987654321.dkr.ecr.ap-southeast-2.amazonaws.com"))
    assert one.verdict is FAILED
    assert "123456789012 in ap-southeast-2" in one.message


def test_a_refused_token_is_a_failure(ecr: FakeEcr) -> None:
    ecr.refuses = True
    _, one = found(secret())
    assert one.verdict is FAILED
    assert HOST in one.message


def test_an_ecr_that_is_not_reachable_from_here_is_a_warning(ecr: FakeEcr) -> None:
    ecr.answer = "no route"
    _, one = found(secret())
    assert one.verdict is WARNING
    assert HOST in one.message


def test_the_token_of_a_replica_is_tested(ecr: FakeEcr) -> None:
    both = {host: {"auth": TOKEN} for host in (HOST, HOST.replace("southeast-2", "southeast-4"))}
    stored = secret(changed={".dockerconfigjson": encoded(json.dumps({"auths": both}))})
    assert [one.verdict for one in found(stored, settings=with_replica())] == [OK, OK, OK]
    ecr.refuses = True
    assert [one.verdict for one in found(stored, settings=with_replica())] == [OK, FAILED, WARNING]


@pytest.mark.usefixtures("ecr")
def test_a_replica_without_a_token_is_a_warning() -> None:
    *_, last = found(secret(), settings=with_replica())
    assert last.verdict is WARNING
    assert "the Secret has no token for replica 123456789012 in ap-southeast-4" in last.message
