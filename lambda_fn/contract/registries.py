"""The host names of ECR and of its layer buckets in S3, in every partition of AWS. Pure.

A new partition or another form of a host name is a change of this module alone: the settings, the nginx configuration,
the VPC endpoint's policy and the test bed take the forms from here.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of AWS. Partitions share no accounts, no names and no credentials.

    Attributes:
        name: As in an ARN.
        regions: How the names of its regions begin.
        domain: The DNS suffix of its services.
        ecr_domains: All DNS suffixes of ECR registries, dual-stack ones included.
    """

    name: str
    regions: str
    domain: str
    ecr_domains: tuple[str, ...]


# Names and domains: `partitions.json` and `endpoints.json` of botocore; a test compares. Domains of ECR: the host name
# expression of amazon-ecr-credential-helper.
_AWS = Partition("aws", "", "amazonaws.com", ("amazonaws.com", "on.aws"))
PARTITIONS = (
    Partition("aws-cn", "cn-", "amazonaws.com.cn", ("amazonaws.com.cn",)),
    Partition("aws-us-gov", "us-gov-", "amazonaws.com", ("amazonaws.com", "on.aws")),
    Partition("aws-iso", "us-iso-", "c2s.ic.gov", ()),
    Partition("aws-iso-b", "us-isob-", "sc2s.sgov.gov", ()),
    Partition("aws-iso-f", "us-isof-", "csp.hci.ic.gov", ()),
    Partition("aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", ()),
    Partition("aws-eusc", "eusc-", "amazonaws.eu", ("amazonaws.eu",)),
    _AWS,
)

_LAYER_BUCKETS = ("prod-{region}-starport-layer-bucket",)
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-minimum-s3-perms"""
_LAYER_HOSTS = ("{bucket}.s3.{region}.{domain}", "{bucket}.s3.dualstack.{region}.{domain}")
"""A layer bucket's host names, the usual one first: https://docs.aws.amazon.com/general/latest/gr/s3.html ."""


def _alternatives(texts: list[str]) -> str:
    return "|".join(re.escape(text) for text in sorted(set(texts)))


ECR_HOST = re.compile(
    # 111122223333.dkr.ecr.<region>.amazonaws.com; with `-fips`; with `dkr-ecr` and `on.aws` where it is dual-stack
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z]{2,4}(?:-[a-z]+)+-\d)"
    rf"\.(?:{_alternatives([domain for partition in PARTITIONS for domain in partition.ecr_domains])})",
    re.ASCII,
)
"""The host name of a private ECR registry, with its `account` and its `region`."""


def partition_of(region: str) -> Partition:
    """The partition that a region belongs to; `aws`, unless the region's name begins as those of another one."""
    return next(partition for partition in PARTITIONS if region.startswith(partition.regions))


def layer_buckets(region: str) -> tuple[str, ...]:
    """The S3 buckets in which ECR stores the layers of a region."""
    return tuple(bucket.format(region=region) for bucket in _LAYER_BUCKETS)


def layer_hosts(region: str) -> tuple[str, ...]:
    """The usual host name of each layer bucket of a region: the hosts that ECR redirects to."""
    domain = partition_of(region).domain
    return tuple(_LAYER_HOSTS[0].format(bucket=b, region=region, domain=domain) for b in layer_buckets(region))


def layer_url_regex() -> str:
    r"""A regular expression for the beginning of a URL in a layer bucket of any region, for Python, njs and PCRE.

    Both places of the region's name must agree, by a back-reference. A literal dot is `[.]`, and there is neither `$`
    nor `"`, so that the expression can stand in an nginx configuration between double quotes.
    """
    domains = "|".join(sorted({partition.domain.replace(".", "[.]") for partition in PARTITIONS}))
    forms = [form.replace("{bucket}", bucket) for bucket in _LAYER_BUCKETS for form in _LAYER_HOSTS]
    return f"^https://(?:{'|'.join(_layer_regex(form, number, domains) for number, form in enumerate(forms, 1))})/"


def _layer_regex(form: str, group: int, domains: str) -> str:
    first, *others = form.replace(".", "[.]").split("{region}")
    same_region = rf"\{group}".join(others)
    return f"{first}([a-z0-9-]+){same_region}".replace("{domain}", f"(?:{domains})")
