import re

import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError
from botocore.loaders import create_loader

from lambda_fn.contract.registries import (
    ECR_HOST,
    PARTITIONS,
    REGION,
    Partition,
    ecr_hosts,
    layer_buckets,
    layer_hosts,
    layer_url_regex,
    partition_of,
)

LAYERS = "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com"


def test_every_region_of_botocore_has_the_partition_and_the_domain_that_botocore_gives_it() -> None:
    partitions = create_loader().load_data("partitions")["partitions"]
    known = {
        region: (each["id"], each["outputs"]["dnsSuffix"])
        for each in partitions
        for region in each["regions"]
        if not region.endswith("-global")
    }
    assert {region: (partition_of(region).name, partition_of(region).domain) for region in known} == known


@pytest.mark.parametrize(
    ("host", "account", "region"),
    [
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "123456789012", "eu-west-1"),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "123456789012", "us-gov-west-1"),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", "123456789012", "eu-west-1"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "123456789012", "cn-north-1"),
        ("123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", "123456789012", "eusc-de-east-1"),
        ("123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "123456789012", "cn-north-1"),
        ("123456789012.dkr-ecr-fips.us-gov-west-1.on.aws", "123456789012", "us-gov-west-1"),
        ("123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov", "123456789012", "us-iso-east-1"),
    ],
)
def test_every_form_of_an_ecr_host_has_its_account_and_region(host: str, account: str, region: str) -> None:
    found = ECR_HOST.fullmatch(host)
    assert found
    assert (found["account"], found["region"]) == (account, region)
    assert host in ecr_hosts(account, region)


@pytest.mark.parametrize(
    "host",
    [
        "12345678901.dkr.ecr.eu-west-1.amazonaws.com",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
        "123456789012.dkr.ecr.eu-west-1.amazonawsxcom",
        "public.ecr.aws",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.eu",
        "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.com",
        "123456789012.dkr.ecr-fips.cn-north-1.amazonaws.com.cn",
        "123456789012.dkr-ecr.eu-west-1.amazonaws.com",
        "123456789012.dkr.ecr.eu-west-1.on.aws",
        "123456789012.dkr-ecr.cn-north-1.on.aws",
        "123456789012.dkr.ecr.aq-south-1.amazonaws.com",
    ],
)
def test_another_host_is_not_an_ecr_host(host: str) -> None:
    assert not ECR_HOST.fullmatch(host)


@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda partition: partition.name)
def test_every_host_of_a_registry_is_an_ecr_host_also_before_a_repository(partition: Partition) -> None:
    hosts = ecr_hosts("123456789012", partition.example)
    assert hosts[0] == f"123456789012.dkr.ecr.{partition.example}.{partition.domain}"
    found = [ECR_HOST.match(f"{host}/team/app:1") for host in hosts]
    assert [each and each[0] for each in found] == list(hosts)


def test_a_name_that_is_not_like_a_region_of_a_partition_is_refused() -> None:
    assert not re.fullmatch(REGION, "aq-south-1")
    with pytest.raises(ValueError, match="aq-south-1"):
        partition_of("aq-south-1")


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", LAYERS),
        ("cn-north-1", "prod-cn-north-1-starport-layer-bucket.s3.cn-north-1.amazonaws.com.cn"),
        ("eusc-de-east-1", "prod-eusc-de-east-1-starport-layer-bucket.s3.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_a_layer_bucket_has_the_domain_of_its_partition(region: str, host: str) -> None:
    assert layer_buckets(region) == (host.partition(".")[0],)
    assert layer_hosts(region) == (host,)
    assert re.match(layer_url_regex([region]), f"https://{host}/layer")


@pytest.mark.parametrize("dual_stack", [False, True], ids=["IPv4", "dual-stack"])
@pytest.mark.parametrize("fips", [False, True], ids=["usual", "fips"])
@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda partition: partition.name)
def test_a_layer_may_come_from_every_host_that_s3_has_in_the_partition(
    partition: Partition, *, fips: bool, dual_stack: bool
) -> None:
    host = s3_host(partition.example, fips=fips, dual_stack=dual_stack)
    expected = bool(host)
    host = host or f"s3-fips.{'dualstack.' if dual_stack else ''}{partition.example}.{partition.domain}"
    url = f"https://{layer_buckets(partition.example)[0]}.{host}/layer?X-Amz-Signature=a"
    assert bool(re.match(layer_url_regex([partition.example]), url)) == expected


def s3_host(region: str, *, fips: bool, dual_stack: bool) -> str | None:
    """The host that botocore's endpoint rules give S3; None where the partition has no such host."""
    loader = create_loader()
    rules = EndpointProvider(loader.load_service_model("s3", "endpoint-rule-set-1"), loader.load_data("partitions"))
    try:
        found = rules.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dual_stack, Accelerate=False)
    except EndpointProviderError:
        return None
    return str(found.url).removeprefix("https://")


@pytest.mark.parametrize("other", PARTITIONS, ids=lambda partition: partition.name)
@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda partition: partition.name)
def test_a_layer_comes_from_no_other_partition_than_the_registries(partition: Partition, other: Partition) -> None:
    (host,) = layer_hosts(other.example)
    found = re.match(layer_url_regex([partition.example]), f"https://{host}/layer")
    assert bool(found) == (other.domain == partition.domain)


def test_registries_of_two_partitions_allow_the_hosts_of_both() -> None:
    allowed = layer_url_regex(["eu-west-1", "us-gov-west-1", "eusc-de-east-1"])
    hosts = [layer_hosts(region)[0] for region in ("us-east-1", "us-gov-east-1", "eusc-de-east-1")]
    assert all(re.match(allowed, f"https://{host}/layer") for host in hosts)


@pytest.mark.parametrize(
    "url",
    [
        f"http://{LAYERS}/",
        f"https://{LAYERS}",
        f"https://{LAYERS}:444/",
        f"https://{LAYERS}.evil.example/",
        f"https://user@{LAYERS}/",
        f"https://evil.example/{LAYERS}/",
        f"https://{LAYERS.replace('.eu-west-1.', '.eu-west-2.')}/",
        f"https://{LAYERS.replace('.', 'x')}/",
        f"https://{LAYERS.replace('.amazonaws.com', '.amazonaws.eu')}/",
        f"https://{LAYERS.replace('.s3.', '.s3-fips.').replace('.eu-west-1.', '.eu-west-2.')}/",
    ],
)
def test_any_other_url_does_not_match(url: str) -> None:
    assert not re.match(layer_url_regex(["eu-west-1"]), url)


def test_the_expression_can_stand_between_double_quotes_in_an_nginx_configuration() -> None:
    assert not set('$"{};') & set(layer_url_regex(partition.example for partition in PARTITIONS))
