"""The Lambda's role: everything it may do in AWS is put together in this module, and nothing else can add to it."""

import json

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings import Settings
from stacks import ecr_actions
from stacks.encryption import queue_statement
from stacks.nag import acknowledge_wildcard
from stacks.network import interface_statements
from stacks.repositories import open_repositories, proxy_image
from stacks.statements import describe_cluster, write_log

POLICY_LIMIT = 10_240
"""Characters of a role's inline policies: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


class Identity(Construct):
    """A role with one inline policy, created in one step with it.

    It has no name: an access entry is bound to the role's id, so a role recreated under the same name would hold a
    dead entry. `role` is handed out sealed: a grant elsewhere in the stack changes nothing.

    Attributes:
        role: What the Lambda runs as.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        log_group: logs.ILogGroup,
        dead_letter_queue: sqs.IQueue,
        key: kms.IKey | None,
    ) -> None:
        """Define the role.

        Raises:
            SettingsError: The allow-list does not fit into a role's policy.
        """
        super().__init__(scope, construct_id)
        repositories = open_repositories(self, settings)
        statements = [
            *_pull(repositories, proxy_image(self, settings)),
            describe_cluster(self, settings),
            write_log("WriteOwnLog", log_group),
            *_send_to_dead_letter_queue(dead_letter_queue, key),
            *(interface_statements(self, settings.cluster) if settings.cluster.subnet_ids else []),
        ]
        policy = iam.PolicyDocument(statements=statements)
        _refuse_more_than_fits(self, policy)
        role = iam.Role(
            self,
            "Role",
            description="ecr-frontdoor's Lambda: pulls from ECR, never pushes; refreshes the proxy's credential",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"Refresh": policy},
        )
        _answer_for_wildcards(role, repositories)
        self.role: iam.IRole = role.without_policy_updates()


def _pull(repositories: list[str], image: str | None) -> list[iam.PolicyStatement]:
    """What is open to anyone, what the nodes pull the proxy from, and nothing else of any registry."""
    return [
        _fetch_token(),
        iam.PolicyStatement(sid="PullAllowedRepositories", actions=[*ecr_actions.PULL], resources=repositories),
        *([_pull_proxy_image(image)] if image else []),
        _deny_other_repositories([*repositories, *([image] if image else [])]),
        _deny_writes(),
    ]


def _refuse_more_than_fits(scope: Construct, policy: iam.PolicyDocument) -> None:
    # References count as the template has them, which is some hundred characters more than what becomes of them.
    size = len(json.dumps(cdk.Stack.of(scope).resolve(policy), separators=(",", ":")))
    if size > POLICY_LIMIT:
        raise SettingsError(
            f"registries[].repositories make the policy of the Lambda's role {size} characters long, and IAM takes "
            f"{POLICY_LIMIT}; each pattern is in it twice, so use fewer (team/* for many)"
        )


def _fetch_token() -> iam.PolicyStatement:
    # The action has no resource type; what the token opens is what NothingElse leaves.
    return iam.PolicyStatement(sid="FetchToken", actions=["ecr:GetAuthorizationToken"], resources=["*"])


def _pull_proxy_image(arn: str) -> iam.PolicyStatement:
    """The nodes pull the proxy's image with this role's token, from a repository that need not be open to anyone."""
    return iam.PolicyStatement(sid="PullProxyImage", actions=[*ecr_actions.PULL_BY_NAME], resources=[arn])


def _deny_other_repositories(repositories: list[str]) -> iam.PolicyStatement:
    # Within an account a repository's policy is enough to be let in, without this role's own: one that lets the whole
    # organization pull would open the repository to the token, allow-list or not.
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    return iam.PolicyStatement(
        sid="NothingElse", effect=iam.Effect.DENY, actions=[*ecr_actions.PULL], not_resources=repositories
    )


def _deny_writes() -> iam.PolicyStatement:
    # Outranks any repository policy that would let this account push.
    return iam.PolicyStatement(
        sid="NeverChangeARegistry", effect=iam.Effect.DENY, actions=[*ecr_actions.WRITE], resources=["*"]
    )


def _send_to_dead_letter_queue(dead_letter_queue: sqs.IQueue, key: kms.IKey | None) -> list[iam.PolicyStatement]:
    report = iam.PolicyStatement(
        sid="ReportFailures", actions=["sqs:SendMessage"], resources=[dead_letter_queue.queue_arn]
    )
    return [report, *([queue_statement(key)] if key else [])]


def _answer_for_wildcards(role: iam.Role, repositories: list[str]) -> None:
    acknowledge_wildcard(role, "*", "ecr:GetAuthorizationToken and ec2:Describe* know no resources; the rest is Deny.")
    for arn in repositories:
        if "*" in arn:
            acknowledge_wildcard(role, arn, "frontdoor.toml opens exactly this pattern to anonymous pulls.")
