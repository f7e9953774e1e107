"""This file is about bodies that must be refused: one a line in bodies.jsonl, each with a name.

A body is `text`, `base64`, or `pieces` that are repeated and joined; or it is the worked example of
each metric with `value` in place of its first field, or with an `option` added. `may_score` marks
those that are rightly scored, by any metric or by those it names. Values hold MARKER, which no
answer may.
"""

import base64
import json
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx

from app.api.payload import ARROW, JSON, PARQUET
from app.scoring.catalog import METRICS

MARKER = b"xyzzyplugh"
MAX_BYTES = 16 * 1024
TYPES = {JSON: "json", ARROW: "arrow", PARQUET: "parquet"}
Table = Counter[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Hostile:
    """A body for each metric, and the metrics that may answer with a score."""

    name: str
    body: Callable[[str], bytes]
    may_score: Container[str]


def bodies() -> Iterator[Hostile]:
    """Every body of the corpus."""
    with (Path(__file__).parent / "bodies.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            yield Hostile(entry["name"], _body(entry), _scored(entry.get("may_score", [])))


def _scored(marked: list[str] | Literal["any"]) -> Container[str]:
    return METRICS.keys() if marked == "any" else marked


def _body(entry: dict[str, Any]) -> Callable[[str], bytes]:
    if "value" in entry:
        return lambda metric: example(metric, _first(metric), entry["value"])
    if "option" in entry:
        name, _, value = entry["option"].partition(":")
        return lambda metric: example(metric, json.loads(name), value)
    if "base64" in entry:
        raw = base64.b64decode(entry["base64"])
    else:
        pieces = entry.get("pieces", [[entry.get("text"), 1]])
        raw = "".join(text * times for text, times in pieces).encode()
    return lambda _: raw


def _first(metric: str) -> str:
    return next(iter(METRICS[metric].example.request))


def example(metric: str, field: str, value: str) -> bytes:
    """The worked example of a metric, where one field has another value: any text."""
    request = METRICS[metric].example.request
    sent = {name: json.dumps(others) for name, others in request.items()} | {field: value}
    return ("{" + ",".join(f'"{name}":{text}' for name, text in sent.items()) + "}").encode()


async def post_all(
    client: httpx.AsyncClient, corpus: Iterable[Hostile], media_type: str
) -> list[tuple[Hostile, str, httpx.Response]]:
    """The answer of every metric to every body."""
    headers = {"content-type": media_type, "x-request-id": "hostile"}
    return [
        (each, name, await client.post(f"/v1/scores/{name}", content=body, headers=headers))
        for each in corpus
        for name in METRICS
        for body in [each.body(name)]
    ]


def counted(answers: Iterable[httpx.Response], kind: str) -> Table:
    """How often each status was the answer."""
    return Counter((kind, answer.status_code) for answer in answers)


def shown(size: int, table: Table) -> str:
    """The table of statuses as text."""
    lines = [f"{size} hostile bodies x {len(METRICS)} metrics"]
    lines += [f"{kind:>8} {status} {count:>6}" for (kind, status), count in sorted(table.items())]
    return "\n".join(lines)
