"""What CloudFormation needs to create, change and delete the stack: each resource type with its actions.

The actions are those that the resource types declare (`handlers` in the schemas of the CloudFormation registry, which
cfn-lint ships):
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html#schema-properties-handlers
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]  # cfn-lint ships no types

from tests.template.configurations import parse
from tests.template.synthesis import synthesize, template

BOOTSTRAP = "hnb659fds"
"""The default qualifier of the roles of `cdk bootstrap`."""

_DEFAULTS = cdk.DefaultStackSynthesizer
_SMALLEST = {
    "domain": '"registry.example.net"',
    "manifests": '"external"',
    "registries": '[{ account = "123456789012", region = "ap-southeast-2" }]',
    "cluster.name": '"shared"',
    "cluster.region": '"ap-southeast-2"',
    "proxy.exposure.kind": '"service"',
    "watcher.deletions": "false",
}
"""The settings of the smallest template, as TOML."""
_VPC = _SMALLEST | {
    "cluster.vpc_id": '"vpc-0a1b2c3d4e5f60718"',
    "cluster.security_group_id": '"sg-0a1b2c3d4e5f60718"',
}
_SUBNET = "subnet-0a1b2c3d4e5f60718"
_NLB = _VPC | {
    "refresh.rollout_timeout_seconds": "780",
    "proxy.exposure.kind": '"nlb"',
    "proxy.exposure.tls_secret": '"registry-tls"',
    f"proxy.exposure.subnets.{_SUBNET}": '"10.1.0.0/24"',
}
_KUBECTL = _SMALLEST | {"manifests": '"kubectl"'}
_MIRROR = {
    "registries": '[{ account = "123456789012", region = "ap-southeast-2", repositories = ["k8s/*"], '
    'pull_through = true, upstream = "registry.k8s.io", cache_rule = true }]'
}
_CERTIFICATE = {key: value for key, value in _NLB.items() if not key.endswith("tls_secret")}


@dataclass(frozen=True, kw_only=True)
class _Choice:
    """A setting, all settings with it, and without it."""

    name: str
    chosen: Mapping[str, str]
    otherwise: Mapping[str, str] = field(default_factory=lambda: _SMALLEST)


def _of_nlb(key: str, value: str, others: Mapping[str, str] = _NLB) -> _Choice:
    """A setting of `kind = "nlb"`, beside others of it."""
    chosen = {**others, f"proxy.exposure.{key}": value}
    return _Choice(name=f"`exposure.{key}`", chosen=chosen, otherwise=_NLB)


_CHOICES = (
    _Choice(name='`manifests` is not `"external"`', chosen=_KUBECTL),
    _Choice(name='`manifests = "namespaced"`', chosen=_SMALLEST | {"manifests": '"namespaced"'}, otherwise=_KUBECTL),
    _Choice(name="`watcher.deletions`", chosen=_SMALLEST | {"watcher.deletions": "true"}),
    _Choice(name="`page.catalogue`", chosen=_SMALLEST | {"page.catalogue": "true"}),
    _Choice(name="`cluster.subnet_ids`", chosen=_VPC | {"cluster.subnet_ids": f'["{_SUBNET}"]'}),
    _Choice(name='`exposure.kind = "nlb"`', chosen=_NLB),
    _of_nlb("certificate_zone_id", '"Z0123456789PUBLIC"', _CERTIFICATE),
    _of_nlb("alias_zone_id", '"Z0123456789PRIVATE"'),
    _of_nlb("deletion_protection", "true"),
    _Choice(
        name="`endpoints.create`",
        chosen=_VPC | {"endpoints.create": '["ecr.dkr"]', "endpoints.subnet_ids": f'["{_SUBNET}"]'},
    ),
    _Choice(name='`encryption = "stack"`', chosen=_SMALLEST | {"encryption": '"stack"'}),
    _Choice(name="`alarms.emails`", chosen=_SMALLEST | {"alarms.emails": '["on-call@example.net"]'}),
    _Choice(name="`cache_rule`", chosen=_SMALLEST | _MIRROR),
)
"""What adds types to the template: each is compared with the template without it."""
_OF_LONG_LISTS = {"AWS::IAM::ManagedPolicy": "an allow-list that does not fit into the role"}
"""Types that no setting above adds."""

_PARAMETERS = {"AWS::SSM::Parameter::Value<String>": {"ssm:GetParameters"}}
"""What the execution role needs to read a parameter: the version of the bootstrap, which CDK checks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html
"""


def generated() -> str:
    """The two tables: the roles of `cdk bootstrap`, and the actions by resource type."""
    roles = {
        "Whatever runs `cdk deploy`": f"to assume `{_role(_DEFAULTS.DEFAULT_DEPLOY_ROLE_ARN)}` to deploy, and "
        f"`{_role(_DEFAULTS.DEFAULT_FILE_ASSET_PUBLISHING_ROLE_ARN)}` to upload the Lambda's bundle",
        "CloudFormation": f"the role `{_role(_DEFAULTS.DEFAULT_CLOUDFORMATION_ROLE_ARN)}`, "
        "with the actions below and `iam:PassRole` on the stack's roles",
    }
    lines = [
        "| principal | needs |",
        "|---|---|",
        *(f"| {principal} | {need} |" for principal, need in roles.items()),
        "",
    ]
    lines += ["| resource type | in the template | actions to create, read, change and delete it |", "|---|---|---|"]
    parameters = {found["Type"] for found in template("all").get("Parameters", {}).values()}
    lines += [f"| parameter of type `{kind}` | always | {_code(_PARAMETERS[kind])} |" for kind in sorted(parameters)]
    lines += [f"| `{kind}` | {when} | {_listed(kind)} |" for kind, when in sorted(types().items())]
    return "\n".join(lines) + "\n"


def actions(kind: str) -> set[str]:
    """The actions that a resource type declares; CloudFormation invokes the function of a custom resource."""
    if kind.startswith("Custom::"):
        return {"lambda:InvokeFunction"}
    handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema["handlers"]
    # A type that cannot be changed or read has no handler for it.
    needed = [handlers["create"], *(handlers.get(name, {"permissions": []}) for name in ("read", "update", "delete"))]
    return {action for handler in needed for action in handler["permissions"]}


@functools.cache
def types() -> dict[str, str]:
    """Each resource type of the table, with its condition: what adds it, one of them is enough."""
    always = _types(_SMALLEST)
    added: dict[str, list[str]] = {}
    for choice in _CHOICES:
        for kind in _types(choice.chosen) - _types(choice.otherwise) - always:
            added.setdefault(kind, []).append(choice.name)
    return _OF_LONG_LISTS | dict.fromkeys(always, "always") | {kind: " or ".join(by) for kind, by in added.items()}


def _types(settings: Mapping[str, str]) -> set[str]:
    return {resource["Type"] for resource in _template(tuple(settings.items()))["Resources"].values()}


@functools.cache
def _template(settings: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    return synthesize(parse("\n".join(f"{key} = {value}" for key, value in settings)))


def _listed(kind: str) -> str:
    return _code(actions(kind))


def _code(names: set[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _role(arn: str) -> str:
    return arn.replace("${Qualifier}", BOOTSTRAP)
