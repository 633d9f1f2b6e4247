"""Policies of a role whose statements do not fit into its inline policy."""

import json
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambda_fn.contract.errors import SettingsError

POLICY_LIMIT = 10_240
"""Characters in the inline policies of a role: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
MANAGED_POLICY_LIMIT = 6_144
"""Characters in a managed policy: the same page."""
USUAL_MANAGED_POLICIES, MOST_MANAGED_POLICIES = 10, 20
"""Of a role: the default quota, and one that Service Quotas grants."""
_FIX = "Fix: use fewer patterns, for example team/* for all repositories of a team"


def policy_size(scope: Construct, statements: Sequence[iam.PolicyStatement]) -> int:
    """Characters of a policy with these statements.

    Unresolved references count with their text in the template, some hundred characters more than their values.
    """
    policy = cdk.Stack.of(scope).resolve(iam.PolicyDocument(statements=statements))
    return len(json.dumps(policy, separators=(",", ":")))


def managed_policies(
    scope: Construct, statements: Sequence[iam.PolicyStatement] | None, *, patterns: int
) -> list[iam.ManagedPolicy]:
    """A managed policy for each statement.

    Args:
        scope: The parent.
        statements: None where no number of them is enough.
        patterns: How many patterns of repositories they are made of, for the message.

    Raises:
        SettingsError: They are more than a role can have, or None.
    """
    if statements is None:
        raise SettingsError(
            "registries has too many accounts: each managed policy of the role names all other accounts, and has no "
            f"room for patterns beside them in the {MANAGED_POLICY_LIMIT} characters that IAM allows. An account takes "
            "about 50. Fix: give accounts that few clients use a deployment of their own"
        )
    if len(statements) > MOST_MANAGED_POLICIES:
        raise SettingsError(
            f"registries[].repositories has too many patterns: {patterns} take {len(statements)} managed policies, and "
            f"IAM allows a role at most {MOST_MANAGED_POLICIES}, of {MANAGED_POLICY_LIMIT} characters each. A pattern "
            f"takes its own length and about 55, and again for a replica. {_FIX}"
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
            f"Repositories{number}",
            description="ecr-frontdoor: a part of the repositories that clients may pull",
            document=iam.PolicyDocument(statements=[statement]),
        )
        for number, statement in enumerate(statements)
    ]


def reject_oversized_policy(scope: Construct, statements: Sequence[iam.PolicyStatement], *, registries: int) -> None:
    """Check what is left for the inline policy.

    Raises:
        SettingsError: It is longer than IAM allows.
    """
    size = policy_size(scope, statements)
    if size > POLICY_LIMIT:
        raise SettingsError(
            f"registries has too many entries: with {registries} of them the policy of a role would have {size} "
            f"characters beside the patterns, and IAM allows {POLICY_LIMIT}. An entry takes about 60. Fix: give "
            "registries that few clients use a deployment of their own"
        )
