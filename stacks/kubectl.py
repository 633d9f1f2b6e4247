"""kubectl in the deployment: CDK's provider, its role and its access to the cluster."""

from typing import cast

from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.lambda_layer_kubectl_v36 import KubectlV36Layer
from constructs import Construct

from lambda_fn.settings.cluster import Cluster
from stacks.access import AdministratorAccess, GroupAccess
from stacks.logs import deny_new_log_groups, send_log
from stacks.nag import acknowledge, acknowledge_wildcard
from stacks.network import Network, deny_vpc_actions_to_code, vpc_statements
from stacks.statements import describe_cluster, write_log


def kubectl_provider(
    scope: Construct, *, cluster: Cluster, group: str | None, network: Network | None, log_group: logs.ILogGroup
) -> eks.KubectlProvider:
    """Kubectl with its own role and access entry; its functions write into `log_group`.

    `group` is the Kubernetes group of the role, None for an administrator of the cluster.
    """
    role = _role(scope, cluster, group, log_group)
    provider = _provider(scope, cluster.name, role, network)
    # A new access entry takes a while to work, and kubectl does not wait for it; creating the functions takes longer.
    provider.node.add_dependency(_access(scope, cluster.name, role, group))
    _configure_provider(scope, provider, network, log_group)
    return provider


def imported_cluster(
    scope: Construct,
    construct_id: str,
    *,
    cluster_name: str,
    network: Network | None,
    provider: eks.IKubectlProvider | None = None,
) -> eks.ICluster:
    """The cluster, which this stack does not own; constructs that apply objects need the provider."""
    return eks.Cluster.from_cluster_attributes(
        scope,
        construct_id,
        cluster_name=cluster_name,
        kubectl_provider=provider,
        vpc=network.vpc if network else None,
    )


def _role(scope: Construct, cluster: Cluster, group: str | None, log_group: logs.ILogGroup) -> iam.IRole:
    """A role that reaches only the cluster. Immutable: the provider would add read access to all of ECR."""
    statements = [describe_cluster(scope, cluster.name), write_log(log_group)]
    if cluster.subnet_ids:
        statements += vpc_statements(scope, cluster.subnet_ids)
    rights = "in its namespace only" if group else "as administrator of the cluster"
    role = iam.Role(
        scope,
        "Role",
        description=f"Deployment of ecr-frontdoor: applies the charts with kubectl, {rights}",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"Kubectl": iam.PolicyDocument(statements=statements)},
    )
    acknowledge_wildcard(role, "*", "ec2:Describe* has no resource types; the other statement is a Deny.")
    return role.without_policy_updates()


def _access(scope: Construct, cluster_name: str, role: iam.IRole, group: str | None) -> Construct:
    if group:
        return GroupAccess(scope, "Access", cluster_name=cluster_name, role=role, group=group)
    return AdministratorAccess(scope, "Access", cluster_name=cluster_name, role=role)


def _provider(scope: Construct, cluster_name: str, role: iam.IRole, network: Network | None) -> eks.KubectlProvider:
    """CDK's kubectl.

    `kubectl_provider_options` has no effect on an imported cluster: so the cluster is imported once for the provider,
    and once with it.
    """
    return eks.KubectlProvider(
        scope,
        "Kubectl",
        cluster=imported_cluster(scope, "Bare", cluster_name=cluster_name, network=network),
        kubectl_layer=KubectlV36Layer(scope, "Layer"),
        role=role,
        private_subnets=network.subnets if network else None,
        security_groups=[network.security_group] if network else None,
    )


def _configure_provider(
    scope: Construct, provider: eks.KubectlProvider, network: Network | None, log_group: logs.ILogGroup
) -> None:
    """Set the log and the denials of CDK's functions, and acknowledge the cdk-nag findings on them."""
    # A condition for a managed policy that the immutable role does not have.
    scope.node.try_remove_child("HasEcrPublic")
    acknowledge(provider, "AwsSolutions-L1", "CDK chooses the runtime of its function.")
    framework = cast("lambda_.Function", provider.node.find_child("Provider").node.find_child("framework-onEvent"))
    handler = cast("lambda_.Function", provider.node.find_child("Handler"))
    for function in (framework, handler):
        send_log(function, log_group)
    framework.add_to_role_policy(deny_new_log_groups())
    if network:
        framework.add_to_role_policy(deny_vpc_actions_to_code())
    acknowledge_wildcard(framework, "*", "The statement is a Deny.")
    acknowledge_wildcard(framework, f"{handler.function_arn}:*", "CDK's framework invokes any version of its handler.")
    policies = ["AWSLambdaBasicExecutionRole", *(["AWSLambdaVPCAccessExecutionRole"] if network else [])]
    for policy in policies:
        finding = f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/{policy}]"
        acknowledge(
            framework, finding, "CDK's framework function cannot have another role; the policy only writes logs."
        )
