"""`docs/permissions.md` is the template's policies, row by row: who has read the document has read the stack."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.template import configurations
from tests.template.synthesis import listed, plain, resources, role_statements

DOCUMENT = configurations.ROOT / "docs" / "permissions.md"
Row = tuple[str, ...]
"""Whose, statement, effect, actions, resources, condition; all but the reason, which only the document has."""


def unhashed(text: str) -> str:
    """Without the digests CDK appends to logical ids."""
    return re.sub(r"(?<=[a-z])[0-9A-F]{8}(?=\b)", "", text)


def code(values: list[str]) -> str:
    return ", ".join(f"`{unhashed(value)}`" for value in values)


def conditions(statement: Mapping[str, Any]) -> str:
    found = statement.get("Condition", {}).items()
    return code([f"{operator} {key} = {plain(value)}" for operator, keys in found for key, value in keys.items()])


def row(whose: str, name: str, statement: Mapping[str, Any], resource: str) -> Row:
    actions = code(listed(statement["Action"]))
    return (unhashed(whose), name, statement["Effect"], actions, resource, conditions(statement))


def template_rows(name: str) -> Iterator[Row]:
    for role_id, statement in role_statements(name):
        yield row(role_id, statement.get("Sid", ""), statement, code([plain(r) for r in listed(statement["Resource"])]))
    for role_id, role in resources(name, "AWS::IAM::Role").items():
        for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
            yield row(role_id, "(trust)", statement, code([statement["Principal"]["Service"]]))
        for arn in role["Properties"].get("ManagedPolicyArns", []):
            yield (unhashed(role_id), "(managed policy)", "Allow", "", code([plain(arn)]), "")
    for policy_id, policy in resources(name, "AWS::SQS::QueuePolicy").items():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            yield row(policy_id, "", statement, code([plain(statement["Resource"])]))


def document_rows() -> Iterator[Row]:
    whose = ""
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"## .*\(`(\w+)`\)$", line):
            whose = heading[1]
        elif line.startswith("| ") and not line.startswith("| statement"):
            *cells, reason = (cell.strip() for cell in line.strip("|").split("|"))
            assert reason, f"no reason given: {line}"
            yield (whose, *cells)


def test_the_document_has_every_statement_of_the_shipped_configuration_and_no_other() -> None:
    template, document = set(template_rows("private")), set(document_rows())
    missing = [" | ".join(r) for r in sorted(template - document)]
    stale = [" | ".join(r) for r in sorted(document - template)]
    assert (missing, stale) == ([], [])


def test_without_kubectl_only_the_lambda_and_scheduler_have_a_role() -> None:
    assert {unhashed(role) for role in resources("external", "AWS::IAM::Role")} == {"IdentityRole", "ScheduleRole"}
