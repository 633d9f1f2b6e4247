"""The nginx configuration and the njs modules use the ports, paths and folders of the contract.

They have them as literals, so that the configuration reads like any other; the pods, the target group and the volumes
have them from the contract.
"""

import re
from collections.abc import Iterator

import pytest

from k8s_manifests.configuration import scripts, template
from lambda_fn.contract import paths
from lambda_fn.job import configuration
from lambda_fn.settings import parse_toml
from testbed.mutants.configuration import Directive, parse

FOLDERS = {
    paths.CONFIG,
    paths.SCRIPTS,
    paths.CREDENTIAL,
    paths.TLS,
    paths.HINTS,
    paths.RUN,
    paths.CACHE,
    paths.PAGE,
    paths.CATALOGUE,
}
OWN_PATH = re.compile(r"(?:^|:|')(/(?:run|var|etc/frontdoor)/[^'\s;]*)", re.MULTILINE)
"""Everything else below /etc is a file of the image."""
QUEUE = ["backlog=4096"]
CLIENTS = [*QUEUE, "sndbuf=512k"]


PLAIN, TLS = 'kind = "service"', 'kind = "pod", tls_secret = "registry-tls"'
BALANCED = 'kind = "nlb", subnets = { subnet-12345678 = "10.1.0.0/24" }'


def directives(exposure: str, *, more: str = "") -> list[Directive]:
    """All directives of the rendered configuration, the inner ones after their block."""
    settings = parse_toml(
        f"""
        domain = "registry.example.net"
        page.catalogue = true
        cluster = {{ name = "shared", region = "eu-west-1" }}
        registries = [{{ account = "123456789012", region = "eu-west-1" }}]
        proxy = {{ exposure = {{ {exposure} }}{more} }}
        """,
        "the test's settings",
    )
    hosts = ("123456789012.dkr.ecr.eu-west-1.amazonaws.com",)
    return list(_all(parse(configuration.rendered(settings, hosts, "10.0.0.10", template()))))


def _all(block: list[Directive]) -> Iterator[Directive]:
    for directive in block:
        yield directive
        yield from _all(directive.get("block", []))


def arguments(found: list[Directive], name: str) -> list[list[str]]:
    return [each["args"] for each in found if each["directive"] == name]


def folder_of(path: str) -> str | None:
    """The folder of the contract that has this path."""
    return next((folder for folder in FOLDERS if path == folder or path.startswith(f"{folder}/")), None)


HTTP = (paths.HTTP_PORT, CLIENTS)
HTTPS = (paths.HTTPS_PORT, ["ssl", *CLIENTS])

METRICS = (paths.METRICS_PORT, QUEUE)
MONITORED = ', monitoring_namespace = "monitoring"'


@pytest.mark.parametrize(
    ("exposure", "expected"),
    [
        (PLAIN, [HTTP]),
        (TLS, [HTTP, HTTPS]),
        (f'{BALANCED}, certificate_zone_id = "Z12"', [HTTP, (paths.PROXY_PROTOCOL_PORT, ["proxy_protocol", *CLIENTS])]),
        (
            f'{BALANCED}, tls_secret = "registry-tls"',
            [HTTP, HTTPS, (paths.PROXY_PROTOCOL_PORT, ["ssl", "proxy_protocol", *CLIENTS])],
        ),
    ],
    ids=["http", "https", "load balancer", "through a load balancer"],
)
def test_nginx_listens_beyond_the_pod_on_the_ports_of_the_contract(
    exposure: str, expected: list[tuple[int, list[str]]]
) -> None:
    assert ports(directives(exposure)) == expected
    assert ports(directives(exposure, more=MONITORED)) == [*expected, METRICS]


def ports(found: list[Directive]) -> list[tuple[int, list[str]]]:
    """On which nginx listens beyond the pod, with their options."""
    listening = arguments(found, "listen")
    beyond = [(address, options) for address, *options in listening if not address.startswith(("unix:", "127.0.0.1:"))]
    return [(int(address.rpartition(":")[2]), options) for address, options in beyond]


def test_nginx_has_a_location_for_each_probe_and_for_the_metrics() -> None:
    locations = arguments(directives(PLAIN, more=MONITORED), "location")
    assert [
        path for path in (paths.LIVE, paths.READY, paths.STARTUP, paths.METRICS_PATH) if ["=", path] not in locations
    ] == []


@pytest.mark.parametrize("exposure", [PLAIN, TLS], ids=["http", "https"])
def test_no_request_is_left_out_of_the_metrics(exposure: str) -> None:
    """A block that sets an access log inherits none, also not the one by which requests are counted."""
    blocks = [each["block"] for each in directives(exposure, more=MONITORED) if "block" in each]
    logs = [found for block in blocks if (found := arguments(block, "access_log"))]
    assert len(logs) > 5
    counted = [[args for args in found if args[-1].startswith("if=$counted_request")] for found in logs]
    assert [args[:2] for found in counted for args in found] == [["/dev/null", "json"]] * len(logs)


def test_each_turn_of_a_periodic_function_is_counted() -> None:
    """nginx counts it among the requests, and logs it nowhere: a turn that is left out would be a cache hit."""
    modules = scripts()
    names = [args[0].removeprefix("frontdoor.") for args in arguments(directives(PLAIN, more=MONITORED), "js_periodic")]
    assert len(names) > 5
    for name in names:
        found = re.search(rf"^    {name}: (\w+)\.(\w+),$", modules["frontdoor.js"], re.MULTILINE)
        assert found, name
        begin = rf"^(?:async )?function {found[2]}\(\w*\) {{\n    request_counts\.countTurn\(\);$"
        assert re.search(begin, modules[f"{found[1]}.js"], re.MULTILINE), f"{name} does not begin with countTurn()"


def test_nginx_and_njs_use_only_the_folders_of_the_contract_and_none_that_is_copied() -> None:
    words = [word for each in directives(TLS) for word in (each["directive"], *each["args"])]
    found = {path for text in (*words, *scripts().values()) for path in OWN_PATH.findall(text)}
    assert {path for path in found if folder_of(path) is None} == set()
    assert {folder_of(path) for path in found} == FOLDERS - {paths.CONFIG, paths.SCRIPTS}
