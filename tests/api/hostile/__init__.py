"""Bodies that must be refused: one per line in bodies.jsonl, each with a name.

A body is `text`, `base64`, or `pieces` that are repeated and joined; or it is the worked example of
each metric, and of each write to a monitor or an experiment, with `value` in place of its first
field, or with an `option` added. `may_score` marks those that are rightly scored, by any metric or
by those it names, `may_write` names the writes that rightly take them. Values hold MARKER, which no
answer may.
"""

import base64
import json
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx

from kullback.payload.media import ARROW, JSON, LINES, PARQUET
from kullback.scoring.catalog import METRICS
from tests.api.hostile.caller import Caller

MARKER = b"xyzzyplugh"
MAX_BYTES = 16 * 1024
TYPES = {JSON: "json", ARROW: "arrow", PARQUET: "parquet"}
BATCH_TYPES = TYPES | dict.fromkeys(LINES, "ndjson")
MONITOR = "/v1/monitors/clicks"
WRITES: Mapping[str, Mapping[str, object]] = {
    "observations": {"y_true": [1, 0], "y_proba": [0.9, 0.2]},
    "predictions": {"id": ["a", "b"], "y_proba": [0.9, 0.2]},
    "labels": {"id": ["a", "b"], "y_true": [1, 0]},
    "reference": {"y_proba": [0.9, 0.2], "y_true": [1, 0]},
}
LABEL_WRITES: Mapping[str, Mapping[str, object]] = {  # to a monitor of two labels
    "observations": {"y_true": [[1, 0], [0, 0]], "y_proba": [[0.9, 0.2], [0.5, 0.5]]},
    "predictions": {"id": ["a", "b"], "y_proba": [[0.9, 0.2], [0.5, 0.5]]},
    "labels": {"id": ["a", "b"], "y_true": [[1, 0], [0, 0]]},
    "reference": {"y_proba": [[0.9, 0.2], [0.5, 0.5]], "y_true": [[1, 0], [0, 0]]},
}
EXPERIMENTS: Mapping[str, Mapping[str, object]] = {  # by design, rows of two arms
    "paired": {"y_true": [1, 0], "y_proba": {"a": [0.9, 0.2], "b": [0.5, 0.5]}, "unit": [1, 2]},
    "parallel": {"y_true": [1, 0], "y_proba": [0.9, 0.2], "arm": ["a", "b"], "unit": [1, 2]},
}
Table = Counter[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Hostile:
    """A body for each metric and each write, and the metrics that may answer with a score."""

    name: str
    body: Callable[[str], bytes]
    may_score: Container[str]
    may_write: Container[str]


def bodies() -> Iterator[Hostile]:
    """Every body of the corpus."""
    with (Path(__file__).parent / "bodies.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            scored = _scored(entry.get("may_score", []))
            yield Hostile(entry["name"], _body(entry), scored, entry.get("may_write", []))


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


def _request(name: str) -> Mapping[str, object]:
    written = {**WRITES, **EXPERIMENTS}
    return written[name] if name in written else METRICS[name].example.request


def _first(name: str) -> str:
    return next(iter(_request(name)))


def is_without_rows(each: Hostile, name: str, answer: httpx.Response) -> bool:
    """Whether a body that holds nothing was taken as a batch of no rows, and nothing else."""
    if each.body(name).strip() not in {b"", b"[]"} or answer.status_code != 200:
        return False
    written = answer.json()
    return (written["accepted"], written["rejected"], written["rejections"]) == (0, 0, [])


def example(name: str, field: str, value: str) -> bytes:
    """The example of a metric or of a write, where one field has another value: any text."""
    request = _request(name)
    sent = {each: json.dumps(others) for each, others in request.items()} | {field: value}
    return ("{" + ",".join(f'"{each}":{text}' for each, text in sent.items()) + "}").encode()


async def post_all(
    caller: Caller, corpus: Iterable[Hostile], media_type: str
) -> list[tuple[Hostile, str, httpx.Response]]:
    """The answer of every metric to every body."""
    headers = {"content-type": media_type, "x-request-id": "hostile"}
    return [
        (each, name, await caller.post(f"/v1/scores/{name}", content=body, headers=headers))
        for each in corpus
        for name in METRICS
        for body in [each.body(name)]
    ]


async def write_all(
    caller: Caller, corpus: Iterable[Hostile], media_type: str
) -> list[tuple[Hostile, str, httpx.Response]]:
    """The answer of every write of a monitor to every body."""
    headers = {"content-type": media_type, "x-request-id": "hostile"}
    return [
        (
            each,
            name,
            await caller.request(method, f"{MONITOR}/{name}", content=body, headers=headers),
        )
        for each in corpus
        for name in WRITES
        for method in ["PUT" if name == "reference" else "POST"]
        for body in [each.body(name)]
    ]


async def observe_all(
    caller: Caller, corpus: Iterable[Hostile], media_type: str
) -> list[tuple[Hostile, str, httpx.Response]]:
    """The answer of an experiment of each design to every body."""
    headers = {"content-type": media_type, "x-request-id": "hostile"}
    return [
        (each, name, await caller.post(path, content=body, headers=headers))
        for each in corpus
        for name in EXPERIMENTS
        for path in [f"/v1/experiments/{name}/observations"]
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
