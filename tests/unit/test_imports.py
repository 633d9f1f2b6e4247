"""Which package may import which, as allow-lists: a new module of a package is under its rule from the start."""

from functools import cache

import grimp
import pytest

PACKAGES = {
    "lambda_fn.contract": set[str](),
    "lambda_fn.settings": {"lambda_fn.contract"},
    "lambda_fn.job": {"lambda_fn.contract", "lambda_fn.settings"},
    "lambda_fn.edges": {"lambda_fn.contract", "lambda_fn.settings", "lambda_fn.job"},
    "lambda_fn.handler": {"lambda_fn.contract", "lambda_fn.settings", "lambda_fn.job", "lambda_fn.edges"},
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
}
PURE = {
    "lambda_fn.contract": _TEXT,
    "lambda_fn.settings": _TEXT | {"pydantic", "pydantic_core"},
    "lambda_fn.job": _TEXT | {"jinja2"},
}
"""The packages without I/O, and the libraries that they may import: none that reads files, time or the network."""

EXCEPTIONS = {
    ("lambda_fn.settings.authority", "ssl"): "OpenSSL parses a certificate; no connection and no trust store",
    ("lambda_fn.job.diagnosis", "lightkube"): "the types of the API's objects; no client",
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


@pytest.mark.parametrize("package", PURE)
def test_a_pure_package_uses_only_the_libraries_it_may(package: str) -> None:
    wrong = [
        f"{module} imports {imported}"
        for module in modules(package)
        for imported in graph().find_modules_directly_imported_by(module)
        if graph().is_module_squashed(imported)
        and imported not in PURE[package]
        and (module, imported) not in EXCEPTIONS
    ]
    assert wrong == []


@pytest.mark.parametrize(("module", "library"), EXCEPTIONS)
def test_an_exception_is_still_needed(module: str, library: str) -> None:
    assert library in graph().find_modules_directly_imported_by(module)
