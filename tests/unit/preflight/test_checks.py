"""`frontdoor check`: nothing is wrong with what is ready, and each thing that is not is named with its fix."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.model import OperationModel
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Pod

from cli.doctor import checks as doctor_checks
from cli.doctor.check import Check
from cli.doctor.context import CheckContext
from cli.doctor.examination import examine
from cli.doctor.finding import Finding, Verdict
from cli.doctor.kubernetes_errors import RequestRefusedError, UnknownKindError, UnreachableError
from cli.doctor.stack_resources import APPLIED_OBJECTS, ENDPOINT, LOAD_BALANCER
from cli.preflight import checks
from cli.preflight.checks import all_checks, quotas
from lambda_fn.contract.runtime import SETTINGS_METADATA
from lambda_fn.settings import Settings, to_json
from tests.fakes.aws import REGION, Answer
from tests.fakes.kubernetes import Document, FakeKubernetes
from tests.unit.cli import operator_account as account
from tests.unit.preflight import before
from tests.unit.test_documents import anchors

ROOT = Path(__file__).parents[3]
WARNING, FAILED = Verdict.WARNING, Verdict.FAILED
OTHER_VPC = "vpc-00000000"
ONE_ZONE = before.subnets(AvailabilityZone="ap-southeast-2a")
OTHER_NAME = before.certificate(DomainName="a.example.net")
FIFTY: Answer = {"LoadBalancers": [{"Type": "network"}] * 50}


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")


def wrong(context: CheckContext) -> list[Finding]:
    return [one for one in examine(all_checks(), context) if one.verdict in {WARNING, FAILED}]


@pytest.mark.parametrize("exposure", [before.NLB, before.INGRESS, before.POD, before.GATEWAY, before.SERVICE])
def test_nothing_is_wrong_with_an_account_and_a_cluster_that_are_ready(exposure: str) -> None:
    context = before.context(before.settings(exposure))
    if exposure == before.NLB:
        # The cluster knows the kind, and has no object of it yet.
        context.__dict__["kubernetes"] = FakeKubernetes(before.OBJECTS)
    assert wrong(context) == []
    assert {one.check for one in examine(all_checks(), context)} >= {"settings", "bootstrap", "cluster", "namespace"}


def test_every_module_in_the_folder_is_one_check_with_its_name() -> None:
    (folder,) = map(Path, checks.__path__)
    modules = {file.stem.replace("_", "-") for file in folder.glob("*.py")} - {"--init--"}
    assert sorted(check.id for check in all_checks()) == sorted(modules)


@pytest.mark.parametrize("check", [*all_checks(), *doctor_checks.all_checks()], ids=lambda check: check.id)
def test_the_runbook_of_every_check_is_a_section_of_a_document(check: Check) -> None:
    document, _, section = check.runbook.partition("#")
    text = (ROOT / document).read_text("utf-8")
    headings = (re.sub(r"[^\w\- ]", "", found) for found in re.findall(r"^#+ (.+)$", text, re.MULTILINE))
    assert not section or section in {heading.strip().lower().replace(" ", "-") for heading in headings}


AWS_FAULTS: list[tuple[str, Verdict, str, Mapping[str, Answer]]] = [
    ("aws", FAILED, "does not accept your credentials", {"GetCallerIdentity": "ExpiredToken: expired"}),
    ("bootstrap", FAILED, "is not bootstrapped", {"GetParameter": "ParameterNotFound: none"}),
    ("bootstrap", FAILED, "version 5, and CDK needs 6", {"GetParameter": {"Parameter": {"Value": "5"}}}),
    ("bootstrap", WARNING, "may not assume cdk-hnb659fds-deploy-role", {"AssumeRole": "AccessDenied: no"}),
    ("cluster", FAILED, "has no cluster shared", {"DescribeCluster": "ResourceNotFoundException: none"}),
    ("cluster", FAILED, "is CREATING", {"DescribeCluster": account.cluster(status="CREATING")}),
    (
        "cluster",
        FAILED,
        "CONFIG_MAP",
        {"DescribeCluster": account.cluster(accessConfig={"authenticationMode": "CONFIG_MAP"})},
    ),
    ("cluster", WARNING, "Kubernetes 1.33", {"DescribeCluster": account.cluster(version="1.33")}),
    ("cluster", FAILED, "the cluster is in vpc-0", {"DescribeCluster": account.cluster(network={"vpcId": OTHER_VPC})}),
    (
        "cluster",
        WARNING,
        "the cluster security group is sg-00000000",
        {"DescribeCluster": account.cluster(network={"clusterSecurityGroupId": "sg-00000000"})},
    ),
    ("network", FAILED, "has no subnet subnet-0", {"DescribeSubnets": {"Subnets": []}}),
    ("network", FAILED, "public subnet", {"DescribeRouteTables": account.tables({"GatewayId": "igw-0a1b2c3d"})}),
    ("network", FAILED, "no route to the internet", {"DescribeRouteTables": account.tables(None)}),
    ("network", FAILED, "the subnet has 10.9.0.0/24", {"DescribeSubnets": before.subnets(CidrBlock="10.9.0.0/24")}),
    ("network", FAILED, "7 addresses are free", {"DescribeSubnets": before.subnets(AvailableIpAddressCount=7)}),
    ("network", FAILED, "in the same zone", {"DescribeSubnets": ONE_ZONE}),
    ("network", WARNING, "all in ap-southeast-2a", {"DescribeSubnets": ONE_ZONE}),
    ("registries", WARNING, "fits team/*", {"DescribeRepositories": account.repositories("other/app")}),
    ("certificate", FAILED, "ACM has no certificate", {"DescribeCertificate": "ResourceNotFoundException: none"}),
    ("certificate", FAILED, "is for a.example.net", {"DescribeCertificate": OTHER_NAME}),
    ("certificate", FAILED, "is PENDING", {"DescribeCertificate": before.certificate(Status="PENDING_VALIDATION")}),
    ("certificate", FAILED, "expired on", {"DescribeCertificate": before.certificate(NotAfter=before.NOW)}),
    (
        "certificate",
        WARNING,
        "expires on",
        {"DescribeCertificate": before.certificate(NotAfter=before.NOW + timedelta(days=9))},
    ),
    ("certificate", FAILED, "no such zone", {"GetHostedZone": "NoSuchHostedZone: none"}),
    ("certificate", FAILED, "which does not have", {"GetHostedZone": before.zone("example.org.")}),
    ("certificate", WARNING, "is not associated", {"GetHostedZone": before.zone(vpc="vpc-00000000")}),
    ("quotas", FAILED, "IAM roles", {"GetAccountSummary": {"SummaryMap": {"Roles": 995, "RolesQuota": 1000}}}),
    ("quotas", WARNING, "may run 9", {"GetAccountSettings": {"AccountLimit": {"UnreservedConcurrentExecutions": 9}}}),
    ("quotas", FAILED, "Network Load Balancers", {"DescribeLoadBalancers": FIFTY}),
    (
        "quotas",
        FAILED,
        "inbound rules of sg-0",
        {"DescribeSecurityGroupRules": {"SecurityGroupRules": [{"IsEgress": False}] * 57}},
    ),
    ("quotas", FAILED, "inbound rules", {"GetServiceQuota": {"Quota": {"Value": 3.0}}}),
]  # fmt: skip


@pytest.mark.parametrize(("check", "verdict", "message", "changed"), AWS_FAULTS)
def test_what_is_wrong_in_the_account_is_named_with_its_fix(
    check: str, verdict: Verdict, message: str, changed: Mapping[str, Answer]
) -> None:
    found = [one for one in wrong(before.context(changed=changed)) if one.check == check]
    named = next(one for one in found if message in one.message and one.verdict is verdict)
    assert named.hint
    assert named.category == "AWS"
    assert named.runbook.startswith("docs/")


def stack(
    status: str, settings: Settings | None = None, *failed: str, has: Iterable[tuple[str, str]] = ()
) -> dict[str, Answer]:
    """A stack that was deployed with these settings.

    Args:
        status: Of the stack.
        settings: Those of the function.
        failed: Objects that kubectl could not apply.
        has: Type and physical id of the stack's resources.
    """
    function = {
        "Type": "AWS::Lambda::Function",
        "Metadata": {SETTINGS_METADATA: to_json(settings or before.settings())},
    }
    rule = {"Type": "AWS::EC2::SecurityGroupIngress"}
    template = {"Resources": {"NetworkRule1": rule, "RefresherFunction1": function}}
    resources = [
        {
            "ResourceType": APPLIED_OBJECTS,
            "LogicalResourceId": each,
            "ResourceStatus": "UPDATE_FAILED",
            "LastUpdatedTimestamp": "2026-01-01T00:00:00Z",
        }
        for each in failed
    ]
    resources += [
        {
            "ResourceType": kind,
            "LogicalResourceId": f"Resource{number}",
            "PhysicalResourceId": physical,
            "ResourceStatus": "CREATE_COMPLETE",
            "LastUpdatedTimestamp": "2026-01-01T00:00:00Z",
        }
        for number, (kind, physical) in enumerate(has)
    ]
    described = {"StackName": "s", "CreationTime": "2026-01-01T00:00:00Z", "StackStatus": status}
    return {
        "DescribeStacks": {"Stacks": [described]},
        "ListStackResources": {"StackResourceSummaries": resources},
        "GetTemplate": {"TemplateBody": json.dumps(template)},
    }


@pytest.mark.parametrize(
    ("status", "verdict", "hint"),
    [
        ("UPDATE_ROLLBACK_FAILED", FAILED, "--resources-to-skip WorkloadManifest1"),
        ("ROLLBACK_FAILED", FAILED, "make destroy"),
        ("DELETE_FAILED", FAILED, "make destroy"),
        ("UPDATE_ROLLBACK_COMPLETE", WARNING, "deploy again"),
        ("UPDATE_IN_PROGRESS", WARNING, "wait"),
    ],
)
def test_a_stack_that_is_not_ready_for_a_deployment_is_named(status: str, verdict: Verdict, hint: str) -> None:
    (found,) = wrong(before.context(changed=stack(status, None, "WorkloadManifest1")))
    assert (found.check, found.verdict) == ("stack", verdict)
    assert hint in found.hint


def test_a_stack_whose_cluster_was_deleted_first_is_deleted_by_force() -> None:
    changed = stack("DELETE_FAILED") | {"DescribeCluster": "ResourceNotFoundException: none"}
    found = wrong(before.context(changed=changed))
    assert [one.hint for one in found if one.check == "stack" and "FORCE_DELETE_STACK" in one.hint]


@pytest.mark.parametrize("status", [None, "ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"])
def test_a_stack_that_a_deployment_makes_is_described_and_needs_room(status: str | None) -> None:
    created = stack(status) if status else {}
    settings = before.settings(before.NLB + before.ENDPOINTS)
    (found,) = [one for one in examine(all_checks(), before.context(settings, created)) if one.check == "stack"]
    assert found.verdict is Verdict.OK
    assert "becomes administrator of the cluster" in found.message
    assert (status or "a deployment makes") in found.message
    full: dict[str, Answer] = {
        "GetAccountSummary": {"SummaryMap": {"Roles": 1000, "RolesQuota": 1000}},
        "DescribeVpcEndpoints": account.endpoints("eks", "ecr.api", "s3"),
    }
    assert [one.check for one in wrong(before.context(settings, created | full))] == ["endpoints", "quotas"]


HAS = (
    *(("AWS::IAM::Role", f"role-{number}") for number in range(quotas.ROLES)),
    *(("AWS::EC2::SecurityGroupIngress", f"sgr-{number}") for number in range(quotas.RULES)),
    (LOAD_BALANCER, "arn:aws:elasticloadbalancing:ap-southeast-2:123456789012:loadbalancer/net/one/1"),
    (ENDPOINT, "vpce-eks"),
)
FULL: dict[str, Answer] = {
    "GetAccountSummary": {"SummaryMap": {"Roles": 1000, "RolesQuota": 1000}},
    "DescribeSecurityGroupRules": {"SecurityGroupRules": [{"IsEgress": False}] * 60},
    "DescribeVpcEndpoints": account.endpoints("eks", "ecr.api", "s3"),
    "DescribeLoadBalancers": FIFTY,
    "GetServiceQuota": {"Quota": {"Value": 2.0}},
}


@pytest.mark.parametrize(
    ("lacks", "expected"),
    [
        ("nothing", []),
        ("AWS::IAM::Role", [(WARNING, "IAM roles in the account: 1000 of 1000 are in use")]),
        ("AWS::EC2::SecurityGroupIngress", [(WARNING, "inbound rules of")]),
        (LOAD_BALANCER, [(FAILED, "Network Load Balancers: 50 of 50 are in use, and the deployment makes up to 1")]),
        (ENDPOINT, [(FAILED, "has eks already"), (FAILED, "interface endpoints in vpc-")]),
    ],
)
def test_what_an_update_adds_needs_room_and_what_the_stack_has_does_not(
    lacks: str, expected: list[tuple[Verdict, str]]
) -> None:
    settings = before.settings(before.NLB + before.ENDPOINTS)
    has = [each for each in HAS if each[0] != lacks]
    found = wrong(before.context(settings, stack("UPDATE_COMPLETE", has=has) | FULL))
    assert [one.verdict for one in found] == [verdict for verdict, _ in expected]
    assert all(text in one.message and one.hint for one, (_, text) in zip(found, expected, strict=True))


def patterns(count: int) -> tuple[str, str]:
    """Settings with so many exact names of 50 characters."""
    names = [f"team-{number // 10}/{f'application-{number:04}':-<42}x" for number in range(count)]
    return 'repositories = ["team/*"]', f"repositories = {json.dumps(names)}"


TWENTY: Answer = {"Quota": {"Value": 20.0}}


@pytest.mark.parametrize(
    ("count", "answer", "expected"),
    [
        (40, TWENTY, []),
        (700, TWENTY, []),
        (700, {"Quota": {"Value": 10.0}}, [(FAILED, "and your account allows 10")]),
        (700, "NoSuchResourceException: never raised", [(FAILED, "and your account allows 10")]),
        (700, "AccessDeniedException: not in this region", [(WARNING, "and by default IAM allows 10")]),
        (1500, TWENTY, [(FAILED, "and IAM allows 20")]),
    ],
)
def test_more_managed_policies_than_the_account_allows_a_role_are_named(
    count: int, answer: Answer, expected: list[tuple[Verdict, str]]
) -> None:
    def quota(asked: Mapping[str, Any]) -> Mapping[str, Any] | str:
        found = answer if asked["QuotaCode"] == "L-0DA4ABF3" else {"Quota": {"Value": 99.0}}
        assert not callable(found)
        return found

    settings = before.settings(replaced=patterns(count))
    given = before.context(settings, stack("UPDATE_COMPLETE", has=HAS) | {"GetServiceQuota": quota})
    found = [one for one in wrong(given) if one.check == "quotas"]
    assert [(one.verdict, one.message.rpartition(", ")[2]) for one in found] == expected


def test_the_quotas_of_iam_are_asked_for_in_its_own_region() -> None:
    regions: dict[str, str] = {}

    def note(params: Mapping[str, Any], context: Mapping[str, Any], **_: object) -> None:
        regions[params["QuotaCode"]] = context["client_region"]

    given = before.context(before.settings(before.NLB + before.ENDPOINTS, replaced=patterns(700)))
    given.aws.events.register("before-parameter-build.service-quotas", note)
    list(examine([quotas.CHECK], given))
    assert regions == {"L-0DA4ABF3": "us-east-1", "L-0EA8095F": REGION, "L-29B6F2EB": REGION}


NAMED = '[deployment]\nstack_name = "front"\n'


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("", []),
        ('namespace = "team"', ["cluster.namespace = registry: stack front was deployed with team"]),
        ('name = "blue"', ["cluster.name = shared: stack front was deployed with blue"]),
    ],
)
def test_a_stack_of_another_cluster_or_namespace_is_not_updated(line: str, named: list[str]) -> None:
    usual = 'name = "shared"'
    deployed = before.settings(replaced=(usual, line if line.startswith("name =") else f"{usual}\n{line}"))
    ours = before.settings(before.NLB + NAMED)
    found = wrong(before.context(ours, stack("UPDATE_COMPLETE", deployed)))
    assert [one.message.partition(",")[0] for one in found] == named
    assert [(one.check, one.verdict, "deployment.stack_name to a new name" in one.hint) for one in found] == [
        ("stack", FAILED, True)
    ] * len(named)


def test_a_stack_that_says_nothing_of_its_settings_is_not_taken_for_another() -> None:
    template = json.dumps({"Resources": {"RefresherFunction1": {"Type": "AWS::Lambda::Function"}}})
    changed = stack("UPDATE_COMPLETE") | {"GetTemplate": {"TemplateBody": template}}
    assert wrong(before.context(before.settings(before.NLB + NAMED), changed)) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"DescribeVpcEndpoints": account.endpoints("eks", "ecr.api", "s3")}, "has eks already"),
        ({"DescribeVpcAttribute": before.attribute("enableDnsHostnames")}, "enableDnsHostnames of"),
        ({"DescribeVpcEndpoints": account.endpoints("s3")}, "no available endpoint ecr.api"),
        ({"GetServiceQuota": {"Quota": {"Value": 0.0}}}, "interface endpoints in vpc-"),
    ],
)
def test_endpoints_that_cannot_be_made_or_are_missing_are_named(changed: Mapping[str, Answer], message: str) -> None:
    found = wrong(before.context(before.settings(before.NLB + before.ENDPOINTS), changed))
    assert [one for one in found if message in one.message and one.hint]


@pytest.mark.parametrize("is_deployed", [False, True])
def test_an_endpoint_of_another_team_without_a_private_name_is_no_conflict(*, is_deployed: bool) -> None:
    listed = account.endpoints("ecr.api", "s3")["VpcEndpoints"]
    other = account.endpoints("eks", with_private_names=False)["VpcEndpoints"][0] | {"VpcEndpointId": "vpce-other"}
    own = account.endpoints("eks")["VpcEndpoints"] if is_deployed else []
    changed = {"DescribeVpcEndpoints": {"VpcEndpoints": [*listed, other, *own]}}
    deployed = stack("UPDATE_COMPLETE", has=HAS) if is_deployed else {}
    settings = before.settings(before.NLB + before.ENDPOINTS)
    assert wrong(before.context(settings, deployed | changed)) == []


def test_a_zone_for_a_new_certificate_has_to_be_public() -> None:
    ordered = before.NLB.replace(
        f'certificate_arn = "{account.CERTIFICATE}"', f'certificate_zone_id = "{before.PUBLIC}"'
    )
    found = wrong(before.context(before.settings(ordered)))
    assert [
        one.message for one in found if one.check == "certificate" and "ACM validates in a public one" in one.message
    ]
    public = before.context(before.settings(ordered), {"GetHostedZone": before.zone(private=False)})
    assert wrong(public) == []


def test_a_registry_of_another_account_is_skipped_with_what_it_needs() -> None:
    others = before.settings(replaced=(f'account = "{account.ACCOUNT}"', 'account = "210987654321"'))
    (found,) = [one for one in examine(all_checks(), before.context(others)) if one.check == "registries"]
    assert found.verdict is Verdict.SKIPPED
    assert account.ACCOUNT in found.message


def test_a_pattern_of_public_names_is_compared_with_the_names_of_ecr() -> None:
    names = 'repositories = ["base/*", "base/app"]\nstrip = "base/"\nprefix = "team/"'
    renamed = before.settings(replaced=('repositories = ["team/*"]', names))
    given = before.context(renamed, {"DescribeRepositories": account.repositories("team/web", "base/app")})
    found = [one for one in examine(all_checks(), given) if one.check == "registries"]
    assert [one.verdict for one in found] == [WARNING, Verdict.OK]
    assert "fits base/app (team/app in ECR)" in found[0].message
    assert found[1].message.startswith("1 of 2 repositories")


def test_a_mirror_needs_no_repository_before_its_first_pull() -> None:
    mirror = 'repositories = ["docker-hub/library/*"]\npull_through = true'
    table = f'[[registries]]\naccount = "{account.ACCOUNT}"\nregion = "{REGION}"\n{mirror}\n[[registries]]'
    given = before.context(before.settings(replaced=("[[registries]]", table)))
    found = [one for one in examine(all_checks(), given) if one.check == "registries"]
    assert [one.verdict for one in found] == [Verdict.OK]


def test_hints_of_the_synthesis_are_warnings() -> None:
    without = before.settings(replaced=('scheduling = { priority_class = "system-cluster-critical" }\n', ""))
    (found,) = wrong(before.context(without))
    assert (found.check, found.verdict) == ("settings", WARNING)
    assert found.hint


def test_a_lambda_outside_of_the_vpc_needs_an_open_public_endpoint() -> None:
    outside = before.settings(before.SERVICE, replaced=(before.PLACE, ""))
    for network, message in (
        ({"endpointPublicAccess": False}, "has no public endpoint"),
        ({"publicAccessCidrs": ["203.0.113.0/24"]}, "allows only 203.0.113.0/24"),
    ):
        (found,) = wrong(before.context(outside, {"DescribeCluster": account.cluster(network=network)}))
        assert message in found.message


RESTRICTED = {"endpointPrivateAccess": False, "publicAccessCidrs": ["203.0.113.0/24", "198.51.100.0/24"]}


@pytest.mark.parametrize(
    ("place", "network", "verdict", "message"),
    [
        ("nat = false", {"endpointPrivateAccess": False}, FAILED, "with cluster.nat = false"),
        ("nat = false", RESTRICTED, FAILED, "with cluster.nat = false"),
        ("nat = true", RESTRICTED, WARNING, "allows only 203.0.113.0/24, 198.51.100.0/24"),
    ],
)
def test_a_lambda_in_the_vpc_needs_the_private_endpoint_or_a_way_to_the_public_one(
    place: str, network: Mapping[str, object], verdict: Verdict, message: str
) -> None:
    inside = before.settings(before.NLB + before.ENDPOINTS, replaced=(before.PLACE, f"{before.PLACE}\n{place}"))
    found = wrong(before.context(inside, {"DescribeCluster": account.cluster(network=network)}))
    (named,) = [one for one in found if one.check == "cluster"]
    assert named.verdict is verdict
    assert message in named.message
    assert "--name shared --resources-vpc-config endpointPrivateAccess=true" in named.hint


def test_an_open_public_endpoint_is_reached_through_nat() -> None:
    public = {"DescribeCluster": account.cluster(network={"endpointPrivateAccess": False})}
    assert wrong(before.context(changed=public)) == []


CLUSTER_FAULTS: list[tuple[str, str, Verdict, str, list[str]]] = [
    (before.INGRESS, "controller", FAILED, "no IngressClass", ["IngressClass"]),
    (before.GATEWAY, "controller", FAILED, "no Gateway", ["Gateway"]),
    (before.SERVICE, "priority-class", FAILED, "refuses the pods", ["PriorityClass"]),
    (before.POD, "tls-secret", FAILED, "the pods wait for it", ["Secret"]),
    (before.INGRESS, "tls-secret", WARNING, "clients get no certificate", ["Secret"]),
]


@pytest.mark.parametrize(("exposure", "check", "verdict", "message", "without"), CLUSTER_FAULTS)
def test_what_is_missing_in_the_cluster_is_named(
    exposure: str, check: str, verdict: Verdict, message: str, without: list[str]
) -> None:
    objects = [one for one in before.OBJECTS if one["kind"] not in without]
    (found,) = wrong(before.context(before.settings(exposure), kubernetes=FakeKubernetes(objects)))
    assert (found.check, found.verdict, found.category) == (check, verdict, "cluster")
    assert message in found.message


@pytest.mark.parametrize("has_namespace", [True, False])
def test_the_fix_of_a_missing_tls_secret_creates_the_namespace_where_there_is_none(*, has_namespace: bool) -> None:
    objects = [one for one in before.OBJECTS if one["kind"] != "Secret"] + [before.NAMESPACE] * has_namespace
    (found,) = wrong(before.context(before.settings(before.POD), kubernetes=FakeKubernetes(objects)))
    assert found.hint.startswith("kubectl create namespace registry; kubectl -n registry") is not has_namespace
    assert "kubectl -n registry create secret tls registry-tls" in found.hint


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        (before.secret("other.example.net"), "is for other.example.net"),
        (before.secret(days=-1), "expired on"),
        (before.secret(days=3), "expires on"),
        (before.secret(kind="Opaque"), "has the type Opaque"),
        (before.secret() | {"data": {"tls.crt": "bm8="}}, "is not a certificate in PEM"),
        (before.secret() | {"data": {}}, "is not a certificate in PEM"),
    ],
)
def test_a_tls_secret_that_clients_would_refuse_is_named(secret: Document, message: str) -> None:
    objects = [*(one for one in before.OBJECTS if one["kind"] != "Secret"), secret]
    (found,) = wrong(before.context(before.settings(before.POD), kubernetes=FakeKubernetes(objects)))
    assert message in found.message
    assert found.hint


def test_a_certificate_for_every_host_of_the_domain_is_for_the_registry() -> None:
    objects = [*(one for one in before.OBJECTS if one["kind"] != "Secret"), before.secret("*.shrd.example.net")]
    assert wrong(before.context(before.settings(before.POD), kubernetes=FakeKubernetes(objects))) == []


def test_a_namespace_with_pods_of_others_is_named() -> None:
    pods = [Pod(metadata=ObjectMeta(name="theirs", labels={"app": "theirs"}))]
    (found,) = wrong(before.context(kubernetes=FakeKubernetes([*before.OBJECTS, before.NAMESPACE], pods=pods)))
    assert (found.check, found.verdict) == ("namespace", WARNING)
    assert "theirs" in found.message


DEPLOYMENT = before.named("apps/v1", "Deployment", "aws-registry-proxy")


@pytest.mark.parametrize("status", [None, "ROLLBACK_COMPLETE", "UPDATE_COMPLETE"])
@pytest.mark.parametrize("manifests", ["kubectl", "namespaced", "external"])
def test_a_second_stack_in_a_namespace_that_serves_is_named(status: str | None, manifests: str) -> None:
    ours = before.settings().model_copy(update={"manifests": manifests})
    kubernetes = FakeKubernetes([*before.OBJECTS, before.NAMESPACE, DEPLOYMENT])
    found = wrong(before.context(ours, stack(status) if status else {}, kubernetes))
    in_cluster = [one for one in found if one.category == "cluster"]
    is_second = status != "UPDATE_COMPLETE" and manifests != "external"
    assert [(one.check, one.verdict) for one in in_cluster] == [("front-door", WARNING)] * is_second
    for one in in_cluster:
        assert "stack ecr-frontdoor-shared-registry is not deployed: another stack's front door" in one.message


@pytest.mark.parametrize("error", [RequestRefusedError("you may not", "ask"), UnreachableError("no way", "VPN")])
def test_an_operator_without_access_to_the_cluster_is_warned_once(error: RequestRefusedError) -> None:
    (found,) = wrong(before.context(kubernetes=FakeKubernetes(error=error)))
    assert (found.check, found.verdict) == ("namespace", WARNING)


def test_a_cluster_without_a_controller_of_load_balancers_is_named() -> None:
    class WithoutBindings(FakeKubernetes):
        def find(self, document: Document) -> Document | None:
            if document["kind"] == "TargetGroupBinding":
                raise UnknownKindError("unknown", "install it")
            return super().find(document)

    (found,) = wrong(before.context(kubernetes=WithoutBindings(before.OBJECTS)))
    assert (found.check, found.verdict) == ("controller", FAILED)


def test_tools_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None if name == "cdk" else name)
    (found,) = wrong(before.context())
    assert found.message.startswith("cdk cannot be found")


def test_settings_that_conflict_are_each_named() -> None:
    conflicting = before.settings(replaced=("rollout_timeout_seconds = 780", "rollout_timeout_seconds = 120"))
    found = [one for one in wrong(before.context(conflicting)) if one.check == "settings"]
    assert [one.verdict for one in found] == [FAILED]
    assert "rollout_timeout_seconds = 120" in found[0].message


@pytest.mark.parametrize(("exposure", "adds_rules"), [(before.NLB, True), (before.SERVICE, False)])
def test_the_rules_of_a_load_balancer_count_without_a_lambda_in_the_vpc(exposure: str, *, adds_rules: bool) -> None:
    subnets = next(line for line in before.PLACE.splitlines() if line.startswith("subnet_ids"))
    outside = before.settings(exposure, replaced=(subnets, ""))
    full = {"DescribeSecurityGroupRules": {"SecurityGroupRules": [{"IsEgress": False}] * 60}}
    found = [one.verdict for one in wrong(before.context(outside, full)) if "inbound rules" in one.message]
    assert found == [FAILED] * adds_rules


def test_the_documented_permissions_are_those_of_the_calls() -> None:
    asked: set[str] = set()

    def note(model: OperationModel, **_: object) -> None:
        asked.add(f"{model.service_model.signing_name}:{model.name}")

    mirror = f"""
[[registries]]
account = "{account.ACCOUNT}"
region = "{REGION}"
repositories = ["ecr-public/*"]
pull_through = true
upstream = "public.ecr.aws"
cache_rule = true
"""
    public = before.NLB.replace(
        f'certificate_arn = "{account.CERTIFICATE}"', f'certificate_zone_id = "{before.PUBLIC}"'
    )
    for settings in (before.NLB + before.ENDPOINTS + NAMED, public + mirror):
        for changed in ({}, stack("UPDATE_COMPLETE")):
            rules: dict[str, Answer] = {
                "DescribePullThroughCacheRules": {"pullThroughCacheRules": []},
                "DescribeRepositoryCreationTemplates": {"repositoryCreationTemplates": []},
            }
            context = before.context(before.settings(settings), changed | rules)
            context.aws.events.register("before-parameter-build", note)
            list(examine(all_checks(), context))
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    doctors, _, own = (
        text.partition("### Rights of doctor and check")[2].partition("\n## ")[0].partition("The check needs")
    )
    documented = set(re.findall(r"`(\w+:\w+)`", own))
    assert documented == asked - set(re.findall(r"`(\w+:\w+)`", doctors))


def test_a_refusal_of_aws_names_the_section_with_the_rights() -> None:
    found = wrong(before.context(changed={"GetAccountSummary": "AccessDenied: no"}))
    (page, section), *others = re.findall(r"(docs/[\w.]+)#([\w-]+) lists", " ".join(one.hint for one in found))
    assert others == []
    assert section in anchors(ROOT / page)


REFERENCES = sorted((ROOT / "tests/template/reference").glob("*.template.json"))


@pytest.mark.parametrize("template", REFERENCES, ids=lambda path: path.name)
def test_no_deployment_makes_more_than_the_quotas_are_asked_for(template: Path) -> None:
    resources = json.loads(template.read_text("utf-8"))["Resources"].values()
    kinds = Counter(resource["Type"] for resource in resources)
    assert kinds["AWS::IAM::Role"] <= quotas.ROLES
    assert kinds["AWS::EC2::SecurityGroupIngress"] <= quotas.RULES
