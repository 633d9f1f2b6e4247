"""How far a change spreads: these numbers may fall, and a change that raises one has to say why."""

import ast
import functools
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
PRODUCT = ("lambda_fn", "stacks", "k8s_manifests", "cli")

FUNCTIONS_WITH_ALL_SETTINGS = 40
LONGEST_IMPORT_CHAIN = 12


def functions_with_all_settings() -> list[str]:
    """The functions of the product that take the whole `Settings` instead of the values they need."""
    files = [ROOT / "app.py", *(file for package in PRODUCT for file in sorted((ROOT / package).rglob("*.py")))]
    return [
        f"{file.relative_to(ROOT)}:{function.lineno} {function.name}"
        for file in files
        for function in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for argument in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
        if argument.annotation and ast.unparse(argument.annotation) == "Settings"
    ]


def longest_import_chain() -> tuple[str, ...]:
    """The longest way from a module of the product along its imports, from the importer to the imported."""
    graph = grimp.build_graph(*PRODUCT, cache_dir=None)

    @functools.cache
    def chain(module: str) -> tuple[str, ...]:
        below = (chain(imported) for imported in graph.find_modules_directly_imported_by(module))
        return (module, *max(below, key=len, default=()))

    return max((chain(module) for module in graph.modules), key=len)


def test_few_functions_take_all_settings() -> None:
    found = functions_with_all_settings()
    assert len(found) <= FUNCTIONS_WITH_ALL_SETTINGS, "\n".join(found)


def test_no_import_chain_is_long() -> None:
    chain = longest_import_chain()
    assert len(chain) <= LONGEST_IMPORT_CHAIN, " -> ".join(chain)
