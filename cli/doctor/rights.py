"""What the Lambda's role may do in AWS, by IAM's own simulation."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from cli.doctor.access import REFRESHER
from cli.doctor.asking import known
from cli.doctor.finding import Finding, failure, fine, skipped
from cli.doctor.site import Site
from cli.doctor.stack import GONE, Resources
from lambda_fn.settings import Registry, Settings
from stacks import ecr_actions

_CHECK = "iam"
_NEVER = "ecr:PutImage"
_OUTSIDE = "ecr-frontdoor/on-no-allow-list"
"""A repository that no settings name, unless they open everything; it need not be there."""


def examine(site: Site, found: Resources) -> Iterator[Finding]:
    """The role of the function, recognised by its place in the stack."""
    roles = found.of("AWS::IAM::Role", REFRESHER)
    if not roles:
        yield failure(_CHECK, "the stack has no role of the Lambda", "deploy")
    for role in roles:
        made = known(site.aws.client("iam", config=site.briefly).get_role, RoleName=role)
        if made is None:
            yield failure(_CHECK, f"the Lambda's role {role} is gone: it can do nothing in AWS", GONE)
        else:
            yield from _simulated(site, made["Role"]["Arn"])


def _simulated(site: Site, arn: str) -> Iterator[Finding]:
    _, partition, _, _, own, *_ = arn.split(":")
    for registry in site.settings.registries:
        if registry.account != own:
            yield skipped(_CHECK, f"registry {registry.account}: IAM simulates nothing between accounts")
    wrong = [
        f"{action} on {resource} is {decision}"
        for actions, resource, wanted in _expected(site.settings, partition, own)
        for action, decision in _decisions(site, arn, actions, resource)
        if (decision == "allowed") is not wanted
    ]
    opened = [*_opened(site, arn, partition, own)]
    if wrong:
        yield failure(
            _CHECK,
            f"the Lambda's role: {'; '.join(wrong)}",
            "deploy again; if it stays, look for a permissions boundary or a service control policy",
        )
    if opened:
        yield failure(_CHECK, f"the token opens more than the settings say: {'; '.join(opened)}", "deploy")
    if not wrong and not opened:
        yield fine(_CHECK, "the Lambda's role may pull what the settings open, and may not push")


def _opened(site: Site, arn: str, partition: str, own: str) -> Iterator[str]:
    """What is not denied of a repository that the settings do not open.

    That it is not allowed is not enough: within an account a repository's own policy lets the role in all the same.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """
    for registry in site.settings.registries:
        if registry.account == own and not any(fnmatchcase(_OUTSIDE, pattern) for pattern in registry.repositories):
            outside = _repository(partition, registry, _OUTSIDE)
            for action, decision in _decisions(site, arn, ecr_actions.PULL, outside):
                if decision != "explicitDeny":
                    yield f"{action} on {outside} is {decision}, and not explicitDeny"


def _expected(settings: Settings, partition: str, own: str) -> Iterator[tuple[tuple[str, ...], str, bool]]:
    """Actions, on what, and whether they are to be allowed, for the registries in the role's own account.

    Between accounts a simulation needs the other side's policy, which that account alone can read.
    """
    yield ("ecr:GetAuthorizationToken",), "*", True
    for registry in settings.registries:
        if registry.account != own:
            continue
        for pattern in registry.repositories:
            arn = _repository(partition, registry, pattern.replace("*", "x"))
            yield ecr_actions.PULL, arn, True
            yield (_NEVER,), arn, False


def _repository(partition: str, registry: Registry, name: str) -> str:
    return f"arn:{partition}:ecr:{registry.region}:{registry.account}:repository/{name}"


def _decisions(site: Site, arn: str, actions: tuple[str, ...], resource: str) -> list[tuple[str, str]]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html."""
    client = site.aws.client("iam", config=site.briefly)
    answer = client.simulate_principal_policy(PolicySourceArn=arn, ActionNames=list(actions), ResourceArns=[resource])
    return [(result["EvalActionName"], result["EvalDecision"]) for result in answer["EvaluationResults"]]
