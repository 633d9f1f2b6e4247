"""Patterns of repository names, such as `team/*`: `*` stands for any characters, `/` included, as in IAM. Pure."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RepositoryPattern:
    """One entry of an allow-list.

    Attributes:
        text: As `frontdoor.toml` and IAM write it.
    """

    text: str

    @property
    def regex(self) -> str:
        """The pattern as a regular expression without anchors, for Python and for PCRE in nginx alike."""
        return self.text.replace(".", r"\.").replace("*", ".*")

    def matches(self, name: str) -> bool:
        """Whether the pattern allows a repository.

        `name` may be a pattern, too: its `*` is a character that only a `*` of this pattern matches. So a match means
        that this pattern allows everything that the other one allows.
        """
        return re.fullmatch(self.regex, name) is not None

    def arn(self, *, partition: str, region: str, account: str) -> str:
        """The ARN of the repositories for IAM, where `*` has the same meaning."""
        return f"arn:{partition}:ecr:{region}:{account}:repository/{self.text}"
