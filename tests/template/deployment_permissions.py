"""What CloudFormation needs to create, change and delete the stack: each resource type with its actions.

The actions are those that the resource types declare (`handlers` in the schemas of the CloudFormation registry, which
cfn-lint ships):
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html#schema-properties-handlers
"""

import aws_cdk as cdk
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]  # cfn-lint ships no types

from tests.template.synthesis import template

BOOTSTRAP = "hnb659fds"
"""The default qualifier of the roles of `cdk bootstrap`."""

_DEFAULTS = cdk.DefaultStackSynthesizer
_BY = {
    "external": "always",
    "public": '`manifests` is not `"external"`',
    "namespaced": '`manifests = "namespaced"`',
    "private": "`cluster.subnet_ids`",
    "nlb": '`exposure.kind = "nlb"`, `[endpoints]`',
    "protected": "`exposure.deletion_protection`",
    "mirror": "`cache_rule`",
    "guarded": '`encryption = "stack"`, `alarms.emails`',
}
"""The configurations from the smallest to the largest: the first that has a type names its condition."""

_OF_ONE_SETTING = {
    "AWS::CertificateManager::Certificate": "`exposure.certificate_zone_id`",
    "AWS::EC2::VPCEndpoint": "`endpoints.create`",
    "AWS::ECR::PullTimeUpdateExclusion": "`page.catalogue`",
    "AWS::Route53::RecordSet": "`exposure.alias_zone_id`",
}
"""Types that only one setting adds."""
_OF_LONG_LISTS = {"AWS::IAM::ManagedPolicy": "an allow-list that does not fit into the role"}
"""Types that no configuration of the tables has."""

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
    parameters = {found["Type"] for name in _BY for found in template(name).get("Parameters", {}).values()}
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


def types() -> dict[str, str]:
    """Each resource type of the table, with its condition."""
    when = dict(_OF_LONG_LISTS)
    for name, why in _BY.items():
        for resource in template(name)["Resources"].values():
            when.setdefault(resource["Type"], _OF_ONE_SETTING.get(resource["Type"], why))
    return when


def _listed(kind: str) -> str:
    return _code(actions(kind))


def _code(names: set[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _role(arn: str) -> str:
    return arn.replace("${Qualifier}", BOOTSTRAP)
