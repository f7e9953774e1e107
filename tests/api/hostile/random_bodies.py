"""Random hostile bodies: right ones of which a field, or a few bytes, became something else."""

import json
from collections.abc import Mapping
from random import Random
from typing import Any

import pyarrow as pa

from kullback.payload.media import ARROW, JSON, LINES, PARQUET
from tests.api.hostile.tables import table_body
from tests.api.hostile.values import COLUMNS, VALUES, column

SCALARS = (
    *("0", "1", "-1", "0.5", "1e-320", "1e308", "-0.0", "9007199254740993", "9223372036854775807"),
    *('"a"', '""', '"-Infinity"', '"\\u0000"', '"😀"', "true", "false", "null", "NaN", "1e999"),
)


def random_value(random: Random, depth: int = 0) -> str:
    """The text of a value, which JSON may have or not."""
    kind = random.random()
    if depth == 0 and kind < 0.3:
        return random.choice(VALUES)
    if depth > 4 or kind < 0.5:
        return random.choice(SCALARS)
    parts = [random_value(random, depth + 1) for _ in range(random.choice((0, 1, 2, 2, 3, 50)))]
    if kind < 0.9:
        return "[" + ",".join(parts) + "]"
    return "{" + ",".join(f'"{random.choice("abcsk")}":{part}' for part in parts) + "}"


def random_body(
    random: Random, request: Mapping[str, Any], fields: list[str], media_type: str
) -> bytes:
    """A body of this type for a request: one field is another, or its bytes are damaged."""
    field = random.choice(fields)
    if media_type in {ARROW, PARQUET}:
        raw = _table(random, request, field, media_type)
    else:
        sent = {name: json.dumps(value) for name, value in request.items()}
        if media_type in LINES:
            sent = {name: json.dumps(_first(value)) for name, value in request.items()}
        sent[field] = random_value(random)
        raw = ("{" + ",".join(f'"{name}":{text}' for name, text in sent.items()) + "}").encode()
    return _damaged(random, raw) if random.random() < 0.3 else raw


def _first(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, Mapping):
        return {name: _first(items) for name, items in value.items()}
    return value[0] if isinstance(value, list) else value


def _table(random: Random, request: Mapping[str, Any], field: str, media_type: str) -> bytes:
    columns = {name: pa.array(value) for name, value in request.items() if isinstance(value, list)}
    rows = max(map(len, columns.values()), default=1)
    columns[field] = column(random.choice([*COLUMNS]), rows)
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        columns = {field: columns[field]}
    return table_body(pa.table(columns), media_type)


def _damaged(random: Random, raw: bytes) -> bytes:
    """The same with a few bytes changed, left out or repeated."""
    damaged = bytearray(raw)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(damaged) + 1)
        kind = random.randrange(4)
        if kind == 0 and at < len(damaged):
            damaged[at] ^= 1 << random.randrange(8)
        elif kind == 1:
            del damaged[at : at + random.randint(1, 8)]
        elif kind == 2:
            damaged[at:at] = damaged[at : at + random.randint(1, 64)]
        else:
            damaged[at:at] = random.choice((b"[", b"]", b"{", b'"', b",", b"\0", b"\xff", b"1e9"))
    return bytes(damaged)


def media_types(*, of_batches: bool) -> tuple[str, ...]:
    """The types that a route reads."""
    return (JSON, ARROW, PARQUET, *LINES) if of_batches else (JSON, ARROW, PARQUET)
