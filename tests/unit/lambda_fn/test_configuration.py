"""The template's names get their values from the settings."""

import re

import pytest

from k8s_manifests.configuration import template
from lambda_fn.contract.errors import TemplateError
from lambda_fn.contract.registries import layer_url_regex
from lambda_fn.job.configuration import rendered
from lambda_fn.settings import Settings, parse_toml

TEXT = """
    domain = "registry.example.com"
    cluster = { name = "shared", region = "eu-west-1" }
    [[registries]]
    account = "123456789012"
    region = "eu-west-1"
    repositories = ["team/*", "base"]
    [proxy]
    drain_seconds = 77
    blobs = "redirect"
    [proxy.cache]
    tag_seconds = 17
    [proxy.timeouts]
    ecr_seconds = 19
    [proxy.exposure]
"""
PLAIN = parse_toml(f'{TEXT}kind = "service"', "the test")
TLS = parse_toml(f'{TEXT}kind = "pod"\ntls_secret = "registry-tls"', "the test")
CONTACT = parse_toml(f'contact = "the platform team"\n{TEXT}kind = "service"', "the test")
MONITORED = PLAIN.model_copy(update={"proxy": PLAIN.proxy.model_copy(update={"monitoring_namespace": "monitoring"})})
HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("settings", "name", "value"),
    [
        (PLAIN, "domain", "registry.example.com"),
        (PLAIN, "resolver", "10.0.0.10"),
        (PLAIN, "drain_seconds", "77"),
        (PLAIN, "blobs", "redirect"),
        (PLAIN, "cache.tag_seconds", "17"),
        (PLAIN, "timeouts.ecr_seconds", "19"),
        (PLAIN, "budget.rate", "200"),
        (PLAIN, "'tls' if tls == true else 'plain' if tls == false else tls", "plain"),
        (TLS, "'tls' if tls == true else 'plain' if tls == false else tls", "tls"),
        (PLAIN, "'unset' if contact == '' else contact", "unset"),
        (CONTACT, "contact", "the platform team"),
        (PLAIN, "memory_for_large_pulls_mib", "256"),
        (PLAIN, "metrics", "False"),
        (MONITORED, "metrics", "True"),
        (PLAIN, "worker_connections", "13716"),
        (TLS, "worker_connections", "5922"),
        (PLAIN, "layer_urls", layer_url_regex(["eu-west-1"])),
        (PLAIN, "registries[0].host", HOST),
        (PLAIN, "layer_hosts[0]", "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com"),
        (PLAIN, "routes.entries[0].host", HOST),
        (PLAIN, "routes.exact[0] | join(' ')", "base 0"),
        (PLAIN, "routes.depths[0].folders[0].path", "team/"),
    ],
)
def test_a_name_of_the_template_has_the_value_of_its_setting(settings: Settings, name: str, value: str) -> None:
    assert rendered(settings, (HOST,), "10.0.0.10", f"{{{{ {name} }}}}") == value


@pytest.mark.parametrize("mistake", ["{{ unknown }}", "add_header X-Debug $ecr_authorization;"])
def test_a_mistake_in_the_template_names_its_key_and_its_config_map(mistake: str) -> None:
    with pytest.raises(TemplateError) as caught:
        rendered(PLAIN, (HOST,), "10.0.0.10", mistake)
    assert "nginx.conf.j2" in str(caught.value)
    assert PLAIN.names.template_config_map in str(caught.value)


@pytest.mark.parametrize("hosts", [(), (HOST, HOST)])
def test_each_registry_has_exactly_one_host(hosts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"argument 2"):
        rendered(PLAIN, hosts, "10.0.0.10", "{{ domain }}")


@pytest.mark.parametrize(
    ("region", "host", "domain"),
    [
        ("eusc-de-east-1", "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", "amazonaws.eu"),
        ("cn-north-1", "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "amazonaws.com"),
    ],
)
def test_a_blob_of_another_partition_is_read_from_that_partitions_layer_bucket(
    region: str, host: str, domain: str
) -> None:
    settings = parse_toml(f'{TEXT}kind = "service"'.replace("eu-west-1", region), "the test")
    text = rendered(settings, (host,), "10.0.0.10", template())
    bucket = f"prod-{region}-starport-layer-bucket.s3.{region}.{domain}"
    assert re.findall(r"^ +upstream (\S+[.]\S+) \{$", text, re.MULTILINE) == [host, bucket]
    (followed,) = re.findall(r'js_var [$]layer_urls "(.+)";', text)
    assert re.match(followed, f"https://{bucket}/layer?X-Amz-Signature=a")
    assert not re.match(followed, f"https://{bucket}.evil.example/layer")
