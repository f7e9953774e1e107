"""The playground page: a metric, its example to edit, and calls to copy."""

import json
import shlex
from collections.abc import Callable, Mapping

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from kullback.numerics.reasons import Reason
from kullback.payload.columns import Column
from kullback.payload.json_object import parse
from kullback.payload.media import ARROW, JSON, PARQUET
from kullback.requests import REQUESTS
from kullback.requests.base import ScoreRequest
from kullback.requests.validation import array_fields, validated, word_options
from kullback.scoring import score_json
from kullback.scoring.metric import Metric
from kullback.ui.overview_rows import HUES

_WIDE = 72
_BETTER = {
    "lower": "Lower is better.",
    "higher": "Higher is better.",
    "neither": "Neither lower nor higher is better.",
}
_TYPES = {".parquet": PARQUET, ".arrow": ARROW, ".arrows": ARROW}


def content(metric: Metric, base: str) -> dict[str, object]:
    """What the page of a metric is made from; `base` is the address that the service has."""
    model, request = REQUESTS[metric.name], metric.example.request
    address = f"{base}v1/scores/{metric.name}"
    text = laid_out(request, _json)
    return {
        "metric": metric,
        "better": _BETTER[metric.direction],
        "text": text,
        "rows": text.count("\n") + 2,
        "curl": _curl(address, text),
        "python": _python(address, laid_out(request, repr)),
        "fields": [_field(name, field) for name, field in model.model_fields.items()],
        "known": _script_data(metric, model),
    }


def laid_out(request: Mapping[str, object], write: Callable[[object], str]) -> str:
    """A request as people read it: a field per line, and the rows of a long list beneath it."""
    lines = [f"  {write(name)}: {_value(value, write)}" for name, value in request.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def _value(value: object, write: Callable[[object], str]) -> str:
    text = write(value)
    if len(text) <= _WIDE or not isinstance(value, list) or not isinstance(value[0], list):
        return text
    return "[\n    " + ",\n    ".join(map(write, value)) + "\n  ]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _curl(address: str, request: str) -> str:
    body = shlex.quote(request)
    return f"curl {shlex.quote(address)} \\\n  -H 'Content-Type: {JSON}' \\\n  -d {body}"


def _python(address: str, request: str) -> str:
    return (
        f"import httpx\n\nrequest = {request}\n"
        f'url = "{address}"\n'
        "answer = httpx.post(url, json=request)\n"
        "answer.raise_for_status()\n"
        'print(answer.json()["value"])'
    )


def _field(name: str, field: FieldInfo) -> dict[str, str]:
    default = "needed" if field.is_required() else ""
    if field.default not in (None, PydanticUndefined):
        default = _json(field.default)
    return {"name": name, "default": default, "meaning": field.description or ""}


def _script_data(metric: Metric, model: type[ScoreRequest]) -> dict[str, object]:
    """What the script must know: the fields of files, and words for what has no number."""
    return {
        "name": metric.name,
        "better": _BETTER[metric.direction],
        "hues": HUES,
        "columns": {name: _column(column) for name, column in array_fields(model).items()},
        "labels": "labels" in model.model_fields,
        "words": sorted(word_options(model)),
        "types": _TYPES,
        "reasons": {reason: reason.sentence for reason in Reason},
        "answer": _answer(metric, model),
    }


def _answer(metric: Metric, model: type[ScoreRequest]) -> object:
    """What the service answers to the example."""
    body = bytearray(_json(metric.example.request).encode())
    answer: object = json.loads(
        score_json.encode(validated(model, parse(body, array_fields(model))).score())
    )
    return answer


def _column(column: Column) -> dict[str, object]:
    return {"kind": column.entry.value, "axes": column.axes, "keys": column.keys > 0}
