"""The upgrade from the released version, and its rollback: no target group is replaced, and port 443 moves among pods.

`released/` has what stood before the pods in that version, as CloudFormation deployed it. A release replaces it.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.template.order import needed_by
from tests.template.snapshots import FOLDER

PARTS = Path(__file__).parent
RELEASED: dict[str, Any] = json.loads((PARTS / "released" / "nlb.json").read_text("utf-8"))["Resources"]
TODAY: dict[str, Any] = json.loads((FOLDER / "nlb.template.json").read_text("utf-8"))["Resources"]
IMMUTABLE = {
    "AWS::CertificateManager::Certificate": ("DomainName", "DomainValidationOptions", "ValidationMethod"),
    "AWS::EC2::SecurityGroup": ("GroupDescription", "GroupName", "VpcId"),
    "AWS::EC2::SecurityGroupIngress": ("FromPort", "GroupId", "IpProtocol", "SourceSecurityGroupId", "ToPort"),
    "AWS::ElasticLoadBalancingV2::Listener": ("LoadBalancerArn",),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("Name", "Scheme", "Type"),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("Name", "Port", "Protocol", "ProtocolVersion", "TargetType", "VpcId"),
    "AWS::Route53::RecordSet": ("HostedZoneId", "Name"),
}
"""A change of these replaces the resource ("Update requires: Replacement").

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/
"""


def one(resources: dict[str, Any], start: str) -> str:
    (found,) = (name for name in resources if name.startswith(start))
    return found


def led_to(resources: dict[str, Any]) -> str:
    """The target group that clients are led to."""
    (action,) = resources[one(resources, "LoadBalancerHttps")]["Properties"]["DefaultActions"]
    assert isinstance(action["TargetGroupArn"]["Ref"], str)
    return action["TargetGroupArn"]["Ref"]


@pytest.mark.parametrize("name", [name for name in RELEASED if name.startswith("LoadBalancer")])
def test_the_upgrade_replaces_nothing_before_the_pods(name: str) -> None:
    old, new = RELEASED[name], TODAY[name]
    assert old["Type"] == new["Type"]
    for key in IMMUTABLE[old["Type"]]:
        assert old["Properties"].get(key) == new["Properties"].get(key), key


def test_the_upgrade_moves_clients_after_the_rollout_of_pods_that_are_in_both_target_groups() -> None:
    assert led_to(RELEASED).startswith("LoadBalancerPods")
    assert led_to(TODAY).startswith("LoadBalancerProxyProtocol")
    run, manifest, https = (one(TODAY, start) for start in ("FirstRunTrigger", "WorkloadManifest", "LoadBalancerHttps"))
    assert {run, manifest} <= needed_by(TODAY, https)
    assert manifest in needed_by(TODAY, run)
    standby = {one(TODAY, "LoadBalancerPodsStandby"), one(TODAY, "LoadBalancerProxyProtocolStandby")}
    assert standby <= needed_by(TODAY, manifest)
    assert https not in needed_by(TODAY, run)


def test_a_rollback_moves_clients_back_before_the_pods_lose_the_port_that_they_were_led_to() -> None:
    """CloudFormation rolls back in the order of the released template; there the objects wait for the listener."""
    assert one(RELEASED, "LoadBalancerHttps") in needed_by(RELEASED, one(RELEASED, "WorkloadManifest"))


def test_the_upgrade_applies_the_objects_under_the_same_id_and_keeps_the_namespace() -> None:
    """The released manifest has the Namespace in it. kubectl applies what is left, and prunes nothing."""
    released, manifest = one(RELEASED, "WorkloadManifest"), one(TODAY, "WorkloadManifest")
    assert released == manifest
    assert TODAY[manifest]["Properties"]["Overwrite"] is True
    assert "PruneLabel" not in TODAY[manifest]["Properties"]
    assert TODAY[one(TODAY, "WorkloadNamespace")]["DeletionPolicy"] == "Retain"


def test_the_upgrade_leaves_the_released_first_run_as_it_is_so_a_rollback_invokes_nothing() -> None:
    assert one(RELEASED, "FirstRunTrigger") not in TODAY
