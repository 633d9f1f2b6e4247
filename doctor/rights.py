"""What the Lambda's role may do in AWS, by IAM's own simulation."""

from collections.abc import Iterator

from doctor.access import REFRESHER
from doctor.finding import Finding, failure, fine, skipped
from doctor.site import Site
from doctor.stack import Resources
from lambda_fn.settings import Settings
from stacks import ecr_actions

_NEVER = "ecr:PutImage"


def examine(site: Site, found: Resources) -> Iterator[Finding]:
    """The role of the function, recognised by its place in the stack."""
    roles = found.of("AWS::IAM::Role", REFRESHER)
    if not roles:
        yield failure("iam", "the stack has no role of the Lambda", "deploy")
    for role in roles:
        arn = site.aws.client("iam", config=site.briefly).get_role(RoleName=role)["Role"]["Arn"]
        yield from _simulated(site, arn)


def _simulated(site: Site, arn: str) -> Iterator[Finding]:
    _, partition, _, _, own, *_ = arn.split(":")
    for registry in site.settings.registries:
        if registry.account != own:
            yield skipped("iam", f"registry {registry.account}: IAM simulates nothing between accounts")
    wrong = [
        f"{action} on {resource} is {decision}"
        for actions, resource, wanted in _expected(site.settings, partition, own)
        for action, decision in _decisions(site, arn, actions, resource)
        if (decision == "allowed") is not wanted
    ]
    if wrong:
        yield failure(
            "iam",
            f"the Lambda's role: {'; '.join(wrong)}",
            "deploy again; if it stays, look for a permissions boundary or a service control policy",
        )
    else:
        yield fine("iam", "the Lambda's role may pull what the settings open, and may not push")


def _expected(settings: Settings, partition: str, own: str) -> Iterator[tuple[tuple[str, ...], str, bool]]:
    """Actions, on what, and whether they are to be allowed, for the registries in the role's own account.

    Between accounts a simulation needs the other side's policy, which that account alone can read.
    """
    yield ("ecr:GetAuthorizationToken",), "*", True
    for registry in settings.registries:
        if registry.account != own:
            continue
        for pattern in registry.repositories:
            arn = f"arn:{partition}:ecr:{registry.region}:{registry.account}:repository/{pattern.replace('*', 'x')}"
            yield ecr_actions.PULL, arn, True
            yield (_NEVER,), arn, False


def _decisions(site: Site, arn: str, actions: tuple[str, ...], resource: str) -> list[tuple[str, str]]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html."""
    client = site.aws.client("iam", config=site.briefly)
    answer = client.simulate_principal_policy(PolicySourceArn=arn, ActionNames=list(actions), ResourceArns=[resource])
    return [(result["EvalActionName"], result["EvalDecision"]) for result in answer["EvaluationResults"]]
