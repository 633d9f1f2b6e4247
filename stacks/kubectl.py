"""kubectl as the deployment runs it: CDK's provider, the role it has, and what is settled about CDK's own functions."""

from typing import cast

from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.lambda_layer_kubectl_v35 import KubectlV35Layer
from constructs import Construct

from lambda_fn.contract.objects import deployer_group
from lambda_fn.settings import Settings
from stacks.access import AdministratorAccess, GroupAccess
from stacks.deployment_log import no_other_log, send_log
from stacks.nag import acknowledge, acknowledge_wildcard
from stacks.network import Network, interface_statements, not_from_code
from stacks.statements import describe_cluster, write_log

_KUBERNETES_RIGHTS = {"kubectl": "as administrator of the cluster", "namespaced": "in its namespace alone"}


def kubectl_provider(
    scope: Construct, *, settings: Settings, network: Network | None, log_group: logs.ILogGroup
) -> eks.KubectlProvider:
    """Kubectl with a role of its own, let into the cluster; its functions write into `log_group`."""
    role = _role(scope, settings, log_group)
    provider = _provider(scope, settings, role, network)
    # kubectl does not wait for a fresh access entry to be known everywhere; making the functions takes that long.
    provider.node.add_dependency(_access(scope, settings, role))
    _configure_provider(scope, provider, network, log_group)
    return provider


def imported_cluster(
    scope: Construct,
    construct_id: str,
    *,
    settings: Settings,
    network: Network | None,
    provider: eks.IKubectlProvider | None = None,
) -> eks.ICluster:
    """The cluster, which is not this stack's; what is to apply objects in it needs the provider."""
    return eks.Cluster.from_cluster_attributes(
        scope,
        construct_id,
        cluster_name=settings.cluster.name,
        kubectl_provider=provider,
        vpc=network.vpc if network else None,
    )


def _role(scope: Construct, settings: Settings, log_group: logs.ILogGroup) -> iam.IRole:
    """A role that reaches the cluster and nothing else in AWS; the provider would add reading all of ECR."""
    statements = [describe_cluster(scope, settings), write_log("WriteLog", log_group)]
    if settings.cluster.subnet_ids:
        statements += interface_statements(scope, settings.cluster)
    role = iam.Role(
        scope,
        "Role",
        description="ecr-frontdoor's deployment: applies the charts with kubectl, "
        + _KUBERNETES_RIGHTS[settings.manifests],
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"Kubectl": iam.PolicyDocument(statements=statements)},
    )
    acknowledge_wildcard(role, "*", "ec2:Describe* knows no resources; the other statement is a Deny.")
    return role.without_policy_updates()


def _access(scope: Construct, settings: Settings, role: iam.IRole) -> Construct:
    if settings.manifests == "kubectl":
        return AdministratorAccess(scope, "Access", settings=settings, role=role)
    return GroupAccess(scope, "Access", settings=settings, role=role, group=deployer_group(settings.cluster.namespace))


def _provider(scope: Construct, settings: Settings, role: iam.IRole, network: Network | None) -> eks.KubectlProvider:
    """CDK's kubectl.

    `kubectl_provider_options` does nothing on an imported cluster: hence this import for the provider to describe, and
    another that has the provider.
    """
    return eks.KubectlProvider(
        scope,
        "Kubectl",
        cluster=imported_cluster(scope, "Bare", settings=settings, network=network),
        kubectl_layer=KubectlV35Layer(scope, "Layer"),
        role=role,
        private_subnets=network.subnets if network else None,
        security_groups=[network.security_group] if network else None,
    )


def _configure_provider(
    scope: Construct, provider: eks.KubectlProvider, network: Network | None, log_group: logs.ILogGroup
) -> None:
    """Remove what the provider leaves behind, and answer for what is CDK's own in it."""
    # A condition for a managed policy that the sealed role never took.
    scope.node.try_remove_child("HasEcrPublic")
    acknowledge(provider, "AwsSolutions-L1", "CDK chooses the runtime of its own function.")
    framework = cast("lambda_.Function", provider.node.find_child("Provider").node.find_child("framework-onEvent"))
    handler = cast("lambda_.Function", provider.node.find_child("Handler"))
    for function in (framework, handler):
        send_log(function, log_group)
    framework.add_to_role_policy(no_other_log())
    if network:
        framework.add_to_role_policy(not_from_code())
    acknowledge_wildcard(framework, "*", "A Deny.")
    acknowledge_wildcard(framework, f"{handler.function_arn}:*", "CDK's framework invokes versions of its own handler.")
    policies = ["AWSLambdaBasicExecutionRole", *(["AWSLambdaVPCAccessExecutionRole"] if network else [])]
    for policy in policies:
        finding = f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/{policy}]"
        acknowledge(framework, finding, "CDK's framework function takes no other role; the policy writes logs.")
