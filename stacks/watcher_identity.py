"""The watcher's IAM role: this module lists all its permissions, and no other module can add one."""

from collections.abc import Sequence
from functools import partial

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_fn.settings.cluster import Cluster
from lambda_fn.settings.registry import Registry
from stacks import allow_list_parts, ecr_actions
from stacks.managed_policies import CLIENTS_MAY_PULL, LongStatement, fitted
from stacks.nag import acknowledge_wildcard
from stacks.network import vpc_statements
from stacks.repositories import all_repositories, allowed_repositories
from stacks.statements import describe_cluster, write_log


class WatcherIdentity(Construct):
    """A role of its own: it cannot fetch a token, and without the catalogue it cannot read an image.

    Attributes:
        role: The watcher runs with it. It is immutable: a grant elsewhere in the stack changes nothing.
    """

    def __init__(  # noqa: PLR0913 - properties, each passed by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        registries: Sequence[Registry],
        cluster: Cluster,
        log_group: logs.ILogGroup,
        queues: Sequence[sqs.IQueue],
        key: kms.IKey | None,
        catalogue: bool,
    ) -> None:
        """Define the role.

        Raises:
            SettingsError: The allow-list does not fit into the policies of a role.
        """
        super().__init__(scope, construct_id)
        repositories = allowed_repositories(registries)
        read = LongStatement(
            "Repositories",
            CLIENTS_MAY_PULL,
            repositories,
            partial(_read_images, catalogue=catalogue),
            allow_list_parts.chunks,
        )
        statements = [
            read.whole,
            *([_list_repositories(all_repositories(registries))] if catalogue else []),
            describe_cluster(self, cluster.name),
            write_log(log_group),
            *_receive(queues, key),
            *(vpc_statements(self, cluster.subnet_ids) if cluster.subnet_ids else []),
        ]
        inline, own = fitted(self, statements, [read], registries=len(registries))
        role = iam.Role(
            self,
            "Role",
            description="Watcher of ecr-frontdoor: reads ECR's events and images, fetches no token, cannot push",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"Watch": iam.PolicyDocument(statements=inline)},
            managed_policies=own,
        )
        for arn in dict.fromkeys([*repositories, *(all_repositories(registries) if catalogue else [])]):
            if "*" in arn:
                acknowledge_wildcard(self, arn, "A pattern of frontdoor.toml, or a registry's list.")
        if cluster.subnet_ids:
            acknowledge_wildcard(role, "*", "ec2:Describe* have no resource types; the other statement is a Deny.")
        self.role: iam.IRole = role.without_policy_updates()


def _read_images(repositories: list[str], *, catalogue: bool) -> iam.PolicyStatement:
    sid, actions = "DescribeImages", [*ecr_actions.DESCRIBE]
    if catalogue:
        sid, actions = "ReadImages", [*ecr_actions.DESCRIBE, *ecr_actions.CATALOGUE]
    return iam.PolicyStatement(sid=sid, actions=actions, resources=repositories)


def _list_repositories(registries: list[str]) -> iam.PolicyStatement:
    # The request for a list names no repository: ECR checks it against all of them.
    return iam.PolicyStatement(sid="ListRepositories", actions=[*ecr_actions.LIST_REPOSITORIES], resources=registries)


def _receive(queues: Sequence[sqs.IQueue], key: kms.IKey | None) -> list[iam.PolicyStatement]:
    """What Lambda needs in a function's role to hand it the messages of queues.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """
    actions = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
    receive = iam.PolicyStatement(sid="ReceiveEvents", actions=actions, resources=[each.queue_arn for each in queues])
    decrypt = (
        iam.PolicyStatement(sid="DecryptEvents", actions=["kms:Decrypt"], resources=[key.key_arn]) if key else None
    )
    return [receive, *([decrypt] if decrypt else [])]
