import json
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from moto.events.models import EventPattern

from k8s_manifests import access_documents, documents, proxy_documents
from lambda_fn.settings.refresh import Refresh
from stacks.applied_objects import workload_digest
from stacks.first_run import trigger_timeout
from stacks.refresher import run_timeout
from tests.template import configurations
from tests.template.synthesis import (
    listed,
    logical_id,
    only,
    plain,
    readable,
    resources,
    role_statements,
    synthesize,
    template,
)

ENTRY = "AWS::EKS::AccessEntry"
MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
LOOK = "Custom::AWSCDK-EKS-KubernetesObjectValue"
TRIGGER = "Custom::Trigger"
RULE = "AWS::Events::Rule"
APPLIED = tuple(name for name in configurations.NAMES if name != "external")


def applied(name: str, construct: str = "WorkloadManifest") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(plain(only(name, MANIFEST, construct)["Manifest"]))
    return found


def bound(name: str, binding: str) -> list[str]:
    """The groups in the subjects of a RoleBinding of the charts."""
    (subjects,) = (
        d["subjects"]
        for d in documents(configurations.settings(name))
        if (d["kind"], d["metadata"]["name"]) == ("RoleBinding", binding)
    )
    assert {subject["kind"] for subject in subjects} == {"Group"}
    return [subject["name"] for subject in subjects]


def depends_on(name: str, kind: str, start: str = "") -> list[str]:
    return listed(resources(name, kind)[logical_id(name, kind, start)]["DependsOn"])


def only_in(found: Mapping[str, Any], kind: str, start: str = "") -> str:
    (name,) = (name for name, one in found.items() if one["Type"] == kind and name.startswith(start))
    return name


@pytest.mark.parametrize("name", configurations.NAMES)
def test_the_access_entry_of_the_lambda_has_its_group_and_no_access_policy(name: str) -> None:
    settings = configurations.settings(name)
    assert only(name, ENTRY, "Access") == {
        "ClusterName": settings.cluster.name,
        "PrincipalArn": {"Fn::GetAtt": [logical_id(name, "AWS::IAM::Role", "Identity"), "Arn"]},
        "Type": "STANDARD",
        "KubernetesGroups": [settings.refresher_group],
    }


@pytest.mark.parametrize("name", configurations.NAMES)
def test_the_access_entrys_group_is_the_subject_of_the_charts_role_binding(name: str) -> None:
    assert bound(name, "aws-registry-proxy-refresher") == only(name, ENTRY, "Access")["KubernetesGroups"]


@pytest.mark.parametrize("name", [name for name in APPLIED if name != "namespaced"])
def test_the_deployment_applies_exactly_the_objects_of_the_charts(name: str) -> None:
    assert applied(name, "WorkloadNamespace") + applied(name) == documents(configurations.settings(name))


@pytest.mark.parametrize("name", APPLIED)
def test_no_rollback_and_no_removal_deletes_the_namespace(name: str) -> None:
    """`Retain` holds when a creation is rolled back, too: `RetainExceptOnCreate` is the one that does not."""
    assert "Namespace" not in {document["kind"] for document in applied(name)}
    for manifest in resources(name, MANIFEST).values():
        kinds = {document["kind"] for document in json.loads(plain(manifest["Properties"]["Manifest"]))}
        if "Namespace" in kinds:
            assert kinds == {"Namespace"}
            assert (manifest["DeletionPolicy"], manifest["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_namespace_is_applied_before_the_objects_in_it() -> None:
    namespace = logical_id("public", MANIFEST, "WorkloadNamespace")
    assert namespace in depends_on("public", MANIFEST, "WorkloadManifest")
    assert any(
        each.startswith("WorkloadKubectlHandler") for each in depends_on("public", MANIFEST, "WorkloadNamespace")
    )


@pytest.mark.parametrize("keep", ["true", "false"])
@pytest.mark.parametrize("name", APPLIED)
def test_the_logical_id_of_the_manifest_never_changes(name: str, keep: str) -> None:
    """That of the released version. Under another one the upgrade would delete the objects that it has just applied."""
    made = synthesize(configurations.parse(f"keep_objects = {keep}\n{configurations.text(name)}"))["Resources"]
    assert only_in(made, MANIFEST, "WorkloadManifest") == "WorkloadManifest5AC78C81"
    assert {each for each in made if made[each]["Type"] == MANIFEST} <= {
        "WorkloadManifest5AC78C81",
        "WorkloadNamespaceFFEE208E",
    }


def test_a_namespaced_deployment_applies_no_object_that_grants_rights() -> None:
    assert applied("namespaced") == proxy_documents(configurations.settings("namespaced"))
    granting = {"Namespace", "Role", "RoleBinding", "NetworkPolicy", "Service", "Ingress"}
    assert {d["kind"] for d in applied("namespaced")}.isdisjoint(granting)


@pytest.mark.parametrize(("keep", "policy"), [("false", "Delete"), ("true", "Retain")])
def test_the_objects_are_deleted_with_the_stack_unless_keep_objects_is_set(keep: str, policy: str) -> None:
    made = synthesize(configurations.parse(f"keep_objects = {keep}\n{configurations.text('public')}"))["Resources"]
    manifest = made[only_in(made, MANIFEST, "WorkloadManifest")]
    assert (manifest["DeletionPolicy"], manifest["UpdateReplacePolicy"]) == (policy, policy)


def test_namespaced_kubectl_is_in_the_group_of_its_role_without_an_access_policy() -> None:
    entry = only("namespaced", ENTRY, "WorkloadAccess")
    assert entry == {
        "ClusterName": "shared",
        "PrincipalArn": {"Fn::GetAtt": [logical_id("namespaced", "AWS::IAM::Role", "WorkloadRole"), "Arn"]},
        "Type": "STANDARD",
        "KubernetesGroups": ["ecr-frontdoor:deployer:registry"],
    }
    assert bound("namespaced", "aws-registry-proxy-deployer") == entry["KubernetesGroups"]
    assert "AmazonEKS" not in json.dumps(template("namespaced"))


def test_the_iam_role_of_kubectl_is_the_same_with_and_without_an_administrator() -> None:
    statements = [
        [readable(s) for role, s in role_statements(name) if role.startswith("WorkloadRole")]
        for name in ("namespaced", "public")
    ]
    assert statements[0] == statements[1] != []


def test_a_change_between_kubectl_and_namespaced_updates_the_entry_and_the_manifest_in_place() -> None:
    """A role can have only one entry, and a replaced manifest deletes its objects."""
    for kind, start in ((ENTRY, "WorkloadAccess"), (MANIFEST, "WorkloadManifest"), ("AWS::IAM::Role", "WorkloadRole")):
        assert logical_id("namespaced", kind, start) == logical_id("public", kind, start)


def test_without_the_administrators_step_the_deployment_fails_before_it_applies_an_object() -> None:
    look = only("namespaced", LOOK)
    access = access_documents(configurations.settings("namespaced"))
    (role,) = (d for d in access if (d["kind"], d["metadata"]["name"]) == ("Role", "aws-registry-proxy-deployer"))
    assert (look["ObjectType"], look["ObjectName"]) == ("role", role["metadata"]["name"])
    assert look["ObjectNamespace"] == role["metadata"]["namespace"]
    assert look["JsonPath"] == ".metadata.name"
    assert "AdministratorAppliedTheAccess" in logical_id("namespaced", LOOK)
    assert logical_id("namespaced", LOOK) in depends_on("namespaced", MANIFEST, "WorkloadManifest")
    assert any(name.startswith("WorkloadKubectlHandler") for name in depends_on("namespaced", LOOK))
    assert not any(resources(name, LOOK) for name in configurations.NAMES if name != "namespaced")


def test_synthesis_shows_the_step_of_the_administrator() -> None:
    stacks: list[cdk.Stack] = []
    synthesize(configurations.settings("namespaced"), and_add=stacks.append)
    remarks = [
        entry.data for node in stacks[0].node.find_all() for entry in node.node.metadata if entry.type == "aws:cdk:info"
    ]
    assert len([text for text in remarks if "frontdoor manifests --access" in text]) == 1


@pytest.mark.parametrize("name", APPLIED)
def test_the_manifest_holds_no_secret(name: str) -> None:
    kinds = [document["kind"] for document in applied(name)]
    assert "Deployment" in kinds
    assert "Secret" not in kinds


def test_an_existing_namespace_is_accepted_and_nothing_is_pruned() -> None:
    for manifest in resources("public", MANIFEST).values():
        assert manifest["Properties"]["Overwrite"] is True
        assert "PruneLabel" not in manifest["Properties"]


def test_kubectl_is_administrator_of_the_cluster_and_has_only_its_statements_in_iam() -> None:
    role = logical_id("public", "AWS::IAM::Role", "WorkloadRole")
    assert only("public", ENTRY, "WorkloadAccess") == {
        "ClusterName": "shared",
        "PrincipalArn": {"Fn::GetAtt": [role, "Arn"]},
        "Type": "STANDARD",
        "AccessPolicies": [
            {
                "AccessScope": {"Type": "cluster"},
                "PolicyArn": {
                    "Fn::Join": [
                        "",
                        [
                            "arn:",
                            {"Ref": "AWS::Partition"},
                            ":eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
                        ],
                    ]
                },
            }
        ],
    }
    assert [readable(s) for role_id, s in role_statements("public") if role_id == role] == [
        {
            "Sid": "DescribeCluster",
            "Effect": "Allow",
            "Action": "eks:DescribeCluster",
            "Resource": ["arn:aws:eks:ap-southeast-2:${AWS::AccountId}:cluster/shared"],
        },
        {
            "Sid": "WriteLog",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [f"${{{logical_id('public', 'AWS::Logs::LogGroup', 'DeploymentLog')}.Arn}}"],
        },
    ]


def test_with_external_manifests_there_is_no_kubectl_no_administrator_and_no_first_run() -> None:
    types = {resource["Type"] for resource in template("external")["Resources"].values()}
    assert {MANIFEST, TRIGGER, "AWS::Lambda::LayerVersion"}.isdisjoint(types)
    assert {key[:-8] for key in resources("external", ENTRY)} == {"AccessEntry", "WatcherAccessEntry"}
    assert "AmazonEKSClusterAdminPolicy" not in json.dumps(template("external"))


def test_the_charts_are_applied_after_the_access_entry_and_network_rule_of_kubectl() -> None:
    names = depends_on("private", MANIFEST, "WorkloadManifest")
    for needed in ("WorkloadKubectlHandler", "WorkloadKubectlProviderframeworkonEvent", "NetworkInto"):
        assert any(name.startswith(needed) for name in names), needed
    (handler,) = (
        r for i, r in resources("private", "AWS::Lambda::Function").items() if i.startswith("WorkloadKubectlHandler")
    )
    assert any(name.startswith("WorkloadAccessEntry") for name in handler["DependsOn"])


def test_the_first_run_follows_the_charts_and_the_access_entry_of_the_lambda() -> None:
    names = depends_on("private", TRIGGER)
    for needed in ("WorkloadManifest", "AccessEntry", "NetworkIntoCluster"):
        assert any(name.startswith(needed) for name in names), needed


@pytest.mark.parametrize("name", APPLIED)
def test_the_deployment_waits_for_the_first_run_and_fails_with_it(name: str) -> None:
    trigger = only(name, TRIGGER)
    version = logical_id(name, "AWS::Lambda::Version")
    timeout = only(name, "AWS::Lambda::Function", "Refresher")["Timeout"]
    assert trigger["HandlerArn"] == {"Ref": version}
    assert trigger["InvocationType"] == "RequestResponse"
    assert trigger["Timeout"] == str((timeout + 15) * 1000)


def test_a_deployment_waits_longer_than_any_run_takes_and_reports_its_end() -> None:
    """A trigger that stops waiting invokes a second run beside the first; CDK's own function ends after 900 s."""
    allowed = Refresh.model_json_schema()["properties"]["rollout_timeout_seconds"]
    for seconds in range(allowed["minimum"], allowed["maximum"] + 1):
        run = run_timeout(seconds)
        assert seconds < run.to_seconds(), seconds
        assert run.to_seconds() + 15 <= trigger_timeout(run).to_seconds() <= 870, seconds


def changed_workload(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The resources of `public` when the charts alone change, as with an edited template: settings and code stay."""
    settings = configurations.settings("public")
    workload = documents(settings)
    workload[0]["metadata"]["labels"]["changed"] = "yes"
    monkeypatch.setattr("stacks.frontdoor_stack.applied_documents", lambda _, **_values: workload)
    made: dict[str, Any] = synthesize(settings)["Resources"]
    return made


def test_a_changed_workload_creates_a_new_version_and_another_first_run(monkeypatch: pytest.MonkeyPatch) -> None:
    made = changed_workload(monkeypatch)
    for kind in ("AWS::Lambda::Version", TRIGGER):
        assert only_in(made, kind) != logical_id("public", kind)


def test_a_rollback_has_no_first_run_to_invoke(monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudFormation rolls back what the update has changed: it deletes the new run, and leaves the earlier one."""
    before, after = template("public")["Resources"], changed_workload(monkeypatch)
    assert only_in(before, TRIGGER) not in after
    assert before[only_in(before, TRIGGER)]["Properties"]["HandlerArn"] == {
        "Ref": only_in(before, "AWS::Lambda::Version")
    }


def test_the_same_deployment_again_has_the_same_first_run() -> None:
    again = synthesize(configurations.settings("public"))["Resources"]
    assert only_in(again, TRIGGER) == logical_id("public", TRIGGER)


@pytest.mark.parametrize(
    ("changed", "is_run"),
    [
        ({}, True),
        ({"stack-id": "arn:aws:cloudformation:us-west-1:111122223333:stack/other/1"}, False),
        ({"status-details": {"status": "UPDATE_COMPLETE", "status-reason": ""}}, False),
        ({"status-details": {"status": "UPDATE_ROLLBACK_IN_PROGRESS", "status-reason": ""}}, False),
        ({"status-details": {"status": "ROLLBACK_COMPLETE", "status-reason": ""}}, False),
    ],
)
def test_a_run_follows_a_rollback_of_this_stack(changed: dict[str, Any], *, is_run: bool) -> None:
    """The event is as in CloudFormation's reference of events; moto matches it as EventBridge does."""
    own = "arn:aws:cloudformation:us-west-1:111122223333:stack/own/1"
    rule = only("public", RULE, "FirstRun")
    pattern = json.dumps(rule["EventPattern"]).replace('{"Ref": "AWS::StackId"}', json.dumps(own))
    detail = {
        "stack-id": own,
        "status-details": {"status": "UPDATE_ROLLBACK_COMPLETE", "status-reason": ""},
        "client-request-token": "",
    }
    event: Any = {
        "source": "aws.cloudformation",
        "detail-type": "CloudFormation Stack Status Change",
        "detail": detail | changed,
    }
    assert EventPattern.load(pattern).matches_event(event) is is_run


@pytest.mark.parametrize("name", APPLIED)
def test_only_the_rule_may_invoke_the_lambda_and_it_does_so_asynchronously_with_an_ordinary_event(name: str) -> None:
    (target,) = only(name, RULE, "FirstRun")["Targets"]
    function = {"Fn::GetAtt": [logical_id(name, "AWS::Lambda::Function", "Refresher"), "Arn"]}
    assert (target["Arn"], json.loads(target["Input"])) == (function, {})
    permissions = [found["Properties"] for found in resources(name, "AWS::Lambda::Permission").values()]
    assert [found for found in permissions if found["FunctionName"] == function] == [
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": function,
            "Principal": "events.amazonaws.com",
            "SourceArn": {"Fn::GetAtt": [logical_id(name, RULE, "FirstRun"), "Arn"]},
        }
    ]


def test_the_digest_of_the_workload_depends_only_on_its_objects() -> None:
    workload = documents(configurations.settings("public"))
    variables = only("public", "AWS::Lambda::Function", "Refresher")["Environment"]["Variables"]
    assert variables["FRONTDOOR_WORKLOAD_SHA256"] == workload_digest(workload)
