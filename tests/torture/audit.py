"""Audit: what monitors hold beside what they should hold, to the bit."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

import httpx
import numpy as np
from pydantic import BaseModel

from kullback.numerics.types import Undefined
from kullback.tally.binary import binary_terms
from kullback.tally.metrics import TallyMetrics
from kullback.tally.tally import Layout
from tests.torture.names import Names
from tests.torture.pages import Page, Row, Said

READ_SECONDS = 60.0
CLIENT = httpx.Client(timeout=READ_SECONDS, trust_env=False)
LAYOUT = Layout("binary", 2, "sklearn")
Numbers = tuple[int, float, float | None, float | None]  # rows, weight, log loss, base rate
Difference = tuple[str, object, object]  # of what, what is there, what should be


class Metric(BaseModel):
    """A metric of a report."""

    value: float | None


class Group(BaseModel):
    """Rows of a report."""

    slice: dict[str, str] = {}
    n: int
    weight: float
    metrics: dict[str, Metric]

    @property
    def numbers(self) -> Numbers:
        loss, rate = (self.metrics[name].value for name in ("log_loss", "base_rate"))
        return self.n, self.weight, loss, rate


class Report(Group):
    """A report by page."""

    groups: list[Group]

    def pages(self) -> dict[int, Numbers]:
        return {int(group.slice["page"]): group.numbers for group in self.groups}


class Point(BaseModel):
    """The log loss of a window."""

    start: datetime
    stop: datetime
    n: int
    value: float | None


class Series(BaseModel):
    """Log loss by window."""

    points: list[Point]


class State(BaseModel):
    """What a monitor has counted."""

    counts: dict[str, int | dict[str, int]]


class Rejection(BaseModel):
    """Where a bad row is."""

    pointer: str


class Answer(BaseModel):
    """What became of the rows of a batch."""

    accepted: int
    rejected: int
    rejections: list[Rejection]

    def says(self, said: Said) -> bool:
        """Whether that is what should be said."""
        pointers = [rejection.pointer for rejection in self.rejections]
        is_whole = said.accepted in (None, self.accepted)
        return is_whole and pointers == [*said.rejections] and self.rejected == len(pointers)


class Reader:
    """Reads monitors of one server."""

    def __init__(self, address: str, monitor: str, names: Names) -> None:
        self._at = f"{address}/v1/monitors/{monitor}"
        self._names = names

    def report(self, pages: Sequence[Page]) -> Report:
        """All rows in the time of these pages, and page by page."""
        return Report.model_validate_json(self._read(f"/report?by=page&{_span(pages)}"))

    def series(self, pages: Sequence[Page]) -> Sequence[Point]:
        """Log loss in the time of these pages, window by window."""
        found = self._read(f"/series?metric=log_loss&{_span(pages)}")
        for name, plain in ((b'"from"', b'"start"'), (b'"to"', b'"stop"')):
            found = found.replace(name, plain)
        return Series.model_validate_json(found).points

    def counts(self) -> dict[str, int | dict[str, int]]:
        """All counts."""
        return State.model_validate_json(self._read("")).counts

    def waiting(self) -> bool:
        """Whether a row waits for its other half."""
        return self.counts()["pending"] != {"predictions": 0, "labels": 0}

    def _read(self, path: str) -> bytes:
        return self._names.asked(self._at + path, CLIENT.get).raise_for_status().content


def differences(reader: Reader, pages: Sequence[Page]) -> Iterator[Difference]:
    """Whatever is not as it should be, of all rows, by page, by window, and in the counts."""
    rows = rows_of(pages)
    report = reader.report(pages)
    yield "all rows", report.numbers, summed(rows)
    found = report.pages()
    wanted = {page.number: summed(rows_of([page])) for page in pages if not page.removed}
    for number in sorted(found.keys() | wanted.keys()):
        yield f"page {number}", found.get(number), wanted.get(number)
    yield from _of_windows(reader.series(pages), rows)
    yield "counts", *_counts(reader, pages)


def _counts(reader: Reader, pages: Sequence[Page]) -> tuple[object, object]:
    """What is counted, and what should be, besides what depends on the order of requests."""
    wanted: Counter[str] = sum((Counter(page.counts) for page in pages), Counter())
    unsure = {name for page in pages for name in page.unsure}
    nothing = {"predictions": 0, "labels": 0}
    return (
        {name: amount for name, amount in reader.counts().items() if amount and name not in unsure},
        {name: amount for name, amount in wanted.items() if name not in unsure}
        | {"pending": nothing, "expired": nothing},
    )


def rows_of(pages: Sequence[Page]) -> list[Row]:
    """All their rows."""
    return [row for page in pages for some in page.rows.values() for row in some]


def summed(rows: Sequence[Row]) -> Numbers:
    """What a report of these rows says."""
    y, p, w = (np.array([row[at] for row in rows], np.float64) for at in range(3))
    reading = TallyMetrics(binary_terms(LAYOUT, y, p, w, None).tally())
    found = (reading.metric(name).value for name in ("log_loss", "base_rate"))
    loss, rate = (None if isinstance(value, Undefined) else value for value in found)
    return reading.rows, reading.weight, loss, rate


def _of_windows(points: Sequence[Point], rows: Sequence[Row]) -> Iterator[Difference]:
    yield "rows of all windows", sum(point.n for point in points), len(rows)
    ordered = sorted(rows, key=lambda row: row.time)
    times = [row.time for row in ordered]
    for point in points:
        start, stop = np.searchsorted(times, [point.start.timestamp(), point.stop.timestamp()])
        within = ordered[int(start) : int(stop)]
        n, _, loss, _ = summed(within) if within else (0, 0.0, None, None)
        yield f"window {point.start.isoformat()}", (point.n, point.value), (n, loss)


def _span(pages: Sequence[Page]) -> str:
    return f"from={min(page.start for page in pages)}&to={max(page.stop for page in pages)}"
