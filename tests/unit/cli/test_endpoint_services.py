"""The service of a VPC endpoint, in the partitions of AWS."""

import pytest

from cli.account.network import service_of


@pytest.mark.parametrize(
    ("name", "region", "service"),
    [
        ("com.amazonaws.ap-southeast-2.ecr.api", "ap-southeast-2", "ecr.api"),
        ("com.amazonaws.us-gov-west-1.s3", "us-gov-west-1", "s3"),
        ("cn.com.amazonaws.cn-north-1.ecr.dkr", "cn-north-1", "ecr.dkr"),
        ("eu.amazonaws.eusc-de-east-1.ecr.api", "eusc-de-east-1", "ecr.api"),
        ("gov.ic.c2s.us-iso-east-1.ecr.api", "us-iso-east-1", "ecr.api"),
    ],
)
def test_the_service_stands_behind_the_region_whatever_stands_before(name: str, region: str, service: str) -> None:
    assert service_of(name, region) == service


@pytest.mark.parametrize("name", ["com.amazonaws.eu-west-1.s3", "com.amazonaws.s3-global.accesspoint"])
def test_an_endpoint_of_another_region_or_of_none_is_no_service_here(name: str) -> None:
    assert service_of(name, "ap-southeast-2") == ""
