"""Types of the client from the schemas of the service: `make reference` writes them.

Answers become classes of documents, settings that are sent become typed keywords, and the names of
metrics, columns and words are listed. A test fails while what is written differs.
"""

import json
import keyword
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]
PLACE = Path(__file__).parents[2] / "client" / "kullback_client" / "schemas"
ANSWERS = {
    "scores": ("ScoreAnswer", "MetricCatalog", "MetricEntry"),
    "monitors": (
        *("MonitorSetup", "ChangedMonitor", "MonitorDetails", "MonitorList", "RemovedWindows"),
        *("RowsAccepted", "JoinedRowsAccepted", "ReferenceSummary"),
        *("Annotation", "AnnotationList"),
    ),
    "monitor_reports": ("MonitorReport", "MonitorSeries", "MonitorChecks"),
    "experiments": (
        "ExperimentSetup",
        "ChangedExperiment",
        "ExperimentDetail",
        "ExperimentList",
        "AcceptedObservations",
    ),
    "experiment_effects": ("GuardrailReport", "ExplanationReport"),
    "experiment_assignment": ("SampleRatioReport", "StrataReport"),
    "experiment_reports": ("ExperimentReport", "ExperimentSeries"),
}
SETTINGS = ("MonitorSettings", "ExperimentSettings")
_SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_HEAD = '"""{}: written from the schemas of the service, not by hand."""\n\n'


def files(document: Schema) -> dict[str, str]:
    """The modules by name, as they should stand."""
    schemas: Schema = document["components"]["schemas"]
    texts = {"fields": _fields(document), "settings": _settings(schemas)}
    home: dict[str, str] = {}
    for module, roots in ANSWERS.items():
        names = [name for name in _reached(schemas, roots) if name not in home]
        home |= dict.fromkeys(names, module)
        texts[module] = _answers(schemas, names, home, module)
    return {name: _formatted(text) for name, text in texts.items()}


def _reached(schemas: Schema, roots: tuple[str, ...]) -> list[str]:
    """These schemas and those that they name, what is named first."""
    order: dict[str, None] = {}

    def visit(name: str) -> None:
        for other in sorted(_names(schemas[name])):
            if other not in order:
                visit(other)
        order.setdefault(name)

    for root in roots:
        visit(root)
    return list(order)


def _names(schema: object) -> set[str]:
    if isinstance(schema, Mapping):
        own = {schema["$ref"].rpartition("/")[2]} if "$ref" in schema else set()
        return own.union(*map(_names, schema.values()))
    return set().union(*map(_names, schema)) if isinstance(schema, list) else set()


def _answers(schemas: Schema, names: list[str], home: Mapping[str, str], module: str) -> str:
    blocks = list(_blocks(schemas, names))
    body = "\n\n".join(blocks)
    lines = [_HEAD.format(f"Answers: {module.replace('_', ' ')}")]
    if "datetime" in body:
        lines.append("from datetime import datetime\n")
    typing = [
        word for word in ("Any", "Literal", "TypeAlias") if f"{word}[" in body or f" {word}" in body
    ]
    if typing:
        lines.append(f"from typing import {', '.join(typing)}\n")
    if "(Document)" in body:
        lines.append("\nfrom ..documents import Document\n")
    foreign: dict[str, list[str]] = {}
    for name in sorted(set().union(*(_names(schemas[name]) for name in names))):
        if home[name] != module:
            foreign.setdefault(home[name], []).append(name)
    lines += [f"from .{other} import {', '.join(of)}\n" for other, of in sorted(foreign.items())]
    return "".join(lines) + "\n\n" + body + "\n"


def _blocks(schemas: Schema, names: list[str]) -> Iterator[str]:
    for name in names:
        schema = schemas[name]
        if "properties" not in schema:
            yield f"{name}: TypeAlias = {_kind(schema)}"
            continue
        text = textwrap.fill(schema.get("description", f"{name}.").split("\n\n")[0], 90)
        lines = [f"class {name}(Document):", textwrap.indent(f'"""{text}"""', "    "), ""]
        required = schema.get("required", ())
        for field, of in schema["properties"].items():
            kind = _kind(of)
            is_absent = field not in required and not kind.endswith("None")
            lines.append(f"    {_attribute(field)}: {kind}{' | None' if is_absent else ''}")
        yield "\n".join(lines)


def _attribute(field: str) -> str:
    return f"{field}_" if keyword.iskeyword(field) else field


def _kind(schema: Schema) -> str:
    """The type of a field."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    parts = schema.get("anyOf", [schema])
    words = [word for part in parts for word in _words(part)]
    kinds = [f"Literal[{', '.join(map(repr, words))}]"] if words else []
    kinds += [_kind(part) if len(parts) > 1 else _plain(part) for part in parts if not _words(part)]
    ordered = sorted(dict.fromkeys(kinds), key=lambda kind: kind == "None")
    return " | ".join(kind for kind in ordered if not (kind == "int" and "float" in kinds))


def _words(schema: Schema) -> list[str]:
    """The words that a text may be, if it may be no other."""
    words = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return [word for word in words if isinstance(word, str)]


def _plain(schema: Schema) -> str:
    if schema.get("format") == "date-time":
        return "datetime"
    match schema.get("type"):
        case "array" if "prefixItems" in schema:
            return f"tuple[{', '.join(map(_kind, schema['prefixItems']))}]"
        case "array":
            return f"list[{_kind(schema.get('items', {}))}]"
        case "object":
            values = schema.get("additionalProperties", True)
            return f"dict[str, {_kind(values if isinstance(values, Mapping) else {})}]"
        case simple:
            return _SIMPLE.get(str(simple), "Any")


def _settings(schemas: Schema) -> str:
    """Keywords for what is sent: each may be left out."""
    blocks = []
    for name in _reached(schemas, SETTINGS):
        schema = schemas[name]
        if "properties" not in schema:
            blocks.append(f"{name}: TypeAlias = {_kind(schema)}")
            continue
        text = textwrap.fill(schema.get("description", f"{name}.").split("\n\n")[0], 90)
        lines = [
            f"class {name}(TypedDict, total=False):",
            textwrap.indent(f'"""{text}"""', "    "),
            "",
        ]
        for field, of in schema["properties"].items():
            kind = _kind(of).replace("list[", "Sequence[").replace("dict[", "Mapping[")
            lines.append(f"    {_attribute(field)}: {kind}")
        blocks.append("\n".join(lines))
    body = "\n\n".join(blocks)
    words = [word for word in ("Any", "Literal", "TypeAlias", "TypedDict") if word in body]
    imports = (
        f"from collections.abc import Mapping, Sequence\nfrom typing import {', '.join(words)}\n\n"
    )
    return _HEAD.format("Settings that are sent") + imports + body + "\n"


def _fields(document: Schema) -> str:
    """Names of metrics; of fields that are columns, of these that may be options, and of words."""
    metrics, columns, mixed = [], set[str](), set[str]()
    options: dict[str, list[Schema]] = {}
    for path, operations in document["paths"].items():
        name = path.removeprefix("/v1/scores/")
        if "post" not in operations:
            continue
        beside = _beside(document, operations["post"]["parameters"])
        for field, schema in beside.items():
            options.setdefault(field, []).append(schema)
        if "/" in name or name == path:
            continue
        metrics.append(name)
        body = operations["post"]["requestBody"]["content"]["application/json"]["schema"]
        fields = document["components"]["schemas"][body["$ref"].rpartition("/")[2]]["properties"]
        for field, schema in fields.items():
            if field not in beside:
                columns.add(field)
            elif _is_list(schema):
                mixed.add(field)
    numbers = {f for f in mixed if not any(_has_words(schema) for schema in options[f])}
    words = {name for name, kinds in options.items() if all(map(_is_word, kinds))}
    return (
        _HEAD.format("Names of metrics, columns and words")
        + "from typing import Final, Literal, TypeAlias\n\n"
        + f"Metric: TypeAlias = Literal[{', '.join(map(json.dumps, metrics))}]\n"
        + f"COLUMNS: Final = frozenset({sorted(columns | numbers)})\n"
        + f"SHORT: Final = frozenset({sorted(numbers - columns)})\n"
        + f"WORDS: Final = frozenset({sorted(words)})\n"
    )


def _beside(document: Schema, parameters: list[Schema]) -> dict[str, Schema]:
    """The schemas of the parameters of a query: of their texts, or of the JSON that they are."""
    shared = document["components"]["parameters"]
    full = [shared[of["$ref"].rpartition("/")[2]] if "$ref" in of else of for of in parameters]
    return {
        parameter["name"]: next(iter(parameter.get("content", {"": parameter}).values()))["schema"]
        for parameter in full
        if parameter["in"] == "query"
    }


def _is_list(schema: object) -> bool:
    return '"array"' in json.dumps(schema)


def _has_words(schema: object) -> bool:
    """Whether a word of its own, or a name, may stand in place of numbers."""
    return '"enum"' in json.dumps(schema) or '"maxLength"' in json.dumps(schema)


def _is_word(schema: Schema) -> bool:
    kinds = [part.get("type") for part in schema.get("anyOf", [schema])]
    return all(kind in {"string", "null"} for kind in kinds) and "string" in kinds


def _formatted(text: str) -> str:
    """The same text as ruff has it."""
    for command in (("check", "--fix", "--exit-zero", "--select", "I"), ("format",)):
        text = subprocess.run(  # noqa: S603 - the formatter of our own environment
            [
                Path(sys.prefix) / "bin" / "ruff",
                *command,
                "--quiet",
                "--stdin-filename",
                PLACE / "a.py",
                "-",
            ],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return text


def main() -> None:
    """Write them."""
    from kullback.main import create_app  # noqa: PLC0415 - what is written needs no service

    PLACE.mkdir(exist_ok=True)
    for name, text in files(create_app().openapi()).items():
        (PLACE / f"{name}.py").write_text(text)


if __name__ == "__main__":
    main()
