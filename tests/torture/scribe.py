"""Requests to monitors: rows as bodies, some with bad rows among them, and what they count."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from random import Random

from tests.torture.pages import Job, Row, Said

Columns = Mapping[str, Sequence[object]]
Labels = dict[int, int]  # by place
BAD: Mapping[str, object] = {"y_true": 7, "y_proba": 1.5, "sample_weight": -1.0, "timestamp": 1000}
MOST = 3  # bad rows


class Scribe:
    """Writes the requests of a page, and what the monitor counts of them."""

    def __init__(self, monitor: str, number: int, rng: Random, *, is_dirty: bool = False) -> None:
        self.monitor = monitor
        self.number = number
        self.counts = Counter[str]()
        self._rng = rng
        self._is_dirty = is_dirty
        self._keys = count()

    def observations(self, places: Sequence[int], rows: Sequence[Row]) -> Job:
        """Rows of these places with their labels."""
        columns = {**self._forecasts(rows), "y_true": [row.y for row in rows]}
        return self._job("observations", places, columns)

    def identified(self, places: Sequence[int], rows: Mapping[int, Row]) -> Job:
        """Rows with their labels and ids, one of each place; what is there already is left out."""
        some = [rows[at] for at in places]
        columns = {**self._forecasts(some), "y_true": [row.y for row in some]}
        job = self._job("observations", places, {**self._ids(places), **columns})
        return job._replace(said=job.said and job.said._replace(accepted=None))

    def predictions(self, places: Sequence[int], rows: Mapping[int, Row]) -> Job:
        """Rows without labels, one of each place."""
        columns = self._forecasts([rows[at] for at in places])
        return self._job("predictions", places, {**self._ids(places), **columns})

    def labels(self, places: Sequence[int], y: Labels) -> Job:
        """Labels of one row of each place."""
        return self._job("labels", places, self._labels(places, y))

    def ignored(self, places: Sequence[int], y: Labels) -> Job:
        """Other labels of rows that have theirs: nothing comes of them."""
        self.counts["duplicates"] += len(places)
        job = self._job("labels", places, self._labels(places, _flipped(places, y)))
        said = job.said and job.said._replace(accepted=0)
        return job._replace(digits=frozenset(), said=said)

    def correction(self, places: Sequence[int], y: Labels) -> Job:
        """Other labels in place of those there are; `y` says from now on what they are."""
        self.counts["corrected"] += len(places)
        y |= _flipped(places, y)
        columns = self._labels(places, y)
        job = self._job("labels", places, columns, on_duplicate="correct")
        return job._replace(digits=frozenset(), relabels=frozenset(places))

    def removal(self, span: tuple[int, int]) -> Job:
        """The end of all rows of some time."""
        path = f"/v1/monitors/{self.monitor}/windows?from={span[0]}&to={span[1]}"
        key = f"{self.number}-{next(self._keys)}"
        return Job(path, key, b"", frozenset(), method="DELETE")

    def _ids(self, places: Sequence[int]) -> Columns:
        return {"id": [f"{self.number}-{at}" for at in places]}

    def _labels(self, places: Sequence[int], y: Labels) -> Columns:
        return {**self._ids(places), "y_true": [y[at] for at in places]}

    def _forecasts(self, rows: Sequence[Row]) -> Columns:
        return {
            "y_proba": [row.p for row in rows],
            "sample_weight": [row.w for row in rows],
            "timestamp": [row.time for row in rows],
            "page": [str(self.number)] * len(rows),
        }

    def _job(self, side: str, places: Sequence[int], columns: Columns, **more: str) -> Job:
        said = Said(len(columns["y_true" if side != "predictions" else "id"]))
        if self._is_dirty:
            columns, said = spoiled(columns, self._rng)
            more["on_invalid"] = "drop"
        self.counts["rejected"] += len(said.rejections)
        body: dict[str, object] = {**columns, **more}
        if "page" in body:
            body["slice"] = {"page": body.pop("page")}
        path, key = f"/v1/monitors/{self.monitor}/{side}", f"{self.number}-{next(self._keys)}"
        return Job(path, key, json.dumps(body).encode(), frozenset(places), said=said)


def spoiled(columns: Columns, rng: Random) -> tuple[Columns, Said]:
    """The same with bad rows, whose ids are those of good ones, and what is said of them."""
    names = [name for name in columns if name in BAD]
    whole = len(next(iter(columns.values())))
    rows: list[tuple[int, str]] = [(at, "") for at in range(whole)]
    for _ in range(rng.randrange(MOST + 1)):
        bad = rng.randrange(whole), rng.choice(names)
        rows.insert(rng.randrange(len(rows) + 1), bad)
    mixed = {
        name: [BAD[name] if name == wrong else values[at] for at, wrong in rows]
        for name, values in columns.items()
    }
    places = tuple(f"/{wrong}/{at}" for at, (_, wrong) in enumerate(rows) if wrong)
    return mixed, Said(whole, places)


def _flipped(places: Sequence[int], y: Labels) -> Labels:
    return {at: 1 - y[at] for at in places}
