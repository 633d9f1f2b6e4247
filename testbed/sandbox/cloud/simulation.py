"""IAM's SimulatePrincipalPolicy, which moto lacks, decided by moto's own engine over the role's inline policies."""

import ast
import asyncio
import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web
from moto.iam.access_control import IAMPolicy, PermissionResult

from testbed.sandbox.cloud.seed import client

Document = dict[str, Any]
_ACTION = b"Action=SimulatePrincipalPolicy"
_REGION = "us-east-1"
_RESULT = """\
<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}</EvalResourceName>\
<EvalDecision>{decision}</EvalDecision><MatchedStatements/><MissingContextValues/>{each}</member>"""
_EACH = "<ResourceSpecificResults>{each}</ResourceSpecificResults>"
_OF_RESOURCE = """\
<member><EvalResourceName>{resource}</EvalResourceName><EvalResourceDecision>{decision}</EvalResourceDecision></member>"""
_ANSWER = """\
<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult>\
<IsTruncated>false</IsTruncated><EvaluationResults>{results}</EvaluationResults>\
</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"""


def is_meant(body: bytes) -> bool:
    """Whether a request's body names this operation."""
    return _ACTION in body.split(b"&")


async def answer(body: bytes) -> web.Response:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html ."""
    form = parse_qs(body.decode())
    role = form["PolicySourceArn"][0].rsplit("/", 1)[-1]
    documents = await asyncio.to_thread(_documents, role)
    resources = _members(form, "ResourceArns")
    results = "".join(_result(documents, action, resources) for action in _members(form, "ActionNames"))
    return web.Response(text=_ANSWER.format(results=results), content_type="text/xml")


def _result(documents: Iterable[Document], action: str, resources: list[str]) -> str:
    """Of several resources IAM decides below a result that sums them up.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
    """
    decisions = {resource: decision(documents, action, resource) for resource in resources}
    if len(decisions) == 1:
        return "".join(_RESULT.format(action=action, resource=r, decision=d, each="") for r, d in decisions.items())
    each = "".join(_OF_RESOURCE.format(resource=resource, decision=found) for resource, found in decisions.items())
    return _RESULT.format(action=action, resource="*", decision="implicitDeny", each=_EACH.format(each=each))


def _members(form: dict[str, list[str]], name: str) -> list[str]:
    return [value for key, values in form.items() if key.startswith(f"{name}.member.") for value in values]


def _documents(role: str) -> list[Document]:
    iam = client("iam", _REGION)
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
    # moto stores a policy from CloudFormation as the repr of a dict, and one from the API as JSON.
    return [ast.literal_eval(one) if isinstance(one, str) else one for one in documents]


def decision(documents: Iterable[Document], action: str, resource: str) -> str:
    """IAM's decision on one action on one resource: `allowed`, `explicitDeny` or `implicitDeny`."""
    policies = (IAMPolicy(json.dumps(_about(document, resource))) for document in documents)
    found = {policy.is_action_permitted(action, resource) for policy in policies}
    if PermissionResult.DENIED in found:
        return "explicitDeny"
    return "allowed" if PermissionResult.PERMITTED in found else "implicitDeny"


def _about(document: Document, resource: str) -> Document:
    """The document for one resource. Moto takes a statement with `NotResource` for one that allows everything."""
    statements = _listed(document["Statement"])
    return {**document, "Statement": [_plain(one) for one in statements if not _spared(one, resource)]}


def _spared(statement: Document, resource: str) -> bool:
    return any(fnmatchcase(resource, pattern) for pattern in _listed(statement.get("NotResource", [])))


def _plain(statement: Document) -> Document:
    return {**statement, "Resource": "*"} if "NotResource" in statement else statement


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - IAM allows one or many
    return value if isinstance(value, list) else [value]
