"""What CDK's own kubectl function leaves in a real cluster: after a rollback, an upgrade and a removal."""

import json
import os
import subprocess
import sys
import tarfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from lightkube import Client, KubeConfig

import k8s_manifests
from cli.doctor.checks import all_checks
from cli.doctor.context import CheckContext
from cli.doctor.examination import run
from cli.doctor.finding import Finding, Verdict
from cli.doctor.kubernetes import Kubernetes
from cli.doctor.removal import removal_checks
from cli.doctor.stack_resources import APPLIED_OBJECTS
from lambda_fn.settings import Settings
from testbed.sandbox.world import World
from tests.cluster.test_deployer import kubectl
from tests.fakes.aws import FakeAws

Object = dict[str, Any]
HANDLER = "package/custom-resource-handlers/dist/aws-eks-v2/kubectl-handler/apply/__init__.py"
"""In the package of CDK's library: the code of the function that the stack deploys."""
INVOKE = "import json, logging, sys, apply; logging.basicConfig(); apply.apply_handler(json.load(sys.stdin), None)"


@pytest.fixture(scope="session")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with CDK's function."""
    (library,) = (item for item in files("aws_cdk._jsii").iterdir() if item.name.startswith("aws-cdk-lib@"))
    folder = tmp_path_factory.mktemp("code")
    with tarfile.open(str(library)) as package:
        text = package.extractfile(HANDLER)
        assert text is not None
        (folder / "apply.py").write_bytes(text.read())
    return folder


@dataclass(frozen=True)
class Function:
    """CDK's function, with the real kubectl. `aws eks update-kubeconfig` is a script that writes a given file.

    Attributes:
        folder: Where its programs and its kubeconfig are.
        code: The function's.
        settings: Of the front door that it applies.
    """

    folder: Path
    code: Path
    settings: Settings

    @property
    def documents(self) -> list[Object]:
        return k8s_manifests.documents(self.settings)

    @property
    def namespace(self) -> list[Object]:
        return [one for one in self.documents if one["kind"] == "Namespace"]

    @property
    def others(self) -> list[Object]:
        return [one for one in self.documents if one["kind"] != "Namespace"]

    def log_in(self, script: str) -> None:
        """What `aws` does."""
        program = self.folder / "bin" / "aws"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o700)

    def __call__(self, request: str, objects: Sequence[Object]) -> subprocess.CompletedProcess[str]:
        properties = {"ClusterName": "shared", "Overwrite": "true", "Manifest": json.dumps(objects)}
        event = {"RequestType": request, "ResourceType": APPLIED_OBJECTS, "ResourceProperties": properties}
        return subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-c", INVOKE],
            input=json.dumps(event),
            cwd=self.code,
            env={
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "TEST_OUTDIR": str(self.folder),
                "HOME": str(self.folder),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def succeeds(self, request: str, objects: Sequence[Object]) -> None:
        done = self(request, objects)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def function(tmp_path: Path, code: Path, settings: Settings, world: World) -> Iterator[Function]:
    found = Function(tmp_path, code, settings)
    found.log_in(f"cp {world.kubeconfig} {tmp_path / 'kubeconfig'}")
    yield found
    kubectl("delete", "namespace", settings.cluster.namespace, "--ignore-not-found", "--wait=false")


@pytest.fixture
def tls_secret(function: Function) -> str:
    """The name of the operator's own secret; it is made once the namespace is there."""
    function.succeeds("Create", function.namespace)
    name = f"tls-{uuid.uuid4().hex[:8]}"
    made = kubectl("create", "secret", "generic", name, "-n", function.settings.cluster.namespace)
    assert made.returncode == 0, made.stderr
    return name


def is_there(function: Function, thing: str) -> bool:
    return kubectl("get", "-n", function.settings.cluster.namespace, thing).returncode == 0


def findings(function: Function, world: World) -> list[Finding]:
    """Those of the doctor on the objects that a removal left."""
    context = CheckContext(settings=function.settings, aws=FakeAws({}))
    config = KubeConfig.from_file(world.kubeconfig).get()
    client = Client(config, namespace=function.settings.cluster.namespace)
    context.__dict__["kubernetes"] = Kubernetes(client, cluster="shared")  # where cached_property keeps its value
    *_, objects = removal_checks(all_checks())
    with closing(context):
        return list(run(objects, context))


def test_after_the_rollback_of_a_first_deployment_the_second_try_finds_the_tls_secret(
    function: Function, tls_secret: str
) -> None:
    function.succeeds("Create", function.others)
    function.succeeds("Delete", function.others)
    assert not is_there(function, "deployment/aws-registry-proxy")
    assert is_there(function, f"secret/{tls_secret}")
    function.succeeds("Create", function.namespace)
    function.succeeds("Create", function.others)
    assert is_there(function, "deployment/aws-registry-proxy")
    assert is_there(function, f"secret/{tls_secret}")


def test_the_upgrade_of_a_manifest_that_had_the_namespace_in_it_keeps_the_namespace(function: Function) -> None:
    function.succeeds("Create", function.documents)
    function.succeeds("Update", function.others)
    function.succeeds("Create", function.namespace)
    # The rollback of the upgrade: the new resource is retained, the other gets the namespace back.
    function.succeeds("Update", function.documents)
    namespace = kubectl("get", "namespace", function.settings.cluster.namespace, "-o=jsonpath={.status.phase}")
    assert namespace.stdout == "Active"
    assert is_there(function, "deployment/aws-registry-proxy")


def test_the_doctor_finds_nothing_after_a_removal(function: Function, world: World) -> None:
    function.succeeds("Create", function.documents)
    function.succeeds("Delete", function.others)
    assert [(one.check, one.verdict) for one in findings(function, world)] == [("objects", Verdict.OK)]


def test_a_removal_whose_kubectl_may_delete_nothing_reports_success_and_the_doctor_names_what_is_left(
    function: Function, world: World
) -> None:
    function.succeeds("Create", function.documents)
    config = yaml.safe_load(world.kubeconfig.read_text())
    for user in config["users"]:
        user["user"]["as"] = "user-without-rights"
    without_rights = function.folder / "without-rights"
    without_rights.write_text(json.dumps(config))
    function.log_in(f"cp {without_rights} {function.folder / 'kubeconfig'}")
    done = function("Delete", function.others)
    assert (done.returncode, "forbidden" in done.stderr) == (0, True), done.stderr
    (one, *_) = [finding for finding in findings(function, world) if finding.verdict is Verdict.FAILED]
    assert "Deployment aws-registry-proxy (not deleted)" in one.message
    assert f"kubectl -n {function.settings.cluster.namespace} delete" in one.hint


def test_an_object_that_waits_for_a_finalizer_is_named_with_it(function: Function, world: World) -> None:
    function.succeeds("Create", function.documents)
    namespace = function.settings.cluster.namespace
    held = ("configmap/aws-registry-proxy-tpl", "-n", namespace)
    for finalizers in ('["example.net/held"]', "null"):
        patch = f'{{"metadata": {{"finalizers": {finalizers}}}}}'
        assert kubectl("patch", *held, "--type=merge", f"--patch={patch}").returncode == 0
        if finalizers != "null":
            kubectl("delete", *held, "--wait=false")
            assert "ConfigMap aws-registry-proxy-tpl (is being deleted, and waits for example.net/held)" in (
                findings(function, world)[0].message
            )


def test_a_removal_after_the_clusters_own_fails(function: Function) -> None:
    """`aws eks update-kubeconfig` comes before what the function swallows: hence DELETE_FAILED."""
    function.log_in("echo 'ResourceNotFoundException: No cluster found for name: shared.' >&2; exit 254")
    done = function("Delete", function.others)
    assert done.returncode != 0
    assert "update-kubeconfig" in done.stderr
