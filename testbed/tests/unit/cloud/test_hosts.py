"""AWS's host names."""

import pytest

from testbed.sandbox.cloud.hosts import ApiHost, RegistryHost, is_aws_host, is_layer_host, is_registry_host, layer_host


@pytest.mark.parametrize("suffix", ["", ":443"])
def test_a_registry_is_an_account_in_a_region(suffix: str) -> None:
    name = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"

    host = RegistryHost.parse(name.upper() + suffix)

    assert host == RegistryHost("123456789012", "eu-west-1")
    assert str(host) == name


@pytest.mark.parametrize(
    "name",
    [
        "12345678901.dkr.ecr.eu-west-1.amazonaws.com",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.test",
        "registry.frontdoor.test",
    ],
)
def test_other_names_are_no_registry(name: str) -> None:
    assert RegistryHost.parse(name) is None
    assert not is_registry_host(name)


@pytest.mark.parametrize(("name", "service"), [("sts", "sts"), ("eks", "eks"), ("api.ecr", "ecr")])
def test_an_api_is_a_service_in_a_region(name: str, service: str) -> None:
    assert ApiHost.parse(f"{name}.eu-west-1.amazonaws.com") == ApiHost(service, "eu-west-1")


def test_other_services_are_motos_alone() -> None:
    assert ApiHost.parse("cloudformation.eu-west-1.amazonaws.com") is None


def test_a_layer_bucket_belongs_to_one_region() -> None:
    assert is_layer_host(layer_host("eu-west-1"))
    assert not is_layer_host("prod-eu-west-1-starport-layer-bucket.s3.ap-southeast-2.amazonaws.com")


def test_aws_owns_its_domain_and_nothing_that_ends_alike() -> None:
    assert is_aws_host("anything.amazonaws.com")
    assert not is_aws_host("notamazonaws.com")
