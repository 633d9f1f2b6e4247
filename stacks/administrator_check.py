"""With `manifests = "namespaced"`: fails the deployment if an administrator has not prepared the cluster."""

import aws_cdk as cdk
from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

_HINT = (
    'manifests = "namespaced": a cluster administrator must apply the output of `frontdoor manifests --access` '
    "before the first deployment, and again whenever that output changes; without it the deployment fails, because "
    "kubectl has no rights in the namespace"
)


class AdministratorCheck(Construct):
    """Reads the Role that gives kubectl its rights, or fails in CloudFormation under a name that says what is missing.

    Without it kubectl would report every object that it may not create, and CloudFormation drops an answer of more
    than 4096 bytes: the operator would read only that the answer is too long. The hint is shown at synthesis as well.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, cluster: eks.ICluster, namespace: str, role_name: str
    ) -> None:
        super().__init__(scope, construct_id)
        cdk.Annotations.of(self).add_info(_HINT)
        eks.KubernetesObjectValue(
            self,
            "AdministratorAppliedTheAccess",
            cluster=cluster,
            object_type="role",
            object_name=role_name,
            object_namespace=namespace,
            json_path=".metadata.name",
            timeout=cdk.Duration.minutes(2),
        )
