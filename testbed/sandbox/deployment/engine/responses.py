"""The responses of custom resources: MiniStack's CloudFormation takes any, AWS's none of more than 4,096 bytes."""

import json
from typing import Any

from ministack.services.cloudformation import custom_resource

from testbed.sandbox.deployment.observed import TOO_LONG

_LIMIT_BYTES = 4_096


def register() -> None:
    """Fail a resource whose response is longer, whatever it reports, and show nothing of it.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
    """
    wrapped = custom_resource.deliver_response

    def deliver(token: str, response: dict[str, Any]) -> bool:
        # The bytes as CDK's functions sent them: MiniStack has parsed them already.
        sent = json.dumps(response, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")
        if len(sent) > _LIMIT_BYTES:
            response = {"Status": "FAILED", "Reason": TOO_LONG}
        return bool(wrapped(token, response))

    custom_resource.deliver_response = deliver
