import dataclasses
import json
from typing import Any

import pytest

from lambda_fn.settings import Settings
from tests.template import configurations
from tests.template.synthesis import listed, logical_id, only, plain, resources, synthesize, template

NAME = "nlb"
GROUP = "AWS::EC2::SecurityGroup"
INTO = "AWS::EC2::SecurityGroupIngress"
TARGETS = "AWS::ElasticLoadBalancingV2::TargetGroup"
MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
ARN = "arn:aws:acm:ap-southeast-2:123456789012:certificate/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"


@dataclasses.dataclass(frozen=True)
class Stack:
    """A synthesized stack, by the types of its resources."""

    resources: dict[str, Any]

    def one(self, kind: str) -> dict[str, Any]:
        (found,) = (r["Properties"] for r in self.resources.values() if r["Type"] == kind)
        assert isinstance(found, dict)
        return found


def with_certificate(line: str, *, more: str = "") -> Settings:
    text = configurations.text(NAME).replace('certificate_zone_id = "Z0123456789PUBLIC"', line)
    return configurations.parse(text.replace("[proxy.exposure]", f"{more}[proxy.exposure]"))


@pytest.fixture(scope="module")
def passed_through() -> Stack:
    settings = with_certificate(
        'tls_secret = "registry-tls"\npreserve_client_ip = true', more="drain_seconds = 21600\n"
    )
    return Stack(synthesize(settings)["Resources"])


@pytest.fixture(scope="module")
def imported() -> Stack:
    return Stack(synthesize(with_certificate(f'certificate_arn = "{ARN}"'))["Resources"])


def attributes(target_group: Any) -> dict[str, str]:  # noqa: ANN401 - a resource's properties
    return {a["Key"]: a["Value"] for a in target_group["TargetGroupAttributes"]}


def test_the_load_balancer_is_internal_in_the_subnets_of_the_settings_with_its_own_security_group() -> None:
    balancer = only(NAME, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert (balancer["Type"], balancer["Scheme"]) == ("network", "internal")
    assert balancer["Subnets"] == ["subnet-0a1b2c3d4e5f60718", "subnet-18f0e5d4c3b2a1907"]
    group = logical_id(NAME, GROUP, "LoadBalancer")
    assert balancer["SecurityGroups"] == [{"Fn::GetAtt": [group, "GroupId"]}]


def test_only_client_networks_reach_the_load_balancer_and_it_reaches_only_the_pods() -> None:
    group = only(NAME, GROUP, "LoadBalancer")
    rules = [(r["CidrIp"], r["IpProtocol"], r["FromPort"], r["ToPort"]) for r in group["SecurityGroupIngress"]]
    assert rules == [("10.1.0.0/16", "tcp", 443, 443), ("10.200.0.0/16", "tcp", 443, 443)]
    (out,) = group["SecurityGroupEgress"]
    assert (out["DestinationSecurityGroupId"], out["FromPort"], out["ToPort"]) == ("sg-0a1b2c3d4e5f60718", 8080, 8080)


def test_the_security_group_of_the_pods_admits_the_load_balancer_on_the_serving_port() -> None:
    rule = dict(only(NAME, INTO, "LoadBalancer"))
    del rule["Description"]
    assert rule == {
        "GroupId": "sg-0a1b2c3d4e5f60718",
        "SourceSecurityGroupId": {"Fn::GetAtt": [logical_id(NAME, GROUP, "LoadBalancer"), "GroupId"]},
        "IpProtocol": "tcp",
        "FromPort": 8080,
        "ToPort": 8080,
    }


def test_with_pod_security_group_id_that_group_admits_the_load_balancer() -> None:
    line = 'nat = false\npod_security_group_id = "sg-18f0e5d4c3b2a1907"'
    found = synthesize(configurations.parse(configurations.text(NAME).replace("nat = false", line)))["Resources"]
    rules = [r["Properties"] for i, r in found.items() if r["Type"] == INTO and i.startswith("LoadBalancer")]
    assert [rule["GroupId"] for rule in rules] == ["sg-18f0e5d4c3b2a1907"]


def test_the_health_check_asks_nginx_and_deregistration_cuts_no_pull() -> None:
    targets = only(NAME, TARGETS)
    check = {key: value for key, value in targets.items() if key.startswith("HealthCheck")}
    assert (targets["TargetType"], targets["Protocol"], targets["VpcId"]) == ("ip", "TCP", "vpc-0a1b2c3d4e5f60718")
    assert (check["HealthCheckProtocol"], check["HealthCheckPath"]) == ("HTTP", "/-/ready")
    assert check["HealthCheckPort"] == "traffic-port"
    assert targets["Matcher"] == {"HttpCode": "200"}
    assert attributes(targets) == {
        "preserve_client_ip.enabled": "false",
        "deregistration_delay.timeout_seconds": "3600",
        "deregistration_delay.connection_termination.enabled": "false",
        "target_health_state.unhealthy.connection_termination.enabled": "false",
    }


def test_the_load_balancer_terminates_tls_with_a_certificate_validated_in_the_public_zone() -> None:
    listener = only(NAME, "AWS::ElasticLoadBalancingV2::Listener")
    certificate = logical_id(NAME, "AWS::CertificateManager::Certificate")
    assert (listener["Port"], listener["Protocol"]) == (443, "TLS")
    assert listener["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert listener["Certificates"] == [{"CertificateArn": {"Ref": certificate}}]
    assert only(NAME, "AWS::CertificateManager::Certificate") == {
        "DomainName": "registry.shrd.example.net",
        "ValidationMethod": "DNS",
        "DomainValidationOptions": [{"DomainName": "registry.shrd.example.net", "HostedZoneId": "Z0123456789PUBLIC"}],
    }


def test_the_domain_is_an_alias_in_the_private_zone() -> None:
    balancer = logical_id(NAME, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert only(NAME, "AWS::Route53::RecordSet") == {
        "HostedZoneId": "Z0123456789PRIVATE",
        "Name": "registry.shrd.example.net.",
        "Type": "A",
        "AliasTarget": {
            "DNSName": {"Fn::GetAtt": [balancer, "DNSName"]},
            "HostedZoneId": {"Fn::GetAtt": [balancer, "CanonicalHostedZoneID"]},
        },
    }


def test_an_existing_certificate_is_used_and_none_is_requested(imported: Stack) -> None:
    listener = imported.one("AWS::ElasticLoadBalancingV2::Listener")
    assert (listener["Protocol"], listener["Certificates"]) == ("TLS", [{"CertificateArn": ARN}])
    assert "AWS::CertificateManager::Certificate" not in {r["Type"] for r in imported.resources.values()}


def test_where_nginx_terminates_tls_the_load_balancer_passes_it_through_with_https_health_checks(
    passed_through: Stack,
) -> None:
    listener, targets = passed_through.one("AWS::ElasticLoadBalancingV2::Listener"), passed_through.one(TARGETS)
    assert (listener["Port"], listener["Protocol"]) == (443, "TCP")
    assert not {"Certificates", "SslPolicy"} & set(listener)
    assert (targets["HealthCheckProtocol"], targets["HealthCheckPath"]) == ("HTTPS", "/-/ready")
    assert attributes(targets)["preserve_client_ip.enabled"] == "true"
    # The longest ELB knows; what is still running then runs on.
    assert attributes(targets)["deregistration_delay.timeout_seconds"] == "3600"


def test_the_target_group_binding_is_applied_after_the_load_balancer_and_its_rule() -> None:
    manifest = plain(only(NAME, MANIFEST)["Manifest"])
    (binding,) = (d for d in json.loads(manifest) if d["kind"] == "TargetGroupBinding")
    assert binding["spec"]["targetGroupARN"] == f"${{{logical_id(NAME, TARGETS)}}}"
    (resource,) = resources(NAME, MANIFEST).values()
    for needed in ("LoadBalancerHttps", "LoadBalancerIntoPods", "Endpointsecrapi", "EndpointsS3"):
        assert any(i.startswith(needed) for i in listed(resource["DependsOn"])), needed


def needed_by(name: str, start: str) -> set[str]:
    """The resources that a resource depends on, directly or not: created before it, deleted after it."""
    everything = template(name)["Resources"]
    found: set[str] = set()
    left = [start]
    while left:
        for needed in references(everything[left.pop()]) & set(everything) - found:
            found.add(needed)
            left.append(needed)
    return found


def references(node: Any) -> set[str]:  # noqa: ANN401 - any part of a template
    match node:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::GetAtt": [name, _]}:
            return {name}
        case dict():
            named = set(listed(node.get("DependsOn", [])))
            return named.union(*(references(value) for key, value in node.items() if key != "DependsOn"))
        case list():
            return set().union(*map(references, node))
        case _:
            return set()


def test_the_binding_is_deleted_before_the_endpoints_of_its_controller_and_kubectl() -> None:
    """The controller has to remove its finalizer first, so its endpoints and those of kubectl must still exist."""
    manifest = logical_id(NAME, MANIFEST)
    needed = needed_by(NAME, manifest)
    for kind in (
        "AWS::EC2::VPCEndpoint",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EKS::AccessEntry",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        TARGETS,
    ):
        assert set(resources(NAME, kind)) <= needed, kind
    assert logical_id(NAME, "AWS::Logs::LogGroup", "DeploymentLog") in needed
    assert logical_id(NAME, "AWS::IAM::Role", "WorkloadRole") in needed
    assert manifest not in needed


def test_the_version_of_the_function_does_not_depend_on_the_token_numbers_of_cdk() -> None:
    variables = only(NAME, "AWS::Lambda::Function", "Refresher")["Environment"]["Variables"]
    assert "Token" not in json.dumps(variables)
    assert logical_id(NAME, "AWS::Lambda::Version")


@pytest.mark.parametrize("name", configurations.NAMES)
def test_other_exposures_have_no_load_balancer_and_no_endpoint(name: str) -> None:
    kinds = ("AWS::ElasticLoadBalancingV2::LoadBalancer", TARGETS, "AWS::EC2::VPCEndpoint", "AWS::Route53::RecordSet")
    assert not any(resources(name, kind) for kind in kinds)
