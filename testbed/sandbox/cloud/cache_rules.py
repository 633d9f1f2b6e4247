"""Pull-through cache rules and repository creation templates, by region: operations of ECR's API that moto lacks. Pure.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreatePullThroughCacheRule.html
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepositoryCreationTemplate.html
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from testbed.sandbox.cloud import answers

_PREFIX_KEYS = {"PullThroughCacheRule": "ecrRepositoryPrefix", "RepositoryCreationTemplate": "prefix"}


@dataclass
class CacheRules:
    """The rules and templates of one account.

    Args:
        now: The time.
    """

    now: Callable[[], datetime]
    _made: dict[tuple[str, str], dict[str, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    """Region and kind -> prefix -> what was made for it."""

    def fills(self, region: str, repository: str) -> bool:
        """Whether a rule fills a repository."""
        return any(repository.startswith(f"{prefix}/") for prefix in self._made[region, "PullThroughCacheRule"])

    def answer(self, operation: str, region: str, parameters: Mapping[str, Any]) -> web.Response | None:
        """The answer to an operation; `None` where it is another one's.

        Args:
            operation: Its name.
            region: Of the registry.
            parameters: Of the request.
        """
        for kind, key in _PREFIX_KEYS.items():
            made = self._made[region, kind]
            if operation == f"Describe{kind}s":
                return answers.json_1_1({f"{kind[0].lower()}{kind[1:]}s": list(made.values())})
            if operation == f"Create{kind}":
                return self._create(made, kind, parameters[key], parameters)
            if operation == f"Delete{kind}":
                return _delete(made, kind, parameters[key])
        return None

    def _create(
        self, made: dict[str, dict[str, Any]], kind: str, prefix: str, parameters: Mapping[str, Any]
    ) -> web.Response:
        if prefix in made:
            return _error(kind, "AlreadyExists", f"There is one already with the prefix '{prefix}'")
        made[prefix] = {**parameters, "createdAt": self.now().timestamp()}
        return _about(kind, made[prefix])


def _delete(made: dict[str, dict[str, Any]], kind: str, prefix: str) -> web.Response:
    if prefix not in made:
        return _error(kind, "NotFound", f"There is none with the prefix '{prefix}'")
    return _about(kind, made.pop(prefix))


def _about(kind: str, one: dict[str, Any]) -> web.Response:
    return answers.json_1_1(one if kind == "PullThroughCacheRule" else {"repositoryCreationTemplate": one})


def _error(kind: str, what: str, message: str) -> web.Response:
    return answers.json_error(400, f"{kind.removeprefix('RepositoryCreation')}{what}Exception", message)
