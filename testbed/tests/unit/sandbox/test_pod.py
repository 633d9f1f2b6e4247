"""The test pod's configuration is the one that the Lambda renders, for every way to terminate TLS."""

from pathlib import Path

import pytest

from lambda_fn.settings import Settings, parse_toml
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World

SETTINGS = """
domain = "registry.example.com"

[cluster]
name = "shared"
region = "ap-southeast-2"
vpc_id = "vpc-0a1b2c3d4e5f60718"
subnet_ids = ["subnet-0a1b2c3d4e5f60718", "subnet-18f0e5d4c3b2a1907"]
security_group_id = "sg-0a1b2c3d4e5f60718"

[[registries]]
account = "123456789012"
region = "ap-southeast-2"
repositories = ["team/*"]

[proxy]
client_cidrs = ["10.1.0.0/16"]

[proxy.exposure]
"""
SUBNETS = """
[proxy.exposure.subnets]
subnet-0a1b2c3d4e5f60718 = "10.1.0.0/24"
subnet-18f0e5d4c3b2a1907 = "10.1.1.0/24"
"""
CERTIFICATE = "arn:aws:acm:ap-southeast-2:123456789012:certificate/0a1b2c3d-0000-0000-0000-000000000000"


def settings(exposure: str) -> Settings:
    return parse_toml(SETTINGS + exposure, "the test's settings")


@pytest.mark.parametrize(
    ("exposure", "terminates_tls"),
    [
        ('kind = "pod"\ntls_secret = "registry-tls"', True),
        (f'kind = "nlb"\ntls_secret = "registry-tls"\n{SUBNETS}', True),
        (f'kind = "nlb"\ncertificate_arn = "{CERTIFICATE}"\n{SUBNETS}', False),
        ('kind = "service"', False),
    ],
)
def test_the_pod_terminates_tls_where_the_product_does(tmp_path: Path, exposure: str, *, terminates_tls: bool) -> None:
    pod = Pod(tmp_path, World(state=tmp_path / "state", cache=tmp_path / "cache"), settings(exposure))
    assert ("ssl_certificate " in pod.configuration()) == terminates_tls
