"""VPC endpoints, as an operator sets them. Pure."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lambda_fn.settings.fields import Account, ClientRange, RouteTableId, SubnetId
from lambda_fn.settings.table import Table

Service = Literal["ec2", "ecr.api", "ecr.dkr", "eks", "elasticloadbalancing", "lambda", "logs", "s3", "sts"]


class Endpoints(Table):
    """VPC endpoints, by which a VPC without NAT reaches the APIs of AWS."""

    create: Annotated[tuple[Service, ...], Field(strict=False)] = ()
    """The endpoints the stack makes. All but `s3` are interfaces with private DNS, which everything in the VPC then
    uses; `s3` is a gateway that leads to ECR's layers and nowhere else.
    """
    existing: Annotated[tuple[Service, ...], Field(strict=False)] = ()
    """The endpoints the VPC has already."""
    subnet_ids: Annotated[tuple[SubnetId, ...], Field(strict=False)] = ()
    """Where the interfaces stand, one subnet in each zone. By default `cluster.subnet_ids`."""
    route_table_ids: Annotated[tuple[RouteTableId, ...], Field(strict=False)] = ()
    """The route tables that get the way to S3: those of the nodes' subnets and of the Lambda's."""
    client_cidrs: Annotated[tuple[ClientRange, ...], Field(strict=False)] = ()
    """Who may use the interfaces besides the Lambda and the pods, such as the VPC's own range."""
    accounts: Annotated[tuple[Account, ...], Field(strict=False)] = ()
    """Whose principals may use the interfaces besides those of the stack's own account, such as the accounts that the
    VPC is shared with. Others are refused, whatever IAM allows them.
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
