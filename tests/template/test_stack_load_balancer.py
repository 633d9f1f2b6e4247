import dataclasses
import json
from typing import Any

import pytest

from lambda_fn.settings import Settings
from tests.template import configurations, order
from tests.template.synthesis import listed, logical_id, only, plain, resources, synthesize, template

NAME = "nlb"
GROUP = "AWS::EC2::SecurityGroup"
INTO = "AWS::EC2::SecurityGroupIngress"
TARGETS = "AWS::ElasticLoadBalancingV2::TargetGroup"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
HTTPS = "LoadBalancerHttps"
PLAIN, PROXY_PROTOCOL = "LoadBalancerPods", "LoadBalancerProxyProtocol"
RUN = "Custom::Trigger"
MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
OBJECTS = "WorkloadManifest"
ARN = "arn:aws:acm:ap-southeast-2:123456789012:certificate/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"


@dataclasses.dataclass(frozen=True)
class Stack:
    """A synthesized stack, by the types of its resources."""

    resources: dict[str, Any]

    def one(self, kind: str, construct: str = "") -> dict[str, Any]:
        named = self.resources.items()
        (found,) = (r["Properties"] for i, r in named if r["Type"] == kind and i.startswith(construct))
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


@pytest.mark.parametrize(
    ("line", "routing", "cross_zone"),
    [("", None, "true"), ("zone_affinity = true", "availability_zone_affinity", "false")],
)
def test_with_zone_affinity_a_connection_stays_in_the_zone_of_its_client(
    line: str, routing: str | None, cross_zone: str
) -> None:
    text = configurations.text(NAME).replace('kind = "nlb"', f'kind = "nlb"\n{line}')
    found = synthesize(configurations.parse(text))["Resources"].values()
    (balancer,) = (r["Properties"] for r in found if r["Type"] == "AWS::ElasticLoadBalancingV2::LoadBalancer")
    known = {a["Key"]: a["Value"] for a in balancer["LoadBalancerAttributes"]}
    assert known.get("dns_record.client_routing_policy") == routing
    assert known["load_balancing.cross_zone.enabled"] == cross_zone


def test_only_client_networks_reach_the_load_balancer_and_it_reaches_only_the_pods() -> None:
    group = only(NAME, GROUP, "LoadBalancer")
    rules = [(r["CidrIp"], r["IpProtocol"], r["FromPort"], r["ToPort"]) for r in group["SecurityGroupIngress"]]
    assert rules == [("10.1.0.0/16", "tcp", 443, 443), ("10.200.0.0/16", "tcp", 443, 443)]
    out = [(r["DestinationSecurityGroupId"], r["FromPort"], r["ToPort"]) for r in group["SecurityGroupEgress"]]
    assert out == [("sg-0a1b2c3d4e5f60718", 8080, 8080), ("sg-0a1b2c3d4e5f60718", 8082, 8082)]


@pytest.mark.parametrize(("name", "port"), [("Pods", 8080), ("ProxyProtocol", 8082)])
def test_the_security_group_of_the_pods_admits_the_load_balancer_on_its_ports(name: str, port: int) -> None:
    rule = dict(only(NAME, INTO, f"LoadBalancerInto{name}"))
    del rule["Description"]
    assert rule == {
        "GroupId": "sg-0a1b2c3d4e5f60718",
        "SourceSecurityGroupId": {"Fn::GetAtt": [logical_id(NAME, GROUP, "LoadBalancer"), "GroupId"]},
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
    }


def test_with_pod_security_group_id_that_group_admits_the_load_balancer() -> None:
    line = 'nat = false\npod_security_group_id = "sg-18f0e5d4c3b2a1907"'
    found = synthesize(configurations.parse(configurations.text(NAME).replace("nat = false", line)))["Resources"]
    rules = [r["Properties"] for i, r in found.items() if r["Type"] == INTO and i.startswith("LoadBalancer")]
    assert [rule["GroupId"] for rule in rules] == ["sg-18f0e5d4c3b2a1907"] * 2


@pytest.mark.parametrize(
    ("line", "tags"), [("", {}), ('controller = "eks-auto-mode"', {"eks:eks-cluster-name": "shared"})]
)
def test_only_eks_auto_mode_of_this_cluster_may_register_targets_by_a_tag(line: str, tags: dict[str, str]) -> None:
    text = configurations.text(NAME).replace('kind = "nlb"', f'kind = "nlb"\n{line}')
    found = synthesize(configurations.parse(text))["Resources"].values()
    groups = [r["Properties"].get("Tags", []) for r in found if r["Type"] == TARGETS]
    assert [{tag["Key"]: tag["Value"] for tag in group} for group in groups] == [tags] * 2


@pytest.mark.parametrize(("construct", "proxy_protocol"), [(PLAIN, "false"), (PROXY_PROTOCOL, "true")])
def test_the_health_check_asks_nginx_and_deregistration_cuts_no_pull(construct: str, proxy_protocol: str) -> None:
    targets = only(NAME, TARGETS, construct)
    check = {key: value for key, value in targets.items() if key.startswith("HealthCheck")}
    assert (targets["TargetType"], targets["Protocol"], targets["VpcId"]) == ("ip", "TCP", "vpc-0a1b2c3d4e5f60718")
    assert (check["HealthCheckProtocol"], check["HealthCheckPath"]) == ("HTTP", "/-/ready")
    assert check["HealthCheckPort"] == "traffic-port"
    assert targets["Matcher"] == {"HttpCode": "200"}
    assert attributes(targets) == {
        "proxy_protocol_v2.enabled": proxy_protocol,
        "preserve_client_ip.enabled": "false",
        "deregistration_delay.timeout_seconds": "900",
        "deregistration_delay.connection_termination.enabled": "false",
        "target_health_state.unhealthy.connection_termination.enabled": "false",
    }


def test_the_load_balancer_terminates_tls_with_a_certificate_validated_in_the_public_zone() -> None:
    listener = only(NAME, LISTENER, HTTPS)
    certificate = logical_id(NAME, "AWS::CertificateManager::Certificate")
    assert (listener["Port"], listener["Protocol"]) == (443, "TLS")
    assert listener["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
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
    listener = imported.one(LISTENER, HTTPS)
    assert (listener["Protocol"], listener["Certificates"]) == ("TLS", [{"CertificateArn": ARN}])
    assert "AWS::CertificateManager::Certificate" not in {r["Type"] for r in imported.resources.values()}


def test_where_nginx_terminates_tls_the_load_balancer_passes_it_through_with_https_health_checks(
    passed_through: Stack,
) -> None:
    listener, targets = passed_through.one(LISTENER, HTTPS), passed_through.one(TARGETS, PLAIN)
    assert (listener["Port"], listener["Protocol"]) == (443, "TCP")
    assert not {"Certificates", "SslPolicy"} & set(listener)
    assert (targets["HealthCheckProtocol"], targets["HealthCheckPath"]) == ("HTTPS", "/-/ready")
    assert passed_through.one(TARGETS, PROXY_PROTOCOL)["HealthCheckProtocol"] == "HTTPS"
    # The longest ELB knows; what is still running then runs on.
    assert attributes(targets)["deregistration_delay.timeout_seconds"] == "3600"


def leads_to(resources: dict[str, Any], construct: str) -> str:
    """The target group that a listener leads to."""
    (found,) = (r["Properties"] for i, r in resources.items() if r["Type"] == LISTENER and i.startswith(construct))
    (action,) = found["DefaultActions"]
    assert isinstance(action["TargetGroupArn"]["Ref"], str)
    return action["TargetGroupArn"]["Ref"]


def test_clients_are_led_to_the_target_group_with_proxy_protocol() -> None:
    assert leads_to(template(NAME)["Resources"], HTTPS) == logical_id(NAME, TARGETS, PROXY_PROTOCOL)


def test_with_preserved_addresses_clients_are_led_to_the_plain_target_group(passed_through: Stack) -> None:
    assert leads_to(passed_through.resources, HTTPS).startswith(PLAIN)
    preserved = [
        attributes(passed_through.one(TARGETS, construct))["preserve_client_ip.enabled"]
        for construct in (PLAIN, PROXY_PROTOCOL)
    ]
    assert preserved == ["true", "false"]


@pytest.mark.parametrize(("construct", "port"), [(PLAIN, 8080), (PROXY_PROTOCOL, 8082)])
def test_each_target_group_is_in_use_on_a_port_that_no_client_reaches(construct: str, port: int) -> None:
    """Only then are its targets checked, and new pods wait for that."""
    standby = f"{construct}Standby"
    listener = only(NAME, LISTENER, standby)
    assert (listener["Port"], listener["Protocol"]) == (port, "TCP")
    assert leads_to(template(NAME)["Resources"], standby) == logical_id(NAME, TARGETS, construct)


def test_a_change_of_the_setting_replaces_no_target_group_and_moves_clients_after_the_pods_are_there() -> None:
    changed = synthesize(
        configurations.parse(
            configurations.text(NAME).replace('kind = "nlb"', 'kind = "nlb"\npreserve_client_ip = true')
        )
    )["Resources"]
    before = template(NAME)["Resources"]
    groups = [i for i, r in before.items() if r["Type"] == TARGETS]
    assert len(groups) == 2
    for group in groups:
        old, new = (dict(of[group]["Properties"]) for of in (before, changed))
        del old["TargetGroupAttributes"], new["TargetGroupAttributes"]
        assert old == new
    (run,) = resources(NAME, RUN)
    https = logical_id(NAME, LISTENER, HTTPS)
    assert {run, logical_id(NAME, MANIFEST, OBJECTS)} <= needed_by(NAME, https)
    assert https not in needed_by(NAME, run)


def test_the_schedules_start_when_clients_reach_the_pods() -> None:
    (schedule,) = resources(NAME, "AWS::Scheduler::Schedule")
    assert logical_id(NAME, LISTENER, HTTPS) in needed_by(NAME, schedule)


def test_with_external_manifests_clients_move_when_the_pods_are_bound_to_the_other_target_group() -> None:
    arn = "arn:aws:elasticloadbalancing:ap-southeast-2:123456789012:targetgroup/{}/0123456789abcdef"
    plain = f'target_group_arn = "{arn.format("pods")}"'
    both = f'{plain}\nproxy_protocol_target_group_arn = "{arn.format("proxied")}"'
    proxied = f'proxy_protocol_target_group_arn = "{arn.format("proxied")}"'
    found = []
    for lines in ("", plain, proxied, both):
        text = configurations.text(NAME).replace('kind = "nlb"', f'kind = "nlb"\n{lines}')
        found.append(leads_to(synthesize(configurations.parse(f'manifests = "external"\n{text}'))["Resources"], HTTPS))
    assert [name.startswith(PLAIN) for name in found] == [True, True, False, False]


def test_the_target_group_binding_is_applied_after_the_load_balancer_and_its_rule() -> None:
    manifest = plain(only(NAME, MANIFEST, OBJECTS)["Manifest"])
    bound = [d["spec"]["targetGroupARN"] for d in json.loads(manifest) if d["kind"] == "TargetGroupBinding"]
    assert bound == [f"${{{logical_id(NAME, TARGETS, construct)}}}" for construct in (PLAIN, PROXY_PROTOCOL)]
    resource = resources(NAME, MANIFEST)[logical_id(NAME, MANIFEST, OBJECTS)]
    standby = (f"{PLAIN}Standby", f"{PROXY_PROTOCOL}Standby")
    for needed in (*standby, "LoadBalancerIntoPods", "LoadBalancerIntoProxyProtocol", "Endpointsecrapi", "EndpointsS3"):
        assert any(i.startswith(needed) for i in listed(resource["DependsOn"])), needed


def needed_by(name: str, start: str) -> set[str]:
    """The resources that a resource depends on, directly or not: created before it, deleted after it."""
    return order.needed_by(template(name)["Resources"], start)


def test_the_binding_is_deleted_before_the_endpoints_of_its_controller_and_kubectl() -> None:
    """The controller has to remove its finalizer first, so its endpoints and those of kubectl must still exist."""
    manifest = logical_id(NAME, MANIFEST, OBJECTS)
    needed = needed_by(NAME, manifest)
    for kind in (
        "AWS::EC2::VPCEndpoint",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EKS::AccessEntry",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        TARGETS,
    ):
        # The watcher has no part in the binding.
        assert {one for one in resources(NAME, kind) if not one.startswith("Watcher")} <= needed, kind
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


PROTECTED = "Custom::AWS"


def protected() -> dict[str, Any]:
    return dict(template("protected")["Resources"])


def test_the_load_balancer_is_not_protected_by_default() -> None:
    assert not resources(NAME, PROTECTED)


def test_the_protection_comes_last_and_goes_first() -> None:
    """CloudFormation deletes what depends on a resource before it: so a rollback and a removal find no protection."""
    found = protected()
    ((switch_id, switch),) = ((i, r) for i, r in found.items() if r["Type"] == PROTECTED)
    balancer = logical_id(NAME, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    calls = {step: plain(switch["Properties"][step]) for step in ("Create", "Update", "Delete")}
    arn = f"${{{balancer}}}"
    for step, value in (("Create", "true"), ("Update", "true"), ("Delete", "false")):
        call = json.loads(calls[step])
        assert (call["service"], call["action"]) == ("elastic-load-balancing-v2", "modifyLoadBalancerAttributes")
        assert call["parameters"] == {
            "LoadBalancerArn": arn,
            "Attributes": [{"Key": "deletion_protection.enabled", "Value": value}],
        }
        assert call["physicalResourceId"] == {"id": arn}
    assert json.loads(calls["Delete"])["ignoreErrorCodesMatching"] == "LoadBalancerNotFound"
    waits_for = {found[name]["Type"] for name in switch["DependsOn"]}
    assert {"AWS::ElasticLoadBalancingV2::Listener", "Custom::Trigger"} <= waits_for
    assert not [i for i, resource in found.items() if switch_id in resource.get("DependsOn", [])]


def test_the_function_that_protects_may_do_nothing_else() -> None:
    found = protected()
    ((role_id, role),) = ((i, r) for i, r in found.items() if i.startswith("DeletionProtectionRole"))
    (policy,) = role["Properties"]["Policies"]
    protect, write = policy["PolicyDocument"]["Statement"]
    balancer = logical_id(NAME, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert (protect["Action"], protect["Resource"]) == (
        "elasticloadbalancing:ModifyLoadBalancerAttributes",
        {"Ref": balancer},
    )
    assert write["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert "ManagedPolicyArns" not in role["Properties"]
    (function,) = (r for r in found.values() if r["Properties"].get("Role") == {"Fn::GetAtt": [role_id, "Arn"]})
    assert function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"].startswith("DeletionProtectionLog")
    assert not [
        r for r in found.values() if r["Type"] == "AWS::IAM::Policy" and {"Ref": role_id} in r["Properties"]["Roles"]
    ]
