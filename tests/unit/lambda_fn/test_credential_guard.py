"""A template uses the credential for ECR in the shipped lines, each once, and nowhere else."""

import re

import pytest

from k8s_manifests.configuration import scripts, template
from lambda_fn.contract.credential_lines import LINES, NAMES
from lambda_fn.contract.errors import TemplateError
from lambda_fn.contract.paths import CREDENTIAL
from lambda_fn.job.credential_guard import check

SHIPPED = (
    "js_set $ecr_authorization frontdoor.authorization;",
    "map $ecr_upstream $authorization_for_ecr {",
    '"~^https:" $ecr_authorization;',
    "proxy_set_header Authorization $authorization_for_ecr;",
)
"""Since the first release. Other lines need other names (see `LINES`), or a rollback fails."""


def refusal(text: str) -> str | None:
    """The message of the refused template; None where it is accepted."""
    try:
        check(text, source="the template")
    except TemplateError as error:
        return str(error)
    return None


def lines_in(message: str) -> list[int]:
    """The numbers of the lines that a message names."""
    return [int(number) for number in re.findall(r"line (\d+)", message)]


def with_line(added: str, after: str) -> tuple[str, int]:
    """The shipped template with a line more, and that line's number."""
    lines = template().split("\n")
    number = next(index for index, line in enumerate(lines, start=1) if line.strip() == after)
    return "\n".join([*lines[:number], added, *lines[number:]]), number + 1


def test_the_shipped_template_uses_the_credential_in_exactly_the_lines_of_the_contract() -> None:
    named = [line.strip() for line in template().splitlines() if any(name in line.lower() for name in NAMES)]
    assert named == list(SHIPPED)
    assert set(LINES) == set(SHIPPED)
    assert refusal(template()) is None


def test_the_names_of_the_contract_are_those_of_njs() -> None:
    modules = scripts()
    assert "credential.js" in modules
    assert f"'{CREDENTIAL}/.dockerconfigjson'" in modules["credential.js"]
    assert "authorization: credential.authorization," in modules["frontdoor.js"]
    others = {name for name, text in modules.items() if name != "credential.js" and CREDENTIAL in text}
    assert others == set()


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("add_header X-Debug $ecr_authorization always;", "ecr_authorization"),
        ("return 200 ${authorization_for_ecr};", "authorization_for_ecr"),
        ("return 200 $ECR_Authorization;", "ecr_authorization"),
        ("log_format debug '$request $authorization_for_ecr';", "authorization_for_ecr"),
        ("map $host $token { default $ecr_authorization; }", "ecr_authorization"),
        ("proxy_set_header X-Token $authorization_for_ecr;", "authorization_for_ecr"),
        ("js_set $token frontdoor.authorization;", ".authorization"),
        ("js_set $token renamed.authorization;", ".authorization"),
        ("js_content frontdoor.authorization;", ".authorization"),
        ("js_import credential.js;", "credential.js"),
        ("location /files/ { alias /etc/frontdoor/credential/; }", "/etc/frontdoor/credential"),
        ("include /etc/frontdoor/credential/.dockerconfigjson;", "/etc/frontdoor/credential"),
        # A line inside a quoted text may look like a comment, so comments are not left out.
        ("# proxy_set_header Authorization $authorization_for_ecr;", "authorization_for_ecr"),
        ("{# $ecr_authorization #}", "ecr_authorization"),
    ],
)
def test_another_line_that_names_the_credential_is_refused_by_its_number_and_that_name(line: str, name: str) -> None:
    text, number = with_line(f"    {line}", after="server_tokens off;")
    found = refusal(text) or ""
    assert lines_in(found) == [number]
    assert f"({name})" in found
    assert "None" not in found


@pytest.mark.parametrize("line", SHIPPED)
def test_a_second_copy_of_a_shipped_line_is_refused_with_the_number_of_the_first(line: str) -> None:
    text, number = with_line(line, after=line)
    assert lines_in(refusal(text) or "") == [number, number - 1]


def test_white_space_and_the_order_of_the_lines_are_free() -> None:
    text = "\r\n".join(f"\t  {line.replace(' ', '   ')}  " for line in reversed(SHIPPED))
    assert refusal(text) is None


@pytest.mark.parametrize("lines", [(), SHIPPED[:1], SHIPPED[2:]])
def test_a_template_may_leave_shipped_lines_out(lines: tuple[str, ...]) -> None:
    assert refusal("\n".join(("events {}", *lines))) is None


def test_a_template_of_another_version_with_lines_of_its_own_has_other_names_and_is_accepted() -> None:
    other = template().replace("ecr_authorization", "registry_header").replace("authorization_for_ecr", "header_of_ecr")
    other = other.replace("frontdoor.authorization", "frontdoor.registry_header")
    assert refusal(other) is None


def test_a_template_of_another_version_whose_servers_have_other_names_is_accepted() -> None:
    """In 0.1.0 the server `ecr` is called `locate`."""
    assert refusal(template().replace("server_name ecr;", "server_name locate;")) is None


def test_the_message_names_the_template() -> None:
    assert "the template, line 1" in (refusal("# $ecr_authorization") or "")


def test_the_message_quotes_nothing_of_a_line_that_may_hold_a_secret() -> None:
    found = refusal('proxy_set_header Authorization "Basic QVdTOnNlY3JldA==$ecr_authorization";')
    assert found is not None
    assert "QVdTOnNlY3JldA" not in found
    assert "Basic" not in found
