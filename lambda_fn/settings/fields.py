"""The kinds of value `frontdoor.toml` holds, each with its pattern and what is allowed. Pure."""

import re
from typing import Annotated

from pydantic import AfterValidator

from lambda_fn.contract.public_registries import AZURE_NAME, PUBLIC_REGISTRIES
from lambda_fn.contract.registries import PARTITIONS, REGION
from lambda_fn.contract.repository_name import FORM, NAME, SEPARATOR
from lambda_fn.settings.matching import Matching

_LABEL_ANY = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_BETWEEN_WORDS = "with one of /, ., _, __ or any number of - between them"


def repository_alone(value: str) -> str:
    """Refuse a repository with an ECR host before it, and name the repository."""
    host, _, repository = value.partition("/")
    if re.match(r"\d{12}\.dkr[.-]ecr", host, re.ASCII):
        raise ValueError(f"must be a repository without ECR's host name: write {repository or '*'}")
    return value


HostName = Annotated[
    str,
    Matching(
        rf"(?=.{{1,253}}$)(?![0-9.]+$){_LABEL}(?:\.{_LABEL})+",
        "a lower-case host name with at least one dot, like registry.shrd.example.net",
    ),
]
Account = Annotated[str, Matching(r"\d{12}", "an AWS account: 12 digits in quotes, like '123456789012'")]
_PARTITIONS = ", ".join(f"{partition.name} ({partition.example})" for partition in PARTITIONS)
Region = Annotated[
    str,
    Matching(
        REGION,
        f"an AWS region's code, like {PARTITIONS[0].example}, with a name as in a known partition: {_PARTITIONS}",
    ),
]
EcrHost = Annotated[
    str,
    # Which names a registry has, the table of registries says: it knows account and region.
    Matching(
        rf"\d{{12}}\.dkr[.-]ecr(?:-fips)?\.(?:{REGION})\.[a-z0-9.-]+",
        "an ECR host name, like 123456789012.dkr.ecr.ap-southeast-2.amazonaws.com",
    ),
]
RepositoryPattern = Annotated[
    str,
    Matching(
        rf"(?=.{{1,256}}$)[a-z0-9*]+(?:{SEPARATOR}[a-z0-9*]+)*",
        f"lower-case letters and digits, {_BETWEEN_WORDS}, where * stands for any characters, like team/*",
    ),
    AfterValidator(repository_alone),
]
RepositoryName = Annotated[
    str,
    Matching(
        NAME,
        "the name of one repository without a tag, like team/app, of 2 to 256 characters: lower-case letters and "
        f"digits, {_BETWEEN_WORDS}",
    ),
    AfterValidator(repository_alone),
]
PathOfNames = Annotated[
    str,
    Matching(
        rf"(?:{FORM}/)?",
        "what names begin with, like base/: whole parts of a name, each with its /",
    ),
]
BeginOfNames = Annotated[
    str,
    Matching(
        rf"(?=.{{0,254}}$)(?:[a-z0-9]+{SEPARATOR})*",
        "what names begin with, like platform/images/ or acme-: at most 254 characters, which end in /, ., _, __ or -",
    ),
]
_UPSTREAMS = tuple(registry.name for registry in PUBLIC_REGISTRIES)
PublicRegistryName = Annotated[
    str,
    Matching(
        "|".join([*(name.replace(".", r"\.") for name in _UPSTREAMS), AZURE_NAME]),
        f"a public registry that ECR has pull-through cache rules for: {', '.join(_UPSTREAMS)} or NAME.azurecr.io",
    ),
]
# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreatePullThroughCacheRule.html
CachePrefix = Annotated[
    str,
    Matching(
        rf"(?=.{{2,30}}$){FORM}",
        "the prefix of a pull-through cache rule without a slash at its end, 2 to 30 characters, like docker-hub",
    ),
]
UpstreamCredential = Annotated[
    str,
    Matching(
        # ECR and CloudFormation take no other partition:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecr-pullthroughcacherule.html
        r"arn:aws:secretsmanager:[a-z0-9-]+:\d{12}:secret:ecr-pullthroughcache/[A-Za-z0-9/_+=.@-]{1,500}",
        "the ARN of a secret whose name begins with ecr-pullthroughcache/, like "
        "arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:ecr-pullthroughcache/docker-hub-AbCdEf",
    ),
]
RedirectHost = Annotated[
    str,
    Matching(
        # Without a `*` in the last two labels: these say whose host it is.
        r"(?=.{1,253}$)(?:[a-z0-9*](?:[a-z0-9*-]{0,61}[a-z0-9*])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
        r"\.[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?",
        "a host name, where * stands for characters of one label, but not of the last two, like *.quay.io",
    ),
]
ClusterName = Annotated[
    str, Matching(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}", "an EKS cluster's name: letters, digits, - and _")
]
# CloudFormation replaces `{{resolve:...}}`, anywhere in a template, with a parameter or a secret.
_NO_REFERENCE = r"(?![\s\S]*\{\{)"
# It becomes a part of JSON strings in quoted strings of nginx: no character may end one, escape or name a variable.
Contact = Annotated[
    str,
    Matching(
        rf"{_NO_REFERENCE}[!#%&(-\[\]-_a-~](?:[ !#%&(-\[\]-_a-~]{{0,198}}[!#%&(-\[\]-_a-~])?",
        "1 to 200 printable ASCII characters, without quotes, backslash, $ and {{, and without a space at either end",
    ),
]
ObjectName = Annotated[
    str,
    Matching(r"[a-z0-9](?:[a-z0-9-]{0,51}[a-z0-9])?", "lower-case letters, digits and -, at most 53 characters"),
]
Namespace = Annotated[
    ObjectName,
    Matching(
        r"(?!default$|kube-)[a-z0-9-]+",
        "a namespace that only ecr-frontdoor uses: the stack makes it `restricted`",
    ),
]
AnyNamespace = Annotated[
    str,
    Matching(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", "a namespace's name, like monitoring"),
]
# The names of Kubernetes: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
_SUBDOMAIN = r"(?=[a-z0-9.-]{1,253}(?:/|$))[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
_NAME_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_QUALIFIED_NAME = rf"(?:{_SUBDOMAIN}/)?{_NAME_PART}"
AnyName = Annotated[str, Matching(_SUBDOMAIN, "an object's name: lower-case letters, digits, - and .")]
PriorityClassName = Annotated[
    str, Matching(_SUBDOMAIN, "the name of a PriorityClass, like system-cluster-critical, in lower case")
]
LabelName = Annotated[str, Matching(_QUALIFIED_NAME, "a label's or taint's name, like example.net/team")]
LabelValue = Annotated[
    str,
    Matching(
        rf"(?:{_NAME_PART})?",
        "at most 63 letters, digits, - _ and . that start and end with a letter or digit, or an empty text",
    ),
]
AnnotationName = Annotated[str, Matching(_QUALIFIED_NAME, "an annotation's name, like cert-manager.io/cluster-issuer")]
# app.kubernetes.io has names for operators, too; what ecr-frontdoor writes of them, contract/objects.py says.
_OWN = r"(?:app\.kubernetes\.io/(?:name|component|part-of|managed-by)|pod-template-hash)$"
_OF_CONTROLLERS = (
    r"(?!app\.kubernetes\.io/)(?:[^/]*\.)?(?:kubernetes\.io|k8s\.io|k8s\.aws)/|"
    r"(?:ecr-frontdoor|eks\.amazonaws\.com|prometheus\.io)/"
)
ExtraName = Annotated[
    str,
    Matching(_QUALIFIED_NAME, "the name of a label or annotation, like example.net/team"),
    Matching(
        rf"(?!{_OWN}|{_OF_CONTROLLERS}){_QUALIFIED_NAME}",
        "a name that ecr-frontdoor and controllers do not read or set: not pod-template-hash, and none under "
        "kubernetes.io, k8s.io, k8s.aws, eks.amazonaws.com, prometheus.io and ecr-frontdoor, except those under "
        "app.kubernetes.io other than name, component, part-of and managed-by. proxy.exposure.annotations is for an "
        "Ingress controller",
    ),
]
AnnotationValue = Annotated[
    str,
    Matching(rf"{_NO_REFERENCE}[\s\S]*", "text without {{, with which a dynamic reference of CloudFormation starts"),
]
VpcId = Annotated[str, Matching(r"vpc-[0-9a-f]{8,17}", "a VPC's id, like vpc-0a1b2c3d4e5f60718")]
SubnetId = Annotated[str, Matching(r"subnet-[0-9a-f]{8,17}", "a subnet's id, like subnet-0a1b2c3d4e5f60718")]
SecurityGroupId = Annotated[str, Matching(r"sg-[0-9a-f]{8,17}", "a security group's id, like sg-0a1b2c3d4e5f60718")]
RouteTableId = Annotated[str, Matching(r"rtb-[0-9a-f]{8,17}", "a route table's id, like rtb-0a1b2c3d4e5f60718")]
HostedZoneId = Annotated[str, Matching(r"Z[0-9A-Z]{1,31}", "a Route 53 hosted zone's id, like Z0123456789ABCDEFGHIJ")]
CertificateArn = Annotated[
    str,
    Matching(
        r"arn:aws(?:-[a-z]+)*:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]{36}",
        "the ARN of an ACM certificate, like arn:aws:acm:<region>:<account>:certificate/<uuid>",
    ),
]
TargetGroupArn = Annotated[
    str,
    Matching(
        r"arn:aws(?:-[a-z]+)*:elasticloadbalancing:[a-z0-9-]+:\d{12}:targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]{16}",
        "a target group's ARN, as the stack's output TargetGroupArn gives it",
    ),
]
HttpsUrl = Annotated[
    str,
    Matching(
        r"https://(?:[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?",
        "an https:// address without a path",
    ),
]
PageUrl = Annotated[
    str,
    Matching(
        r"https://[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*(?::\d{1,5})?/[A-Za-z0-9._~:/?@!$&'()*+,;=%\[\]-]{1,400}",
        "the https:// address of a page without # and spaces, like https://git.example.net/ops/docs/operations.md",
    ),
]
Group = Annotated[
    str,
    # EKS refuses these prefixes in an access entry: https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessEntry.html
    Matching(
        r"(?!system:|eks:|aws:|amazon:|iam:)[A-Za-z0-9][A-Za-z0-9:._-]{0,62}",
        "a Kubernetes group's name that does not start with system:, eks:, aws:, amazon: or iam:",
    ),
]
TopicArn = Annotated[
    str,
    Matching(
        r"arn:aws[a-z-]*:sns:[a-z]{2,4}(?:-[a-z]+)+-\d:\d{12}:[A-Za-z0-9_-]{1,256}",
        "the ARN of an SNS topic that is not FIFO, like arn:aws:sns:ap-southeast-2:123456789012:on-call",
    ),
]
StackName = Annotated[
    str, Matching(r"[A-Za-z][A-Za-z0-9-]{0,127}", "a stack's name: a letter, then letters, digits and -, at most 128")
]
# https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html
BootstrapQualifier = Annotated[str, Matching(r"[A-Za-z0-9_-]{1,10}", "1 to 10 letters, digits, _ and -, like platform")]
PermissionsBoundary = Annotated[
    str,
    Matching(
        r"(?:arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy/)?(?:[A-Za-z0-9+=,.@_-]+/)*[A-Za-z0-9+=,.@_-]{1,128}",
        "the name or the ARN of a managed policy, like arn:aws:iam::123456789012:policy/boundary",
    ),
]
# https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
TagKey = Annotated[
    str,
    Matching(
        r"(?![aA][wW][sS]:)[A-Za-z0-9 _.:/=+@-]{1,128}",
        "a tag's key: 1 to 128 letters, digits, spaces and _ . : / = + - @, which must not begin with aws:, like "
        "cost-center",
    ),
]
TagValue = Annotated[
    str,
    Matching(r"[A-Za-z0-9 _.:/=+@-]{0,256}", "a tag's value: at most 256 letters, digits, spaces and _ . : / = + - @"),
]
EmailAddress = Annotated[
    str,
    Matching(
        rf"[A-Za-z0-9.!#$%&'*+/=?^_|~-]+@{_LABEL_ANY}(?:\.{_LABEL_ANY})+", "an e-mail address, like on-call@example.net"
    ),
]
Cpu = Annotated[str, Matching(r"\d+m|\d+(?:\.\d{1,3})?", "a Kubernetes quantity of CPU, like 250m or 1.5")]
# Without m: 512m of memory is half a byte.
Memory = Annotated[
    str, Matching(r"\d+(?:\.\d+)?(?:k|[MGT]|[KMGT]i)?", "a Kubernetes quantity of memory in bytes, like 512Mi")
]
Image = Annotated[
    str,
    Matching(
        r"[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?(?:/[a-z0-9._-]+)+"
        r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(?:@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})",
        "an image with its registry and a tag or digest, like public.ecr.aws/nginx/nginx:1.30.6",
    ),
]
