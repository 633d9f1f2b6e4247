"""VPC endpoints, as an operator sets them. Pure."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lambda_fn.settings.fields import Account, RouteTableId, SubnetId
from lambda_fn.settings.networks import ClientRange
from lambda_fn.settings.table import Table

Service = Literal["ec2", "ecr.api", "ecr.dkr", "eks", "elasticloadbalancing", "lambda", "logs", "s3", "sts"]


class Endpoints(Table):
    """VPC endpoints, through which a VPC without NAT reaches the APIs of AWS."""

    create: Annotated[tuple[Service, ...], Field(strict=False)] = ()
    """The endpoints that the stack creates. `s3` is a gateway endpoint that allows only ECR's layer buckets; the others
    are interface endpoints with private DNS, which then apply to the whole VPC.
    """
    existing: Annotated[tuple[Service, ...], Field(strict=False)] = ()
    """The endpoints that the VPC already has."""
    subnet_ids: Annotated[tuple[SubnetId, ...], Field(strict=False)] = ()
    """The subnets of the interface endpoints, one in each zone. By default `cluster.subnet_ids`."""
    route_table_ids: Annotated[tuple[RouteTableId, ...], Field(strict=False)] = ()
    """The route tables that get a route to S3: those of the subnets of the nodes and of the Lambda."""
    client_cidrs: Annotated[tuple[ClientRange, ...], Field(strict=False)] = ()
    """Network ranges that may use the interface endpoints, beside the Lambda and the pods, such as the VPC's range."""
    accounts: Annotated[tuple[Account, ...], Field(strict=False)] = ()
    """Accounts whose principals may use the interface endpoints, in addition to the stack's own: such as the accounts
    that the VPC is shared with. The endpoints refuse all others, even if IAM allows them.
    """

    all_actions: bool = False
    """Whether the interface endpoints allow every action of their services, for other workloads of the VPC: to push
    images, for example. By default `ecr` allows pulls, `eks` to read this cluster, and `lambda` to invoke functions.
    """

    @model_validator(mode="after")
    def _endpoints_are_made_once(self) -> Self:
        twice = sorted(set(self.create) & set(self.existing))
        if twice:
            raise ValueError(f"create and existing both name {', '.join(twice)}: name each in one of them")
        if len(set(self.create)) < len(self.create):
            raise ValueError("create names an endpoint twice: name each once")
        if ("s3" in self.create) != bool(self.route_table_ids):
            raise ValueError('route_table_ids and "s3" in create belong together: set both or none')
        return self
