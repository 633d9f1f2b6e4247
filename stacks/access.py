"""EKS access entries: what an IAM role is inside the cluster."""

import aws_cdk as cdk
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct


class GroupAccess(Construct):
    """Puts a role into a Kubernetes group, without an EKS access policy: the Role in the charts grants its rights.

    L1, because the L2 access entry has no Kubernetes groups. The cluster's authentication mode must be `API` or
    `API_AND_CONFIG_MAP`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, cluster_name: str, role: iam.IRole, group: str) -> None:
        super().__init__(scope, construct_id)
        eks.CfnAccessEntry(
            self,
            "Entry",
            cluster_name=cluster_name,
            principal_arn=role.role_arn,
            type="STANDARD",
            kubernetes_groups=[group],
        )


class AdministratorAccess(Construct):
    """Makes a role administrator of the cluster: only an administrator may create a Role with rights it does not hold.

    `docs/decisions/0004-kubectl-or-external.md` gives the reasons and the alternatives. The entry has the same id as in
    `GroupAccess`: a role has only one entry, so a change of `manifests` must update it and not create a second one.
    """

    def __init__(self, scope: Construct, construct_id: str, *, cluster_name: str, role: iam.IRole) -> None:
        super().__init__(scope, construct_id)
        eks.CfnAccessEntry(
            self,
            "Entry",
            cluster_name=cluster_name,
            principal_arn=role.role_arn,
            type="STANDARD",
            access_policies=[
                eks.CfnAccessEntry.AccessPolicyProperty(
                    policy_arn=f"arn:{cdk.Aws.PARTITION}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
                    access_scope=eks.CfnAccessEntry.AccessScopeProperty(type="cluster"),
                )
            ],
        )
