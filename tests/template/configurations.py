"""The installations that the tests synthesize, as settings files."""

from pathlib import Path

from lambda_fn.settings import Settings, parse_toml

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"
"""A settings file for each way to install the product; the template of each is a reviewed file."""

_SEVERAL = """
domain = "registry.shrd.example.net"

[cluster]
name = "blue_1"
region = "eu-west-1"
namespace = "pulls"
vpc_id = "vpc-0a1b2c3d4e5f60718"
subnet_ids = ["subnet-0a1b2c3d4e5f60718"]
security_group_id = "sg-0a1b2c3d4e5f60718"

[refresh]
period_minutes = 120
flexible_window_minutes = 0
rollout_timeout_seconds = 780
log_retention_days = 7

[canary]
repository = "team/canary"
reference = "latest"
period_minutes = 5

[names]
group = "pulls:writer"

[[registries]]
account = "123456789012"
region = "eu-west-1"
repositories = ["team/*", "base"]

[[registries]]
account = "210987654321"
region = "us-east-1"

[proxy]
image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/platform/nginx:1.30.6"

[proxy.exposure]
kind = "pod"
tls_secret = "registry-tls"
"""

# The options that are off by default: a key of the stack, a topic, mail, the catalogue.
_GUARDED = """
[alarms]
topic_arn = "arn:aws:sns:ap-southeast-2:123456789012:on-call"
emails = ["on-call@example.net"]

[page]
catalogue = true
"""

MIRROR = """
[[registries]]
account = "123456789012"
region = "ap-southeast-2"
repositories = ["docker-hub/*"]
pull_through = true
"""

_CANARY = """
[canary]
repository = "team/canary"
reference = "latest"
"""


def _protected(text: str) -> str:
    return text.replace('kind = "nlb"', 'kind = "nlb"\ndeletion_protection = true')


_SHIPPED = (ROOT / "frontdoor.toml").read_text(encoding="utf-8")
_PRIVATE = (EXAMPLES / "ingress.toml").read_text(encoding="utf-8")
_PUBLIC = (EXAMPLES / "smallest.toml").read_text(encoding="utf-8")
_TEXTS = {
    "shipped": _SHIPPED,  # frontdoor.toml
    "private": _PRIVATE,
    "public": _PUBLIC,
    "several": _SEVERAL,
    "namespaced": f'manifests = "namespaced"\n{_PUBLIC}',
    "guarded": f'encryption = "stack"\n{_PUBLIC}{_GUARDED}',
    "watched": f"{_PRIVATE}{_CANARY}",
    "all": f'encryption = "stack"\n{_protected(_SHIPPED)}{_GUARDED}{MIRROR}',
} | {path.stem: path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("*.toml"))}
_TEXTS["every endpoint"] = _TEXTS["nlb"].replace('"lambda", "s3"]', '"lambda", "logs", "s3", "sts"]')
_TEXTS["protected"] = _protected(_TEXTS["nlb"])
NAMES = ("private", "public", "namespaced", "external", "several", "guarded")
"""Without a load balancer. Only `private` and `several` reach the cluster inside its VPC."""


def text(name: str) -> str:
    return _TEXTS[name]


def parse(toml: str) -> Settings:
    return parse_toml(toml, "frontdoor.toml")


def settings(name: str) -> Settings:
    return parse(text(name))
