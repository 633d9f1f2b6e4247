"""Policies of a role whose statements do not fit into its inline policy."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambda_fn.contract.errors import SettingsError
from stacks.policy_limits import MANAGED_POLICY_LIMIT, MOST_MANAGED_POLICIES, POLICY_LIMIT, USUAL_MANAGED_POLICIES

CLIENTS_MAY_PULL = "the repositories that clients may pull"
_FIX = "Fix: use fewer patterns, for example team/* for all repositories of a team"


def policy_size(scope: Construct, statements: Sequence[iam.PolicyStatement]) -> int:
    """Characters of a policy with these statements.

    Unresolved references count with their text in the template, some hundred characters more than their values.
    """
    policy = cdk.Stack.of(scope).resolve(iam.PolicyDocument(statements=statements))
    return len(json.dumps(policy, separators=(",", ":")))


@dataclass(frozen=True)
class LongStatement:
    """A statement about an allow-list, which can be too long for the inline policy.

    Attributes:
        policies: What the managed policies are called that have its parts.
        about: What each of them is a part of. Another text replaces policies that are deployed.
        arns: The repositories of the allow-list.
        make: Makes a statement about some of them.
        split: Cuts them, so that the parts together mean what the whole does; None where no number of parts does.
    """

    policies: str
    about: str
    arns: list[str]
    make: Callable[[list[str]], iam.PolicyStatement]
    split: Callable[[list[str]], list[list[str]] | None]

    @cached_property
    def whole(self) -> iam.PolicyStatement:
        """The statement about all of them."""
        return self.make(self.arns)


def fitted(
    scope: Construct, statements: Sequence[iam.PolicyStatement], long: Sequence[LongStatement], *, registries: int
) -> tuple[list[iam.PolicyStatement], list[iam.ManagedPolicy]]:
    """What the inline policy of a role has, and its managed policies.

    Args:
        scope: The parent of the managed policies.
        statements: All, also each whole of `long`.
        long: Those that may leave the inline policy, in the order in which they do.
        registries: How many the other statements name, for the message.

    Raises:
        SettingsError: They do not fit into the policies that IAM allows a role.
    """
    inline, moved = [*statements], []
    for each in long:
        if policy_size(scope, inline) > POLICY_LIMIT:
            inline.remove(each.whole)
            moved.append(each)
    _reject_oversized_policy(scope, inline, registries=registries)
    return inline, _managed_policies(scope, moved) if moved else []


def _managed_policies(scope: Construct, moved: Sequence[LongStatement]) -> list[iam.ManagedPolicy]:
    patterns = max(len(each.arns) for each in moved)
    parts = [(each, each.split(each.arns)) for each in moved]
    if any(found is None for _, found in parts):
        raise SettingsError(
            "registries has too many accounts: each managed policy of the role names all other accounts, and has no "
            f"room for patterns beside them in the {MANAGED_POLICY_LIMIT} characters that IAM allows. An account takes "
            "about 50. Fix: give accounts that few clients use a deployment of their own"
        )
    statements = [
        (f"{each.policies}{number}", each.about, each.make(part))
        for each, found in parts
        for number, part in enumerate(found or ())
    ]
    if len(statements) > MOST_MANAGED_POLICIES:
        raise SettingsError(
            f"registries[].repositories has too many patterns: {patterns} take {len(statements)} managed policies, and "
            f"IAM allows a role at most {MOST_MANAGED_POLICIES}, of {MANAGED_POLICY_LIMIT} characters each. A pattern "
            "takes its own length and about 55, again for a replica, and three times that with pull_through, since its "
            f"imports are allowed and all others denied. {_FIX}"
        )
    if len(statements) > USUAL_MANAGED_POLICIES:
        cdk.Annotations.of(scope).add_info(
            f"registries[].repositories: {patterns} patterns take {len(statements)} managed policies, and by default "
            f"IAM allows a role {USUAL_MANAGED_POLICIES}. Fix: raise the quota Managed policies per role of AWS IAM in "
            "Service Quotas, or use fewer patterns"
        )
    return [
        iam.ManagedPolicy(
            scope,
            name,
            description=f"ecr-frontdoor: a part of {about}",
            document=iam.PolicyDocument(statements=[statement]),
        )
        for name, about, statement in statements
    ]


def _reject_oversized_policy(scope: Construct, statements: Sequence[iam.PolicyStatement], *, registries: int) -> None:
    size = policy_size(scope, statements)
    if size > POLICY_LIMIT:
        raise SettingsError(
            f"registries has too many entries: with {registries} of them the policy of a role would have {size} "
            f"characters beside the patterns, and IAM allows {POLICY_LIMIT}. An entry takes about 60. Fix: give "
            "registries that few clients use a deployment of their own"
        )
