"""Access keys and their owners, learned from the answers of IAM and STS. Pure."""

import re
from dataclasses import dataclass

_FIELD = re.compile(r"<(AccessKeyId|SecretAccessKey|SessionToken|Arn)>([^<]+)</")


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A pair of credentials.

    Attributes:
        arn: The principal.
        session_token: Empty for a user's own key.
    """

    id: str
    secret: str
    arn: str
    session_token: str = ""

    def __repr__(self) -> str:
        return f"AccessKey({self.id}, {self.arn})"

    @property
    def account(self) -> str:
        """The principal's account: the fifth field of an ARN."""
        return self.arn.split(":")[4]


class Keyring:
    """Every access key that can sign."""

    def __init__(self) -> None:
        self._keys: dict[str, AccessKey] = {}

    def add(self, key: AccessKey) -> None:
        """Accept signatures of this key."""
        self._keys[key.id] = key

    def get(self, key_id: str) -> AccessKey | None:
        """The key with this id."""
        return self._keys.get(key_id)

    def learn(self, answer: str) -> None:
        """Add the credentials of an `AssumeRole` answer, if it has any."""
        found = dict(_FIELD.findall(answer))
        if {"AccessKeyId", "SecretAccessKey", "SessionToken", "Arn"} <= found.keys():
            self.add(
                AccessKey(found["AccessKeyId"], found["SecretAccessKey"], found["Arn"], found["SessionToken"]),
            )
