"""The Lambda's IAM role: this module lists all its permissions, and no other module can add one."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from lambda_fn.settings.cluster import Cluster
from lambda_fn.settings.registry import Registry, replicas_as_registries
from stacks import allow_list_parts, ecr_actions
from stacks.dead_letter_queue import DeadLetterQueue
from stacks.managed_policies import CLIENTS_MAY_PULL, LongStatement, fitted
from stacks.nag import acknowledge_wildcard
from stacks.network import vpc_statements
from stacks.repositories import all_repositories, allowed_repositories, image_repository, imported_repositories
from stacks.statements import describe_cluster, write_log

_FILLED = "the repositories into which a pull may make ECR import images"
_NOT_FILLED = f"the Deny of imports into all but {_FILLED}"


class Identity(Construct):
    """A role with one inline policy, created together with it; a long allow-list has managed policies of its own.

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
            SettingsError: The allow-list does not fit into the policies of a role.
        """
        super().__init__(scope, construct_id)
        # A replica imports nothing.
        imported = imported_repositories(registries)
        registries = [*registries, *replicas_as_registries(registries)]
        whole_registries = all_repositories(registries)
        image = image_repository(proxy_image)
        spared = [*allowed_repositories(registries), *([image] if image else [])]
        pulls = LongStatement(
            "Repositories", CLIENTS_MAY_PULL, spared, _deny_other_repositories, allow_list_parts.spared
        )
        imports = _imports(imported)
        statements = [
            *_ecr_access(whole_registries, image, pulls.whole),
            _deny_writes(imports=bool(imported)),
            *(each.whole for each in imports),
            describe_cluster(self, cluster.name),
            write_log(log_group),
            *dead_letter_queue.send_statements(),
            *(vpc_statements(self, cluster.subnet_ids) if cluster.subnet_ids else []),
        ]
        inline, own = fitted(self, statements, [pulls, *imports], registries=len(whole_registries))
        role = iam.Role(
            self,
            "Role",
            description="Lambda of ecr-frontdoor: refreshes the proxy's ECR token; can pull from ECR, cannot push",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"Refresh": iam.PolicyDocument(statements=inline)},
            managed_policies=own,
        )
        _acknowledge_wildcards(role, whole_registries)
        for arn in imported:
            if "*" in arn:
                acknowledge_wildcard(self, arn, "A pattern of frontdoor.toml: a pull there makes ECR import an image.")
        self.role: iam.IRole = role.without_policy_updates()


def _ecr_access(registries: list[str], image: str | None, deny: iam.PolicyStatement) -> list[iam.PolicyStatement]:
    """Pulls of the allowed repositories and of the proxy's image; every other pull and every change is denied.

    The allow-list is in the policy once, in `deny`, which is needed anyway; a second time it would take half of the
    policy's room.
    """
    return [
        _fetch_token(),
        iam.PolicyStatement(sid="PullFromRegistries", actions=[*ecr_actions.PULL], resources=registries),
        *([_pull_proxy_image(image)] if image else []),
        deny,
    ]


def _imports(repositories: list[str]) -> list[LongStatement]:
    """What a pull changes that makes ECR import an image of a mirror, and no other import."""
    if not repositories:
        return []
    return [
        LongStatement("Imports", _FILLED, repositories, _allow_imports, allow_list_parts.chunks),
        LongStatement("OtherImports", _NOT_FILLED, repositories, _deny_other_imports, allow_list_parts.spared),
    ]


def _allow_imports(repositories: list[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid="ImportUpstreamImages", actions=[*ecr_actions.IMPORT], resources=repositories)


def _deny_other_imports(repositories: list[str]) -> iam.PolicyStatement:
    # A registry's policy alone can allow an import, too.
    return iam.PolicyStatement(
        sid="DenyOtherImports", effect=iam.Effect.DENY, actions=[*ecr_actions.IMPORT], not_resources=repositories
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


def _deny_writes(*, imports: bool) -> iam.PolicyStatement:
    """The Deny of every change; with mirrors, statements of their own decide about imports."""
    left = ecr_actions.IMPORT if imports else ()
    actions = [action for action in ecr_actions.WRITE if action not in left]
    # Outranks a repository policy that allows this account to push.
    return iam.PolicyStatement(sid="DenyRegistryChanges", effect=iam.Effect.DENY, actions=actions, resources=["*"])


def _acknowledge_wildcards(role: iam.Role, registries: list[str]) -> None:
    acknowledge_wildcard(
        role, "*", "ecr:GetAuthorizationToken and ec2:Describe* have no resource types; the other statements are Deny."
    )
    for arn in registries:
        acknowledge_wildcard(role, arn, "DenyOtherRepositories limits it to the patterns of frontdoor.toml.")
