"""Synthesis shows a hint for a setting that may be a mistake, and does not reject it."""

import aws_cdk as cdk
import pytest

from stacks.synth_hints import synth_hints
from tests.template import configurations
from tests.template.synthesis import synthesize

PINNED = f'image = "public.ecr.aws/nginx/nginx:1.30.6@sha256:{"0" * 64}"'
PRIORITY = '\n[proxy.scheduling]\npriority_class = "system-cluster-critical"\n'


def hints_of(text: str) -> tuple[str, ...]:
    return synth_hints(configurations.parse(text))


def pinned(text: str) -> str:
    return known(text).replace("[proxy.exposure]", f"[proxy]\n{PINNED}\n[proxy.exposure]")


def known(text: str) -> str:
    """The settings with alarms that notify, a proxy that names the clients, and pods with a priority."""
    return f'alarms = {{ emails = ["on-call@example.net"] }}\n{text}{PRIORITY}'.replace(
        "[proxy.exposure]", '[proxy.exposure]\ntrusted_proxies = ["10.1.0.0/24"]'
    )


@pytest.mark.parametrize("region", ["ap-southeast-2", "us-gov-west-1", "cn-north-1"])
def test_a_known_region_and_a_pinned_image_get_no_hint(region: str) -> None:
    assert hints_of(pinned(configurations.text("public")).replace("ap-southeast-2", region)) == ()


def test_an_unknown_region_is_named_with_its_setting() -> None:
    mistyped = pinned(configurations.text("public")).replace("ap-southeast-2", "ap-southest-2", 1)
    (hint,) = hints_of(mistyped)
    assert hint.startswith("cluster.region = ap-southest-2: ")


def with_replica(region: str, *, nat: bool) -> str:
    replica = f'[[registries.replicas]]\naccount = "123456789012"\nregion = "{region}"\n[proxy]'
    text = pinned(configurations.text("public")).replace("[proxy]", replica, 1)
    return text.replace("[cluster]", f"[cluster]\nnat = {str(nat).lower()}")


def test_an_unknown_region_of_a_replica_is_named_with_its_setting() -> None:
    (hint,) = hints_of(with_replica("ap-southest-4", nat=True))
    assert hint.startswith("registries[0].replicas[0].region = ap-southest-4: botocore does not know this region")


@pytest.mark.parametrize(("nat", "hinted"), [(True, 0), (False, 1)])
def test_a_replica_that_only_endpoints_would_lead_to_is_named_with_the_fix(*, nat: bool, hinted: int) -> None:
    found = hints_of(with_replica("ap-southeast-4", nat=nat))
    assert [hint.partition(":")[0] for hint in found] == ["registries[0].replicas[0].region = ap-southeast-4"] * hinted
    assert all("NAT or a peered VPC with endpoints there" in hint for hint in found)


def test_a_replica_in_the_region_of_the_endpoints_is_reached_through_them() -> None:
    text = with_replica("eu-west-1", nat=False).replace(
        'name = "shared"\nregion = "ap-southeast-2"', 'name = "shared"\nregion = "eu-west-1"'
    )
    assert parsed_region(text) == "eu-west-1"
    assert hints_of(text) == ()


def parsed_region(text: str) -> str:
    return configurations.parse(text).cluster.region


def test_an_image_with_only_a_tag_is_named_with_its_setting() -> None:
    (hint,) = hints_of(known(configurations.text("public")))
    assert hint.startswith("proxy.image = public.ecr.aws/nginx/nginx:1.30.6: ")
    (hint, *_) = hints_of(configurations.text("several"))
    assert hint.startswith("proxy.image = 123456789012.dkr.ecr.eu-west-1.amazonaws.com/platform/nginx:1.30.6: ")


@pytest.mark.parametrize(
    ("exposure", "hinted"),
    [
        ('kind = "service"', True),
        ('kind = "ingress"\nclass_name = "nginx"', True),
        ('kind = "ingress"\nclass_name = "nginx"\ntrusted_proxies = ["10.1.0.0/24"]', False),
        ('kind = "pod"\ntls_secret = "registry-tls"', False),
    ],
)
def test_clients_that_nginx_cannot_know_are_named_with_the_setting(exposure: str, *, hinted: bool) -> None:
    text = pinned(configurations.text("public"))
    head, _, _ = text.partition("[proxy.exposure]")
    found = hints_of(f"{head}[proxy.exposure]\n{exposure}{PRIORITY}")
    assert [hint.startswith("proxy.exposure.trusted_proxies is not set: ") for hint in found] == [True] * hinted


@pytest.mark.parametrize(("line", "hinted"), [("", True), (PRIORITY, False)])
def test_pods_without_a_priority_class_are_named_with_the_setting(line: str, *, hinted: bool) -> None:
    found = [hint.partition(" is not set: ")[0] for hint in hints_of(f"{configurations.text('public')}{line}")]
    assert found.count("proxy.scheduling.priority_class") == hinted


@pytest.mark.parametrize(("replicas", "hinted"), [(2, True), (3, False), (4, False)])
def test_fewer_pods_than_zones_of_the_load_balancer_are_named_with_the_setting(replicas: int, *, hinted: bool) -> None:
    third = 'subnet-0fedcba9876543210 = "10.1.2.0/24"'
    text = configurations.text("nlb").replace("[proxy]", f"[proxy]\nreplicas = {replicas}")
    found = [hint for hint in hints_of(f"{text}\n{third}") if hint.startswith(f"proxy.replicas = {replicas}: ")]
    assert [hint.endswith("Fix: set proxy.replicas to 3 or more") for hint in found] == [True] * hinted
    assert not [hint for hint in hints_of(text) if hint.startswith("proxy.replicas")]


ARN = "arn:aws:elasticloadbalancing:ap-southeast-2:123456789012:targetgroup/{}/0123456789abcdef"
PLAIN = f'target_group_arn = "{ARN.format("pods")}"'
PROXIED = f'proxy_protocol_target_group_arn = "{ARN.format("proxied")}"'


@pytest.mark.parametrize(
    ("manifests", "lines", "hinted"),
    [
        ("kubectl", "", False),
        ("external", PLAIN, True),
        ("external", f"{PLAIN}\n{PROXIED}", False),
        ("external", f"{PLAIN}\npreserve_client_ip = true", False),
    ],
)
def test_a_load_balancer_of_the_stack_that_names_no_client_is_named_with_the_setting(
    manifests: str, lines: str, *, hinted: bool
) -> None:
    text = configurations.text("nlb").replace('kind = "nlb"', f'kind = "nlb"\n{lines}')
    found = [hint.partition(" is not set: ")[0] for hint in hints_of(f'manifests = "{manifests}"\n{text}')]
    about_clients = [hint for hint in found if hint.startswith("proxy.exposure.")]
    assert about_clients == ["proxy.exposure.proxy_protocol_target_group_arn"] * hinted


def test_a_gateway_that_passes_tls_through_names_no_client() -> None:
    exposure = 'kind = "gateway"\ngateway = "internal"\ngateway_namespace = "edge"\ntls_secret = "registry-tls"'
    text = configurations.text("public").replace('kind = "service"', exposure)
    assert any("leave tls_secret out, so that the Gateway terminates TLS" in hint for hint in hints_of(text))


@pytest.mark.parametrize(
    ("alarms", "hinted"),
    [
        ("", True),
        ('[alarms]\nemails = ["on-call@example.net"]', False),
        ('[alarms]\ntopic_arn = "arn:aws:sns:ap-southeast-2:123456789012:on-call"', False),
    ],
)
def test_alarms_without_a_recipient_are_named_with_the_settings(alarms: str, *, hinted: bool) -> None:
    found = hints_of(f"{configurations.text('public')}\n{alarms}")
    about_alarms = [hint for hint in found if hint.startswith("[alarms] has neither topic_arn nor emails: ")]
    assert len(about_alarms) == hinted


def test_the_hints_are_shown_at_synthesis_and_the_template_is_written() -> None:
    settings = configurations.parse(configurations.text("external").replace("ap-southeast-2", "ap-southest-2"))
    stacks: list[cdk.Stack] = []
    assert synthesize(settings, and_add=stacks.append)["Resources"]
    shown = [entry.data for entry in stacks[0].node.metadata if entry.type == "aws:cdk:info"]
    assert shown == list(synth_hints(settings))
    assert len(shown) == 6
