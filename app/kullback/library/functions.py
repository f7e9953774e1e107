"""One function for each metric, made of its request and its entry in the catalog."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from operator import or_
from textwrap import fill, indent
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from kullback.errors import InvalidInput, hint
from kullback.payload.columns import Column
from kullback.requests import REQUESTS
from kullback.requests.column_order import score_request
from kullback.requests.validation import array_fields, word_options
from kullback.scoring.catalog import METRICS
from kullback.scoring.score import Score

__all__ = ["InvalidInput", "Score", "metric_function", "score"]

_LINE = 92


class InvalidValue(InvalidInput, ValueError):
    """The same refusal for who calls from Python."""


def score(metric: str, /, **fields: object) -> Score:
    """The score that POST /v1/scores/{metric} answers, computed here.

    Args:
        metric: a name of the catalog, such as "log-loss" or "log_loss".
        fields: the fields of its request: lists, arrays, series or tables of rows, and options.
            What is None is not sent.

    Returns:
        The Score: `float(score)` is its value, `score.to_dict()` what the service answers.

    Raises:
        InvalidInput: there is no such metric or field, or a value is impossible; `offences` names
            the places. It is a ValueError.
    """
    try:
        return _score(metric, fields)
    except InvalidInput as error:
        raise InvalidValue(error.message, error.offences, error.total) from error


def _score(metric: object, fields: Mapping[str, object]) -> Score:
    if not isinstance(metric, str):
        detail = 'one name is expected, as in "log-loss": call score once for each metric'
        raise InvalidInput.at(detail, "metric")
    name = metric.replace("_", "-")
    if name not in REQUESTS:
        detail = f"there is no metric {metric[:80]}; {hint(name, [*REQUESTS])}"
        raise InvalidInput.at(detail, "metric")
    model = REQUESTS[name]
    columns, words = array_fields(model), word_options(model)
    sent = {
        field: _value(field, value, columns.get(field), is_word=field in words)
        for field, value in fields.items()
        if value is not None
    }
    return score_request(model, sent).score()


def _value(name: str, value: object, column: Column | None, *, is_word: bool) -> object:
    from kullback.library.columns import column_value, option_value  # noqa: PLC0415 - takes 80 ms

    if column is not None:
        return column_value(name, value, column)
    value = option_value(value)
    return str(value) if is_word and isinstance(value, int) else value  # base=2


def metric_function(name: str) -> Callable[..., Score]:
    """The function of a metric: the columns of its example by position, all else by name."""
    key, signature = METRICS[name].key, metric_signature(name)
    positional = [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]

    def function(*args: object, **fields: object) -> Score:
        if len(args) > len(positional):
            raise TypeError(f"{key}() takes by position no more than {', '.join(positional)}")
        return score(name, **dict(zip(positional, args, strict=False)), **fields)

    function.__name__ = function.__qualname__ = key
    function.__module__ = "kullback"
    function.__doc__ = _docstring(name, signature.parameters)
    function.__signature__ = signature  # type: ignore[attr-defined] # help() reads it
    return function


def metric_signature(name: str) -> inspect.Signature:
    """The columns of the metric's example in their order, then every other field."""
    model, example = REQUESTS[name], METRICS[name].example
    columns = array_fields(model)
    first = [field for field in example.request if field in columns]
    parameters = []
    for field in [*first, *(field for field in model.model_fields if field not in first)]:
        info = model.model_fields[field]
        parameters.append(
            inspect.Parameter(
                field,
                inspect.Parameter.POSITIONAL_OR_KEYWORD
                if field in first
                else inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if info.is_required() else info.default,
                annotation=Any if field in columns else _without_limits(info.annotation),
            )
        )
    return inspect.Signature(parameters, return_annotation=Score)


def _without_limits(annotation: Any) -> Any:  # noqa: ANN401 - a type of any form
    """The type alone: what pydantic is told beside it says nothing to whoever reads it."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _without_limits(parts[0])
    if origin in (Union, UnionType):
        return reduce(or_, map(_without_limits, parts))
    return list[_without_limits(parts[0])] if origin is list else annotation  # type: ignore[misc]


def _docstring(name: str, fields: Iterable[str]) -> str:
    """What the catalog and the fields of the request say of themselves."""
    metric, infos = METRICS[name], REQUESTS[name].model_fields
    arguments = [
        fill(f"{field}: {infos[field].description}", _LINE, subsequent_indent="    ")
        for field in fields
    ]
    answer = f"A Score in {metric.unit}, in {metric.range}; {metric.direction} is better."
    refusal = "InvalidInput: a value is impossible; `offences` names the places."
    parts = [
        metric.summary,
        indent(metric.formula, "    "),
        "Args:\n" + indent("\n".join(arguments), "    "),
        "Returns:\n" + indent(answer, "    "),
        "Raises:\n" + indent(refusal, "    "),
    ]
    return "\n\n".join(parts)
