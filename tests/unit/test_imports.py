"""Which package may import which, as allow-lists: a new module of a package is under its rule from the start."""

import ast
import sys
from functools import cache
from pathlib import Path

import grimp
import pytest

APP = Path(__file__).parents[2] / "app.py"

PACKAGES = {
    "lambda_fn.contract": set[str](),
    "lambda_fn.settings": {"lambda_fn.contract"},
    "lambda_fn.job": {"lambda_fn.contract", "lambda_fn.settings"},
    "lambda_fn.edges": {"lambda_fn.contract", "lambda_fn.settings", "lambda_fn.job"},
    "lambda_fn.handler": {"lambda_fn.contract", "lambda_fn.settings", "lambda_fn.job", "lambda_fn.edges"},
    "lambda_fn.watcher": {"lambda_fn.contract", "lambda_fn.settings", "lambda_fn.job", "lambda_fn.edges"},
    "k8s_manifests": {"lambda_fn.contract", "lambda_fn.settings"},
    "stacks": {"lambda_fn.contract", "lambda_fn.settings", "k8s_manifests"},
    "cli": {
        "lambda_fn.contract",
        "lambda_fn.settings",
        "lambda_fn.job",
        "lambda_fn.edges",
        "k8s_manifests",
        "stacks",
    },
}
"""Each package of the product, and the other packages that it may import."""

_TEXT = {
    "base64",
    "binascii",
    "bisect",
    "collections",
    "contextlib",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "hashlib",
    "hmac",
    "ipaddress",
    "itertools",
    "json",
    "math",
    "re",
    "tomllib",
    "traceback",
    "types",
    "typing",
    "unicodedata",
    "zlib",
}
_PYTHON = set(sys.stdlib_module_names)
LIBRARIES = {
    "lambda_fn.contract": _TEXT,
    "lambda_fn.settings": _TEXT | {"pydantic", "pydantic_core"},
    "lambda_fn.job": _TEXT | {"jinja2"},
    "lambda_fn.edges": _PYTHON
    | {"aws_lambda_powertools", "boto3", "botocore", "httpx2", "lightkube", "tenacity"}
    | {"mypy_boto3_ecr", "mypy_boto3_eks", "mypy_boto3_sts"},
    "lambda_fn.handler": _PYTHON | {"aws_lambda_powertools"},
    "lambda_fn.watcher": _PYTHON | {"aws_lambda_powertools"},
    "k8s_manifests": _PYTHON | {"cdk8s", "constructs", "jinja2", "lightkube", "pydantic"},
    "stacks": _PYTHON | {"aws_cdk", "constructs"},
    "cli": _PYTHON
    | {"boto3", "botocore", "cdk8s", "cryptography", "httpx2", "lightkube", "pydantic", "rich", "typer", "urllib3"},
}
"""What each package may import from outside of the product: nothing of `testbed`, `tests` or `scripts`.

The contract, the settings and the job do no I/O: no library that reads files, time or the network.
"""

EXCEPTIONS = {
    ("lambda_fn.settings.authority", "ssl"): "OpenSSL parses a certificate; no connection and no trust store",
    ("lambda_fn.job.diagnosis", "lightkube"): "the types of the API's objects; no client",
    ("lambda_fn.job.killed_pods", "lightkube"): "the same",
}


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(
        "lambda_fn", "stacks", "k8s_manifests", "cli", include_external_packages=True, cache_dir=None
    )


def package_of(module: str) -> str | None:
    return next((each for each in PACKAGES if module == each or module.startswith(f"{each}.")), None)


def modules(package: str) -> list[str]:
    return [module for module in graph().modules if module == package or module.startswith(f"{package}.")]


def test_every_module_of_the_product_belongs_to_a_package_of_the_table() -> None:
    own = {module for module in graph().modules if not graph().is_module_squashed(module) and module != "lambda_fn"}
    assert [module for module in sorted(own) if package_of(module) is None] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_the_packages_it_may(package: str) -> None:
    wrong = [
        f"{module} imports {imported}"
        for module in modules(package)
        for imported in graph().find_modules_directly_imported_by(module)
        if not graph().is_module_squashed(imported) and package_of(imported) not in PACKAGES[package] | {package}
    ]
    assert wrong == []


@pytest.mark.parametrize("package", LIBRARIES)
def test_a_package_uses_only_the_libraries_it_may(package: str) -> None:
    wrong = [
        f"{module} imports {imported}"
        for module in modules(package)
        for imported in graph().find_modules_directly_imported_by(module)
        if graph().is_module_squashed(imported)
        and imported not in LIBRARIES[package]
        and (module, imported) not in EXCEPTIONS
    ]
    assert wrong == []


def test_every_package_has_its_list_of_libraries() -> None:
    assert LIBRARIES.keys() == PACKAGES.keys()


def test_the_app_uses_only_cdk_and_the_product() -> None:
    imports = [
        node for node in ast.walk(ast.parse(APP.read_text("utf-8"))) if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    names = {
        name.partition(".")[0]
        for node in imports
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names])
    }
    assert names - _PYTHON == {"aws_cdk", "cdk_nag", "lambda_fn", "stacks"}


@pytest.mark.parametrize(("module", "library"), EXCEPTIONS)
def test_an_exception_is_still_needed(module: str, library: str) -> None:
    assert library in graph().find_modules_directly_imported_by(module)
