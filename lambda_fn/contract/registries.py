"""The host names of ECR and of its layer buckets in S3, in every partition of AWS. Pure.

A new partition or another form of a host name is a change of this module alone: the settings, the nginx configuration,
the VPC endpoint's policy and the test bed take the forms from here.

The expressions are in the syntax that Python, JavaScript and PCRE share. Those for nginx write a literal dot as `[.]`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of AWS. Partitions share no accounts, no names and no credentials.

    Attributes:
        name: As in an ARN.
        regions: An expression for the names of its regions.
        example: One of its regions.
        domain: The DNS suffix of its services.
        dual_stack_domain: The DNS suffix of dual-stack ECR registries; None where ECR has none.
        ecr_has_fips: Whether ECR has FIPS registries.
        ecr_has_cache_rules: Whether ECR has pull-through cache rules.
        s3_has_fips: Whether S3 has FIPS hosts.
    """

    name: str
    regions: str
    example: str
    domain: str
    dual_stack_domain: str | None = None
    ecr_has_fips: bool = False
    ecr_has_cache_rules: bool = True
    s3_has_fips: bool = True


# Names, regions, domains and S3 with FIPS: `partitions.json` and the endpoint rules of S3 in botocore; tests compare.
# ECR: https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-requests.html ,
# https://docs.aws.amazon.com/general/latest/gr/ecr.html , and the host name expression of amazon-ecr-credential-helper.
# Cache rules: https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html , "Considerations".
PARTITIONS = (
    Partition(
        "aws",
        r"(?:us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d",
        "ap-southeast-2",
        "amazonaws.com",
        dual_stack_domain="on.aws",
        ecr_has_fips=True,
    ),
    Partition(
        "aws-cn",
        r"cn-[a-z]+-\d",
        "cn-north-1",
        "amazonaws.com.cn",
        dual_stack_domain="on.amazonwebservices.com.cn",
        ecr_has_cache_rules=False,
        s3_has_fips=False,
    ),
    Partition(
        "aws-us-gov",
        r"us-gov-[a-z]+-\d",
        "us-gov-west-1",
        "amazonaws.com",
        dual_stack_domain="on.aws",
        ecr_has_fips=True,
        ecr_has_cache_rules=False,
    ),
    Partition("aws-eusc", r"eusc-de-[a-z]+-\d", "eusc-de-east-1", "amazonaws.eu"),
    Partition("aws-iso", r"us-iso-[a-z]+-\d", "us-iso-east-1", "c2s.ic.gov"),
    Partition("aws-iso-b", r"us-isob-[a-z]+-\d", "us-isob-east-1", "sc2s.sgov.gov"),
    Partition("aws-iso-e", r"eu-isoe-[a-z]+-\d", "eu-isoe-west-1", "cloud.adc-e.uk"),
    Partition("aws-iso-f", r"us-isof-[a-z]+-\d", "us-isof-south-1", "csp.hci.ic.gov"),
)
REGION = "|".join(partition.regions for partition in PARTITIONS)
"""An expression for the name of a region of any partition; the name of a new region may follow the same form."""

_LAYER_BUCKETS = ("prod-{region}-starport-layer-bucket",)
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-minimum-s3-perms"""
_LAYER_HOSTS = ("{bucket}.s3.{region}.{domain}", "{bucket}.s3.dualstack.{region}.{domain}")
"""A layer bucket's host names, the usual one first: https://docs.aws.amazon.com/general/latest/gr/s3.html ."""
_LAYER_HOSTS_FIPS = ("{bucket}.s3-fips.{region}.{domain}", "{bucket}.s3-fips.dualstack.{region}.{domain}")


def partition_of(region: str) -> Partition:
    """The partition that a region belongs to.

    Raises:
        ValueError: No partition's regions have a name like this.
    """
    for partition in PARTITIONS:
        if re.fullmatch(partition.regions, region, re.ASCII):
            return partition
    raise ValueError(f"{region!r} is not a region of {', '.join(partition.name for partition in PARTITIONS)}")


def ecr_hosts(account: str, region: str) -> tuple[str, ...]:
    """Every host name that a private ECR registry may have, the usual one first.

    Raises:
        ValueError: No partition has such a region.
    """
    return tuple(form.format(account=account, region=region) for form in _ecr_forms(partition_of(region)))


def is_fips(host: str) -> bool:
    """Whether the host of a private ECR registry is a FIPS one."""
    return "ecr-fips." in host


def layer_buckets(region: str) -> tuple[str, ...]:
    """The S3 buckets in which ECR stores the layers of a region."""
    return tuple(bucket.format(region=region) for bucket in _LAYER_BUCKETS)


def layer_hosts(region: str) -> tuple[str, ...]:
    """The usual host name of each layer bucket of a region: the hosts that ECR redirects to.

    Raises:
        ValueError: No partition has such a region.
    """
    domain = partition_of(region).domain
    return tuple(_LAYER_HOSTS[0].format(bucket=b, region=region, domain=domain) for b in layer_buckets(region))


def layer_url_regex(regions: Iterable[str]) -> str:
    r"""An expression for the beginning of a URL in a layer bucket, in the partitions of these regions.

    Both places of the region's name must agree, by a back-reference. There is neither `$` nor `"`, so that the
    expression can stand in an nginx configuration between double quotes.

    Raises:
        ValueError: No partition has one of the regions.
    """
    partitions = dict.fromkeys(map(partition_of, regions))
    forms = dict.fromkeys(
        form.format(bucket=bucket, domain=partition.domain, region="{region}")
        for partition in partitions
        for bucket in _LAYER_BUCKETS
        for form in _LAYER_HOSTS + (_LAYER_HOSTS_FIPS if partition.s3_has_fips else ())
    )
    return f"^https://(?:{'|'.join(_layer_regex(form, number) for number, form in enumerate(forms, 1))})/"


def _layer_regex(form: str, group: int) -> str:
    first, *others = form.replace(".", "[.]").split("{region}")
    same_region = rf"\{group}".join(others)
    return f"{first}([a-z0-9-]+){same_region}"


def _ecr_forms(partition: Partition) -> list[str]:
    services = ("ecr", "ecr-fips") if partition.ecr_has_fips else ("ecr",)
    domains = {".": partition.domain, "-": partition.dual_stack_domain}
    return [
        f"{{account}}.dkr{separator}{service}.{{region}}.{domain}"
        for separator, domain in domains.items()
        if domain
        for service in services
    ]


def _ecr_host() -> str:
    """The lookahead holds what a partition has; the rest takes the name apart."""
    known = "|".join(
        form.replace(".", r"\.").format(account=r"\d{12}", region=f"(?:{partition.regions})")
        for partition in PARTITIONS
        for form in _ecr_forms(partition)
    )
    return (
        rf"(?=(?:{known})(?![a-z0-9.-]))(?P<account>\d{{12}})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)[a-z0-9.-]+"
    )


ECR_HOST = re.compile(_ecr_host(), re.ASCII)
"""The host name of a private ECR registry, with its `account` and its `region`: one of `ecr_hosts`."""
