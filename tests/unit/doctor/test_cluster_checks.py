"""What each check of the cluster finds, and whether the fix suits how the charts are applied."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

import pytest
from lightkube.models.core_v1 import PodReadinessGate, PodSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Pod

import k8s_manifests
from cli.doctor import chart_objects
from cli.doctor.charts import is_access
from cli.doctor.check import Check
from cli.doctor.checks import all_checks, binding, cluster, field_managers, objects
from cli.doctor.context import CheckContext
from cli.doctor.examination import examine
from cli.doctor.finding import Verdict
from cli.doctor.kubernetes import Kubernetes
from cli.doctor.kubernetes_errors import RequestRefusedError, UnknownKindError, UnreachableError
from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.objects import FIELD_MANAGER
from lambda_fn.job.connection import Connection
from lambda_fn.settings import GatewayExposure, IngressExposure, NlbExposure, Settings
from tests.fakes.aws import FakeAws
from tests.fakes.kubernetes import FakeKubernetes
from tests.unit.doctor.account import GROUPS, PROXIED, SETTINGS, TARGETS, findings, healthy, with_cluster

OK, WARNING, FAILED = Verdict.OK, Verdict.WARNING, Verdict.FAILED
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


def with_auto_mode() -> Settings:
    exposure = SETTINGS.proxy.exposure.model_copy(update={"controller": "eks-auto-mode"})
    return settings(proxy=SETTINGS.proxy.model_copy(update={"exposure": exposure}))


AUTO_MODE = with_auto_mode()


def context(of: Settings, kubernetes: Kubernetes, aws: FakeAws | None = None) -> CheckContext:
    given = CheckContext(settings=of, aws=aws or FakeAws(healthy()), config="staging.toml")
    return with_cluster(given, kubernetes)


def charts(of: Settings) -> Objects:
    """The charts' objects and the Lambda's, as a healthy cluster has them."""
    names = of.names
    fields = [{"manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": {"f:data": {"f:any": {}}}}]
    written = [
        {"kind": kind, "metadata": {"name": name, "managedFields": fields}, "data": {"any": "thing"}}
        for kind, name in (("Secret", names.secret), ("ConfigMap", names.config_map))
    ]
    return deepcopy([*k8s_manifests.documents(of, target_groups=GROUPS), *written])


def objects_but(
    title: str, change: Callable[[dict[str, Any]], object] | None = None, of: Settings = SETTINGS
) -> Objects:
    """The same, without one of them or with a change of it."""
    listed = charts(of)
    (one,) = [document for document in listed if chart_objects.title(document) == title]
    if change:
        change(one)
    else:
        listed.remove(one)
    return listed


def other_target_group(binding_: dict[str, Any]) -> None:
    binding_["spec"]["targetGroupARN"] = OTHER


def other_port(binding_: dict[str, Any]) -> None:
    binding_["spec"]["serviceRef"]["port"] = 8443


def earlier_version(role: dict[str, Any]) -> None:
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
    """What is in the cluster, and the finding it makes; message and hint must name these values and commands."""

    check: Check
    settings: Settings
    there: Objects
    verdict: Verdict
    message: tuple[str, ...]
    hint: str


CHECKS = (objects.CHECK, field_managers.CHECK, binding.CHECK)
BINDING = "TargetGroupBinding aws-registry-proxy"
PROXIED_BINDING = f"{BINDING}-proxied"
PRINT = (
    f"frontdoor manifests --target-group-arn {TARGETS} --proxy-protocol-target-group-arn {PROXIED} "
    "--config staging.toml"
)
EXTERNAL = settings(manifests="external")
BROKEN = {
    "access objects that were not applied": Broken(
        objects.CHECK,
        SETTINGS,
        objects_but(ROLE),
        FAILED,
        (ROLE, "missing"),
        "administrator of the cluster run frontdoor manifests --access --config staging.toml | kubectl",
    ),
    "access objects of an earlier version": Broken(
        objects.CHECK, SETTINGS, objects_but(ROLE, earlier_version), WARNING, (ROLE,), "--access --config"
    ),
    "charts that GitOps has not applied": Broken(
        objects.CHECK,
        EXTERNAL,
        [one for one in charts(EXTERNAL) if is_access(one)],
        FAILED,
        ("PodDisruptionBudget aws-registry-proxy, Deployment aws-registry-proxy", "missing"),
        "GitOps tool or by hand: frontdoor manifests --config staging.toml |",
    ),
    "an object deleted behind the stack's kubectl": Broken(
        objects.CHECK,
        settings(manifests="kubectl"),
        objects_but("Service aws-registry-proxy", of=settings(manifests="kubectl")),
        FAILED,
        ("Service aws-registry-proxy", "missing"),
        "frontdoor manifests --config staging.toml | kubectl apply -f -",
    ),
    "a Secret written by GitOps": Broken(
        field_managers.CHECK,
        SETTINGS,
        objects_but("Secret aws-registry", written_by_gitops),
        WARNING,
        ("Secret aws-registry", "data by argocd-controller, 2026-11-23 08:"),
        "GitOps",
    ),
    "an annotation written by GitOps": Broken(
        field_managers.CHECK,
        SETTINGS,
        objects_but("Deployment aws-registry-proxy", annotated_by_gitops),
        WARNING,
        ("Deployment aws-registry-proxy", "ecr-frontdoor/config-sha256 by argocd-controller, at an unknown time"),
        "taken_over",
    ),
    "no binding": Broken(
        binding.CHECK,
        SETTINGS,
        objects_but(BINDING),
        FAILED,
        (f"{BINDING} is missing",),
        f"{PRINT} | kubectl apply -f -",
    ),
    "no binding, with GitOps": Broken(
        binding.CHECK, EXTERNAL, [], FAILED, (f"{BINDING} is missing",), f'target_group_arn = "{PROXIED}" and apply'
    ),
    "a binding to another target group": Broken(
        binding.CHECK,
        SETTINGS,
        objects_but(BINDING, other_target_group),
        FAILED,
        (BINDING, OTHER, TARGETS),
        "kubectl -n registry delete targetgroupbinding.elbv2.k8s.aws/aws-registry-proxy;",
    ),
    "a binding of the AWS Load Balancer Controller beside that of EKS Auto Mode": Broken(
        binding.CHECK,
        AUTO_MODE,
        [*charts(AUTO_MODE), *objects_but(PROXIED_BINDING)],
        FAILED,
        ("targetgroupbinding.elbv2.k8s.aws/aws-registry-proxy is left",),
        "kubectl -n registry delete targetgroupbinding.elbv2.k8s.aws/aws-registry-proxy, then",
    ),
    "a binding to another port": Broken(
        binding.CHECK,
        SETTINGS,
        objects_but(BINDING, other_port),
        WARNING,
        (BINDING, ".spec.serviceRef.port", "8443", "80"),
        f"apply it: {PRINT} | kubectl apply -f -",
    ),
    "a binding to another port, with GitOps": Broken(
        binding.CHECK,
        EXTERNAL,
        objects_but(BINDING, other_port),
        WARNING,
        (BINDING, ".spec.serviceRef.port", "8443", "80"),
        f'set proxy.exposure.target_group_arn = "{TARGETS}" and proxy.',
    ),
    "no binding to the target group with PROXY protocol": Broken(
        binding.CHECK,
        SETTINGS,
        objects_but(PROXIED_BINDING),
        FAILED,
        (f"{PROXIED_BINDING} is missing",),
        f"{PRINT} | kubectl apply -f -",
    ),
    "settings with another target group": Broken(
        binding.CHECK,
        naming(OTHER),
        charts(EXTERNAL),
        FAILED,
        ("proxy.exposure.target_group_arn", OTHER, TARGETS),
        "correct the settings",
    ),
}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_one_finding_names_what_is_broken_and_the_fix(case: Broken) -> None:
    found = findings(case.check, context(case.settings, FakeKubernetes(case.there)))
    (one,) = [
        finding
        for finding in found
        if finding.verdict is not OK and all(value in finding.message for value in case.message)
    ]
    assert (one.check, one.verdict) == (case.check.id, case.verdict)
    assert case.hint in one.hint
    assert "\n" not in one.line


@pytest.mark.parametrize("case", [case for case in BROKEN.values() if case.check is not binding.CHECK])
def test_with_one_broken_object_no_finding_is_ok(case: Broken) -> None:
    found = findings(case.check, context(case.settings, FakeKubernetes(case.there)))
    assert OK not in {one.verdict for one in found}


def test_an_empty_namespace_has_no_finding_that_is_ok() -> None:
    given = context(SETTINGS, FakeKubernetes())
    assert {one.verdict for check in CHECKS for one in findings(check, given)} == {FAILED}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
@pytest.mark.parametrize("of", [SETTINGS, EXTERNAL, settings(manifests="kubectl"), naming(TARGETS), AUTO_MODE])
def test_every_check_of_a_healthy_cluster_has_one_finding_that_is_ok(check: Check, of: Settings) -> None:
    (one,) = findings(check, context(of, FakeKubernetes(charts(of))))
    assert one.verdict is OK


@pytest.mark.parametrize(
    ("version", "of", "verdicts"),
    [
        ("1.34", SETTINGS, [WARNING, OK]),
        ("1.38", settings(manifests="kubectl"), [WARNING, OK]),
        ("1.34", EXTERNAL, [OK]),
        ("1.36", SETTINGS, [OK]),
    ],
)
def test_a_cluster_that_the_kubectl_of_the_stack_does_not_support_is_a_warning(
    version: str, of: Settings, verdicts: list[Verdict]
) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "registry"}}
    given = context(of, FakeKubernetes([namespace]))
    given.__dict__["connection"] = Connection("https://k8s.test", "Q0E=", "10.96.0.10", version)
    found = findings(cluster.CHECK, given)
    assert [one.verdict for one in found] == verdicts
    if WARNING in verdicts:
        assert version in found[0].message
        assert "update" in found[0].hint


def test_a_cluster_of_which_eks_was_not_asked_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def version_of(connection: Connection, bearer: Callable[[], Authorization]) -> str:
        assert connection.version is None
        assert bearer().reveal().startswith("k8s-aws-v1.")
        return "1.34"

    monkeypatch.setattr("cli.doctor.context.version_of", version_of)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "registry"}}
    given = context(SETTINGS, FakeKubernetes([namespace]))
    given.__dict__["connection"] = Connection("https://k8s.test", "Q0E=", "10.96.0.10")
    assert [one.verdict for one in findings(cluster.CHECK, given)] == [WARNING, OK]


@pytest.mark.parametrize(
    ("of", "hint"),
    [(SETTINGS, "install the AWS Load Balancer Controller"), (AUTO_MODE, "turn on load balancing in EKS Auto Mode")],
)
def test_the_fix_for_a_cluster_without_the_binding_kind_is_its_controller(of: Settings, hint: str) -> None:
    (one,) = findings(binding.CHECK, context(of, FakeKubernetes(error=UnknownKindError("unknown kind", "hint"))))
    assert one.verdict is FAILED
    assert hint in one.hint


def test_an_operator_who_may_not_read_bindings_of_the_other_controller_gets_the_finding_of_the_right_one() -> None:
    class Limited(FakeKubernetes):
        def find(self, document: dict[str, Any]) -> dict[str, Any] | None:
            if document["apiVersion"].startswith("eks.amazonaws.com/"):
                raise RequestRefusedError("403", "ask")
            return super().find(document)

    (one,) = findings(binding.CHECK, context(SETTINGS, Limited(charts(SETTINGS))))
    assert one.verdict is OK


@pytest.mark.parametrize(
    ("gates", "missing"),
    [
        (("aws-registry-proxy", "aws-registry-proxy-proxied"), None),
        (("aws-registry-proxy",), "no readiness gate of aws-registry-proxy-proxied:"),
        ((), "no readiness gate of aws-registry-proxy and aws-registry-proxy-proxied:"),
    ],
)
def test_a_pod_that_is_ready_before_the_load_balancer_finds_it_healthy_is_a_warning(
    gates: tuple[str, ...], missing: str | None
) -> None:
    listed = [PodReadinessGate(f"target-health.eks.amazonaws.com/{name}") for name in gates]
    pod = Pod(metadata=ObjectMeta(name="proxy-1"), spec=PodSpec(containers=[], readinessGates=listed))
    first, *rest = findings(binding.CHECK, context(AUTO_MODE, FakeKubernetes(charts(AUTO_MODE), pods=[pod])))
    assert first.verdict is OK
    assert [one.verdict for one in rest] == [WARNING] * bool(missing)
    for one in rest:
        assert f"pod proxy-1 has {missing}" in one.message
        assert "eks.amazonaws.com/pod-readiness-gate-inject=enabled" in one.hint


def test_a_binding_is_compared_with_the_settings_where_aws_does_not_answer() -> None:
    (one,) = findings(binding.CHECK, context(naming(TARGETS), FakeKubernetes(charts(EXTERNAL)), FakeAws({})))
    assert one.verdict is OK


def test_a_missing_binding_is_found_without_any_target_group_to_compare() -> None:
    silent = FakeAws({})
    assert [
        one.verdict for one in findings(binding.CHECK, context(SETTINGS, FakeKubernetes(charts(SETTINGS)), silent))
    ] == [OK]
    assert [one.verdict for one in findings(binding.CHECK, context(SETTINGS, FakeKubernetes(), silent))] == [FAILED] * 2


def test_an_api_that_stops_answering_is_asked_once_and_its_other_checks_do_not_run() -> None:
    stopped = FakeKubernetes(error=UnreachableError("no answer", "connect"))
    needs_cluster = [check for check in all_checks() if "cluster" in check.needs]
    (one,) = examine(needs_cluster, context(SETTINGS, stopped))
    assert one.verdict is FAILED
    assert one.message.startswith("no answer")
    assert stopped.asked == 1


def test_each_object_that_the_operator_may_not_read_is_a_warning() -> None:
    refusing = FakeKubernetes(error=RequestRefusedError("you may not", "ask for it"))
    found = findings(objects.CHECK, context(SETTINGS, refusing))
    assert {one.verdict for one in found} == {WARNING}
    assert len(found) == refusing.asked > 5


@pytest.mark.parametrize(
    ("answer", "message", "hint"),
    [
        ({"DescribeCluster": "ResourceNotFoundException: No cluster found"}, "No cluster found", "cluster.name"),
        ({"DescribeCluster": "AccessDeniedException: not authorized"}, "not authorized", "eks:DescribeCluster"),
        ({}, "Could not connect", "route to EKS"),
        ({"DescribeCluster": "ThrottlingException: Rate exceeded"}, "Rate exceeded", "try again"),
        ({"DescribeCluster": {"cluster": {"status": "CREATING"}}}, "shared in ap-southeast-2 is CREATING", "ACTIVE"),
    ],
)
def test_a_cluster_that_eks_does_not_describe_is_explained_to_the_operator(
    answer: dict[str, Any], message: str, hint: str
) -> None:
    (one,) = findings(cluster.CHECK, CheckContext(settings=SETTINGS, aws=FakeAws(answer)))
    assert (one.check, one.verdict, one.fatal) == ("cluster", FAILED, True)
    assert message in one.message
    assert "The Lambda" not in one.message
    assert hint in one.hint


@pytest.mark.parametrize(
    ("kubernetes", "message", "hint"),
    [
        (FakeKubernetes(), "namespace registry", "--access"),
        (FakeKubernetes(error=RequestRefusedError("401", "an access entry")), "401", "an access entry"),
        (FakeKubernetes(error=UnreachableError("no answer", "the VPN")), "no answer", "the VPN"),
    ],
)
def test_a_cluster_that_cannot_be_read_is_the_only_finding_of_its_category(
    kubernetes: FakeKubernetes, message: str, hint: str
) -> None:
    checks = [check for check in all_checks() if check.category == "cluster"]
    (one,) = examine(checks, context(SETTINGS, kubernetes))
    assert (one.check, one.verdict) == ("cluster", FAILED)
    assert message in one.message
    assert hint in one.hint


def test_no_finding_quotes_the_text_of_a_config_map() -> None:
    def edit(template: dict[str, Any]) -> None:
        template["data"]["nginx.conf.j2"] += "# SOMETHING PRIVATE"

    there = objects_but("ConfigMap aws-registry-proxy-tpl", edit)
    (one,) = findings(objects.CHECK, context(SETTINGS, FakeKubernetes(there)))
    assert "PRIVATE" not in json.dumps(one.to_json())
    assert ".data.nginx.conf.j2" in one.message


@pytest.mark.parametrize(
    "exposure",
    [
        SETTINGS.proxy.exposure,
        IngressExposure(kind="ingress", class_name="nginx"),
        GatewayExposure(kind="gateway", gateway="internal", gateway_namespace="edge"),
        GatewayExposure(kind="gateway", gateway="internal", gateway_namespace="edge", tls_secret="registry-tls"),
    ],
)
def test_the_access_kinds_are_those_of_the_access_chart(exposure: object) -> None:
    of = settings(manifests="namespaced", proxy=SETTINGS.proxy.model_copy(update={"exposure": exposure}))
    documents = k8s_manifests.documents(of, target_groups=GROUPS)
    assert [one for one in documents if is_access(one)] == k8s_manifests.access_documents(of)
