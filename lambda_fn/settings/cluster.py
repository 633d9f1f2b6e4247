"""The EKS cluster, as an operator sets it. Pure."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from lambda_fn.settings.authority import CertificateAuthority
from lambda_fn.settings.fields import ClusterName, HttpsUrl, Namespace, Region, SecurityGroupId, SubnetId, VpcId
from lambda_fn.settings.table import Table


class Cluster(Table):
    """The EKS cluster the proxy runs in."""

    name: ClusterName
    """The cluster's name in EKS."""
    region: Region
    """The region of the cluster, the Lambda and the stack."""
    namespace: Namespace = "registry"
    """The Kubernetes namespace of ecr-frontdoor. Nothing else may use it, because it enforces Pod Security
    `restricted`. No deployment and no removal deletes it.
    """
    vpc_id: VpcId | None = None
    """The cluster's VPC; set it together with `security_group_id`. With `subnet_ids` too, the Lambda runs inside the
    VPC and reaches a private endpoint; without, it runs outside and needs the public endpoint.
    """
    subnet_ids: Annotated[tuple[SubnetId, ...], Field(strict=False)] = ()
    """Private subnets for the Lambda, with a route to the ECR and EKS APIs (NAT or VPC endpoints)."""
    security_group_id: SecurityGroupId | None = None
    """The cluster security group; it gets one rule that lets the Lambda reach the Kubernetes API on 443."""
    pod_security_group_id: SecurityGroupId | None = None
    """The security group of the pods' network interfaces, if the nodes do not have the cluster security group. The
    stack's load balancer and endpoints allow connections to and from it.
    """
    public_endpoint: bool = True
    """Whether the Kubernetes API has a public endpoint. Set `false` if it is only private; `cdk synth` then requires
    the Lambda in the VPC.
    """
    nat: bool = True
    """Whether the VPC has a route to the internet, such as NAT. Set `false` if it has none; `cdk synth` then lists the
    VPC endpoints that are missing.
    """
    endpoint: HttpsUrl | None = None
    """The address of the Kubernetes API. By default the Lambda gets it from EKS on every run, so a replaced cluster is
    found; set it, with `certificate_authority`, if the Lambda cannot reach the EKS API.
    """
    certificate_authority: CertificateAuthority | None = None
    """The CA certificate of the Kubernetes API, PEM in base64 as DescribeCluster returns it. Set it with `endpoint`."""

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if bool(self.vpc_id) != bool(self.security_group_id) or (self.subnet_ids and not self.vpc_id):
            raise ValueError("vpc_id and security_group_id belong together, and subnet_ids needs both: set all or none")
        if len(set(self.subnet_ids)) < len(self.subnet_ids):
            raise ValueError("subnet_ids names a subnet twice: name each once")
        if (self.endpoint is None) != (self.certificate_authority is None):
            raise ValueError("endpoint and certificate_authority belong together: set both or none")
        return self

    @property
    def security_group_id_of_pods(self) -> str | None:
        """The security group that the pods' network interfaces carry."""
        return self.pod_security_group_id or self.security_group_id
