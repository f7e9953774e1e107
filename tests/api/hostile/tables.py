"""Requests for every metric, each with one hostile field: a value, a column or an option."""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote

import pyarrow as pa

from kullback.payload.media import ARROW, JSON
from kullback.requests import REQUESTS
from kullback.requests.validation import array_fields
from kullback.scoring.catalog import METRICS
from tests.api.hostile import example
from tests.api.hostile.values import COLUMNS, VALUES, column
from tests.payload.bodies import as_arrow, as_parquet, as_table


class Sent(NamedTuple):
    """A body for a metric, and what is hostile in it."""

    metric: str
    what: str
    body: bytes
    media_type: str
    query: str = ""


def documents() -> Iterator[Sent]:
    """Each field of each metric with each value."""
    for metric, model in REQUESTS.items():
        for field in model.model_fields:
            for value in VALUES:
                what = f"{field} = {value[:40]}"
                yield Sent(metric, what, example(metric, field, value), JSON)


def tables(media_type: str, step: int = 1) -> Iterator[Sent]:
    """Each field of each metric with each column, or with each value where it is an option.

    Of all these, each that is a multiple of `step`: only those are written.
    """
    cases = (
        (metric, field, value)
        for metric, model in REQUESTS.items()
        for field in model.model_fields
        for value in (COLUMNS if field in array_fields(model) else VALUES)
    )
    for metric, field, value in islice(cases, 0, None, step):
        query, what = _query(_table(metric)[1]), f"{field} = {value[:40]}"
        if field in array_fields(REQUESTS[metric]):
            yield Sent(metric, what, _with(metric, field, value, media_type), media_type, query)
        else:
            option = f"&{field}={quote(value)}"
            yield Sent(metric, what, _plain(metric, media_type), media_type, query + option)


def table_body(table: Any, media_type: str) -> bytes:  # noqa: ANN401 - pyarrow has no types
    """The table as a body; what Parquet cannot hold is sent as an Arrow stream in its place."""
    if media_type == ARROW:
        return as_arrow(table)
    try:
        return as_parquet(table)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return as_arrow(table)


@cache
def _table(metric: str) -> tuple[Any, Mapping[str, Any]]:
    return as_table(metric, METRICS[metric].example.request)


def _query(options: Mapping[str, Any]) -> str:
    return "?" + "&".join(f"{name}={quote(str(value))}" for name, value in options.items())


@cache
def _plain(metric: str, media_type: str) -> bytes:
    return table_body(_table(metric)[0], media_type)


def _with(metric: str, field: str, name: str, media_type: str) -> bytes:
    table = _table(metric)[0]
    values = column(name, table.num_rows)
    at = table.column_names.index(field) if field in table.column_names else None
    changed = (
        table.append_column(field, values) if at is None else table.set_column(at, field, values)
    )
    return table_body(changed, media_type)
