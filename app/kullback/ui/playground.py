"""The playground page: a metric, its example to edit, and calls to copy."""

import json
import shlex
from collections.abc import Callable, Mapping

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from kullback.api import score_json
from kullback.payload.columns import Column
from kullback.payload.json_lists import parse
from kullback.payload.media import ARROW, JSON, PARQUET
from kullback.requests import REQUESTS
from kullback.requests.base import ScoreRequest
from kullback.requests.validation import array_fields, validated, word_options
from kullback.scoring.metric import Metric
from kullback.ui.overview import HUES

_WIDE = 72
_BETTER = {
    "lower": "Lower is better.",
    "higher": "Higher is better.",
    "neither": "Neither lower nor higher is better.",
}
_TYPES = {".parquet": PARQUET, ".arrow": ARROW, ".arrows": ARROW}

REASONS = {
    "positive_infinity": "infinite",
    "negative_infinity": "minus infinity",
    "zero_weight": "all rows have weight 0",
    "empty": "no row counts: all are ignored or masked",
    "one_class": "only one class occurs, so there is nothing to compare with",
    "one_outcome": "a single outcome has no maximum entropy to be divided by",
    "no_positives": "the labels have no positive mass to divide by",
    "soft_labels": "soft labels belong to no one class",
    "no_group": "no group was sent",
    "empty_bin": "nothing fell into the bin",
    "no_logits": "this needs logits, and probabilities were sent",
    "separable": "every row is right: the best temperature goes to 0",
    "anti_predictive": "the logits are worse than none: the best temperature goes to infinity",
    "infinite_loss": "a class that happened has a logit of minus infinity",
    "binary": "one probability per row: there are no classes to go through",
    "positive_overflow": "too large for a number; its logarithm is not",
    "no_bytes": "bits per byte need n_bytes",
    "one_cell": "a single cell leaves no degree of freedom",
    "unbounded": "this estimator has no upper bound",
    "not_of_this_game": "only minimax and non-saturating losses bound a divergence",
    "absent": "no row is of this class",
    "no_spread": "all latents of each class coincide",
    "none_correct": "nothing was right before the attack",
    "no_adversarial_latents": "no latents under attack were sent",
    "no_region": "the map is flat: there is no box",
    "no_truth_box": "there is no box to compare with",
    "undefined": "nothing divided by nothing",
}


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
        "fields": [_field(name, found) for name, found in model.model_fields.items()],
        "known": _known(metric, model),
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


def _known(metric: Metric, model: type[ScoreRequest]) -> dict[str, object]:
    """What the script must know: the fields of files, and words for what has no number."""
    return {
        "name": metric.name,
        "better": _BETTER[metric.direction],
        "hues": HUES,
        "columns": {name: _column(column) for name, column in array_fields(model).items()},
        "labels": "labels" in model.model_fields,
        "words": sorted(word_options(model)),
        "types": _TYPES,
        "reasons": REASONS,
        "answer": _answer(metric, model),
    }


def _answer(metric: Metric, model: type[ScoreRequest]) -> object:
    """What the service answers to the example."""
    body = bytearray(_json(metric.example.request).encode())
    found: object = json.loads(
        score_json.encode(validated(model, parse(body, array_fields(model))).score())
    )
    return found


def _column(column: Column) -> dict[str, object]:
    return {"kind": column.entry.value, "axes": column.axes, "keys": column.keys > 0}
