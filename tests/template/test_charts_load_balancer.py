"""The pods behind the load balancer of the stack.

No API server here knows the kind TargetGroupBinding, because no package registry has its definition. So the whole spec
is compared, and a new field has to be looked up first; testbed/docs/testing.md says where.
Sources: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/targetgroupbinding/spec/ and
https://docs.aws.amazon.com/eks/latest/userguide/auto-configure-nlb.html
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from k8s_manifests import documents
from k8s_manifests.exposures import TargetGroups
from tests.template.charts import INGRESS, NLB, NLB_AUTO_MODE, NLB_THROUGH, container, find, pod, settings
from tests.template.configurations import ROOT

ARN = "arn:aws:elasticloadbalancing:ap-southeast-2:123456789012:targetgroup/pods/0123456789abcdef"
OTHER = ARN.replace("pods", "proxied")
GROUPS = TargetGroups(ARN, OTHER)


@pytest.mark.parametrize(
    ("exposure", "api", "port", "name"),
    [
        (NLB, "elbv2.k8s.aws/v1beta1", 80, "http"),
        (NLB_THROUGH, "elbv2.k8s.aws/v1beta1", 443, "https"),
        (NLB_AUTO_MODE, "eks.amazonaws.com/v1", 80, "http"),
    ],
)
def test_the_bindings_register_the_pods_with_the_stacks_target_groups(
    exposure: str, api: str, port: int, name: str
) -> None:
    found = settings(exposure)
    bindings = [d for d in documents(found, target_groups=GROUPS) if d["kind"] == "TargetGroupBinding"]
    assert {b["apiVersion"] for b in bindings} == {api}
    assert {b["metadata"]["namespace"] for b in bindings} == {"registry"}
    assert {b["metadata"]["name"]: b["spec"] for b in bindings} == {
        name: {
            "targetGroupARN": arn,
            "targetType": "ip",
            "serviceRef": {"name": "aws-registry-proxy", "port": service_port},
        }
        for name, arn, service_port in [
            ("aws-registry-proxy", ARN, port),
            ("aws-registry-proxy-proxied", OTHER, 8082),
        ]
    }
    ports = [(p["name"], p["port"], p["targetPort"]) for p in find("Service", found)["spec"]["ports"]]
    assert ports == [(name, port, name), ("proxy-protocol", 8082, "proxy-protocol")]
    assert ("proxy-protocol", 8082) in {(p["name"], p["containerPort"]) for p in container(found)["ports"]}


def test_the_binding_comes_before_the_pods_that_wait_for_it() -> None:
    kinds = [d["kind"] for d in documents(settings(NLB), target_groups=GROUPS)]
    assert kinds.index("Service") < kinds.index("TargetGroupBinding") < kinds.index("Deployment")


@pytest.mark.parametrize(
    ("exposure", "gates"),
    [
        (INGRESS, {}),
        (NLB, {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}),
        (NLB_AUTO_MODE, {"eks.amazonaws.com/pod-readiness-gate-inject": "enabled"}),
    ],
)
def test_a_pod_is_ready_only_when_the_load_balancer_finds_it_healthy(exposure: str, gates: dict[str, str]) -> None:
    labels = find("Namespace", settings(exposure))["metadata"]["labels"]
    assert {name: value for name, value in labels.items() if "readiness-gate" in name} == gates


def test_with_external_manifests_the_target_group_is_that_of_the_settings() -> None:
    lines = f'{NLB}\ntarget_group_arn = "{ARN}"'
    found = settings(lines, manifests="external")
    assert find("TargetGroupBinding", found)["spec"]["targetGroupARN"] == ARN


def printed(*words: str) -> subprocess.CompletedProcess[str]:
    config = ROOT / "examples" / "nlb.toml"
    command = [sys.executable, "-m", "cli.command", "manifests", "--config", str(config), *words]
    # cdk8s runs on the Node beside this Python; an older one on the machine complains on stderr.
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)  # noqa: S603 - our own


def test_without_a_target_group_the_command_names_the_missing_setting() -> None:
    done = printed()
    for setting in ("target_group_arn", "proxy_protocol_target_group_arn"):
        assert f"proxy.exposure.{setting} " in done.stderr
    for output in ("TargetGroupArn", "ProxyProtocolTargetGroupArn"):
        assert f" {output}," in done.stderr
    assert "kind: TargetGroupBinding" not in done.stdout
    assert "kind: Deployment" in done.stdout


def test_the_target_group_may_be_given_on_the_command_line() -> None:
    done = printed("--target-group-arn", ARN, "--proxy-protocol-target-group-arn", OTHER)
    assert done.stderr == ""
    for arn in (ARN, OTHER):
        assert f"targetGroupARN: {arn}" in done.stdout


def test_only_the_load_balancer_reaches_the_pods_unless_client_addresses_are_preserved() -> None:
    proxy = 'client_cidrs = ["10.9.0.0/16"]'
    by_default, kept = settings(NLB, proxy=proxy), settings(f"{NLB}\npreserve_client_ip = true", proxy=proxy)
    sources = [
        [peer["ipBlock"]["cidr"] for peer in find("NetworkPolicy", found)["spec"]["ingress"][0]["from"]]
        for found in (by_default, kept)
    ]
    assert sources == [["10.1.0.0/24", "10.1.1.0/24"], ["10.1.0.0/24", "10.1.1.0/24", "10.9.0.0/16"]]


@pytest.mark.parametrize(("exposure", "port"), [(NLB, 8080), (NLB_THROUGH, 8443)])
def test_only_the_ports_that_serve_are_open_to_the_load_balancer(exposure: str, port: int) -> None:
    rules = find("NetworkPolicy", settings(exposure))["spec"]["ingress"]
    assert [rule["ports"] for rule in rules] == [[{"port": p, "protocol": "TCP"}] for p in (port, 8082)]


@pytest.mark.parametrize("more", ["", "\npreserve_client_ip = true"])
def test_the_port_with_proxy_protocol_is_open_to_the_load_balancer_alone(more: str) -> None:
    rule = find("NetworkPolicy", settings(f"{NLB}{more}"))["spec"]["ingress"][1]
    assert [peer["ipBlock"]["cidr"] for peer in rule["from"]] == ["10.1.0.0/24", "10.1.1.0/24"]


def test_nginx_has_the_certificate_if_tls_passes_through_the_load_balancer() -> None:
    (volume,) = (v for v in pod(settings(NLB_THROUGH))["volumes"] if v["name"] == "tls")
    assert volume["secret"]["secretName"] == "registry-tls"
    # All keys of the Secret, as cert-manager writes them.
    assert "items" not in volume["secret"]
    assert "https" in {p["name"] for p in container(settings(NLB_THROUGH))["ports"]}
    assert "tls" not in {v["name"] for v in pod(settings(NLB))["volumes"]}


def test_a_stopping_pod_accepts_connections_until_it_is_deregistered() -> None:
    found = settings(NLB, proxy="drain_seconds = 60")
    (script, _, seconds, _) = container(found)["lifecycle"]["preStop"]["exec"]["command"][2:]
    assert ('sleep "$1"' in script.splitlines(), seconds) == (True, "150")
    assert pod(found)["terminationGracePeriodSeconds"] > 150 + 60
