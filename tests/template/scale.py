"""A configuration of 500 routes over 20 accounts and 4 regions, and the sizes of what is made of it.

`python -m tests.template.scale` writes the table into docs/performance.md.
"""

import base64
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx2

from k8s_manifests.configuration import template as nginx_template
from lambda_fn.contract import secret
from lambda_fn.edges.ecr import Ecr
from lambda_fn.job.configuration import rendered
from lambda_fn.job.tokens import gather
from lambda_fn.settings import Settings, parse_toml
from stacks.image_events import PATTERN_LIMIT
from stacks.policy_limits import MANAGED_POLICY_LIMIT, POLICY_LIMIT, USUAL_MANAGED_POLICIES
from testbed.generated import filled, written
from tests.fakes.clock import STARTED_AT
from tests.fakes.world import World
from tests.template import configurations
from tests.template.synthesis import synthesize

ROUTES, ACCOUNTS = 500, 20
REGIONS = ("ap-southeast-2", "eu-central-1", "eu-west-1", "us-east-1")
DOCUMENT = configurations.ROOT / "docs" / "performance.md"
_ANSWER_SECONDS = 0.25
_MIB = 1 << 20


def text(routes: int = ROUTES, accounts: int = ACCOUNTS, regions: tuple[str, ...] = REGIONS) -> str:
    """The settings: names of 8 to 40 characters, every seventh a pattern."""
    registries: dict[tuple[str, str], list[str]] = {}
    for number in range(routes):
        place = (f"{210_000_000_000 + number % accounts}", regions[number // accounts % len(regions)])
        name = "/".join(f"part-{number % (depth + 7)}" for depth in range(number % 5)) + f"/app-{number:03}"
        registries.setdefault(place, []).append(name.strip("/") + ("/*" if number % 7 == 0 else ""))
    tables = "".join(
        f'\n[[registries]]\naccount = "{account}"\nregion = "{region}"\nrepositories = {json.dumps(names)}\n'
        for (account, region), names in registries.items()
    )
    before, _, rest = configurations.text("guarded").partition("[[registries]]")
    return f"{before}{tables}\n[proxy.exposure]{rest.partition('[proxy.exposure]')[2]}"


def settings() -> Settings:
    """The settings, parsed."""
    return parse_toml(text(), "500 routes")


def policies(template: dict[str, Any], role: str) -> dict[str, Any]:
    """Each identity policy of a role whose logical id begins so, by a name: inline, or the logical id."""
    resources = template["Resources"]
    (found,) = (r["Properties"] for i, r in resources.items() if i.startswith(role) and r["Type"] == "AWS::IAM::Role")
    inline = {"inline": found["Policies"][0]["PolicyDocument"]}
    attached = [arn["Ref"] for arn in found.get("ManagedPolicyArns", [])]
    return inline | {name: resources[name]["Properties"]["PolicyDocument"] for name in attached}


def characters(policy: Any) -> int:  # noqa: ANN401 - a policy of a template
    """Of a policy as IAM counts it."""
    return len(json.dumps(policy, separators=(",", ":")))


def rows() -> Iterator[tuple[str, str, str]]:
    """What is limited, its size, and its limit."""
    source = text()
    started_at = time.perf_counter()
    found = parse_toml(source, "500 routes")
    yield "settings: `frontdoor.toml`", f"{len(source):,} bytes", "-"
    yield "settings: time to validate them", _milliseconds(started_at), "-"
    started_at = time.perf_counter()
    template = synthesize(found)
    yield "synthesis", f"{time.perf_counter() - started_at:.1f} s", "-"
    yield "CloudFormation template", f"{len(json.dumps(template, indent=1)):,} bytes", "1,000,000"
    yield "resources of the stack", str(len(template["Resources"])), "500"
    for role, name in (("IdentityRole", "the Lambda"), ("WatcherIdentityRole", "the watcher")):
        inline, *managed = (characters(policy) for policy in policies(template, role).values())
        yield f"role of {name}: inline policy", f"{inline:,} characters", f"{POLICY_LIMIT:,}"
        yield f"role of {name}: managed policies", str(len(managed)), f"{USUAL_MANAGED_POLICIES} by default"
        yield f"role of {name}: largest of them", f"{max(managed):,} characters", f"{MANAGED_POLICY_LIMIT:,}"
    (pattern,) = (
        r["Properties"]["EventPattern"] for i, r in template["Resources"].items() if i.startswith("WatcherEventsRule")
    )
    yield "pattern of the events' rule", f"{characters(pattern):,} characters", f"{PATTERN_LIMIT:,}"
    hosts = tuple(registry.host for registry in found.registries)
    started_at = time.perf_counter()
    configuration = rendered(found, hosts, "172.20.0.10", nginx_template())
    yield "`nginx.conf`: time to render it", _milliseconds(started_at), "-"
    yield "`nginx.conf`, in a ConfigMap", f"{len(configuration):,} bytes", f"{_MIB:,}"
    yield (
        "tokens of 4 regions and 80 hosts, each answer after 250 ms",
        f"{_seconds_for_tokens(found):.1f} s",
        "120 s",
    )
    size = secret.longest_bytes(hosts)
    yield f"Secret, with tokens of {secret.TOKEN_BYTES:,} bytes", f"{size:,} bytes", f"{secret.LIMIT_BYTES:,}"


class _Api:
    """ECR's API in a region: a token, after a while."""

    def __init__(self, region: str) -> None:
        self._host = f"https://123456789012.dkr.ecr.{region}.amazonaws.com"

    def get_authorization_token(self) -> dict[str, Any]:
        time.sleep(_ANSWER_SECONDS)
        token = base64.b64encode(b"AWS:" + b"t" * (secret.TOKEN_BYTES * 3 // 4)).decode()
        data = {"proxyEndpoint": self._host, "authorizationToken": token, "expiresAt": STARTED_AT + timedelta(hours=12)}
        return {"authorizationData": [data]}


def _seconds_for_tokens(settings: Settings) -> float:
    def answer(_: httpx2.Request) -> httpx2.Response:
        time.sleep(_ANSWER_SECONDS)
        return httpx2.Response(HTTPStatus.OK)

    new_client: Any = _Api
    started_at = time.perf_counter()
    gather(
        settings.registries,
        now=STARTED_AT,
        must_outlive=timedelta(hours=8),
        registry=Ecr(new_client, transport=httpx2.MockTransport(answer)),
        cluster=World().cluster,
    )
    return time.perf_counter() - started_at


def table() -> str:
    """The rows as Markdown."""
    lines = [("what", "size", "limit"), ("---", "---", "---"), *rows()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _milliseconds(started_at: float) -> str:
    return f"{(time.perf_counter() - started_at) * 1_000:,.0f} ms"


if __name__ == "__main__":
    document = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(filled(document, written(document) | {"scale": table()}), encoding="utf-8")
