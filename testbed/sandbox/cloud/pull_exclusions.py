"""The principals whose pulls ECR does not record, by region: three operations of ECR's API that moto lacks. Pure.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_RegisterPullTimeUpdateExclusion.html
"""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from testbed.sandbox.cloud import answers

_SESSION = re.compile(r"^arn:([a-z-]+):sts::(\d{12}):assumed-role/(.+)/[^/]+$")


@dataclass
class PullExclusions:
    """The exclusions of one account.

    Args:
        now: The time.
    """

    now: Callable[[], datetime]
    _principals: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def excludes(self, region: str, caller: str) -> bool:
        """Whether pulls of this principal are not recorded; a session of a role counts as the role."""
        role = _SESSION.sub(r"arn:\1:iam::\2:role/\3", caller)
        return role in self._principals[region]

    def answer(self, operation: str, region: str, principal: str) -> web.Response | None:
        """The answer to an operation; `None` where it is another one's.

        Args:
            operation: Its name.
            region: Of the registry.
            principal: The ARN that the request names, if any.
        """
        found = self._principals[region]
        match operation:
            case "ListPullTimeUpdateExclusions":
                return answers.json_1_1({"pullTimeUpdateExclusions": found})
            case "RegisterPullTimeUpdateExclusion" if principal in found:
                message = f"The pull time update exclusion already exists for {principal}"
                return answers.json_error(400, "ExclusionAlreadyExistsException", message)
            case "RegisterPullTimeUpdateExclusion":
                found.append(principal)
                return answers.json_1_1({"principalArn": principal, "createdAt": self.now().timestamp()})
            case "DeregisterPullTimeUpdateExclusion" if principal not in found:
                message = f"The pull time update exclusion was not found for {principal}"
                return answers.json_error(400, "ExclusionNotFoundException", message)
            case "DeregisterPullTimeUpdateExclusion":
                found.remove(principal)
                return answers.json_1_1({"principalArn": principal})
            case _:
                return None
