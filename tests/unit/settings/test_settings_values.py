"""Every wrong value is refused with its key, the value and what is allowed."""

import re
from datetime import timedelta
from typing import get_args

import pytest
from botocore.loaders import create_loader

from lambda_fn.contract.registries import partition_of
from lambda_fn.settings import Cache, parse_toml
from lambda_fn.settings.exposure import Exposure
from tests.fakes.authority import CERTIFICATE_AUTHORITY
from tests.unit.settings.files import NETWORK, SMALLEST, mistakes, with_line

INTERNET_FACING = """\
kind = 'ingress'
class_name = 'alb'
annotations = { 'alb.ingress.kubernetes.io/scheme' = 'internet-facing' }
"""


@pytest.mark.parametrize(
    ("table", "line", "message"),
    [
        (
            "",
            "domian = 'x.example.net'",
            "domian is not a known setting: must be one of alarms, canary, cluster, ",
        ),
        (
            "[cluster]",
            "nam = 'x'",
            "cluster.nam is not a known setting: must be one of certificate_authority, endpoint, name",
        ),
        (
            "[[registries]]",
            "acount = '1'",
            "registries[0].acount is not a known setting: must be one of account, cache_prefix",
        ),
        ("[proxy.exposure]", "tls = 'x'", "proxy.exposure.tls is not a known setting: must be one of kind"),
        (
            "[proxy.exposure]",
            "kind = 'alb'",
            "proxy.exposure.kind = \"alb\": must be one of 'gateway', 'ingress', 'nlb', 'pod', 'service'",
        ),
        ("[proxy.exposure]", "kind = 'pod'", "proxy.exposure.tls_secret is missing"),
        ("[proxy]", "replicas = 1", "proxy.replicas = 1: must be greater than or equal to 2"),
        (
            "",
            "canary = { repository = 'team/a', reference = '1', image = 'x:1' }",
            "canary.image is not a known setting: must be one of certificate_authority, period_minutes, ref",
        ),
        ("[proxy.exposure]", "kind_ = 1", "proxy.exposure.kind_ is not a known setting: must be one of kind"),
        (
            "[proxy.exposure]",
            "kind = 'ingress'\nclass_name = 'alb'\nannotations = { pod = 1 }",
            "proxy.exposure.annotations.pod = 1: must be text in quotes",
        ),
        (
            "[proxy.exposure]",
            "kind = 'ingress'\nclass_name = 'alb'\nannotations = { 'a b' = 'x' }",
            'proxy.exposure.annotations.a b = "a b": must be an annotation\'s name',
        ),
        (
            "[proxy.exposure]",
            "kind = 'pod'\ntls_secret = 'aws-registry'",
            "proxy.exposure.tls_secret = aws-registry: must differ from names.secret",
        ),
        ("[proxy]", "replicas = '3'", 'proxy.replicas = "3": must be a whole number without quotes'),
        ("[proxy]", "replicas = 2.5", "proxy.replicas = 2.5: must be a whole number without quotes"),
        ("[proxy]", "client_cidrs = '10.0.0.0/8'", 'proxy.client_cidrs = "10.0.0.0/8": must be a list'),
        ("[proxy]", "client_cidrs = ['10.0.0.1/8']", 'proxy.client_cidrs[0] = "10.0.0.1/8": must be a network range'),
        ("[proxy]", "client_cidrs = ['10.0.0.1']", 'proxy.client_cidrs[0] = "10.0.0.1": must be a network range'),
        ("[proxy]", "client_cidrs = ['0.0.0.0/0']", 'client_cidrs[0] = "0.0.0.0/0": must be no wider than /8 (IPv4)'),
        ("[proxy]", "client_cidrs = ['52.0.0.0/7']", 'client_cidrs[0] = "52.0.0.0/7": must be no wider than /8'),
        ("[proxy]", "client_cidrs = ['10.0.0.0/8', '::/0']", 'proxy.client_cidrs[1] = "::/0": must be no wider than'),
        ("[proxy]", "client_cidrs = ['2600::/12']", 'proxy.client_cidrs[0] = "2600::/12": must be no wider than /8'),
        (
            "[proxy.exposure]",
            INTERNET_FACING,
            "proxy.exposure: annotations.alb.ingress.kubernetes.io/scheme = internet-facing: must be internal",
        ),
        ("[proxy]", "resources = 1", "proxy.resources = 1: must be a table of keys"),
        ("[proxy]", "resources = { cpu_request = '1K' }", 'cpu_request = "1K": must be a Kubernetes quantity of CPU'),
        ("[proxy]", "resources = { cpu_request = '1Gi' }", 'cpu_request = "1Gi": must be a Kubernetes quantity of CPU'),
        ("[proxy]", "resources = { cpu_request = '1.5m' }", 'cpu_request = "1.5m": must be a Kubernetes quantity of'),
        (
            "[proxy]",
            "resources = { memory_request = '256m' }",
            'memory_request = "256m": must be a Kubernetes quantity of memory in bytes, like 512Mi',
        ),
        ("[proxy]", "resources = { memory_limit = '1GiB' }", 'memory_limit = "1GiB": must be a Kubernetes quantity of'),
        (
            "[proxy]",
            "resources = { memory_request = '2Gi' }",
            "proxy.resources: memory_limit = 1Gi is below memory_request = 2Gi: raise the limit",
        ),
        ("[proxy]", "image = 'public.ecr.aws/nginx/nginx'", "must be an image with its registry and a tag or digest"),
        ("[proxy]", "image = 'nginx/nginx:1.30.6'", "must be an image with its registry and a tag or digest"),
        ("[proxy]", "resolver = 'kube-dns'", 'proxy.resolver = "kube-dns": must be an IPv4 or IPv6 address'),
        ("[proxy]", "image = 'nginx latest'", 'proxy.image = "nginx latest": must be an image with its registry'),
        ("", "domain = 'Registry.example.net'", 'domain = "Registry.example.net": must be a lower-case host name'),
        ("", "domain = 'registry'", 'domain = "registry": must be a lower-case host name with at least one dot'),
        ("", "domain = '10.0.0.1'", 'domain = "10.0.0.1": must be a lower-case host name'),
        ("", "domain = 3", "domain = 3: must be text in quotes"),
        ("", "registries = []", "registries = []: must have at least one entry"),
        ("[[registries]]", "account = '12345678901'", 'registries[0].account = "12345678901": must be an AWS account'),
        ("[[registries]]", "account = 123456789012", "registries[0].account = 123456789012: must be text in quotes"),
        ("[[registries]]", "account = '١٢٣٤٥٦٧٨٩٠١٢'", "must be an AWS account: 12 digits in quotes"),
        ("[[registries]]", "region = 'Sydney'", 'registries[0].region = "Sydney": must be an AWS region'),
        ("[[registries]]", "repositories = ['Team/*']", 'registries[0].repositories[0] = "Team/*": must be lower-case'),
        (
            "[[registries]]",
            "repositories = ['123456789012.dkr.ecr.ap-southeast-2.amazonaws.com/team/*']",
            "must be a repository without ECR's host name: write team/*",
        ),
        (
            "[[registries]]",
            "repositories = ['123456789012.dkr-ecr.us-east-1.on.aws']",
            "must be a repository without ECR's host name: write *",
        ),
        ("[[registries]]", "repositories = []", "registries[0]: repositories = []: must have at least one entry"),
        ("[[registries]]", "endpoint = 'ecr.example.net'", "must be an ECR host name, like 123456789012.dkr.ecr"),
        (
            "[[registries]]",
            "endpoint = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'",
            "is not a host name of the registry of 123456789012 in ap-southeast-2: must be one of ",
        ),
        (
            "[[registries]]",
            "endpoint = '123456789012.dkr.ecr.ap-southeast-2.amazonaws.eu'",
            "must be one of 123456789012.dkr.ecr.ap-southeast-2.amazonaws.com, 123456789012.dkr.ecr-fips.ap-southeast-",
        ),
        (
            "[[registries]]",
            "endpoint = '123456789012.dkr-ecr.ap-southeast-2.amazonaws.com'",
            "is not a host name of the registry of 123456789012 in ap-southeast-2: must be one of ",
        ),
        (
            "[[registries]]",
            "region = 'aq-south-1'",
            "known partition: aws (ap-southeast-2), aws-cn (cn-north-1), aws-us-gov (us-gov-west-1), aws-eusc (",
        ),
        ("", "alarms = { topic_arn = 'on-call' }", 'alarms.topic_arn = "on-call": must be the ARN of an SNS topic'),
        (
            "",
            "alarms = { topic_arn = 'arn:aws:sns:ap-southeast-2:123456789012:on-call.fifo' }",
            "must be the ARN of an SNS topic that is not FIFO",
        ),
        (
            "",
            "alarms = { topic_arn = 'arn:aws:sns:eu-west-1:123456789012:on-call' }",
            "arn:aws:sns:eu-west-1:123456789012:on-call: must be in cluster.region = ap-southeast-2",
        ),
        (
            "",
            "alarms = { runbook_url = 'https://git.example.net/operations.md#noRefresh' }",
            "must be the https:// address of a page without # and spaces",
        ),
        ("", "alarms = { runbook_url = 'docs/operations.md' }", "must be the https:// address of a page"),
        (
            "",
            "alarms = { topic_arn = 'arn:aws-cn:sns:ap-southeast-2:123456789012:on-call' }",
            "alarms.topic_arn = arn:aws-cn:sns:ap-southeast-2:123456789012:on-call: must be in the partition aws",
        ),
        (
            "[[registries]]",
            "region = 'cn-north-1'",
            "registries[0].region = cn-north-1: must be in the partition aws of cluster.region = ap-southeast-2",
        ),
        (
            "[proxy]",
            "image = '123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/nginx:1'",
            "proxy.image = 123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/nginx:1: must be in the partition aws",
        ),
        (
            "",
            "canary = { repository = '123456789012.dkr.ecr.ap-southeast-2.amazonaws.com/a', reference = 'x' }",
            "must be a repository without ECR's host name: write a",
        ),
        ("", "encryption = 'kms'", "encryption = \"kms\": must be 'aws' or 'stack'"),
        ("", "alarms = { emails = ['on-call'] }", 'alarms.emails[0] = "on-call": must be an e-mail address'),
        ("", "alarms = { emails = 'a@example.net' }", 'alarms.emails = "a@example.net": must be a list'),
        (
            "",
            "canary = { repository = 'Team/a', reference = 'x' }",
            'canary.repository = "Team/a": must be the name of one repository without a tag',
        ),
        (
            "",
            "canary = { repository = 'team/a', reference = 'sha256:0' }",
            'canary.reference = "sha256:0": must be a tag like latest, or a digest',
        ),
        ("", "watcher = { deletion = true }", "watcher.deletion is not a known setting: must be one of deletions"),
        ("", "watcher = { deletions = 'off' }", 'watcher.deletions = "off": must be true or false'),
        (
            "",
            "names = { workload = 'proxy', config_map = 'proxy-catalogue-07' }",
            "names: proxy-catalogue-07 is a ConfigMap of ecr-frontdoor, named after workload: give template_config_map",
        ),
        ("", "page = { catalog = true }", "page.catalog is not a known setting: must be one of catalogue, enabled"),
        ("", "page = { enabled = 'off' }", 'page.enabled = "off": must be true or false'),
        ("", "page = { enabled = false, catalogue = true }", "page: catalogue = true needs enabled = true"),
        ("", "page = { findings = true }", "page: findings = true needs catalogue = true"),
        ("[cluster]", "vpc_id = 'vpc-12345678'", "cluster: vpc_id and security_group_id belong together"),
        (
            "[cluster]",
            f"{NETWORK}subnet_ids = ['subnet-12345678', 'subnet-12345678']",
            "subnet_ids names a subnet twice",
        ),
        (
            "[cluster]",
            "security_group_id = 'sg-12345678'",
            "vpc_id and security_group_id belong together, and subnet_ids",
        ),
        ("[cluster]", "subnet_ids = ['subnet-12345678']", "and subnet_ids needs both"),
        ("[cluster]", "nat = 'no'", 'cluster.nat = "no": must be true or false'),
        ("[cluster]", "public_endpoint = 0", "cluster.public_endpoint = 0: must be true or false"),
        ("[cluster]", "pod_security_group_id = 'x'", 'cluster.pod_security_group_id = "x": must be a security group'),
        ("[cluster]", "endpoint = 'https://x.eks.amazonaws.com'", "endpoint and certificate_authority belong together"),
        (
            "[cluster]",
            f"endpoint = 'https://]'\ncertificate_authority = '{CERTIFICATE_AUTHORITY}'",
            "must be an https:// address without a",
        ),
        ("[proxy]", "cache.tag_seconds = 1", "proxy.cache.tag_seconds = 1: must be greater than or equal to 2"),
        ("[cluster]", "namespace = 'kube-system'", 'cluster.namespace = "kube-system": must be a namespace'),
        ("[cluster]", "namespace = 'default'", 'cluster.namespace = "default": must be a namespace'),
        ("[cluster]", "namespace = 'My_Space'", 'cluster.namespace = "My_Space": must be lower-case letters'),
    ],
)
def test_a_wrong_value_is_refused_with_the_key_the_value_and_what_is_allowed(
    table: str, line: str, message: str
) -> None:
    text = with_line(table, line)
    if line == "registries = []":
        text = re.sub(r"\[\[registries\]\]\n(.*\n){2}", "", text)
    (found,) = mistakes(text)
    assert message in found


THREE_ZONES = """\
kind = 'nlb'
subnets = { subnet-1234567a = '10.1.0.0/24', subnet-1234567b = '10.1.1.0/24', subnet-1234567c = '10.1.2.0/24' }
"""
NLB = "kind = 'nlb'\nsubnets = { subnet-12345678 = '10.1.0.0/24' }\n"
CERTIFICATE = "arn:aws:acm:{}:123456789012:certificate/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
GROUP = "arn:aws:elasticloadbalancing:ap-southeast-2:123456789012:targetgroup/pods/0123456789abcdef"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (NLB, "proxy.exposure: set exactly one of certificate_arn (ACM has it), certificate_zone_id"),
        (f"{NLB}tls_secret = 'tls'\ncertificate_zone_id = 'Z12'", "proxy.exposure: set exactly one of certificate_arn"),
        ("kind = 'nlb'\ntls_secret = 'tls'", "proxy.exposure.subnets is missing"),
        ("kind = 'nlb'\ntls_secret = 'tls'\nsubnets = {}", "proxy.exposure.subnets = {}: must have at least one entry"),
        (
            "kind = 'nlb'\ntls_secret = 'tls'\nsubnets = { net-1 = '10.1.0.0/24' }",
            'proxy.exposure.subnets.net-1 = "net-1": must be a subnet\'s id, like subnet-',
        ),
        (
            "kind = 'nlb'\ntls_secret = 'tls'\nsubnets = { subnet-12345678 = 'fd00::/64' }",
            'proxy.exposure.subnets.subnet-12345678 = "fd00::/64": must be an IPv4 range',
        ),
        (
            "kind = 'nlb'\ntls_secret = 'tls'\nsubnets = { subnet-12345678 = '10.1.0.0' }",
            'proxy.exposure.subnets.subnet-12345678 = "10.1.0.0": must be a network range',
        ),
        (
            f"{NLB}certificate_arn = 'arn:aws:iam::123456789012:server-certificate/x'",
            "must be the ARN of an ACM certificate, like arn:aws:acm:",
        ),
        (
            f"{NLB}certificate_arn = '{CERTIFICATE.format('us-east-1')}'",
            f"certificate_arn = {CERTIFICATE.format('us-east-1')}: must be in cluster.region = ap-southeast-2",
        ),
        (
            f"{NLB}certificate_arn = '{CERTIFICATE.format('ap-southeast-2').replace('arn:aws:', 'arn:aws-cn:')}'",
            ": must be in the partition aws of cluster.region = ap-southeast-2",
        ),
        (f"{NLB}certificate_zone_id = 'example.net'", "must be a Route 53 hosted zone's id, like Z0123"),
        (f"{NLB}tls_secret = 'tls'\nalias_zone_id = 'z1'", 'proxy.exposure.alias_zone_id = "z1": must be a Route 53'),
        (
            f"{THREE_ZONES}tls_secret = 'tls'\nzone_affinity = true",
            "proxy: replicas = 2 is less than the 3 zones of exposure.subnets",
        ),
        (
            f"{NLB}tls_secret = 'tls'\npreserve_client_ip = 1",
            "proxy.exposure.preserve_client_ip = 1: must be true or false",
        ),
        (
            f"{NLB}tls_secret = 'aws-registry'",
            "proxy.exposure.tls_secret = aws-registry: must differ from names.secret",
        ),
        (f"{NLB}tls_secret = 'tls'\ntarget_group_arn = 'pods'", "must be a target group's ARN, as the stack's output"),
        (
            f"{NLB}tls_secret = 'tls'\ntarget_group_arn = '{GROUP}'",
            f'target_group_arn = {GROUP}: must be left out unless manifests = "external"',
        ),
        (
            f"{NLB}tls_secret = 'tls'\nproxy_protocol_target_group_arn = '{GROUP}'",
            f'proxy_protocol_target_group_arn = {GROUP}: must be left out unless manifests = "external"',
        ),
    ],
)
def test_a_wrong_load_balancer_is_refused_with_the_key_and_the_fix(line: str, message: str) -> None:
    (found,) = mistakes(with_line("[proxy.exposure]", line))
    assert message in found


SERVICE = "kind = 'service'\n"
POD = "kind = 'pod'\ntls_secret = 'tls'\n"
TRUSTED = "trusted_proxies = ['10.1.2.0/24', 'fd00:10::/64', '10.1.2.0/24']"


@pytest.mark.parametrize(
    ("lines", "source", "proxies"),
    [
        (SERVICE, "unknown", ()),
        (POD, "connection", ()),
        (f"{SERVICE}{TRUSTED}", "forwarded", ("10.1.2.0/24", "fd00:10::/64")),
        (f"{POD}{TRUSTED}", "forwarded", ("10.1.2.0/24", "fd00:10::/64")),
        (f"{NLB}tls_secret = 'tls'", "proxy_protocol", ("10.1.0.0/24",)),
        (f"{NLB}tls_secret = 'tls'\npreserve_client_ip = true", "proxy_protocol", ("10.1.0.0/24",)),
    ],
)
def test_each_exposure_says_where_the_clients_address_comes_from(
    lines: str, source: str, proxies: tuple[str, ...]
) -> None:
    exposure = parse_toml(with_line("[proxy.exposure]", lines), "my.toml").proxy.exposure
    assert (exposure.client_address, exposure.proxies) == (source, proxies)


@pytest.mark.parametrize(
    ("manifests", "line", "hidden"),
    [
        ("kubectl", "", False),
        ("namespaced", "", False),
        ("external", "", True),
        ("external", f"\ntarget_group_arn = '{GROUP}'", True),
        ("external", f"\nproxy_protocol_target_group_arn = '{GROUP}'", False),
        ("external", "\npreserve_client_ip = true", False),
    ],
)
def test_a_load_balancer_without_proxy_protocol_hides_the_clients(manifests: str, line: str, *, hidden: bool) -> None:
    text = f'manifests = "{manifests}"\n' + with_line("[proxy.exposure]", f"{NLB}tls_secret = 'tls'{line}")
    assert parse_toml(text, "my.toml").proxy.exposure.hides_clients(manifests=manifests) == hidden


@pytest.mark.parametrize("found", ["0.0.0.0/0", "10.0.0.0/7", "::/0", "2000::/15"])
def test_a_range_of_proxies_that_holds_the_internet_is_refused(found: str) -> None:
    (mistake,) = mistakes(with_line("[proxy.exposure]", f"{SERVICE}trusted_proxies = ['{found}']"))
    assert mistake.startswith(f'proxy.exposure.trusted_proxies[0] = "{found}": must be no wider than /8')


@pytest.mark.parametrize("region", ["ap-southeast-2", "cn-north-1", "us-gov-west-1"])
def test_a_certificate_of_every_partition_is_accepted(region: str) -> None:
    partition = {"cn": "aws-cn", "us": "aws-us-gov"}.get(region[:2], "aws")
    arn = CERTIFICATE.format(region).replace("arn:aws:", f"arn:{partition}:")
    text = with_line("[proxy.exposure]", f"{NLB}certificate_arn = '{arn}'").replace("ap-southeast-2", region)
    assert parse_toml(text, "my.toml").proxy.pod_tls_secret is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "create = ['ecr']",
            "endpoints.create[0] = \"ecr\": must be 'ec2', 'ecr.api', 'ecr.dkr', 'eks', 'elasticloadbalancing'",
        ),
        ("existing = ['kms']", "endpoints.existing[0] = \"kms\": must be 'ec2'"),
        ("create = 'sts'", 'endpoints.create = "sts": must be a list'),
        ("create = ['sts']\nexisting = ['sts']", "endpoints: create and existing both name sts: name each in one"),
        ("create = ['sts', 'sts']", "endpoints: create names an endpoint twice: name each once"),
        ("create = ['s3']", 'endpoints: route_table_ids and "s3" in create belong together'),
        ("route_table_ids = ['rtb-12345678']", 'endpoints: route_table_ids and "s3" in create belong together'),
        ("create = ['s3']\nroute_table_ids = ['main']", 'endpoints.route_table_ids[0] = "main": must be a route table'),
        ("subnet_ids = ['a']", 'endpoints.subnet_ids[0] = "a": must be a subnet\'s id'),
        ("client_cidrs = ['0.0.0.0/0']", 'endpoints.client_cidrs[0] = "0.0.0.0/0": must be no wider than /8'),
        ("client_cidrs = ['10.0.0.1']", 'endpoints.client_cidrs[0] = "10.0.0.1": must be a network range'),
    ],
)
def test_a_wrong_list_of_endpoints_is_refused_with_what_is_allowed(line: str, message: str) -> None:
    (found,) = mistakes(f"{SMALLEST}[endpoints]\n{line}\n")
    assert message in found


@pytest.mark.parametrize(
    ("period", "window", "right"), [(240, 15, True), (330, 0, True), (323, 15, False), (720, 0, False)]
)
def test_two_refreshes_must_fit_into_the_time_a_token_is_usable(period: int, window: int, *, right: bool) -> None:
    text = f"{SMALLEST}[refresh]\nperiod_minutes = {period}\nflexible_window_minutes = {window}\n"
    if right:
        schedule = parse_toml(text, "my.toml").refresh.schedule
        assert schedule.longest_until(2) == timedelta(minutes=2 * period + window)
    else:
        (found,) = mistakes(text)
        assert found.startswith(f"refresh: period_minutes = {period} with flexible_window_minutes = {window} must")


@pytest.mark.parametrize(
    "line", ["config_map = 'aws-registry-proxy-tpl'", "scripts_config_map = 'aws-registry-proxy-tpl'"]
)
def test_config_maps_with_the_same_name_are_refused(line: str) -> None:
    (found,) = mistakes(f"{SMALLEST}[names]\n{line}\n")
    assert found.startswith("names: template_config_map, scripts_config_map and config_map must differ")


MEMORY = "resources = {{ memory_request = '{}', memory_limit = '{}' }}"


@pytest.mark.parametrize(
    "amounts", [("512Mi", "0.5Gi"), ("500M", "1Gi"), ("1000", "1G"), ("1500k", "314572800"), ("1T", "1Ti")]
)
def test_a_memory_limit_above_the_request_is_accepted_in_any_unit(amounts: tuple[str, str]) -> None:
    resources = parse_toml(with_line("[proxy]", MEMORY.format(*amounts)), "my.toml").proxy.resources
    assert (resources.memory_request, resources.memory_limit) == amounts


@pytest.mark.parametrize("amounts", [("1Gi", "1G"), ("1025Ki", "1Mi"), ("2M", "1500k"), ("0.6Ti", "600Gi")])
def test_a_memory_limit_below_the_request_is_refused_in_any_unit(amounts: tuple[str, str]) -> None:
    (found,) = mistakes(with_line("[proxy]", MEMORY.format(*amounts)))
    assert found.endswith(f"memory_limit = {amounts[1]} is below memory_request = {amounts[0]}: raise the limit")


@pytest.mark.parametrize(
    "cidr", ["11.0.0.0/8", "52.95.0.0/16", "fd00::/8", "fc00::/7", "2600:1f00::/24", "10.0.0.1/32"]
)
def test_private_and_narrow_public_client_ranges_are_accepted(cidr: str) -> None:
    settings = parse_toml(with_line("[proxy]", f"client_cidrs = ['{cidr}']"), "my.toml")
    assert settings.proxy.client_cidrs == (cidr,)


def test_a_load_balancer_with_only_ipv6_clients_is_refused() -> None:
    behind = f"{NLB}tls_secret = 'tls'"
    text = with_line("[proxy.exposure]", behind).replace("[proxy]\n", "[proxy]\nclient_cidrs = ['fd00:1::/32']\n", 1)
    (found,) = mistakes(text)
    assert "client_cidrs = fd00:1::/32: must hold an IPv4 range" in found
    both = text.replace("['fd00:1::/32']", "['fd00:1::/32', '10.0.0.0/8']")
    assert len(parse_toml(both, "my.toml").proxy.client_cidrs) == 2


def test_an_internal_scheme_is_accepted() -> None:
    internal = INTERNET_FACING.replace("internet-facing", "internal")
    assert parse_toml(with_line("[proxy.exposure]", internal), "my.toml").proxy.exposure.kind == "ingress"


@pytest.mark.parametrize("group", ["system:masters", "system:nodes", "eks:cluster-bootstrap"])
def test_a_group_of_kubernetes_or_eks_is_refused(group: str) -> None:
    (found,) = mistakes(f"{SMALLEST}[names]\ngroup = '{group}'\n")
    assert f'names.group = "{group}": must be a Kubernetes group\'s name that does not start with system:' in found


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1", "mx-central-1", "us-isob-east-1", "eusc-de-east-1"])
def test_regions_of_every_partition_are_accepted(region: str) -> None:
    settings = parse_toml(SMALLEST.replace("ap-southeast-2", region), "my.toml")
    assert settings.registries[0].region == region


def test_an_explicit_endpoint_needs_an_explicit_resolver() -> None:
    text = with_line("[cluster]", f"endpoint = 'https://10.0.0.1'\ncertificate_authority = '{CERTIFICATE_AUTHORITY}'")
    (found,) = mistakes(text)
    assert found.startswith("the file: proxy.resolver is missing: it must be set together with cluster.endpoint")


def test_a_canary_that_clients_may_not_pull_is_refused() -> None:
    text = with_line("[[registries]]", "repositories = ['team/*']")
    (found,) = mistakes(f"canary = {{ repository = 'other/a', reference = 'latest' }}\n{text}")
    assert "canary.repository = other/a: must be a repository that clients may pull: one that team/* allows" in found


def test_every_region_that_botocore_knows_is_of_the_partition_it_says() -> None:
    partitions = create_loader().load_data("partitions")["partitions"]
    known = {region: each["id"] for each in partitions for region in each["regions"] if not region.endswith("-global")}
    assert len(known) > 30
    assert {region: partition_of(region).name for region in known} == known


def test_every_mistake_across_tables_is_reported() -> None:
    text = with_line("[cluster]", f"endpoint = 'https://10.0.0.1'\ncertificate_authority = '{CERTIFICATE_AUTHORITY}'")
    found = mistakes(with_exposure(text, "kind = 'pod'\ntls_secret = 'aws-registry'"))
    assert [line.split(" = ")[0].split(" is ")[0] for line in found] == [
        "the file: proxy.resolver",
        "the file: proxy.exposure.tls_secret",
    ]


def with_exposure(text: str, lines: str) -> str:
    return text.replace('kind = "service"', lines)


def test_a_target_group_of_another_region_is_refused() -> None:
    arn = GROUP.replace("ap-southeast-2", "eu-west-1")
    text = with_line("[proxy.exposure]", f"{NLB}tls_secret = 'tls'\ntarget_group_arn = '{arn}'")
    (found,) = mistakes(f'manifests = "external"\n{text}')
    assert f"proxy.exposure.target_group_arn = {arn}: must be in cluster.region = ap-southeast-2" in found


@pytest.mark.parametrize(
    ("endpoint", "resolver", "key"),
    [
        ("https://k8s.example:443", "fd00:10::a", "proxy.resolver = fd00:10::a"),
        ("https://[fd00::1]", "10.0.0.10", "cluster.endpoint = https://[fd00::1]"),
    ],
)
def test_an_ipv6_cluster_needs_an_ipv6_range_of_clients(endpoint: str, resolver: str, key: str) -> None:
    text = with_line("[cluster]", f"endpoint = '{endpoint}'\ncertificate_authority = '{CERTIFICATE_AUTHORITY}'")
    text = text.replace("[proxy]\n", f"[proxy]\nresolver = '{resolver}'\n")
    (found,) = mistakes(text)
    assert found.startswith(f"the file: {key} is IPv6, and proxy.client_cidrs = 10.0.0.0/8, 172.16.0.0/12")
    assert found.endswith("Fix: add the IPv6 range of your VPC to proxy.client_cidrs")
    with_range = text.replace("[proxy]\n", "[proxy]\nclient_cidrs = ['10.0.0.0/8', 'fd00:1::/32']\n")
    assert parse_toml(with_range, "my.toml").proxy.client_cidrs == ("10.0.0.0/8", "fd00:1::/32")
    assert parse_toml(text.replace(resolver, "10.0.0.10").replace("[fd00::1]", "k8s.example:443"), "my.toml")


def test_the_load_balancer_of_the_stack_cannot_reach_the_pods_of_an_ipv6_cluster() -> None:
    nlb = "kind = 'nlb'\ntls_secret = 'tls'\nsubnets = { subnet-12345678 = '10.0.0.0/24' }"
    text = with_exposure(SMALLEST, nlb).replace("[proxy]\n", "[proxy]\nresolver = 'fd00:10::a'\n")
    (found,) = mistakes(text)
    assert found.startswith('the file: proxy.exposure.kind = "nlb": has only IPv4 addresses')
    tables = get_args(get_args(Exposure)[0])
    kinds = {kind for table in tables for kind in get_args(table.model_fields["kind"].annotation)}
    assert set(re.findall(r"\w+", found.partition("Fix: ")[2])) == kinds - {"nlb"} | {"use", "or"}


@pytest.mark.rule("R62")
@pytest.mark.parametrize(
    ("keep_days", "revalidate_seconds", "deleted_seconds", "known_days"),
    [(30, 72000, 86400, 32), (1, 72000, 604_800, 9), (1, 1, 0, 2)],
)
def test_an_image_is_known_for_longer_than_it_is_cached_asked_for_and_served(
    keep_days: int, revalidate_seconds: int, deleted_seconds: int, known_days: int
) -> None:
    cache = Cache(keep_days=keep_days, revalidate_seconds=revalidate_seconds, deleted_seconds=deleted_seconds)
    assert cache.known_days == known_days


@pytest.mark.parametrize(("revalidate_seconds", "retry_seconds"), [(72000, 600), (600, 600), (10, 10)])
def test_a_revalidation_that_failed_is_repeated_every_ten_minutes(revalidate_seconds: int, retry_seconds: int) -> None:
    assert Cache(revalidate_seconds=revalidate_seconds).retry_seconds == retry_seconds


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("stack_name = '1st'", 'deployment.stack_name = "1st": must be a stack\'s name: a letter'),
        (
            "permissions_boundary = 'arn:aws:iam::1:role/x'",
            'deployment.permissions_boundary = "arn:aws:iam::1:role/x": must be the name or the ARN of a managed',
        ),
        (
            "bootstrap_qualifier = 'much-too-long'",
            'deployment.bootstrap_qualifier = "much-too-long": must be 1 to 10 letters',
        ),
        ("tags = { 'aws:x' = '1' }", "deployment.tags.aws:x"),
        ("tags = { x = 'a;b' }", 'deployment.tags.x = "a;b": must be a tag\'s value'),
        ("tags = { x = 1 }", "deployment.tags.x = 1: must be text in quotes"),
    ],
)
def test_a_wrong_guard_rail_is_refused_with_the_key_the_value_and_what_is_allowed(line: str, message: str) -> None:
    (found,) = mistakes(f"{SMALLEST}\n[deployment]\n{line}\n")
    assert message in found


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("gateway_namespace = 'edge'", "proxy.exposure.gateway is missing"),
        ("gateway = 'Internal'\ngateway_namespace = 'edge'", 'gateway = "Internal": must be an object\'s name'),
        (
            "gateway = 'a'\ngateway_namespace = 'edge'\ntls_secret = 'tls'\ntrusted_proxies = ['10.1.0.0/24']",
            "trusted_proxies = 10.1.0.0/24: must be left out with tls_secret",
        ),
    ],
)
def test_a_wrong_gateway_is_refused_with_the_key_and_what_is_allowed(line: str, message: str) -> None:
    (found,) = mistakes(with_line("[proxy.exposure]", f"kind = 'gateway'\n{line}"))
    assert message in found
