"""What an administrator of the cluster does before a deployment with `manifests = "namespaced"`, looked for by it."""

import aws_cdk as cdk
from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

from lambda_fn.contract.objects import deployer_role
from lambda_fn.settings import Settings

_HINT = (
    'manifests = "namespaced": an administrator of the cluster has to have applied what `python -m k8s_manifests '
    "--access` prints, before the first deployment and whenever that changes; otherwise kubectl is forbidden its work"
)


class AdministratorCheck(Construct):
    """Finds kubectl's own Role, or fails in CloudFormation under a name that says what is missing.

    `cdk synth` and `cdk deploy` say it, too. kubectl by itself would complain of each object in turn, and
    CloudFormation takes an answer of 4096 bytes: of a longer one it would say no more than that it is too long.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, cluster: eks.ICluster) -> None:
        super().__init__(scope, construct_id)
        cdk.Annotations.of(self).add_info(_HINT)
        eks.KubernetesObjectValue(
            self,
            "AdministratorAppliedTheAccess",
            cluster=cluster,
            object_type="role",
            object_name=deployer_role(settings.names.workload),
            object_namespace=settings.cluster.namespace,
            json_path=".metadata.name",
            timeout=cdk.Duration.minutes(2),
        )
