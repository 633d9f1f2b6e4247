"""The examples of docs/exposure.md are files the front door takes, and fit one another."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from lambda_fn.settings import Settings
from stacks.preflight import reject_incompatible_settings
from tests.template import configurations
from tests.template.charts import find, pod
from tests.template.charts import settings as complete

DOCUMENT = (configurations.ROOT / "docs" / "exposure.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", DOCUMENT, flags=re.DOTALL)


def parsed(example: str) -> Settings:
    return configurations.parse(configurations.text("public").split("[proxy.exposure]")[0] + example)


def cert_manager_example(kind: str) -> Settings:
    (example,) = (e for e in EXAMPLES if tomllib.loads(e)["proxy"]["exposure"].get("tls_secret") and kind in e)
    return parsed(example)


def certificate() -> dict[str, Any]:
    (text,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def in_its_vpc(example: str) -> Settings:
    """The example in a cluster of which the VPC is known."""
    vpc = 'vpc_id = "vpc-0a1b2c3d4e5f60718"\nsecurity_group_id = "sg-0a1b2c3d4e5f60718"\n'
    text = configurations.text("public").split("[proxy.exposure]")[0].replace("[cluster]\n", f"[cluster]\n{vpc}")
    return configurations.parse(text + example)


@pytest.mark.parametrize("example", [example for example in EXAMPLES if 'kind = "nlb"' in example])
def test_an_example_of_a_load_balancer_lacks_nothing(example: str) -> None:
    reject_incompatible_settings(in_its_vpc(example))


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_taken(example: str) -> None:
    assert parsed(example).domain == complete().domain


def test_cert_manager_writes_the_secret_that_the_ingress_names_for_the_domain_it_serves() -> None:
    ingress = find("Ingress", cert_manager_example('"ingress"'))
    assert "cert-manager.io/cluster-issuer" in ingress["metadata"]["annotations"]
    (tls,) = ingress["spec"]["tls"]
    # Without either, cert-manager leaves an annotated Ingress alone: https://cert-manager.io/docs/usage/ingress/
    assert (tls["secretName"], tls["hosts"]) == ("registry-tls", [ingress["spec"]["rules"][0]["host"]])


def test_the_certificate_is_for_the_domain_and_writes_the_secret_that_nginx_reads_in_its_namespace() -> None:
    settings = cert_manager_example('"nlb"')
    wanted = certificate()
    (volume,) = (v for v in pod(settings)["volumes"] if v["name"] == "tls")
    assert wanted["spec"]["secretName"] == volume["secret"]["secretName"]
    assert wanted["spec"]["dnsNames"] == [settings.domain]
    assert wanted["metadata"]["namespace"] == settings.cluster.namespace
    # nginx reads the keys that cert-manager writes, of the whole Secret.
    assert "items" not in volume["secret"]
