"""What follows from the code: `python -m docs.generate` writes it (`make reference`).

A test compares what stands here with what the code says, so that review sees every difference.
"""

import json
import re
from collections.abc import Callable, Mapping
from html import unescape
from pathlib import Path
from typing import Any

from typer import Context
from typer.cli import get_docs_for_click
from typer.main import get_command

from docs.figures import peeking
from kullback.api.problem_types import INTERNAL, PROBLEM_TYPES
from kullback.cli import app as cli
from kullback.main import create_app
from kullback.scoring.catalog import METRICS
from kullback.settings import Settings

HERE = Path(__file__).parent
Document = Mapping[str, Any]


def contract() -> str:
    """The OpenAPI document that the service answers, a fact a line."""
    return json.dumps(_openapi(), indent=1, ensure_ascii=False) + "\n"


def endpoints() -> str:
    """Each operation of it: what it does, takes and answers."""
    document = _openapi()
    lines = ["# Endpoints", "", "The same for machines is [openapi.json](../openapi.json).", ""]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            lines += [f"## `{method.upper()} {path}`", "", operation["description"], ""]
            lines += _parameters(operation) + _body(operation) + _answers(operation)
    shared = document["components"]["parameters"].values()
    lines += ["## Shared parameters", "", *_table("parameter", "in", "meaning")]
    return _page([*lines, *map(_parameter, shared)])


def settings() -> str:
    """Each environment variable with its default."""
    lines = [
        "# Settings",
        "",
        "From the environment; the options of `kullback serve` override it.",
        "",
        *_table("variable", "default", "meaning"),
    ]
    lines += [
        _row(
            f"`{field.validation_alias or f'KULLBACK_{name.upper()}'}`",
            f"`{field.default}`",
            field.description,
        )
        for name, field in Settings.model_fields.items()
    ]
    return _page(lines)


def problems() -> str:
    """Each kind of refusal, and what to do about it."""
    lines = [
        "# Problems",
        "",
        "What a refusal has besides is told in [the API](../api.md#errors).",
        "",
    ]
    for kind in sorted(
        {*PROBLEM_TYPES.values(), INTERNAL}, key=lambda kind: (kind.status, kind.slug)
    ):
        lines += [f"## {kind.slug}", "", f"{kind.status}, `{kind.type}`: {kind.title}.", ""]
        lines += [kind.explanation, ""]
    return _page(lines)


def metrics() -> str:
    """Each metric of the catalog in a row."""
    lines = [
        "# Metrics",
        "",
        "Options, fields of answers and edge cases stand under [each of them](../metrics.md).",
        "",
        *_table("metric", "formula", "unit", "range", "better"),
    ]
    lines += [
        _row(
            f"[`{name}`](../metrics.md#{name})",
            metric.formula,
            metric.unit,
            metric.range,
            metric.direction,
        )
        for name, metric in METRICS.items()
    ]
    return _page(lines)


def command_line() -> str:
    """Each command with its options."""
    command = get_command(cli)
    text = get_docs_for_click(obj=command, ctx=Context(command), name="kullback")
    return _page(
        ["# The command line", "", re.sub(r"^#", "##", unescape(text), flags=re.MULTILINE)]
    )


PAGES: Mapping[str, Callable[[], str]] = {
    "openapi.json": contract,
    "reference/endpoints.md": endpoints,
    "reference/settings.md": settings,
    "reference/problems.md": problems,
    "reference/metrics.md": metrics,
    "reference/command-line.md": command_line,
    "images/peeking.svg": peeking,
}


def _openapi() -> dict[str, Any]:
    return create_app(Settings()).openapi()


def _parameters(operation: Document) -> list[str]:
    """Those of an operation alone in a table, the names of the others."""
    every = operation.get("parameters", [])
    own = [_parameter(each) for each in every if "$ref" not in each]
    others = ", ".join(f"`{_last(each['$ref'])}`" for each in every if "$ref" in each)
    return [
        *([*_table("parameter", "in", "meaning"), *own, ""] if own else []),
        *([f"{'Also' if own else 'Takes'} {others}.", ""] if others else []),
    ]


def _parameter(parameter: Document) -> str:
    name = f"`{parameter['name']}`" + (", required" if parameter.get("required") else "")
    return _row(name, parameter["in"], parameter.get("description", ""))


def _body(operation: Document) -> list[str]:
    if "requestBody" not in operation:
        return []
    types = ", ".join(f"`{media}`" for media in operation["requestBody"]["content"])
    return [f"{_with_name('Body', operation['requestBody'])}: {types}.", ""]


def _answers(operation: Document) -> list[str]:
    statuses = sorted(operation["responses"])
    good = [status for status in statuses if status < "4"]
    told = ", ".join(_with_name(status, operation["responses"][status]) for status in good)
    refusals = ", ".join(status for status in statuses if status >= "4")
    return [f"Answers: {told}{f'; refusals: {refusals}' if refusals else ''}.", ""]


def _with_name(words: str, part: Document) -> str:
    """Words, and the name of the schema that a body or an answer has, where it has one."""
    schemas = [media.get("schema", {}) for media in part.get("content", {}).values()]
    names = [_last(schema["$ref"]) for schema in schemas if "$ref" in schema]
    return f"{words} `{names[0]}`" if names else words


def _last(reference: str) -> str:
    return reference.rpartition("/")[2]


def _table(*heads: str) -> list[str]:
    return [_row(*heads), "|---" * len(heads) + "|"]


def _row(*cells: str | None) -> str:
    return (
        "| "
        + " | ".join(" ".join((cell or "").split()).replace("|", "\\|") for cell in cells)
        + " |"
    )


def _page(lines: list[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    for name, write in PAGES.items():
        (HERE / name).write_text(write(), "utf-8")
