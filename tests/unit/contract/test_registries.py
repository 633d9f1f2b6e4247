import re

import pytest
from botocore.loaders import create_loader

from lambda_fn.contract.registries import ECR_HOST, layer_buckets, layer_hosts, layer_url_regex, partition_of

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
    ],
)
def test_every_form_of_an_ecr_host_has_its_account_and_region(host: str, account: str, region: str) -> None:
    found = ECR_HOST.fullmatch(host)
    assert found
    assert (found["account"], found["region"]) == (account, region)


@pytest.mark.parametrize(
    "host",
    [
        "12345678901.dkr.ecr.eu-west-1.amazonaws.com",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
        "123456789012.dkr.ecr.eu-west-1.amazonawsxcom",
        "public.ecr.aws",
    ],
)
def test_another_host_is_not_an_ecr_host(host: str) -> None:
    assert not ECR_HOST.fullmatch(host)


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", LAYERS),
        ("cn-north-1", "prod-cn-north-1-starport-layer-bucket.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_a_layer_bucket_has_the_domain_of_its_partition(region: str, host: str) -> None:
    assert layer_buckets(region) == (host.partition(".")[0],)
    assert layer_hosts(region) == (host,)
    assert re.match(layer_url_regex(), f"https://{host}/layer")


@pytest.mark.parametrize("host", [LAYERS, LAYERS.replace(".s3.", ".s3.dualstack.")])
def test_a_url_in_a_layer_bucket_matches(host: str) -> None:
    assert re.match(layer_url_regex(), f"https://{host}/a?b")


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
    ],
)
def test_any_other_url_does_not_match(url: str) -> None:
    assert not re.match(layer_url_regex(), url)


def test_the_expression_can_stand_between_double_quotes_in_an_nginx_configuration() -> None:
    assert not set('$"{};') & set(layer_url_regex())
