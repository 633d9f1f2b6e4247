"""Refuses a template that uses the credential for ECR in other lines than the shipped one. Pure.

This is a guard against accidents, such as a header copied to another server or a variable in a log format. It does not
stop an operator who wants the token (SECURITY.md). Where a shipped line stands is not compared, because the servers
have other names in other versions, whose templates a Lambda must not refuse.
"""

from lambda_fn.contract.credential_lines import LINES, NAMES
from lambda_fn.contract.errors import TemplateError


def check(template: str, *, source: str) -> None:
    """Compare each line of `template` that names the credential with the shipped lines, apart from white space.

    Args:
        template: The text from the cluster, before it is rendered.
        source: What the template is called in messages.

    Raises:
        TemplateError: A line is not a shipped one, or repeats one. The message has its number and the name that it
            has; it quotes nothing else of the line, which may hold a secret.
    """
    found: dict[str, int] = {}
    for number, text in enumerate(template.split("\n"), start=1):
        line = " ".join(text.split())
        if name := _name_in(line):
            if line not in LINES or line in found:
                raise TemplateError(_explain(source, number, name, repeated=found.get(line)))
            found[line] = number


def _name_in(line: str) -> str | None:
    """The first name of the credential in the line; nginx ignores the case of variables."""
    lower = line.lower()
    return next((name for name in NAMES if name in lower), None)


def _explain(source: str, number: int, name: str, *, repeated: int | None) -> str:
    reason = f"repeats line {repeated}" if repeated else "is not in the shipped template"
    return (
        f"{source}, line {number} names the credential for ECR ({name}) and {reason}: the token could leak. "
        "Fix: remove the line, or apply the charts again"
    )
