"""Each exposure kind gives the charts, the stack and the doctor its facts."""

import pytest

from k8s_manifests.exposures import UNKNOWN, Exposure, TargetGroups, exposure_of
from k8s_manifests.rollout import longest_rollout_seconds, surge
from lambda_fn.settings import parse_toml
from tests.unit.settings.files import with_line

CLIENTS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
GROUP = "arn:aws:elasticloadbalancing:ap-southeast-2:123456789012:targetgroup/pods/0123456789abcdef"
OTHER = GROUP.replace("pods", "proxied")
GATEWAY = "kind = 'gateway'\ngateway = 'internal'\ngateway_namespace = 'edge'"
GATEWAY_THROUGH = f"{GATEWAY}\ntls_secret = 'tls'"
INGRESS = "kind = 'ingress'\nclass_name = 'nginx'\ntls_secret = 'tls'"
NLB = "kind = 'nlb'\nsubnets = { subnet-12345678 = '10.1.0.0/24' }\ncertificate_zone_id = 'Z12'"
NLB_THROUGH = "kind = 'nlb'\nsubnets = { subnet-12345678 = '10.1.0.0/24' }\ntls_secret = 'tls'"
POD = "kind = 'pod'\ntls_secret = 'tls'"
SERVICE = "kind = 'service'"


def exposure(lines: str, *, target_groups: TargetGroups = UNKNOWN) -> Exposure:
    return exposure_of(parse_toml(with_line("[proxy.exposure]", lines), "my.toml"), target_groups=target_groups)


@pytest.mark.parametrize("lines", [GATEWAY, INGRESS, NLB, POD, SERVICE])
def test_every_kind_of_the_settings_has_its_exposure(lines: str) -> None:
    assert f"kind = '{exposure(lines).kind}'" in lines


@pytest.mark.parametrize(
    ("lines", "ports"),
    [
        (GATEWAY, (8080, 80)),
        (INGRESS, (8080, 80)),
        (SERVICE, (8080, 80)),
        (NLB, (8080, 80)),
        (POD, (8443, 443)),
        (GATEWAY_THROUGH, (8443, 443)),
        (NLB_THROUGH, (8443, 443)),
    ],
)
def test_clients_use_the_tls_ports_only_if_nginx_terminates_tls(lines: str, ports: tuple[int, int]) -> None:
    found = exposure(lines)
    assert (found.listening_port, found.service_port) == ports
    assert (found.tls_secret == "tls") == (ports == (8443, 443))


@pytest.mark.parametrize("lines", [GATEWAY, GATEWAY_THROUGH, INGRESS, POD, SERVICE])
def test_without_a_load_balancer_connections_come_from_the_clients(lines: str) -> None:
    found = exposure(lines)
    assert found.sources == CLIENTS
    assert not found.has_load_balancer
    assert not found.vpc_endpoints


@pytest.mark.parametrize("lines", [GATEWAY, INGRESS, POD, SERVICE])
def test_proxies_outside_of_the_clients_networks_reach_the_pods(lines: str) -> None:
    outside = ["203.0.113.0/24", "fd00:10::/64"]
    found = exposure(f"{lines}\ntrusted_proxies = {['10.1.0.0/16', *outside]}")
    assert found.sources == (*CLIENTS, *outside)


def test_a_range_of_proxies_wider_than_that_of_the_clients_is_open_as_a_whole() -> None:
    found = exposure(f"{SERVICE}\ntrusted_proxies = ['192.168.0.0/15']")
    assert found.sources == (*CLIENTS, "192.168.0.0/15")


def test_with_a_load_balancer_connections_come_from_its_subnets() -> None:
    assert exposure(NLB).sources == ("10.1.0.0/24",)
    assert exposure(f"{NLB}\npreserve_client_ip = true").sources == ("10.1.0.0/24", *CLIENTS)


def test_there_is_a_binding_for_each_target_group_that_is_known() -> None:
    assert exposure(NLB).proxy_objects == ()
    for groups, bindings in ((TargetGroups(GROUP), 1), (TargetGroups(GROUP, OTHER), 2)):
        found = exposure(NLB, target_groups=groups)
        assert found.target_groups == groups
        assert len(found.proxy_objects) == bindings


def test_a_target_group_of_the_stack_comes_before_that_of_the_settings() -> None:
    given, made = TargetGroups(GROUP, GROUP), TargetGroups(OTHER)
    assert made.or_else(given) == TargetGroups(OTHER, GROUP)


@pytest.mark.parametrize("lines", [NLB, NLB_THROUGH, f"{NLB}\npreserve_client_ip = true"])
def test_proxy_protocol_comes_only_from_the_load_balancer_on_a_port_of_its_own(lines: str) -> None:
    found = exposure(lines)
    assert found.openings == ((found.listening_port, found.sources), (8082, ("10.1.0.0/24",)))
    assert found.service_ports == {found.port_name: found.service_port, "proxy-protocol": 8082}


@pytest.mark.parametrize("lines", [GATEWAY, GATEWAY_THROUGH, INGRESS, POD, SERVICE])
def test_without_a_load_balancer_no_port_has_proxy_protocol(lines: str) -> None:
    found = exposure(lines)
    assert found.openings == ((found.listening_port, CLIENTS),)
    assert found.service_ports == {found.port_name: found.service_port}


def test_a_pod_behind_a_load_balancer_accepts_connections_until_it_is_deregistered() -> None:
    assert exposure(NLB).endpoint_seconds == 150
    assert exposure(SERVICE).endpoint_seconds == 10


@pytest.mark.parametrize(("replicas", "pods", "seconds"), [(2, 1, 370), (4, 1, 740), (5, 2, 555), (50, 13, 740)])
def test_a_rollout_behind_a_load_balancer_takes_at_most_four_steps(replicas: int, pods: int, seconds: int) -> None:
    registration = exposure(NLB).registration_seconds
    assert surge(replicas, registration_seconds=registration) == pods
    assert longest_rollout_seconds(replicas, registration_seconds=registration) == seconds


def test_a_rollout_without_a_load_balancer_starts_one_pod_at_a_time() -> None:
    assert surge(50, registration_seconds=exposure(POD).registration_seconds) == 1
    assert longest_rollout_seconds(50, registration_seconds=0) == 0
