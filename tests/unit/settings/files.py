"""The smallest `frontdoor.toml`, what can be put into it, and the messages for a wrong one."""

import re

import pytest

from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings import parse_toml

SMALLEST = """
domain = "registry.example.net"
[cluster]
name = "shared"
region = "ap-southeast-2"
[[registries]]
account = "123456789012"
region = "ap-southeast-2"
[proxy]
[proxy.exposure]
kind = "service"
"""

WITH_REPLICA = SMALLEST.replace(
    "[proxy]\n", '[[registries.replicas]]\naccount = "123456789012"\nregion = "ap-southeast-4"\n[proxy]\n', 1
)

NETWORK = "vpc_id = 'vpc-12345678'\nsecurity_group_id = 'sg-12345678'\n"


def mistakes(text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse_toml(text, "my.toml")
    first, *lines = str(caught.value).splitlines()
    count = "1 mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
    assert first == f"my.toml has {count}:"
    return [line.strip() for line in lines]


def with_line(table: str, line: str) -> str:
    """The smallest file with `line` put at the top of `table`; an earlier value of the same key gives way."""
    key = line.split("=", maxsplit=1)[0].strip()
    head, tail = SMALLEST.split(f"{table}\n", 1) if table else ("", SMALLEST)
    body, *rest = re.split(r"^(?=\[)", tail, maxsplit=1, flags=re.MULTILINE)
    body = re.sub(rf"^{key} = .*\n", "", body, flags=re.MULTILINE)
    return f"{head}{table}\n{line}\n{body}{''.join(rest)}"
