"""The installation of the front door in a bare cluster, with a platform engineer's tools.

Everything here runs inside the sandbox and can be repeated.
"""

import base64
import json
import os
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import httpx2

from lambda_fn.contract.metrics import NAMESPACE, SERVICE
from lambda_fn.contract.runtime import HANDLER, SETTINGS_FILE, TASK_ROOT
from lambda_fn.settings import Settings, parse_toml, to_json
from testbed.sandbox import image
from testbed.sandbox.access import grant_access
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.hosts import point_domain
from testbed.sandbox.kubectl import kubectl_apply, kubectl_json
from testbed.sandbox.lambda_runtime import Invocation, invoke
from testbed.sandbox.progress import say, step
from testbed.sandbox.world import World

TLS_SECRET = "registry-tls"  # noqa: S105 - the object's name
_FUNCTION_SECONDS = 240
SCHEDULED_EVENT = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.scheduler",
    "account": "123456789012",
    "time": "2026-11-23T08:00:00Z",
    "region": "ap-southeast-2",
    "resources": ["arn:aws:scheduler:ap-southeast-2:123456789012:schedule/default/refresh"],
    "detail": "{}",
}
"""What EventBridge Scheduler sends when its target has no input of its own."""

_SETTINGS = """\
domain = "{world.domain}"

[cluster]
name = "{world.cluster}"
region = "{world.region}"
namespace = "{world.namespace}"

[[registries]]
account = "{world.account}"
region = "{world.region}"
repositories = ["team/*"]

[refresh]
rollout_timeout_seconds = 120

[page]
catalogue = true

[proxy]
monitoring_namespace = "monitoring"
"""
_PROXY = """\
image = "{image}"
resolver = "{world.dns_address}"
drain_seconds = 300
resources = {{ cpu_request = "50m", memory_request = "64Mi" }}
"""
_EXPOSURE = f"""
[proxy.exposure]
kind = "pod"
tls_secret = "{TLS_SECRET}"
"""


def settings_file(world: World, more: str = "") -> Path:
    """The sandbox's `frontdoor.toml`, written again; `more` is TOML at its end, perhaps with another exposure."""
    path = world.state / "frontdoor.toml"
    path.write_text(toml(world, image=image.proxy_image(world), more=more))
    return path


def toml(world: World, *, image: str, more: str = "") -> str:
    """The text of the sandbox's settings, with the proxy's image; with `more` at its end.

    With an exposure of its own, `more` continues the table `[proxy]`.
    """
    exposure = "" if "[proxy.exposure]" in more else _EXPOSURE
    return _SETTINGS.format(world=world) + proxy_keys(world, image=image) + exposure + more


def proxy_keys(world: World, *, image: str) -> str:
    """What the sandbox's one small node needs of `[proxy]`, with the proxy's image."""
    return _PROXY.format(world=world, image=image)


def settings(world: World, more: str = "") -> Settings:
    """The settings of that file."""
    path = settings_file(world, more)
    return parse_toml(path.read_text(), str(path))


def push_images(world: World) -> None:
    """Push the application and the proxy to the private ECR, logged in as the operator."""
    for archive, reference in (
        (world.app_archive, world.app_image),
        (world.proxy_archive, image.proxy_image(world)),
    ):
        run(("crane", "push", archive, reference), environment=logged_in(world))


def push_new_layer(world: World, repository: str, size_bytes: int) -> str:
    """Push a layer that no client has pulled yet; returns its digest."""
    with httpx2.Client(verify=ssl.create_default_context(cafile=str(world.ca.certificate))) as client:
        token = Control().issue_token(world.region)
        return Publisher(client, world.ecr_host, token.authorization).blob(repository, os.urandom(size_bytes))


def logged_in(world: World) -> Mapping[str, str]:
    """The environment of a client that has logged in to the private ECR, as `aws ecr get-login-password` would."""
    answer = session(world, "default").client("ecr").get_authorization_token()
    folder = world.run / "docker"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    auths = {world.ecr_host: {"auth": answer["authorizationData"][0]["authorizationToken"]}}
    (folder / "config.json").write_text(json.dumps({"auths": auths}))
    return {**os.environ, "DOCKER_CONFIG": str(folder)}


def session(world: World, profile: str) -> boto3.Session:
    """AWS as the operator (`default`) or as the Lambda's role (`refresher`)."""
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(world.cloud / "credentials")
    return boto3.Session(profile_name=profile)


def apply_charts(world: World, more: str = "") -> None:
    """Apply the charts as GitOps users do, and the certificate of the domain; `more` is TOML for the settings."""
    objects = run((sys.executable, "-m", "cli.command", "manifests", "--config", settings_file(world, more)))
    kubectl_apply(objects)
    pair = world.pair("domain")
    data = {"tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes()}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": TLS_SECRET, "namespace": world.namespace},
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }
    kubectl_apply(json.dumps(secret))


def edit_template(world: World, line: str) -> None:
    """Add a line at the end of the nginx template, as an operator with `kubectl edit` would."""
    names = settings(world).names
    name = ("configmap", names.template_config_map, f"--namespace={world.namespace}")
    (key, template), *_ = kubectl_json("get", *name)["data"].items()
    run(("kubectl", "patch", *name, "--patch", json.dumps({"data": {key: f"{template.rstrip()}\n{line}\n"}})))


def grant_lambda_access(world: World) -> None:
    """Map the Lambda's role to the charts' group by an access entry."""
    grant_access(world, world.refresher_role_arn, [settings(world).refresher_group])


def refresh(world: World, event: Mapping[str, object], deployed: Settings | None = None) -> Invocation:
    """Run the real handler under Lambda's own runtime interface client, with the role's credentials.

    Args:
        world: The sandbox.
        event: What invokes it.
        deployed: Other settings in its bundle than the sandbox's own.
    """
    credentials = session(world, "refresher").get_credentials()
    if credentials is None:
        raise SandboxError(f"no credentials for the role {world.refresher_role} in {world.cloud / 'credentials'}")
    frozen = credentials.get_frozen_credentials()
    ca = str(world.ca.certificate)
    environment = {
        "AWS_REGION": world.region,
        "AWS_ACCESS_KEY_ID": frozen.access_key or "",
        "AWS_SECRET_ACCESS_KEY": frozen.secret_key or "",
        "AWS_SESSION_TOKEN": frozen.token or "",
        "AWS_CA_BUNDLE": ca,
        "SSL_CERT_FILE": ca,
        "POWERTOOLS_SERVICE_NAME": SERVICE,
        "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
    }
    with TemporaryDirectory() as bundle:
        (Path(bundle) / SETTINGS_FILE).write_text(to_json(deployed or settings(world)), encoding="utf-8")
        return invoke(HANDLER, event, environment | {TASK_ROOT: bundle}, timeout_seconds=_FUNCTION_SECONDS)


def point_domain_to_proxy(world: World) -> None:
    """Resolve the domain to the proxy's Service, as a DNS record would."""
    service = kubectl_json("get", "service", settings(world).names.workload, "--namespace", world.namespace)
    point_domain(world, service["spec"]["clusterIP"])


def proxy_pods(world: World) -> dict[str, int]:
    """Name -> restarts of the proxy's pods that are not being deleted."""
    return {
        pod["metadata"]["name"]: sum(status["restartCount"] for status in pod["status"].get("containerStatuses", []))
        for pod in proxy_pod_objects(world)
    }


def proxy_pod_objects(world: World) -> list[dict[str, Any]]:
    """The proxy's pods that are not being deleted, as Kubernetes has them."""
    selector = f"--selector=app.kubernetes.io/name={settings(world).names.workload}"
    pods = kubectl_json("get", "pods", "--namespace", world.namespace, selector)["items"]
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def install(world: World, more: str = "") -> Invocation:
    """Install everything, from the first image to the first pull; `more` is TOML for the settings.

    Raises:
        SandboxError: A tool failed; the installation can be repeated.
    """
    with step("pushing the images to the private ECR"):
        push_images(world)
    with step("applying the charts"):
        apply_charts(world, more)
        grant_lambda_access(world)
        point_domain_to_proxy(world)
    with step("running the Lambda and waiting for the rollout"):
        return refresh(world, {}, settings(world, more))


def main() -> int:
    """Install the front door in the sandbox this runs in."""
    try:
        invocation = install(World.current())
    except SandboxError as error:
        say(f"sandbox: {error}")
        return 1
    if invocation.error:
        say(f"sandbox: the Lambda failed: {invocation.error['errorMessage']}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
