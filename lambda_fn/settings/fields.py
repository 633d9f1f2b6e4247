"""The kinds of value `frontdoor.toml` holds, each with the sentence a wrong value is answered with. Pure."""

import re
from collections.abc import Callable
from ipaddress import IPv6Network, ip_address, ip_network
from typing import Annotated

from pydantic import AfterValidator

from lambda_fn.contract.registries import ECR_HOST


def matching(expression: str, allowed: str) -> Callable[[str], str]:
    """A validator that accepts strings matching all of `expression` and otherwise says what is `allowed`."""
    compiled = re.compile(expression, re.ASCII)  # \d would match the digits of every script

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(f"must be {allowed}")
        return value

    return check


def _host_name(value: str) -> str:
    label = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    if len(value) > 253 or not re.fullmatch(rf"{label}(?:\.{label})+", value) or re.fullmatch(r"[\d.]+", value):  # noqa: PLR2004 - RFC 1035's limit
        raise ValueError("must be a lower-case host name with at least one dot, like registry.shrd.example.net")
    return value


def _address(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError as error:
        raise ValueError("must be an IPv4 or IPv6 address without a port, like 172.20.0.10") from error


def _network_range(value: str) -> str:
    allowed = "must be a network range with its prefix's length and no bits set behind it, like 10.0.0.0/8"
    if "/" not in value:  # a lone address is a network to Python, and none to Kubernetes
        raise ValueError(allowed)
    try:
        return str(ip_network(value))
    except ValueError as error:
        raise ValueError(allowed) from error


def _network_range_v4(value: str) -> str:
    if ip_network(value).version != 4:  # noqa: PLR2004 - IPv4
        raise ValueError("must be an IPv4 range: the load balancer has no other addresses")
    return value


_WIDEST = {4: 8, 6: 16}
_UNIQUE_LOCAL = IPv6Network("fc00::/7")  # RFC 4193: IPv6's private addresses


def _client_range(value: str) -> str:
    network = ip_network(value)
    private = isinstance(network, IPv6Network) and network.subnet_of(_UNIQUE_LOCAL)
    if network.prefixlen < _WIDEST[network.version] and not private:
        raise ValueError(
            "must be no wider than /8 (IPv4) or /16 (IPv6, outside of fc00::/7), for nobody has to log in: name the "
            "ranges of your VPC and VPN, not the internet. Public addresses that you use internally may be among them"
        )
    return value


def repository_alone(value: str) -> str:
    """A validator that refuses a repository with an ECR's host before it, and says what is left without."""
    host, _, repository = value.partition("/")
    if re.match(r"\d{12}\.dkr[.-]ecr", host, re.ASCII):
        raise ValueError(f"must be a repository without ECR's host name: write {repository or '*'}")
    return value


def _own_namespace(value: str) -> str:
    if value == "default" or value.startswith("kube-"):
        raise ValueError("must be a namespace of ecr-frontdoor's own: the stack makes it `restricted` and deletes it")
    return value


HostName = Annotated[str, AfterValidator(_host_name)]
Address = Annotated[str, AfterValidator(_address)]
NetworkRange = Annotated[str, AfterValidator(_network_range)]
NetworkRangeV4 = Annotated[NetworkRange, AfterValidator(_network_range_v4)]
ClientRange = Annotated[NetworkRange, AfterValidator(_client_range)]
Account = Annotated[
    str, AfterValidator(matching(r"\d{12}", "an AWS account: 12 digits in quotes, like '123456789012'"))
]
Region = Annotated[
    str, AfterValidator(matching(r"[a-z]{2,4}(?:-[a-z]+)+-\d", "an AWS region's code, like ap-southeast-2"))
]
EcrHost = Annotated[
    str,
    AfterValidator(
        matching(ECR_HOST.pattern, "an ECR host name, like 123456789012.dkr.ecr.ap-southeast-2.amazonaws.com")
    ),
]
RepositoryPattern = Annotated[
    str,
    AfterValidator(
        matching(
            r"[a-z0-9*](?:[a-z0-9._/*-]{0,255})",
            "lower-case letters, digits and . _ - / where * stands for any characters, like team/*",
        )
    ),
    AfterValidator(repository_alone),
]
ClusterName = Annotated[
    str, AfterValidator(matching(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}", "an EKS cluster's name: letters, digits, - and _"))
]
ObjectName = Annotated[
    str,
    AfterValidator(
        matching(r"[a-z0-9](?:[a-z0-9-]{0,51}[a-z0-9])?", "lower-case letters, digits and -, at most 53 characters")
    ),
]
Namespace = Annotated[ObjectName, AfterValidator(_own_namespace)]
AnnotationName = Annotated[
    str,
    AfterValidator(
        matching(
            r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?",
            "an annotation's name, like cert-manager.io/cluster-issuer",
        )
    ),
]
VpcId = Annotated[str, AfterValidator(matching(r"vpc-[0-9a-f]{8,17}", "a VPC's id, like vpc-0a1b2c3d4e5f60718"))]
SubnetId = Annotated[
    str, AfterValidator(matching(r"subnet-[0-9a-f]{8,17}", "a subnet's id, like subnet-0a1b2c3d4e5f60718"))
]
SecurityGroupId = Annotated[
    str, AfterValidator(matching(r"sg-[0-9a-f]{8,17}", "a security group's id, like sg-0a1b2c3d4e5f60718"))
]
RouteTableId = Annotated[
    str, AfterValidator(matching(r"rtb-[0-9a-f]{8,17}", "a route table's id, like rtb-0a1b2c3d4e5f60718"))
]
HostedZoneId = Annotated[
    str, AfterValidator(matching(r"Z[0-9A-Z]{1,31}", "a Route 53 hosted zone's id, like Z0123456789ABCDEFGHIJ"))
]
CertificateArn = Annotated[
    str,
    AfterValidator(
        matching(
            r"arn:aws(?:-[a-z]+)*:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]{36}",
            "the ARN of an ACM certificate, like arn:aws:acm:<region>:<account>:certificate/<uuid>",
        )
    ),
]
TargetGroupArn = Annotated[
    str,
    AfterValidator(
        matching(
            r"arn:aws(?:-[a-z]+)*:elasticloadbalancing:[a-z0-9-]+:\d{12}:targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]{16}",
            "a target group's ARN, as the stack's output TargetGroupArn gives it",
        )
    ),
]
HttpsUrl = Annotated[
    str,
    AfterValidator(
        matching(
            r"https://(?:[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?",
            "an https:// address without a path",
        )
    ),
]
PageUrl = Annotated[
    str,
    AfterValidator(
        matching(
            r"https://[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*(?::\d{1,5})?/[!-\"$-~]{1,400}",
            "the https:// address of a page without # and spaces, like https://git.example.net/ops/docs/operations.md",
        )
    ),
]
Base64 = Annotated[str, AfterValidator(matching(r"[A-Za-z0-9+/]+={0,2}", "base64 text, as DescribeCluster gives it"))]
Group = Annotated[
    str,
    AfterValidator(
        # EKS refuses these prefixes in an access entry: https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessEntry.html
        matching(
            r"(?!system:|eks:|aws:|amazon:|iam:)[A-Za-z0-9][A-Za-z0-9:._-]{0,62}",
            "a Kubernetes group's name that does not start with system:, eks:, aws:, amazon: or iam:",
        )
    ),
]
TopicArn = Annotated[
    str,
    AfterValidator(
        matching(
            r"arn:aws[a-z-]*:sns:[a-z]{2,4}(?:-[a-z]+)+-\d:\d{12}:[A-Za-z0-9_-]{1,256}",
            "the ARN of an SNS topic that is not FIFO, like arn:aws:sns:ap-southeast-2:123456789012:on-call",
        )
    ),
]
EmailAddress = Annotated[
    str, AfterValidator(matching(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address, like on-call@example.net"))
]
Quantity = Annotated[
    str, AfterValidator(matching(r"\d+(?:\.\d+)?(?:m|k|[MGT]|[KMGT]i)?", "a Kubernetes quantity, like 250m or 512Mi"))
]
Image = Annotated[
    str,
    AfterValidator(
        matching(
            r"[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?(?:/[a-z0-9._-]+)+"
            r"(?::\w[\w.-]{0,127}(?:@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})",
            "an image with its registry and a tag or digest, like public.ecr.aws/nginx/nginx:1.30.6",
        )
    ),
]
