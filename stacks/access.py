"""How IAM roles become someone in the cluster."""

import aws_cdk as cdk
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambda_fn.settings import Settings


class GroupAccess(Construct):
    """Puts a role into a Kubernetes group, with no EKS access policy: the chart's Role says what it may.

    L1, because the L2 access entry has no Kubernetes groups. The cluster's authentication mode must be `API` or
    `API_AND_CONFIG_MAP`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, role: iam.IRole, group: str) -> None:
        super().__init__(scope, construct_id)
        eks.CfnAccessEntry(
            self,
            "Entry",
            cluster_name=settings.cluster.name,
            principal_arn=role.role_arn,
            type="STANDARD",
            kubernetes_groups=[group],
        )


class AdministratorAccess(Construct):
    """Makes a role administrator of the cluster: who creates a Role must hold all it grants, or be this.

    `docs/decisions/0004-kubectl-or-external.md` weighs it and says how to do without. The entry has the id it has in
    `GroupAccess`: a role has one entry, so a change of `manifests` has to update it and not to make another.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, role: iam.IRole) -> None:
        super().__init__(scope, construct_id)
        eks.CfnAccessEntry(
            self,
            "Entry",
            cluster_name=settings.cluster.name,
            principal_arn=role.role_arn,
            type="STANDARD",
            access_policies=[
                eks.CfnAccessEntry.AccessPolicyProperty(
                    policy_arn=f"arn:{cdk.Aws.PARTITION}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
                    access_scope=eks.CfnAccessEntry.AccessScopeProperty(type="cluster"),
                )
            ],
        )
