"""The tables of docs/permissions.md: each statement of each policy in the template, with the reason for it.

The reasons stand in permission_reasons.toml. The configuration is the one with the most statements: the shipped
`frontdoor.toml` with `encryption = "stack"`, `alarms.emails`, a mirror and deletion protection.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.template.managed_policies import managed
from tests.template.synthesis import listed, plain, resources, role_statements

CONFIGURATION = "all"
_RESOURCE_POLICIES = {
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
}
_COLUMNS = ("statement", "effect", "principal", "actions", "resources", "condition", "why")

Reasons = Mapping[str, Mapping[str, str]]
"""By role or resource policy, then by the statement's key."""


class MissingReasonError(Exception):
    """A statement of the template has no reason; the message names the role and the statement."""


@dataclass(frozen=True)
class Entry:
    """A statement.

    Attributes:
        owner: The logical id of its role or resource policy, without the digest that CDK appends.
        key: Its key in the reasons.
        label: The first cell of its row.
        statement: The statement itself.
    """

    owner: str
    key: str
    label: str
    statement: Mapping[str, Any]


def reasons() -> Reasons:
    """The reasons as they are written."""
    found: Reasons = tomllib.loads(Path(__file__).with_name("permission_reasons.toml").read_text(encoding="utf-8"))
    return found


def entries() -> list[Entry]:
    """All statements of the template; those of one owner in the order in which its table shows them."""
    return [*_trust(), *_identity(), *_resource_policies(), *_managed()]


def tables(found: list[Entry], why: Reasons) -> dict[str, str]:
    """The table of each role and resource policy.

    Raises:
        MissingReasonError: A statement has no reason.
    """
    owners = dict.fromkeys(entry.owner for entry in found)
    return {owner: _table([e for e in found if e.owner == owner], why.get(owner, {})) for owner in owners}


def _trust() -> Iterator[Entry]:
    for role_id, role in resources(CONFIGURATION, "AWS::IAM::Role").items():
        for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
            label = f"(trust) {_code(_principals(statement['Principal']))}"
            yield Entry(_unhashed(role_id), "trust", label, statement)


def _identity() -> Iterator[Entry]:
    for role_id, statement in role_statements(CONFIGURATION):
        yield _named(role_id, statement)


def _resource_policies() -> Iterator[Entry]:
    for kind, document in _RESOURCE_POLICIES.items():
        for policy_id, policy in resources(CONFIGURATION, kind).items():
            yield from (_named(policy_id, statement) for statement in policy["Properties"][document]["Statement"])


def _managed() -> Iterator[Entry]:
    for role_id, policy, statement in managed(CONFIGURATION):
        yield Entry(_unhashed(role_id), policy, f"(managed policy) `{policy}`", statement)


def _named(owner_id: str, statement: Mapping[str, Any]) -> Entry:
    sid = statement.get("Sid", "")
    return Entry(_unhashed(owner_id), sid or listed(statement["Action"])[0], sid, statement)


def _table(found: list[Entry], why: Mapping[str, str]) -> str:
    rows = [dict(zip(_COLUMNS, _cells(entry, why), strict=True)) for entry in found]
    # Without the columns that are empty in every row.
    columns = [column for column in _COLUMNS if any(row[column] for row in rows)]
    lines = [columns, ["---"] * len(columns), *([row[column] for column in columns] for row in rows)]
    return "".join(f"|{'|'.join(f' {cell} ' if cell != '---' else cell for cell in line)}|\n" for line in lines)


def _cells(entry: Entry, why: Mapping[str, str]) -> tuple[str, ...]:
    statement = entry.statement
    if entry.key not in why:
        raise MissingReasonError(
            f"[{entry.owner}] has no reason for the statement {entry.key!r}. Fix: add it to permission_reasons.toml"
        )
    return (
        entry.label,
        statement["Effect"],
        _code(_principals(statement["Principal"])) if entry.key != "trust" and "Principal" in statement else "",
        _code(listed(statement["Action"])),
        _resources(statement),
        _code(_conditions(statement)),
        why[entry.key],
    )


def _principals(principal: Any) -> list[str]:  # noqa: ANN401 - a text, or services and accounts
    kinds = principal.values() if isinstance(principal, Mapping) else [principal]
    return [plain(value) for values in kinds for value in listed(values)]


def _resources(statement: Mapping[str, Any]) -> str:
    if "NotResource" in statement:
        return f"all but {_code([plain(resource) for resource in listed(statement['NotResource'])])}"
    return _code([plain(resource) for resource in listed(statement.get("Resource", []))])


def _conditions(statement: Mapping[str, Any]) -> list[str]:
    found = statement.get("Condition", {}).items()
    return [f"{operator} {key} = {plain(value)}" for operator, keys in found for key, value in keys.items()]


def _code(values: list[str]) -> str:
    return ", ".join(f"`{_unhashed(value)}`" for value in values)


def _unhashed(text: str) -> str:
    """Without the digests that CDK appends to logical ids."""
    return re.sub(r"(?<=[a-z])[0-9A-F]{8}(?=\b)", "", text)
