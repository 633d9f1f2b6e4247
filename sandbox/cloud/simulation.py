"""IAM's SimulatePrincipalPolicy, which moto lacks, decided by moto's own engine over the role's inline policies."""

import ast
import asyncio
import json
from collections.abc import Iterable
from urllib.parse import parse_qs

from aiohttp import web
from moto.iam.access_control import IAMPolicy, PermissionResult

from sandbox.cloud.seed import client

_ACTION = b"Action=SimulatePrincipalPolicy"
_REGION = "us-east-1"
_RESULT = """\
<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}</EvalResourceName>\
<EvalDecision>{decision}</EvalDecision><MatchedStatements/><MissingContextValues/></member>"""
_ANSWER = """\
<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult>\
<IsTruncated>false</IsTruncated><EvaluationResults>{results}</EvaluationResults>\
</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"""


def is_meant(body: bytes) -> bool:
    """Whether a request's body asks for this operation."""
    return _ACTION in body.split(b"&")


async def answer(body: bytes) -> web.Response:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html ."""
    form = parse_qs(body.decode())
    role = form["PolicySourceArn"][0].rsplit("/", 1)[-1]
    policies = await asyncio.to_thread(_policies, role)
    pairs = [
        (action, resource) for action in _members(form, "ActionNames") for resource in _members(form, "ResourceArns")
    ]
    results = "".join(_RESULT.format(action=a, resource=r, decision=_decision(policies, a, r)) for a, r in pairs)
    return web.Response(text=_ANSWER.format(results=results), content_type="text/xml")


def _members(form: dict[str, list[str]], name: str) -> list[str]:
    return [value for key, values in form.items() if key.startswith(f"{name}.member.") for value in values]


def _policies(role: str) -> list[IAMPolicy]:
    iam = client("iam", _REGION)
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
    # What CloudFormation made, moto keeps as the repr of a dict; what the API made, as JSON.
    return [IAMPolicy(json.dumps(ast.literal_eval(one) if isinstance(one, str) else one)) for one in documents]


def _decision(policies: Iterable[IAMPolicy], action: str, resource: str) -> str:
    found = {policy.is_action_permitted(action, resource) for policy in policies}
    if PermissionResult.DENIED in found:
        return "explicitDeny"
    return "allowed" if PermissionResult.PERMITTED in found else "implicitDeny"
