"""Edits find their place by structure: comments, wording, files and order do not matter."""

from typing import Any

import pytest

from testbed.mutants.configuration import NginxEdit, parse
from testbed.mutants.manifest import ObjectEdit
from testbed.mutants.part import MutantError
from testbed.mutants.script import ScriptEdit

CONFIGURATION = """
# a comment
http {
    map $uri $kind { default a; "~^/b{1,2}" b; }
    server {
        server_name front registry.example.com;
        location ~ "^/v2/(?<name>.+)$" { if ($kind = "") { return 404 '{"a": "b;"}'; } slice 4m; }
        location @error { return 200 "x"; }
    }
    server { server_name ecr; location @error { return 200 "y"; } }
}
"""
FRONT = ("server front", "location ~ ^/v2/*")


def same(configuration: str, other: str) -> bool:
    """Whether both have the same directives."""
    return [strip(d) for d in parse(configuration)] == [strip(d) for d in parse(other)]


def strip(directive: dict[str, object]) -> dict[str, object]:
    """A directive without its lines."""
    block = directive.get("block")
    inner = {"block": [strip(d) for d in block]} if isinstance(block, list) else {}
    return {"directive": directive["directive"], "args": directive["args"], **inner}


@pytest.mark.parametrize(
    ("edit", "old", "new"),
    [
        (NginxEdit(nginx=(*FRONT, "slice *"), remove=True), "slice 4m;", ""),
        (NginxEdit(nginx=(*FRONT, "slice *"), swap=("4m", "8m")), "slice 4m;", "slice 8m;"),
        (NginxEdit(nginx=(*FRONT, "slice *"), by="a 1; b 2;"), "slice 4m;", "a 1; b 2;"),
        (NginxEdit(nginx=(*FRONT, "slice *"), add="x"), "slice 4m;", "slice 4m x;"),
        (NginxEdit(nginx=(*FRONT, "if $kind *"), insert="a 1;"), "return 404", "a 1; return 404"),
        (NginxEdit(nginx=("server ecr", "location @error", "return *"), swap=("y", "")), '200 "y"', "200"),
        (NginxEdit(nginx=("map *", "~*"), pattern=("b\\{.*", "c")), '"~^/b{1,2}" b', "~^/c b"),
        (NginxEdit(nginx=("server *", "return 200 *"), every=True, remove=True), "return 200", "#"),
    ],
)
def test_an_edit_of_nginx_changes_the_directives_at_its_place(edit: NginxEdit, old: str, new: str) -> None:
    expected = CONFIGURATION.replace(old, new)
    if new == "#":
        expected = CONFIGURATION.replace('return 200 "x";', "").replace('return 200 "y";', "")
    assert same(edit.apply(CONFIGURATION), expected)


def test_an_edit_of_nginx_without_a_place_changes_nothing() -> None:
    assert NginxEdit(nginx=("server layers", "slice *"), remove=True).apply(CONFIGURATION) == CONFIGURATION


@pytest.mark.parametrize(
    "edit",
    [
        NginxEdit(nginx=("location @error",), remove=True),
        NginxEdit(nginx=(*FRONT, "slice *"), swap=("1m", "8m")),
        NginxEdit(nginx=(*FRONT, "slice *"), by="not closed {"),
    ],
)
def test_an_ambiguous_edit_of_nginx_is_refused(edit: NginxEdit) -> None:
    with pytest.raises(MutantError):
        edit.apply(CONFIGURATION)


MODULES = {
    "a.js": "const LIMIT = 3;\nconst NAMES = [\n    'a',\n];\n",
    "b.js": "// about it\nexport async function ask(r) {\n    // a comment\n    return r  +\n        1;\n}\n",
}


@pytest.mark.parametrize(
    ("edit", "module", "expected"),
    [
        (ScriptEdit(njs="LIMIT", value="9"), "a.js", "const LIMIT = 9;\nconst NAMES = [\n    'a',\n];\n"),
        (ScriptEdit(njs="NAMES", swap=("'a', ", "")), "a.js", "const LIMIT = 3;\nconst NAMES = [ ];\n"),
        (ScriptEdit(njs="ask", body="return 2;"), "b.js", "export async function ask(r) {\nreturn 2;\n}\n"),
        (ScriptEdit(njs="ask", swap=("r + 1", "r")), "b.js", "export async function ask(r) { return r; }\n"),
    ],
)
def test_an_edit_of_njs_finds_its_name_in_any_module(edit: ScriptEdit, module: str, expected: str) -> None:
    assert edit.apply(MODULES) == {**MODULES, module: expected}


@pytest.mark.parametrize(
    "edit",
    [ScriptEdit(njs="unknown", body=""), ScriptEdit(njs="ask", value="1"), ScriptEdit(njs="ask", swap=("zz", ""))],
)
def test_an_edit_of_njs_that_does_not_fit_is_refused(edit: ScriptEdit) -> None:
    with pytest.raises(MutantError):
        edit.apply(MODULES)


OBJECTS: list[dict[str, Any]] = [{"kind": "A", "spec": {"items": [{"name": "x", "run": ["one two"]}]}}, {"kind": "B"}]


def test_an_edit_of_an_object_finds_items_by_name_or_number() -> None:
    path = "spec/items/x/run/0"
    edited = ObjectEdit(kind="A", path=path, pattern=("o(n)e", r"\1")).apply(OBJECTS)
    assert edited == [{"kind": "A", "spec": {"items": [{"name": "x", "run": ["n two"]}]}}, {"kind": "B"}]
    assert ObjectEdit(kind="A", path=path, value=1).apply(OBJECTS)[0]["spec"]["items"][0]["run"] == [1]
    assert OBJECTS[0]["spec"] == {"items": [{"name": "x", "run": ["one two"]}]}, "the original stays"
    with pytest.raises(MutantError, match="y does not exist"):
        ObjectEdit(kind="A", path="spec/items/y", value=1).apply(OBJECTS)


@pytest.mark.parametrize("operations", [{}, {"remove": True, "by": "a;"}, {"swap": ("a", "b"), "pattern": ("a", "b")}])
def test_an_edit_has_exactly_one_operation(operations: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="exactly one operation"):
        NginxEdit.model_validate({"nginx": ("a",), **operations})
