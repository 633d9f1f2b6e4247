"""Deletion protection of the load balancer, which does not stand in the way of a rollback or of a removal."""

from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import custom_resources as cr
from constructs import Construct, IDependable

from stacks.logs import log_group, send_log
from stacks.nag import acknowledge
from stacks.statements import write_log

# CDK's name of the function, a child of the stack.
_PROVIDER = f"AWS{cr.AwsCustomResource.PROVIDER_FUNCTION_UUID.replace('-', '')}"


class DeletionProtection(Construct):
    """Turns the protection on as the last step of a deployment, and off as the first step of a removal.

    CloudFormation cannot delete a protected load balancer. As an attribute of the load balancer, the protection would
    make the rollback of a first deployment fail, and every `cdk destroy`.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-load-balancer-attributes.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        balancer_arn: str,
        after: Sequence[IDependable],
        log_retention_days: int,
        key: kms.IKey | None,
    ) -> None:
        """Protect the load balancer once `after` exists."""
        super().__init__(scope, construct_id)
        log = log_group(
            self, "Log", retention_days=log_retention_days, removal_policy=cdk.RemovalPolicy.DESTROY, key=key
        )
        modify = iam.PolicyStatement(
            sid="ProtectLoadBalancer",
            actions=["elasticloadbalancing:ModifyLoadBalancerAttributes"],
            resources=[balancer_arn],
        )
        role = iam.Role(
            self,
            "Role",
            description="Deployment of ecr-frontdoor: turns the deletion protection of its load balancer on and off",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"Protect": iam.PolicyDocument(statements=[modify, write_log(log)])},
        )
        switch = cr.AwsCustomResource(
            self,
            "Switch",
            on_update=_set(balancer_arn, "true"),
            on_delete=_set(balancer_arn, "false"),
            role=role.without_policy_updates(),
            install_latest_aws_sdk=False,
        )
        switch.node.add_dependency(*after)
        function = cast("lambda_.Function", cdk.Stack.of(self).node.find_child(_PROVIDER))
        send_log(function, log)
        acknowledge(function, "AwsSolutions-L1", "CDK chooses the runtime of its function.")


def _set(balancer_arn: str, value: str) -> cr.AwsSdkCall:
    return cr.AwsSdkCall(
        service="elastic-load-balancing-v2",  # the package of the SDK: of other forms CDK finds no package
        action="modifyLoadBalancerAttributes",
        parameters={
            "LoadBalancerArn": balancer_arn,
            "Attributes": [{"Key": "deletion_protection.enabled", "Value": value}],
        },
        # The same for ever: no setting makes CloudFormation replace the load balancer.
        physical_resource_id=cr.PhysicalResourceId.of(balancer_arn),
        ignore_error_codes_matching="LoadBalancerNotFound" if value == "false" else None,
    )
