"""The nginx configuration from the template in the cluster. Pure.

An operator with rights on the template ConfigMap decides what is rendered here, so a template gets the names it needs
and nothing else: no Python functions, no methods, no attributes but those of its inputs, no way to multiply text. What
cannot be bounded inside the process is how long nested loops run and how far repeated concatenation grows; the Lambda's
own time-out and memory end such a run; by then the Secret alone has been written.
"""

import traceback
from dataclasses import fields
from types import TracebackType
from typing import Any, NoReturn

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, Undefined, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.runtime import LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lambda_fn.contract.errors import TemplateError
from lambda_fn.contract.warnings import Warnings
from lambda_fn.job.mirror_inputs import MirrorEntry
from lambda_fn.job.route_inputs import Depth, FolderEntry, RouteEntry, Routes
from lambda_fn.job.template_inputs import ATTRIBUTES, NAMES, Inputs, Upstream
from lambda_fn.settings.budget import Budget
from lambda_fn.settings.cache import Cache
from lambda_fn.settings.page import Page
from lambda_fn.settings.timeouts import Timeouts

OUTPUT_LIMIT_BYTES = 900_000
"""The largest configuration written: a ConfigMap holds 1 MiB, and its names and annotations count too."""

# Not among them: those that hide a missing name (default), differ from run to run (random), look at attributes by a
# computed name (attr), or make long text of a number (center, format, indent).
_FILTERS = """
    first int join last length list lower map max min reject rejectattr replace reverse select selectattr sort string
    title tojson trim unique upper
"""
FILTERS = frozenset(_FILTERS.split())


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, narrowed from what is known to be dangerous to what a configuration needs."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        if isinstance(obj, LoopContext):
            return bool(super().is_safe_attribute(obj, attr, value))
        return attr in ATTRIBUTES.get(type(obj), ())

    def is_safe_callable(self, obj: object) -> bool:
        # Calling what is undefined, a refused attribute among them, raises an error that names it.
        return isinstance(obj, Macro | LoopContext | Undefined)

    def call_binop(self, _context: object, operator: str, *_operands: object) -> NoReturn:
        raise SecurityError(f"{operator} is not available in a template")


def render(template: str, inputs: Inputs, *, source: str) -> str:
    """The configuration that `template` makes of `inputs`; the same text for the same arguments.

    Args:
        template: Jinja2, with lines that hold only a block removed (trim_blocks, lstrip_blocks).
        inputs: All that it may use.
        source: What the template is called in messages.

    Raises:
        TemplateError: Bad syntax, an unknown name or attribute, something not allowed, no output or too much of it.
            Names the line.
    """
    names = {field.name: getattr(inputs, field.name) for field in fields(inputs)}
    pieces: list[str] = []
    room = OUTPUT_LIMIT_BYTES
    try:
        for piece in _compile(template, source).generate(names):
            room -= len(piece.encode())
            if room < 0:
                break
            pieces.append(piece)
    except TemplateError:
        raise
    except Exception as error:
        # A template can raise anything: dividing by zero, endless recursion, a sum of a word and a number.
        raise TemplateError(_explain(source, _line(error.__traceback__), error)) from error
    if room < 0:
        raise TemplateError(
            f"{source} renders to more than {OUTPUT_LIMIT_BYTES:,} bytes, and a ConfigMap holds 1 MiB with its names. "
            "Fix: shorten the template, or allow fewer names in [[registries]]"
        )
    text = "".join(pieces)
    if not text.strip():
        raise TemplateError(
            f"{source} renders to nothing, with which nginx does not start. Fix: apply the charts again"
        )
    return text


def _printable(value: object) -> object:
    if not isinstance(value, str | float | int | Undefined):
        raise SecurityError(f"a {type(value).__name__} cannot be printed, only text and numbers")
    return value


def _compile(template: str, source: str) -> Template:
    # Nothing is escaped: the output is an nginx configuration, and its inputs are validated settings.
    environment = _Environment(
        undefined=StrictUndefined, finalize=_printable, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    try:
        tree = environment.parse(template)
        if unknown := meta.find_undeclared_variables(tree) - set(NAMES):
            found = [node for node in tree.find_all(nodes.Name) if node.name in unknown]
            first = min(found, key=lambda node: node.lineno)
            raise TemplateError(_explain(source, first.lineno, f"the name {first.name!r} is unknown"))
        return environment.from_string(tree)
    except TemplateSyntaxError as error:
        raise TemplateError(_explain(source, error.lineno, (error.message or "").splitlines()[0])) from error
    except (JinjaError, RecursionError) as error:
        raise TemplateError(_explain(source, None, error)) from error


def _explain(source: str, line: int | None, reason: object) -> str:
    if isinstance(reason, RecursionError):
        reason = "it is nested, or calls itself, too deeply"
    where = f"{source}, line {line}" if line else source
    return (
        f"{where}: {reason}. A template may use the names {', '.join(NAMES)}; each of registries has "
        f"{', '.join(sorted(ATTRIBUTES[Upstream]))}; budget has {', '.join(sorted(ATTRIBUTES[Budget]))}; cache has "
        f"{', '.join(sorted(ATTRIBUTES[Cache]))}; each of mirrors has "
        f"{', '.join(sorted(ATTRIBUTES[MirrorEntry]))}; page has "
        f"{', '.join(sorted(ATTRIBUTES[Page]))}; routes has {', '.join(sorted(ATTRIBUTES[Routes]))}, of which each of "
        f"entries has {', '.join(sorted(ATTRIBUTES[RouteEntry]))}, each of depths "
        f"{', '.join(sorted(ATTRIBUTES[Depth]))}, and each folder {', '.join(sorted(ATTRIBUTES[FolderEntry]))}; "
        f"timeouts has {', '.join(sorted(ATTRIBUTES[Timeouts]))}; "
        f"warnings has {', '.join(sorted(ATTRIBUTES[Warnings]))}; the filters are {', '.join(sorted(FILTERS))}"
    )


def _line(trace: TracebackType | None) -> int | None:
    """The template's own line in a traceback; Jinja names a template made from text `<template>`."""
    lines: list[Any] = [frame.lineno for frame in traceback.extract_tb(trace) if frame.filename == "<template>"]
    return lines[-1] if lines else None
