"""CloudFormation's ListStackResources: moto's answer, with what a deployment made of types that moto does not know."""

from collections.abc import Mapping
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from aiohttp import ClientResponse, web

from testbed.sandbox.deployment import record
from testbed.sandbox.world import World

_ACTION = b"Action=ListStackResources"
_END = "</StackResourceSummaries>"
_MEMBER = """\
<member><ResourceStatus>CREATE_COMPLETE</ResourceStatus><LogicalResourceId>{logical}</LogicalResourceId>\
<PhysicalResourceId>{physical}</PhysicalResourceId><ResourceType>{kind}</ResourceType>\
<LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp></member>"""


def is_meant(body: bytes) -> bool:
    """Whether a request's body names this operation."""
    return _ACTION in body.split(b"&")


async def answer(world: World, body: bytes, moto: ClientResponse) -> web.Response:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html ."""
    stack = parse_qs(body.decode())["StackName"][0]
    text = completed(await moto.text(), record.read(world, stack))
    return web.Response(status=moto.status, text=text, content_type="text/xml")


def completed(listed: str, made: Mapping[str, Mapping[str, str]]) -> str:
    """The answer with the members that are missing; an error stays as it is."""
    members = (
        _MEMBER.format(logical=escape(name), physical=escape(one["physical_id"]), kind=escape(one["kind"]))
        for name, one in made.items()
    )
    return listed.replace(_END, "".join(members) + _END)
