"""An account and a cluster that are ready for a deployment: settings, the answers of AWS, and objects."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from cli.doctor.context import CheckContext
from lambda_fn.settings import Settings, parse_toml
from tests.fakes.aws import REGION, Answer, FakeAws
from tests.fakes.kubernetes import FakeKubernetes
from tests.unit.cli import operator_account as account

DOMAIN = "registry.shrd.example.net"
ALIAS, PUBLIC = "Z0123456789PRIVATE", "Z0123456789PUBLIC"
NOW = datetime.now(UTC)
PLACE = f"""\
vpc_id = "{account.VPC}"
subnet_ids = ["{account.PRIVATE[0]}", "{account.PRIVATE[1]}"]
security_group_id = "{account.GROUP}"
"""
_SETTINGS = f"""
domain = "{DOMAIN}"

[cluster]
name = "shared"
region = "{REGION}"
{PLACE}
[[registries]]
account = "{account.ACCOUNT}"
region = "{REGION}"
repositories = ["team/*"]

[alarms]
emails = ["ops@example.net"]

[refresh]
rollout_timeout_seconds = 780

[proxy]
image = "public.ecr.aws/nginx/nginx:1.30.6@sha256:{"a" * 64}"
scheduling = {{ priority_class = "system-cluster-critical" }}
"""
NLB = f"""
[proxy.exposure]
kind = "nlb"
certificate_arn = "{account.CERTIFICATE}"
alias_zone_id = "{ALIAS}"
subnets = {{ {account.PRIVATE[0]} = "10.1.0.0/24", {account.PRIVATE[1]} = "10.1.1.0/24" }}
"""
INGRESS = """
[proxy.exposure]
kind = "ingress"
class_name = "nginx"
tls_secret = "registry-tls"
trusted_proxies = ["10.1.2.0/24"]
"""
POD = """
[proxy.exposure]
kind = "pod"
tls_secret = "registry-tls"
"""
GATEWAY = """
[proxy.exposure]
kind = "gateway"
gateway = "internal"
gateway_namespace = "infra"
trusted_proxies = ["10.1.2.0/24"]
"""
SERVICE = """
[proxy.exposure]
kind = "service"
trusted_proxies = ["10.1.2.0/24"]
"""
ENDPOINTS = f"""
[endpoints]
create = ["eks"]
existing = ["ecr.api", "s3"]
subnet_ids = ["{account.PRIVATE[0]}"]
"""


def text(exposure: str, *, replaced: tuple[str, str] = ("", "")) -> str:
    return _SETTINGS.replace(*replaced) + exposure.replace(*replaced)


def settings(exposure: str = NLB, *, replaced: tuple[str, str] = ("", "")) -> Settings:
    return parse_toml(text(exposure, replaced=replaced), "before a deployment")


def certificate(**changed: object) -> dict[str, Any]:
    usual = {"DomainName": "*.shrd.example.net", "Status": "ISSUED", "NotAfter": NOW + timedelta(days=300)}
    return {"Certificate": usual | changed}


def zone(name: str = "shrd.example.net.", *, private: bool = True, vpc: str = account.VPC) -> dict[str, Any]:
    described = {"Id": f"/hostedzone/{ALIAS}", "Name": name, "CallerReference": "1", "Config": {"PrivateZone": private}}
    return {"HostedZone": described} | ({"VPCs": [{"VPCRegion": REGION, "VPCId": vpc}]} if private else {})


def subnets(**changed: object) -> dict[str, Any]:
    listed = [
        account.subnet(account.PRIVATE[0], "a", "10.1.0.0/24"),
        account.subnet(account.PRIVATE[1], "b", "10.1.1.0/24"),
    ]
    return {"Subnets": [one | {"AvailableIpAddressCount": 200} | changed for one in listed]}


def attribute(*off: str) -> Any:  # noqa: ANN401 - an answer by the request
    def answer(asked: Mapping[str, Any]) -> dict[str, Any]:
        name = asked["Attribute"]
        return {f"{name[0].upper()}{name[1:]}": {"Value": name not in off}}

    return answer


def secret(domain: str = DOMAIN, *, days: int = 300, kind: str = "kubernetes.io/tls") -> dict[str, Any]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "registry")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=400))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(domain)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    data = {"tls.crt": base64.b64encode(made.public_bytes(Encoding.PEM)).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": {"name": "registry-tls"}, "data": data}


def named(version: str, kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}}


NAMESPACE = named("v1", "Namespace", "registry")
OBJECTS = (
    named("networking.k8s.io/v1", "IngressClass", "nginx"),
    named("gateway.networking.k8s.io/v1", "Gateway", "internal"),
    named("scheduling.k8s.io/v1", "PriorityClass", "system-cluster-critical"),
    secret(),
)


def answers() -> dict[str, Answer]:
    return account.answers() | {
        "GetParameter": {"Parameter": {"Value": "30"}},
        "AssumeRole": {},
        "DescribeStacks": "ValidationError: Stack with id ecr-frontdoor-shared-registry does not exist",
        "DescribeSubnets": subnets(),
        "DescribeVpcEndpoints": account.endpoints("ecr.api", "s3"),
        "DescribeVpcAttribute": attribute(),
        "DescribeCertificate": certificate(),
        "GetHostedZone": zone(),
        "GetAccountSummary": {"SummaryMap": {"Roles": 100, "RolesQuota": 1000}},
        "GetAccountSettings": {"AccountLimit": {"UnreservedConcurrentExecutions": 1000}},
        "DescribeSecurityGroupRules": {"SecurityGroupRules": [{"IsEgress": False}, {"IsEgress": True}]},
        "DescribeAccountLimits": {"Limits": [{"Name": "network-load-balancers", "Max": "50"}]},
        "DescribeLoadBalancers": {"LoadBalancers": [{"Type": "network"}, {"Type": "application"}]},
        "GetServiceQuota": "NoSuchResourceException: never raised",
    }


def context(
    of: Settings | None = None, changed: Mapping[str, Answer] | None = None, kubernetes: FakeKubernetes | None = None
) -> CheckContext:
    given = CheckContext(settings=of or settings(), aws=FakeAws(answers() | dict(changed or {})))
    given.__dict__["kubernetes"] = kubernetes or FakeKubernetes(OBJECTS)
    return given
