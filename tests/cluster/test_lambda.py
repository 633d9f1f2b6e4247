"""The handler under Lambda's runtime interface client, all behind it real; and nothing it emits holds a secret."""

import base64
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from lightkube.codecs import from_dict

import k8s_manifests
from lambda_fn import handler
from lambda_fn.contract import objects
from lambda_fn.contract.errors import FrontdoorError
from lambda_fn.contract.runtime import SETTINGS_FILE, TASK_ROOT
from lambda_fn.settings import Settings, to_json
from testbed.sandbox import image, installation
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.lambda_runtime import Invocation, invoke
from testbed.sandbox.world import World
from tests.cluster.site import Site
from tests.contract.cluster import template
from tests.fakes.context import FakeContext
from tests.leaks import leaks

Run = Callable[..., Invocation]
Warm = Callable[[], tuple[dict[str, Any] | str, dict[str, Any]]]


@pytest.fixture
def run(site: Site, world: World, lambda_role: boto3.Session, tmp_path: Path) -> Run:
    """Runs the Lambda with everything logged that can be switched on."""
    credentials = lambda_role.get_credentials()
    assert credentials is not None
    secrets = credentials.get_frozen_credentials()

    def run(event: object, settings: Settings | None = None) -> Invocation:
        environment = {
            "AWS_REGION": world.region,
            "AWS_ACCESS_KEY_ID": str(secrets.access_key),
            "AWS_SECRET_ACCESS_KEY": str(secrets.secret_key),
            "AWS_SESSION_TOKEN": str(secrets.token),
            "AWS_CA_BUNDLE": os.environ["AWS_CA_BUNDLE"],
            "SSL_CERT_FILE": os.environ["SSL_CERT_FILE"],
            "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
            "POWERTOOLS_LOG_LEVEL": "DEBUG",
            "POWERTOOLS_LOGGER_LOG_EVENT": "true",
            TASK_ROOT: str(tmp_path),
        }
        (tmp_path / SETTINGS_FILE).write_text(to_json(settings or site.settings), encoding="utf-8")
        done = invoke("lambda_fn.handler.handler", event, environment, 120)
        emitted = f"{done.payload} {json.dumps(done.error)} {done.log}"
        assert leaks(str(secrets.secret_key), emitted) == []
        assert leaks(str(secrets.token), emitted) == []
        return done

    return run


@pytest.fixture
def warm(
    site: Site,
    lambda_role: boto3.Session,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Warm:
    """Runs the handler in this process, with the state of a warm Lambda; returns the payload and the metrics."""
    credentials = lambda_role.get_credentials()
    assert credentials is not None
    secrets = credentials.get_frozen_credentials()
    environment = {
        "AWS_ACCESS_KEY_ID": str(secrets.access_key),
        "AWS_SECRET_ACCESS_KEY": str(secrets.secret_key),
        "AWS_SESSION_TOKEN": str(secrets.token),
        TASK_ROOT: str(tmp_path),
    }
    (tmp_path / SETTINGS_FILE).write_text(to_json(site.settings), encoding="utf-8")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # A new process has none; an earlier test's would keep that test's identity.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    def run() -> tuple[dict[str, Any] | str, dict[str, Any]]:
        capsys.readouterr()
        answer: dict[str, Any] | str
        try:
            answer = handler.handler({}, FakeContext(remaining_seconds=120))
        except FrontdoorError as error:
            answer = str(error)
        (counted,) = [line for line in json_lines(capsys.readouterr().out) if "_aws" in line]
        return answer, counted

    return run


def test_a_warm_lambda_carries_nothing_but_its_clients_from_run_to_run(
    site: Site, world: World, warm: Warm, control: Control
) -> None:
    site.create(template(site.settings))
    first, _ = warm()
    assert isinstance(first, dict)
    assert first["changed"] == ["Secret aws-registry", "ConfigMap aws-registry-proxy-config"]
    token = token_in_use(site, world)

    an_hour_from_now = f"{datetime.now(UTC) + timedelta(hours=1):%FT%TZ}"
    site.edit("Secret", site.settings.names.secret, ("stringData", "expires_at"), an_hour_from_now)
    with control.behaving(Behaviour(token_api_error="AccessDeniedException")):
        failure, counted = warm()
    assert "AccessDeniedException" in str(failure)
    assert counted["RefreshSucceeded"] == [0.0]
    assert 0 < counted["TokenSecondsRemaining"][0] <= 3600, "not the life of the token that is in the cluster"
    assert "RolloutsStuck" not in counted

    second, counted = warm()
    assert isinstance(second, dict)
    assert second["changed"] == ["Secret aws-registry"]
    assert token_in_use(site, world) != token
    assert counted["RefreshSucceeded"] == [1.0]


def test_a_failed_run_that_may_not_read_the_tokens_end_counts_what_the_instance_wrote_before(
    site: Site, warm: Warm, control: Control
) -> None:
    site.create(template(site.settings))
    _, counted = warm()
    (left_seconds,) = counted["TokenSecondsRemaining"]
    site.without_rule("get", "secrets", "aws-registry")
    with control.behaving(Behaviour(token_api_error="AccessDeniedException")):
        failure, counted = warm()
    assert "AccessDeniedException" in str(failure)
    assert (counted["RefreshSucceeded"], counted["TokensWritten"]) == ([0.0], [0.0])
    assert 0 < counted["TokenSecondsRemaining"][0] < left_seconds


def test_a_run_that_is_refused_an_apply_still_counts_the_end_of_the_token_in_the_cluster(
    site: Site, warm: Warm
) -> None:
    site.create(template(site.settings))
    warm()
    an_hour_from_now = f"{datetime.now(UTC) + timedelta(hours=1):%FT%TZ}"
    site.edit("Secret", site.settings.names.secret, ("stringData", "expires_at"), an_hour_from_now)
    site.without_rule("patch", "secrets", "aws-registry")
    failure, counted = warm()
    assert "patch" in str(failure)
    assert 0 < counted["TokenSecondsRemaining"][0] <= 3600


def token_in_use(site: Site, world: World) -> str:
    secret = site.read("Secret", site.settings.names.secret)
    assert secret is not None
    auths = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]
    return str(auths[world.ecr_host]["auth"])


def password(token: str) -> str:
    return base64.b64decode(token).decode().removeprefix("AWS:")


def lines(done: Invocation) -> list[dict[str, Any]]:
    return json_lines(done.log)


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def error_of(done: Invocation) -> str:
    assert done.error is not None, done.payload
    return f"{done.error['errorType']}: {done.error['errorMessage']}"


def test_a_run_writes_the_token_and_emits_it_nowhere(site: Site, world: World, run: Run, control: Control) -> None:
    del control
    site.create(template(site.settings, "# {{ domain }} {{ resolver }} {{ registries[0].host }}"))
    done = run({})
    assert done.error is None, done.log
    assert done.payload["changed"] == ["Secret aws-registry", "ConfigMap aws-registry-proxy-config"]
    configuration = site.read("ConfigMap", site.settings.names.config_map)
    assert configuration is not None
    assert configuration["data"]["nginx.conf"] == f"# {world.domain} {world.dns_address} {world.ecr_host}"
    token = token_in_use(site, world)
    for emitted in (done.log, json.dumps(done.payload), json.dumps(configuration)):
        assert leaks(token, emitted) == []
        assert leaks(password(token), emitted) == []
    (counted,) = [line for line in lines(done) if "_aws" in line]
    assert counted["RefreshSucceeded"] == [1.0]
    assert 43_000 < counted["TokenSecondsRemaining"][0] <= 43_200


def test_a_dry_run_writes_nothing_and_counts_nothing(site: Site, run: Run, control: Control) -> None:
    del control
    site.create(template(site.settings))
    done = run({"dry_run": True})
    assert done.error is None, done.log
    assert done.payload["changed"] == ["Secret aws-registry", "ConfigMap aws-registry-proxy-config"]
    assert site.read("Secret", site.settings.names.secret) is None
    assert not [line for line in lines(done) if "_aws" in line]


class Failure(NamedTuple):
    """What makes a run fail: the template, or how AWS behaves; and how the error begins."""

    text: str
    behaviour: Behaviour
    message: str


@pytest.mark.parametrize(
    "failure",
    [
        Failure("a", Behaviour(token_lifetime_seconds=3600), "RegistryError: GetAuthorizationToken in ap-southeast-2"),
        Failure(
            "a", Behaviour(token_api_error="AccessDeniedException"), "RegistryError: ECR in ap-southeast-2 gives no"
        ),
    ],
    ids=["short token", "no token"],
)
def test_a_failed_run_leaves_the_old_token_and_emits_neither_token(
    site: Site, world: World, run: Run, control: Control, failure: Failure
) -> None:
    site.create(template(site.settings))
    assert run({}).error is None
    before = token_in_use(site, world)
    site.create(template(site.settings, failure.text))
    control.set(failure.behaviour)
    done = run({})
    assert error_of(done).startswith(failure.message)
    assert token_in_use(site, world) == before
    # Every password of the double begins alike; the fresh one, which no other code has seen, is not known here.
    assert leaks(before, done.log) == []
    assert leaks(password(before)[:48], done.log) == []
    (logged,) = [line for line in lines(done) if line.get("level") == "ERROR"]
    assert f"{logged['error']}: {logged['message']}".startswith(failure.message)


@pytest.mark.parametrize(
    ("text", "line"),
    [("{{ domian }}", 1), ("# {{ domain }}\nlog_format debug '$authorization_for_ecr';\n", 2)],
    ids=["unknown name", "credential in a log format"],
)
def test_a_template_with_a_mistake_fails_the_run_and_the_secret_has_a_new_token(
    site: Site, world: World, run: Run, text: str, line: int
) -> None:
    site.create(template(site.settings))
    assert run({}).error is None
    before = token_in_use(site, world)
    configuration = site.cluster.read_configuration()
    assert configuration
    site.create(template(site.settings, text))
    done = run({})
    assert error_of(done).startswith(
        f"UnrenderedTemplateError: nginx.conf.j2 of ConfigMap aws-registry-proxy-tpl, line {line}"
    )
    after = token_in_use(site, world)
    assert after != before
    assert leaks(after, done.log) == []
    assert site.cluster.read_configuration() == configuration


def test_a_stuck_rollout_names_the_pod_and_quotes_what_nginx_said(
    site: Site, world: World, run: Run, control: Control
) -> None:
    del control
    installation.push_images(world)
    proxy = site.settings.proxy.model_copy(update={"image": image.proxy_image(world)})
    settings = site.settings.model_copy(update={"proxy": proxy})
    for document in k8s_manifests.documents(settings):
        site.administrator.apply(from_dict(document), force=True)
    site.create(template(settings, "events {}\nnonsense on;\n"))
    done = run({}, settings)
    said = error_of(done)
    assert said.startswith("RolloutStuckError: ")
    assert "rollout of Deployment aws-registry-proxy" in said
    assert "0 of 2 pods" in said
    assert "pod aws-registry-proxy-" in said
    assert "container check-configuration" in said
    assert '[emerg] 1#1: unknown directive "nonsense" in /run/frontdoor/nginx.conf:2' in said
    (counted,) = [line for line in lines(done) if "_aws" in line]
    assert (counted["RefreshSucceeded"], counted["PodsReady"], counted["Rollouts"]) == ([0.0], [0.0], [1.0])
    assert counted["RolloutsStuck"] == [1.0]
    assert counted["TokenSecondsRemaining"][0] > 43_000
    deployment = site.read("Deployment", settings.names.workload)
    assert objects.CONFIG_SHA256 in json.dumps(deployment)
    token = token_in_use(site, world)
    for emitted in (done.log, json.dumps(done.error), json.dumps(deployment, default=str)):
        assert leaks(token, emitted) == []
        assert leaks(password(token), emitted) == []
