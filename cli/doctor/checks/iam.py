"""What the Lambda's role may do in AWS, by IAM's policy simulation."""

from collections.abc import Iterator, Sequence
from typing import Any

from cli.doctor.aws_calls import get_or_none
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, skipped, warning
from cli.doctor.stack_resources import DELETED_HINT, REFRESHER_ROLE
from lambda_fn.contract.repository_pattern import RepositoryPattern
from lambda_fn.settings.registry import Registry, by_place, replicas_as_registries
from stacks import ecr_actions

_PUSH = "ecr:PutImage"
_OUTSIDE = "ecr-frontdoor/on-no-allow-list"
"""A repository that no settings name, unless they allow all; it need not exist."""
_ARNS_IN_A_REQUEST = 50
"""IAM documents no limit, and throttles one request for each route of a long allow-list."""
_EACH = "ResourceSpecificResults"


def run(context: CheckContext) -> Iterator[Finding]:
    """Whether the role may pull what the settings allow, and nothing else."""
    roles = context.stack.of("AWS::IAM::Role", REFRESHER_ROLE)
    client = context.client("iam")
    if not roles:
        yield failed("the stack has no role for the Lambda", "deploy")
    for role in roles:
        found = get_or_none(client.get_role, RoleName=role)
        if found is None:
            yield failed(f"role {role} does not exist any more: the Lambda has no rights in AWS", DELETED_HINT)
        else:
            registries = context.settings.registries
            simulation = _Simulation(client, found["Role"]["Arn"])
            yield from simulation.findings([*registries, *replicas_as_registries(registries)])


class _Simulation:
    """The policy simulation of one role, for the registries in its own account.

    Across accounts, a simulation needs the policy of the other side, which only that account can read.
    """

    def __init__(self, client: Any, role_arn: str) -> None:  # noqa: ANN401 - boto3's clients are made at run time
        self._client, self._role_arn = client, role_arn
        self._unanswered: list[str] = []
        _, self._partition, _, _, self._account, *_ = role_arn.split(":")

    def findings(self, registries: Sequence[Registry]) -> Iterator[Finding]:
        for account in dict.fromkeys(registry.account for registry in registries):
            if account != self._account:
                yield skipped(f"registry {account}: IAM does not simulate across accounts")
        own = [registry for registry in registries if registry.account == self._account]
        wrong, open_outside = [*self._wrong_decisions(own)], [*self._not_denied_outside(own)]
        if wrong:
            yield failed(
                f"the rights of the Lambda's role are wrong: {'; '.join(wrong)}",
                "deploy; if it stays, look for a permissions boundary or a service control policy",
            )
        if open_outside:
            yield failed(f"the token can pull more than the settings allow: {'; '.join(open_outside)}", "deploy")
        if self._unanswered:
            yield warning(
                f"IAM's simulation does not say whether the Lambda's role may use {'; '.join(self._unanswered)}",
                "run the doctor again",
            )
        if not (wrong or open_outside or self._unanswered):
            yield ok("the Lambda's role may pull what the settings allow, and may not push")

    def _wrong_decisions(self, registries: Sequence[Registry]) -> Iterator[str]:
        for actions, resources, expected in self._expected(registries):
            for action, resource, decision in self._decisions(actions, resources):
                if (decision == "allowed") is not expected:
                    yield f"{action} on {resource} is {decision}"

    def _expected(self, registries: Sequence[Registry]) -> Iterator[tuple[tuple[str, ...], list[str], bool]]:
        """Actions, resources, and whether they must be allowed on them."""
        yield ("ecr:GetAuthorizationToken",), ["*"], True
        mirrors, others = (
            [
                self._repository_arn(registry.region, route.ecr_pattern.replace("*", "x"))
                for registry in registries
                if registry.pull_through is wanted
                for route in registry.routes
            ]
            for wanted in (True, False)
        )
        yield ecr_actions.PULL, [*mirrors, *others], True
        yield (_PUSH,), [*mirrors, *others], False
        yield ecr_actions.IMPORT, mirrors, True
        yield ecr_actions.IMPORT, others, False

    def _not_denied_outside(self, registries: Sequence[Registry]) -> Iterator[str]:
        """Pull actions that are not denied on a repository that the settings do not allow.

        "Not allowed" is not enough: within an account, a repository policy may allow the role all the same.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
        """
        arns = []
        for (_, region), tables in by_place(registries).items():
            patterns = [RepositoryPattern(route.ecr_pattern) for registry in tables for route in registry.routes]
            if not any(pattern.matches(_OUTSIDE) for pattern in patterns):
                arns.append(self._repository_arn(region, _OUTSIDE))
        for action, arn, decision in self._decisions((*ecr_actions.PULL, *ecr_actions.IMPORT), arns):
            if decision != "explicitDeny":
                yield f"{action} on {arn} is {decision}, not explicitDeny"

    def _repository_arn(self, region: str, name: str) -> str:
        return RepositoryPattern(name).arn(partition=self._partition, region=region, account=self._account)

    def _decisions(self, actions: tuple[str, ...], resources: Sequence[str]) -> Iterator[tuple[str, str, str]]:
        """Each action and resource with IAM's decision; `_unanswered` gets those without one."""
        for first in range(0, len(resources), _ARNS_IN_A_REQUEST):
            some = resources[first : first + _ARNS_IN_A_REQUEST]
            found = self._simulated(actions, some)
            for resource in some:
                decisions = found.get(resource, {})
                if missing := [action for action in actions if action not in decisions]:
                    # An answer for several resources may not name this one, or not for each action.
                    decisions |= self._simulated(missing, [resource]).get(resource, {})
                self._unanswered += [f"{action} on {resource}" for action in actions if action not in decisions]
                yield from ((action, resource, decisions[action]) for action in actions if action in decisions)

    def _simulated(self, actions: Sequence[str], resources: Sequence[str]) -> dict[str, dict[str, str]]:
        """The decisions on these actions, by the resource.

        For several resources, the decision of a result sums up those on each of them, which are below it:
        https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
        """
        found: dict[str, dict[str, str]] = {}
        pages = self._client.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=self._role_arn, ActionNames=list(actions), ResourceArns=list(resources)
        )
        for result in (result for page in pages for result in page["EvaluationResults"]):
            each = [(one["EvalResourceName"], one["EvalResourceDecision"]) for one in result.get(_EACH, ())]
            for resource, decision in each if len(resources) > 1 else [(resources[0], result["EvalDecision"])]:
                found.setdefault(resource, {})[result["EvalActionName"]] = decision
        return found


CHECK = Check("iam", Category.AWS, run, needs=("stack",))
