"""How clients reach the pods, and which connections the pods may open."""

import pytest

from k8s_manifests import documents
from lambda_fn.contract.errors import SettingsError
from tests.template.charts import INGRESS, POD, SERVICE, container, find, settings

MONITORED = 'monitoring_namespace = "monitoring"'


@pytest.mark.parametrize(
    ("exposure", "port", "target"), [(INGRESS, 80, "http"), (SERVICE, 80, "http"), (POD, 443, "https")]
)
def test_the_service_has_only_the_port_that_clients_use(exposure: str, port: int, target: str) -> None:
    found = settings(exposure)
    spec = find("Service", found)["spec"]
    assert spec == {
        "type": "ClusterIP",
        "trafficDistribution": "PreferSameZone",
        "selector": {"app.kubernetes.io/name": "aws-registry-proxy"},
        "ports": [{"name": target, "port": port, "targetPort": target, "protocol": "TCP"}],
    }
    assert target in {p["name"] for p in container(found)["ports"]}


def test_the_ingress_serves_the_domain_with_its_certificate() -> None:
    assert find("Ingress", settings())["spec"] == {
        "ingressClassName": "nginx",
        "rules": [
            {
                "host": "registry.shrd.example.net",
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "aws-registry-proxy", "port": {"name": "http"}}},
                        }
                    ]
                },
            }
        ],
        "tls": [{"hosts": ["registry.shrd.example.net"], "secretName": "registry-tls"}],
    }


def test_without_a_tls_secret_the_ingress_has_tls_for_the_domain() -> None:
    found = find("Ingress", settings('kind = "ingress"\nclass_name = "alb"'))
    assert found["spec"]["tls"] == [{"hosts": ["registry.shrd.example.net"]}]


def test_the_ingress_has_only_the_annotations_of_the_operator() -> None:
    lines = f'{INGRESS}\nannotations = {{ "cert-manager.io/cluster-issuer" = "internal" }}'
    assert find("Ingress", settings(lines))["metadata"]["annotations"] == {"cert-manager.io/cluster-issuer": "internal"}
    assert "annotations" not in find("Ingress", settings())["metadata"]


GATEWAY = 'kind = "gateway"\ngateway = "internal"\ngateway_namespace = "edge"'
PARENT = {"name": "internal", "namespace": "edge"}


def test_a_gateway_that_terminates_tls_leads_requests_without_a_time_limit_to_the_service() -> None:
    found = settings(f'{GATEWAY}\nsection_name = "https"')
    assert find("HTTPRoute", found)["spec"] == {
        "parentRefs": [PARENT | {"sectionName": "https"}],
        "hostnames": ["registry.shrd.example.net"],
        "rules": [{"backendRefs": [{"name": "aws-registry-proxy", "port": 80}], "timeouts": {"request": "0s"}}],
    }
    assert not [d for d in documents(found) if d["kind"] == "TLSRoute"]


def test_a_gateway_that_passes_tls_through_leads_connections_for_the_domain_to_nginx() -> None:
    found = settings(f'{GATEWAY}\ntls_secret = "registry-tls"')
    assert find("TLSRoute", found)["spec"] == {
        "parentRefs": [PARENT],
        "hostnames": ["registry.shrd.example.net"],
        "rules": [{"backendRefs": [{"name": "aws-registry-proxy", "port": 443}]}],
    }
    assert not [d for d in documents(found) if d["kind"] == "HTTPRoute"]
    assert find("Service", found)["spec"]["ports"][0]["port"] == 443


@pytest.mark.parametrize(
    ("more", "address"),
    [("", "unknown"), ('trusted_proxies = ["10.1.0.0/24"]', "forwarded"), ('tls_secret = "registry-tls"', "unknown")],
)
def test_only_a_gateway_that_terminates_tls_can_name_the_client(more: str, address: str) -> None:
    assert settings(f"{GATEWAY}\n{more}").proxy.exposure.client_address == address


@pytest.mark.parametrize("exposure", [POD, SERVICE])
def test_pod_and_service_have_no_ingress(exposure: str) -> None:
    assert "Ingress" not in {d["kind"] for d in documents(settings(exposure))}


@pytest.mark.parametrize(("exposure", "port"), [(INGRESS, 8080), (SERVICE, 8080), (POD, 8443)])
def test_only_the_clients_networks_reach_only_the_serving_port(exposure: str, port: int) -> None:
    found = settings(exposure, proxy='client_cidrs = ["10.1.0.0/16", "fd00:10::/64"]')
    spec = find("NetworkPolicy", found)["spec"]
    assert spec["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "aws-registry-proxy"}}
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["ingress"] == [
        {
            "from": [{"ipBlock": {"cidr": "10.1.0.0/16"}}, {"ipBlock": {"cidr": "fd00:10::/64"}}],
            "ports": [{"port": port, "protocol": "TCP"}],
        }
    ]


@pytest.mark.rule("R80")
def test_only_the_namespace_of_the_monitoring_reaches_only_the_metrics() -> None:
    clients, monitoring = find("NetworkPolicy", settings(proxy=MONITORED))["spec"]["ingress"]
    assert [port["port"] for port in clients["ports"]] == [8080]
    assert monitoring == {
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "ports": [{"port": 8083, "protocol": "TCP"}],
    }


@pytest.mark.rule("R80")
def test_prometheus_finds_the_metrics_by_annotations_or_by_the_name_of_the_port() -> None:
    template = find("Deployment", settings(proxy=MONITORED))["spec"]["template"]
    assert {key: value for key, value in template["metadata"]["annotations"].items() if "prometheus" in key} == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "8083",
        "prometheus.io/path": "/-/metrics",
    }
    assert {"name": "metrics", "containerPort": 8083, "protocol": "TCP"} in container(settings(proxy=MONITORED))[
        "ports"
    ]
    assert [port["containerPort"] for port in container(settings())["ports"]] == [8080]


@pytest.mark.rule("R80")
def test_a_service_monitor_takes_the_place_of_the_annotations_and_selects_the_port_of_the_metrics_alone() -> None:
    found = settings(proxy=MONITORED + '\nscrape = "servicemonitor"')
    annotations = find("Deployment", found)["spec"]["template"]["metadata"]["annotations"]
    assert [key for key in annotations if "prometheus" in key] == []
    monitor = find("ServiceMonitor", found)
    assert monitor["spec"] == {
        "selector": {"matchLabels": {"app.kubernetes.io/name": "aws-registry-proxy"}},
        "endpoints": [{"port": "metrics", "path": "/-/metrics"}],
    }
    services = [document for document in documents(found) if document["kind"] == "Service"]
    ports = {one["metadata"]["name"]: [port["name"] for port in one["spec"]["ports"]] for one in services}
    assert ports == {"aws-registry-proxy": ["http"], "aws-registry-proxy-metrics": ["metrics"]}
    headless = services[1]
    assert headless["metadata"]["labels"].items() >= monitor["spec"]["selector"]["matchLabels"].items()
    assert headless["spec"]["clusterIP"] == "None"
    assert headless["spec"]["selector"] == {"app.kubernetes.io/name": "aws-registry-proxy"}


@pytest.mark.rule("R80")
def test_without_the_setting_there_is_no_service_monitor() -> None:
    kinds = [document["kind"] for document in documents(settings(proxy=MONITORED))]
    assert "ServiceMonitor" not in kinds
    assert kinds.count("Service") == 1


@pytest.mark.parametrize("name", ["Monitoring", "a.b", "a" * 64, ""])
def test_what_is_no_name_of_a_namespace_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"proxy\.monitoring_namespace"):
        settings(proxy=f'monitoring_namespace = "{name}"')


def test_the_pods_reach_dns_and_https_but_not_the_metadata_service() -> None:
    dns, https = find("NetworkPolicy", settings())["spec"]["egress"]
    assert dns == {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}
    assert https["ports"] == [{"port": 443, "protocol": "TCP"}]
    assert https["to"] == [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}},
        {"ipBlock": {"cidr": "::/0", "except": ["fd00:ec2::254/128"]}},
    ]


def test_one_pod_at_a_time_may_be_evicted_and_an_unready_one_always() -> None:
    assert find("PodDisruptionBudget", settings())["spec"] == {
        "maxUnavailable": 1,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": {"matchLabels": {"app.kubernetes.io/name": "aws-registry-proxy"}},
    }
