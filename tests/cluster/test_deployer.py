"""The kubectl that is no administrator: its Role is enough for the proxy's objects, and opens nothing else."""

import json
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from k8s_manifests import access_documents, proxy_documents
from lambda_fn.contract.objects import deployer_group, deployer_role
from lambda_fn.settings import IngressExposure, Settings
from testbed.sandbox.world import World

Object = dict[str, Any]
RBAC = "rbac.authorization.k8s.io"
SECRET_READER = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]


def kubectl(*words: str, objects: Sequence[Object] = ()) -> subprocess.CompletedProcess[str]:
    """Kubectl as the administrator, given a stream of objects as CDK's function gives it."""
    stream = "".join(json.dumps(item) for item in objects)
    return subprocess.run(["kubectl", *words], input=stream, capture_output=True, text=True, check=False)  # noqa: S603, S607 - our own


@dataclass(frozen=True)
class Deployer:
    """Kubectl in the deployment's group, in a namespace of the test's own."""

    settings: Settings

    @property
    def namespace(self) -> str:
        return self.settings.cluster.namespace

    def kubectl(self, *words: str, objects: Sequence[Object] = ()) -> subprocess.CompletedProcess[str]:
        # The API server gives an impersonated user the rights of these groups and of no other.
        group = deployer_group(self.namespace)
        return kubectl(*words, "--as=ecr-frontdoor-deployer", f"--as-group={group}", objects=objects)

    def apply(self, *objects: Object) -> subprocess.CompletedProcess[str]:
        return self.kubectl("apply", "-f", "-", objects=objects)

    def look_for_the_first_step(self) -> subprocess.CompletedProcess[str]:
        """What the stack's FirstStep has CDK's function do."""
        name = deployer_role(self.settings.names.workload)
        return self.kubectl("get", "-n", self.namespace, "role", name, "-o=jsonpath={.metadata.name}")


@pytest.fixture
def stranger(settings: Settings, world: World) -> Iterator[Deployer]:
    """A deployment before the administrator's step, with every kind of object an API server knows of itself."""
    del world
    exposure = IngressExposure(kind="ingress", class_name="nginx")
    proxy = settings.proxy.model_copy(update={"exposure": exposure})
    namespaced = settings.model_copy(update={"manifests": "namespaced", "proxy": proxy})
    yield Deployer(namespaced)
    kubectl("delete", "namespace", namespaced.cluster.namespace, "--ignore-not-found", "--wait=false")


@pytest.fixture
def deployer(stranger: Deployer) -> Deployer:
    """The same after it."""
    done = kubectl("apply", "-f", "-", objects=access_documents(stranger.settings))
    assert done.returncode == 0, done.stderr
    return stranger


def test_its_role_is_enough_to_apply_the_proxy_again_and_again_and_to_delete_it(deployer: Deployer) -> None:
    objects = proxy_documents(deployer.settings)
    first, second = deployer.apply(*objects), deployer.apply(*objects)
    assert (first.returncode, first.stdout.count(" created")) == (0, len(objects)), first.stderr
    assert (second.returncode, second.stdout.count(" created")) == (0, 0), second.stderr
    objects[0]["data"]["nginx.conf.j2"] += "# changed\n"
    assert " configured" in deployer.apply(objects[0]).stdout
    gone = deployer.kubectl("delete", "-f", "-", objects=objects)
    assert (gone.returncode, gone.stdout.count(" deleted")) == (0, len(objects)), gone.stderr


def test_before_the_first_step_everything_is_forbidden_and_the_role_that_is_missing_is_named(
    stranger: Deployer,
) -> None:
    refused = stranger.apply(*proxy_documents(stranger.settings))
    assert refused.returncode != 0
    assert refused.stdout == ""
    looked = stranger.look_for_the_first_step()
    assert looked.returncode != 0
    assert 'roles.rbac.authorization.k8s.io "aws-registry-proxy-deployer" is forbidden' in looked.stderr
    assert len(looked.stderr) < 1000, "CloudFormation takes 4096 bytes, and names and reasons around it count"


def test_after_the_first_step_the_role_is_found(deployer: Deployer) -> None:
    assert deployer.look_for_the_first_step().stdout == "aws-registry-proxy-deployer"


def test_it_may_not_apply_what_the_administrator_applied(deployer: Deployer) -> None:
    for item in access_documents(deployer.settings):
        item["metadata"]["labels"]["changed"] = "yes"
        refused = deployer.apply(item)
        assert "forbidden" in refused.stderr, item["metadata"]["name"]
        assert refused.returncode != 0


def grants(namespace: str) -> list[Object]:
    """What an attacker would write to have more rights."""
    name = f"more-{uuid.uuid4().hex[:8]}"
    metadata = {"name": name, "namespace": namespace}
    subjects = [{"kind": "Group", "name": f"ecr-frontdoor:deployer:{namespace}", "apiGroup": RBAC}]
    cluster_admin = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"}
    return [
        {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": SECRET_READER},
        {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": metadata}
        | {"subjects": subjects, "roleRef": cluster_admin},
        {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": SECRET_READER},
        {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name}}
        | {"subjects": subjects, "roleRef": cluster_admin},
    ]


def test_it_may_not_give_itself_more(deployer: Deployer) -> None:
    for item in grants(deployer.namespace):
        for how in ("create", "apply"):
            refused = deployer.kubectl(how, "-f", "-", objects=[item])
            assert "forbidden" in refused.stderr, (how, item["kind"])
            assert refused.returncode != 0


@pytest.mark.parametrize(
    "words",
    [
        ("get", "secrets", "aws-registry"),
        ("list", "secrets", ""),
        ("get", "configmaps", "aws-registry-proxy-config"),
        ("list", "configmaps", ""),
        ("delete", "deployments", "another-application"),
        ("get", "roles", "aws-registry-proxy-refresher"),
        ("escalate", "roles", "aws-registry-proxy-deployer"),
        ("create", "pods", ""),
        ("create", "serviceaccounts", ""),
        ("create", "secrets", ""),
    ],
    ids=" ".join,
)
def test_what_it_does_not_apply_is_out_of_reach(deployer: Deployer, words: tuple[str, str, str]) -> None:
    verb, resource, name = words
    where = f"{resource}/{name}" if name else resource
    assert deployer.kubectl("auth", "can-i", verb, where, "-n", deployer.namespace).stdout == "no\n"


def test_its_rights_end_at_its_namespace(deployer: Deployer) -> None:
    question = ("auth", "can-i", "create", "deployments", "-n")
    assert deployer.kubectl(*question, deployer.namespace).stdout == "yes\n"
    assert deployer.kubectl(*question, "default").stdout == "no\n"
