"""What is wrong with the objects, and which way out fits how the charts are applied."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, NamedTuple

import pytest

import k8s_manifests
from cli.doctor import binding, cluster, objects, owners
from cli.doctor.charts import is_access
from cli.doctor.finding import Finding, Verdict
from cli.doctor.kubernetes import Kubernetes, UnknownKind, Unreachable, Unreadable
from cli.doctor.site import Site
from lambda_fn.job.manifests import FIELD_MANAGER
from lambda_fn.settings import IngressExposure, NlbExposure, Settings
from tests.fakes.aws import FakeAws
from tests.fakes.kubernetes import FakeKubernetes
from tests.unit.doctor.account import SETTINGS, TARGETS, healthy

OK, WARNING, FAILED = Verdict.OK, Verdict.WARNING, Verdict.FAILED
Part = Callable[[Site, Kubernetes], Iterator[Finding]]
Objects = list[dict[str, Any]]
ROLE = "Role aws-registry-proxy-deployer"
OTHER = TARGETS.replace("pods", "others")


def settings(**changed: object) -> Settings:
    return SETTINGS.model_copy(update=changed)


def naming(arn: str) -> Settings:
    """GitOps with an ARN in its settings."""
    assert isinstance(SETTINGS.proxy.exposure, NlbExposure)
    exposure = SETTINGS.proxy.exposure.model_copy(update={"target_group_arn": arn})
    return settings(manifests="external", proxy=SETTINGS.proxy.model_copy(update={"exposure": exposure}))


def site(of: Settings) -> Site:
    return Site(settings=of, aws=FakeAws(healthy()), config="staging.toml")


def charts(of: Settings) -> Objects:
    """The charts' objects and the Lambda's, as the cluster has them in health."""
    names = of.names
    fields = [{"manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": {"f:data": {"f:any": {}}}}]
    written = [
        {"kind": kind, "metadata": {"name": name, "managedFields": fields}, "data": {"any": "thing"}}
        for kind, name in (("Secret", names.secret), ("ConfigMap", names.config_map))
    ]
    return deepcopy([*k8s_manifests.documents(of, target_group_arn=TARGETS), *written])


def but(title: str, change: Callable[[dict[str, Any]], object] | None = None, of: Settings = SETTINGS) -> Objects:
    """Those, without one of them or with a change of it."""
    listed = charts(of)
    (one,) = [document for document in listed if objects.title(document) == title]
    if change:
        change(one)
    else:
        listed.remove(one)
    return listed


def led_elsewhere(binding_: dict[str, Any]) -> None:
    binding_["spec"]["targetGroupARN"] = OTHER


def to_another_port(binding_: dict[str, Any]) -> None:
    binding_["spec"]["serviceRef"]["port"] = 8443


def of_an_earlier_version(role: dict[str, Any]) -> None:
    role["rules"].pop()


def written_by_gitops(secret: dict[str, Any]) -> None:
    stranger = {"manager": "argocd-controller", "time": "2026-11-23T08:00:00Z", "fieldsV1": {"f:data": {"f:x": {}}}}
    secret["metadata"]["managedFields"] = [stranger]


def annotated_by_gitops(deployment: dict[str, Any]) -> None:
    annotations: dict[str, Any] = {"f:annotations": {"f:ecr-frontdoor/config-sha256": {}}}
    fields = {"f:spec": {"f:template": {"f:metadata": annotations}}}
    deployment["spec"]["template"]["metadata"]["annotations"]["ecr-frontdoor/config-sha256"] = "0"
    deployment["metadata"]["managedFields"] = [{"manager": "argocd-controller", "fieldsV1": fields}]


class Broken(NamedTuple):
    """What is in the cluster, and the finding that says what is wrong with it."""

    part: Part
    settings: Settings
    there: Objects
    verdict: Verdict
    said: str
    way_out: str


CHECKS: dict[Part, str] = {objects.examine: "objects", owners.examine: "owners", binding.examine: "binding"}
BINDING = "TargetGroupBinding aws-registry-proxy"
EXTERNAL = settings(manifests="external")
BROKEN = {
    "rights that nobody applied": Broken(
        objects.examine,
        SETTINGS,
        but(ROLE),
        FAILED,
        f"{ROLE} is missing",
        "an administrator of the cluster run python -m k8s_manifests --access --config staging.toml | kubectl",
    ),
    "rights of an earlier version": Broken(
        objects.examine, SETTINGS, but(ROLE, of_an_earlier_version), WARNING, f"{ROLE} is not as", "--access --config"
    ),
    "charts that GitOps has not applied": Broken(
        objects.examine,
        EXTERNAL,
        [one for one in charts(EXTERNAL) if is_access(one)],
        FAILED,
        "PodDisruptionBudget aws-registry-proxy, Deployment aws-registry-proxy are missing",
        "let your GitOps tool apply the charts, or do so by hand: python -m k8s_manifests --config staging.toml |",
    ),
    "a chart that the stack's kubectl does not see": Broken(
        objects.examine,
        settings(manifests="kubectl"),
        but("Service aws-registry-proxy", of=settings(manifests="kubectl")),
        FAILED,
        "Service aws-registry-proxy is missing",
        "does not see what is gone: python -m k8s_manifests --config staging.toml | kubectl apply -f -",
    ),
    "a Secret that GitOps writes": Broken(
        owners.examine,
        SETTINGS,
        but("Secret aws-registry", written_by_gitops),
        WARNING,
        "Secret aws-registry has fields of the Lambda's that others write: data by argocd-controller, 2026-11-23 08:",
        "a GitOps tool has to leave them out",
    ),
    "an annotation that GitOps writes": Broken(
        owners.examine,
        SETTINGS,
        but("Deployment aws-registry-proxy", annotated_by_gitops),
        WARNING,
        "ecr-frontdoor/config-sha256 by argocd-controller, at an unknown time",
        "taken_over",
    ),
    "no binding": Broken(
        binding.examine,
        SETTINGS,
        but(BINDING),
        FAILED,
        f"{BINDING} is missing: nothing leads from the load balancer to the pods",
        f"python -m k8s_manifests --target-group-arn {TARGETS} --config staging.toml | kubectl apply -f -",
    ),
    "no binding, with GitOps": Broken(
        binding.examine, EXTERNAL, [], FAILED, f"{BINDING} is missing", f'target_group_arn = "{TARGETS}" and apply'
    ),
    "a binding of another target group": Broken(
        binding.examine,
        SETTINGS,
        but(BINDING, led_elsewhere),
        FAILED,
        f"{BINDING} names {OTHER}, and the stack's target group is {TARGETS}",
        "kubectl -n registry delete targetgroupbinding aws-registry-proxy; apply it",
    ),
    "a binding of another port": Broken(
        binding.examine,
        SETTINGS,
        but(BINDING, to_another_port),
        WARNING,
        ".spec.serviceRef.port is 8443 and not 80",
        f"apply it: python -m k8s_manifests --target-group-arn {TARGETS} --config staging.toml | kubectl apply -f -",
    ),
    "a binding of another port, with GitOps": Broken(
        binding.examine,
        EXTERNAL,
        but(BINDING, to_another_port),
        WARNING,
        ".spec.serviceRef.port is 8443 and not 80",
        f'set proxy.exposure.target_group_arn = "{TARGETS}" and apply the charts',
    ),
    "settings of another target group": Broken(
        binding.examine,
        naming(OTHER),
        charts(EXTERNAL),
        FAILED,
        f"proxy.exposure.target_group_arn is {OTHER}, and the stack's target group is {TARGETS}",
        "correct the settings",
    ),
}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_one_finding_that_says_how_to_mend_it(case: Broken) -> None:
    findings = [one for one in case.part(site(case.settings), FakeKubernetes(case.there)) if one.verdict is not OK]
    (one,) = [finding for finding in findings if case.said in finding.said]
    assert (one.check, one.verdict) == (CHECKS[case.part], case.verdict)
    assert case.way_out
    assert case.way_out in one.way_out
    assert "\n" not in one.line


@pytest.mark.parametrize("case", [case for case in BROKEN.values() if case.part is not binding.examine])
def test_where_one_object_is_broken_not_all_are_called_well(case: Broken) -> None:
    assert OK not in {one.verdict for one in case.part(site(case.settings), FakeKubernetes(case.there))}


def test_an_empty_namespace_has_no_good_finding() -> None:
    verdicts = {one.verdict for part in CHECKS for one in part(site(SETTINGS), FakeKubernetes())}
    assert verdicts == {FAILED}


@pytest.mark.parametrize("part", [objects.examine, owners.examine, binding.examine])
@pytest.mark.parametrize("of", [SETTINGS, EXTERNAL, settings(manifests="kubectl"), naming(TARGETS)])
def test_in_health_every_part_has_one_good_finding(part: Part, of: Settings) -> None:
    (one,) = part(site(of), FakeKubernetes(charts(of)))
    assert one.verdict is OK


def test_a_cluster_without_the_controller_is_told_to_get_it() -> None:
    (one,) = binding.examine(site(SETTINGS), FakeKubernetes(error=UnknownKind("the cluster knows no such kind", "")))
    assert (one.verdict, one.way_out[:44]) == (FAILED, "install the AWS Load Balancer Controller wit")


def test_a_binding_is_compared_with_the_settings_where_aws_does_not_say() -> None:
    silent = Site(settings=naming(TARGETS), aws=FakeAws({}))
    (one,) = binding.examine(silent, FakeKubernetes(charts(EXTERNAL)))
    assert one.verdict is OK


def test_a_binding_that_nobody_can_compare_is_looked_for_all_the_same() -> None:
    silent = Site(settings=SETTINGS, aws=FakeAws({}))
    assert [one.verdict for one in binding.examine(silent, FakeKubernetes(charts(SETTINGS)))] == [OK]
    assert [one.verdict for one in binding.examine(silent, FakeKubernetes())] == [FAILED]


@pytest.mark.parametrize("part", [objects.examine, owners.examine, binding.examine])
def test_an_api_that_does_not_answer_is_asked_once(part: Part) -> None:
    dead = FakeKubernetes(error=Unreachable("no answer", "connect"))
    with pytest.raises(Unreachable):
        list(part(site(SETTINGS), dead))
    assert dead.asked == 1


def test_what_the_operator_may_not_read_is_said_of_each_object_and_nothing_is_called_well() -> None:
    refusing = FakeKubernetes(error=Unreadable("you may not", "ask for it"))
    warnings = list(objects.examine(site(SETTINGS), refusing))
    assert {one.verdict for one in warnings} == {WARNING}
    assert len(warnings) == refusing.asked > 5


@pytest.mark.parametrize(
    ("answer", "said", "way_out"),
    [
        (
            {"DescribeCluster": "ResourceNotFoundException: No cluster found"},
            "No cluster found",
            "correct cluster.name",
        ),
        ({"DescribeCluster": "AccessDeniedException: not authorized"}, "not authorized", "a right to eks:Describe"),
        ({}, "Could not connect", "see that EKS can be reached from here"),
        ({"DescribeCluster": {"cluster": {"status": "CREATING"}}}, "shared in ap-southeast-2 is CREATING", "ACTIVE"),
    ],
)
def test_a_cluster_that_eks_does_not_describe_is_the_operators_affair(
    answer: dict[str, Any], said: str, way_out: str
) -> None:
    (one,) = cluster.examine(Site(settings=SETTINGS, aws=FakeAws(answer)))
    assert (one.check, one.verdict) == ("cluster", FAILED)
    assert said in one.said
    assert "The Lambda" not in one.said
    assert way_out in one.way_out


def test_no_text_of_a_config_map_is_in_a_finding() -> None:
    def edit(template: dict[str, Any]) -> None:
        template["data"]["nginx.conf.j2"] += "# SOMETHING PRIVATE"

    (one,) = objects.examine(site(SETTINGS), FakeKubernetes(but("ConfigMap aws-registry-proxy-tpl", edit)))
    assert "PRIVATE" not in json.dumps(one.to_json())
    assert ".data.nginx.conf.j2" in one.said


@pytest.mark.parametrize("kind", ["nlb", "ingress"])
def test_what_an_administrator_applies_is_what_the_charts_say_it_is(kind: str) -> None:
    of = settings(manifests="namespaced")
    if kind == "ingress":
        exposure = IngressExposure(kind="ingress", class_name="nginx")
        of = of.model_copy(update={"proxy": of.proxy.model_copy(update={"exposure": exposure})})
    documents = k8s_manifests.documents(of, target_group_arn=TARGETS)
    assert [one for one in documents if is_access(one)] == k8s_manifests.access_documents(of)
