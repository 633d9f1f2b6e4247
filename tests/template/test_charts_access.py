"""The rights of the Lambda's group and of kubectl, verb by verb, and the pod security of the namespace."""

import pytest

from k8s_manifests import access_documents, documents, proxy_documents
from k8s_manifests.exposures import TargetGroups
from lambda_fn.settings import Settings
from testbed.generated import written
from tests.template import rbac
from tests.template.charts import INGRESS, NLB, NLB_AUTO_MODE, POD, SERVICE, find, settings


def given(of: Settings | None = None, *, name: str = rbac.REFRESHER) -> set[rbac.Permission]:
    """(verb, API group, resource, name) of each permission in the Role; None is any name."""
    return set(rbac.permissions(of or settings(), name))


def test_the_role_grants_exactly_the_needs_of_a_refresh() -> None:
    assert given() == {
        ("get", "", "configmaps", "aws-registry-proxy-tpl"),
        ("get", "", "configmaps", "aws-registry-proxy-config"),
        ("patch", "", "configmaps", "aws-registry-proxy-config"),
        ("create", "", "configmaps", None),
        ("get", "", "secrets", "aws-registry"),
        ("patch", "", "secrets", "aws-registry"),
        ("create", "", "secrets", None),
        ("get", "apps", "deployments", "aws-registry-proxy"),
        ("patch", "apps", "deployments", "aws-registry-proxy"),
        ("list", "", "pods", None),
        ("get", "", "pods/log", None),
    }


def test_the_document_for_reviewers_is_written_from_the_roles() -> None:
    assert written(rbac.DOCUMENT.read_text(encoding="utf-8")) == rbac.blocks(), "run `make docs`"


def test_every_reason_is_of_a_permission() -> None:
    assert sorted(rbac.reasons()["refresher"]) == sorted(map(rbac.key, rbac.permissions(settings(), rbac.REFRESHER)))
    assert sorted(rbac.reasons()["watcher"]) == sorted(
        set(map(rbac.key, rbac.permissions(settings(more="[page]\ncatalogue = true"), rbac.WATCHER)))
    )
    assert sorted(rbac.reasons()["deployer"]) == sorted({permission.resource for permission in rbac.deployer()})


def test_the_role_belongs_to_the_group_of_the_access_entry() -> None:
    found = settings(more='[names]\ngroup = "platform:registry"')
    binding = find("RoleBinding", found, name=rbac.REFRESHER)
    assert binding["subjects"] == [
        {"kind": "Group", "name": "platform:registry", "apiGroup": "rbac.authorization.k8s.io"}
    ]
    assert binding["roleRef"]["name"] == "aws-registry-proxy-refresher"


def test_the_watcher_reads_and_writes_its_config_map_and_nothing_else() -> None:
    assert given(name=rbac.WATCHER) == {
        ("get", "", "configmaps", "aws-registry-proxy-hints"),
        ("patch", "", "configmaps", "aws-registry-proxy-hints"),
        ("create", "", "configmaps", None),
    }
    binding = find("RoleBinding", settings(), name=rbac.WATCHER)
    group = f"ecr-frontdoor:watcher:{settings().cluster.namespace}"
    assert binding["subjects"] == [{"kind": "Group", "name": group, "apiGroup": "rbac.authorization.k8s.io"}]
    assert binding["roleRef"]["name"] == rbac.WATCHER


def test_without_a_watcher_there_is_no_role_for_it() -> None:
    found = access_documents(settings(more="[watcher]\ndeletions = false"))
    assert [one["metadata"]["name"] for one in found if one["kind"] == "Role"] == [rbac.REFRESHER]


def test_the_role_follows_the_names_of_the_objects() -> None:
    renamed = settings(more='[names]\nsecret = "other"\nworkload = "door"\nconfig_map = "conf"')
    named = {
        name for rule in find("Role", renamed, name="door-refresher")["rules"] for name in rule.get("resourceNames", [])
    }
    assert named == {"other", "door", "conf", "aws-registry-proxy-tpl"}


def test_the_namespace_refuses_pods_below_restricted() -> None:
    labels = find("Namespace", settings())["metadata"]["labels"]
    security = {k: v for k, v in labels.items() if k.startswith("pod-security.kubernetes.io/")}
    assert security == {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}


# Resources of the chart's kinds, with their API groups.
RESOURCES = {
    ("v1", "ConfigMap"): ("", "configmaps"),
    ("apps/v1", "Deployment"): ("apps", "deployments"),
    ("policy/v1", "PodDisruptionBudget"): ("policy", "poddisruptionbudgets"),
    ("elbv2.k8s.aws/v1beta1", "TargetGroupBinding"): ("elbv2.k8s.aws", "targetgroupbindings"),
    ("eks.amazonaws.com/v1", "TargetGroupBinding"): ("eks.amazonaws.com", "targetgroupbindings"),
}


@pytest.mark.parametrize(
    "exposure", [INGRESS, NLB, NLB_AUTO_MODE, POD, SERVICE], ids=["ingress", "nlb", "auto mode", "pod", "service"]
)
def test_namespaced_kubectl_may_write_only_the_objects_it_applies(exposure: str) -> None:
    of = settings(exposure, manifests="namespaced")
    applied = {
        (*RESOURCES[d["apiVersion"], d["kind"]], d["metadata"]["name"])
        for d in proxy_documents(of, target_groups=TargetGroups("arn:aws:any", "arn:aws:any"))
    }
    allowed = given(of, name=rbac.DEPLOYER)
    assert allowed == {
        *((verb, *one) for one in applied for verb in ("get", "patch", "delete")),
        *(("create", group, resource, None) for group, resource, _ in applied),
        ("get", "rbac.authorization.k8s.io", "roles", rbac.DEPLOYER),
    }


@pytest.mark.parametrize("manifests", ["kubectl", "external"])
def test_kubectl_has_no_role_unless_manifests_is_namespaced(manifests: str) -> None:
    names = [d["metadata"]["name"] for d in documents(settings(manifests=manifests))]
    assert "aws-registry-proxy-refresher" in names
    assert rbac.DEPLOYER not in names


def test_the_name_of_kubectls_group_contains_the_namespace() -> None:
    of = settings(manifests="namespaced")
    other = of.model_copy(update={"cluster": of.cluster.model_copy(update={"namespace": "other"})})
    subjects = [find("RoleBinding", each, name=rbac.DEPLOYER)["subjects"] for each in (of, other)]
    names = [subject["name"] for (subject,) in subjects]
    assert names == ["ecr-frontdoor:deployer:registry", "ecr-frontdoor:deployer:other"]


def test_access_documents_and_proxy_documents_are_all_documents() -> None:
    of = settings(manifests="namespaced")
    access = access_documents(of)
    assert [*access, *proxy_documents(of)] == documents(of)
    rights, way_in = ["Role", "RoleBinding"] * 3, ["NetworkPolicy", "Service", "Ingress"]
    assert [d["kind"] for d in access] == ["Namespace", *rights, *way_in]


@pytest.mark.parametrize("exposure", [INGRESS, NLB, POD, SERVICE], ids=["ingress", "nlb", "pod", "service"])
def test_a_namespaced_deployment_cannot_change_network_access(exposure: str) -> None:
    allowed = given(settings(exposure, manifests="namespaced"), name=rbac.DEPLOYER)
    resources = {resource for _, _, resource, _ in allowed}
    assert resources.isdisjoint({"services", "ingresses", "networkpolicies", "secrets", "pods"})
