"""The Lambda's IAM role: this module lists all its permissions, and no other module can add one."""

import json
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings.cluster import Cluster
from lambda_fn.settings.registry import Registry, replicas_as_registries
from stacks import ecr_actions
from stacks.dead_letter_queue import DeadLetterQueue
from stacks.nag import acknowledge_wildcard
from stacks.network import vpc_statements
from stacks.repositories import all_repositories, allowed_repositories, image_repository
from stacks.statements import describe_cluster, write_log

POLICY_LIMIT = 10_240
"""Characters in the inline policies of a role: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


class Identity(Construct):
    """A role with one inline policy, created together with it.

    It has no name: an access entry is bound to the role's id, so a new role with the same name would not match the
    entry. `role` is immutable: a grant elsewhere in the stack changes nothing.

    Attributes:
        role: The Lambda runs with it.
    """

    def __init__(  # noqa: PLR0913 - properties, each passed by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        registries: Sequence[Registry],
        proxy_image: str,
        cluster: Cluster,
        log_group: logs.ILogGroup,
        dead_letter_queue: DeadLetterQueue,
    ) -> None:
        """Define the role.

        Raises:
            SettingsError: The allow-list does not fit into a role's policy.
        """
        super().__init__(scope, construct_id)
        registries = [*registries, *replicas_as_registries(registries)]
        whole_registries = all_repositories(self, registries)
        repositories = allowed_repositories(self, registries)
        statements = [
            *_ecr_access(whole_registries, repositories, image_repository(self, proxy_image)),
            describe_cluster(self, cluster.name),
            write_log(log_group),
            *dead_letter_queue.send_statements(),
            *(vpc_statements(self, cluster.subnet_ids) if cluster.subnet_ids else []),
        ]
        policy = iam.PolicyDocument(statements=statements)
        _reject_oversized_policy(self, policy)
        role = iam.Role(
            self,
            "Role",
            description="Lambda of ecr-frontdoor: refreshes the proxy's ECR token; can pull from ECR, cannot push",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"Refresh": policy},
        )
        _acknowledge_wildcards(role, whole_registries)
        self.role: iam.IRole = role.without_policy_updates()


def _ecr_access(registries: list[str], repositories: list[str], image: str | None) -> list[iam.PolicyStatement]:
    """Pulls of the allowed repositories and of the proxy's image; every other pull and every change is denied.

    The allow-list is in the policy once, in the Deny, which is needed anyway; a second time it would take half of the
    policy's room.
    """
    return [
        _fetch_token(),
        iam.PolicyStatement(sid="PullFromRegistries", actions=[*ecr_actions.PULL], resources=registries),
        *([_pull_proxy_image(image)] if image else []),
        _deny_other_repositories([*repositories, *([image] if image else [])]),
        _deny_writes(),
    ]


def _reject_oversized_policy(scope: Construct, policy: iam.PolicyDocument) -> None:
    # Unresolved references count with their text in the template, some hundred characters more than their values.
    size = len(json.dumps(cdk.Stack.of(scope).resolve(policy), separators=(",", ":")))
    if size > POLICY_LIMIT:
        raise SettingsError(
            f"registries[].repositories has too many patterns: the policy of the Lambda's role would have {size} "
            f"characters, and IAM allows {POLICY_LIMIT}. A pattern takes its own length and about 55, and again for a "
            "replica. Fix: use fewer patterns, for example team/* for all repositories of a team"
        )


def _fetch_token() -> iam.PolicyStatement:
    # The action has no resource type. DenyOtherRepositories limits what the token opens.
    return iam.PolicyStatement(sid="FetchToken", actions=["ecr:GetAuthorizationToken"], resources=["*"])


def _pull_proxy_image(arn: str) -> iam.PolicyStatement:
    """The nodes pull the proxy's image with this role's token; its repository need not be on the allow-list."""
    return iam.PolicyStatement(sid="PullProxyImage", actions=[*ecr_actions.PULL_BY_NAME], resources=[arn])


def _deny_other_repositories(repositories: list[str]) -> iam.PolicyStatement:
    # Within an account a repository's policy alone can allow a pull: one that allows the whole organization would open
    # the repository to the token, even if it is not on the allow-list.
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    return iam.PolicyStatement(
        sid="DenyOtherRepositories", effect=iam.Effect.DENY, actions=[*ecr_actions.PULL], not_resources=repositories
    )


def _deny_writes() -> iam.PolicyStatement:
    # Outranks a repository policy that allows this account to push.
    return iam.PolicyStatement(
        sid="DenyRegistryChanges", effect=iam.Effect.DENY, actions=[*ecr_actions.WRITE], resources=["*"]
    )


def _acknowledge_wildcards(role: iam.Role, registries: list[str]) -> None:
    acknowledge_wildcard(
        role, "*", "ecr:GetAuthorizationToken and ec2:Describe* have no resource types; the other statements are Deny."
    )
    for arn in registries:
        acknowledge_wildcard(role, arn, "DenyOtherRepositories limits it to the patterns of frontdoor.toml.")
