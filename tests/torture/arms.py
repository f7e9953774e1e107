"""Experiments under torture: what is sent to them, and what they should hold."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random

import numpy as np
from pydantic import BaseModel, TypeAdapter

from kullback.documents import to_json
from kullback.experiments.arm_tallies import tally_arms
from kullback.experiments.comparison import compare
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.reporting import arms_report
from kullback.experiments.rows import ArmRows
from tests.torture.audit import CLIENT, Difference, Numbers, rows_of
from tests.torture.pages import (
    DIGITS,
    Job,
    Page,
    Pages,
    Row,
    batch,
    windows,
)

Document = dict[str, object]
ARMS = ("a", "b")
UNITS = 40
_PAIRED = Plan(
    tuple(Arm(name, 0.5) for name in ARMS),
    "a",
    "paired",
    minimum_effect=0.05,
    minimum_units=2,
    slices=("page",),
)
PLANS: Mapping[str, Plan] = {"paired": _PAIRED, "parallel": replace(_PAIRED, design="parallel")}
_DOCUMENT = TypeAdapter(Document)


class Weighed(BaseModel):
    """What one arm holds of a page."""

    n: int
    weight: float


class Group(BaseModel):
    """A page by arm."""

    slice: dict[str, str]
    arms: list[Weighed]


class Report(BaseModel):
    """A report by page."""

    design: str
    groups: list[Group]

    def pages(self) -> dict[int, Numbers]:
        """Rows and weight of each page; where every arm has every row, those of the first."""
        arms = 1 if self.design == "paired" else len(ARMS)
        return {
            int(group.slice["page"]): (
                sum(arm.n for arm in group.arms[:arms]),
                sum(arm.weight for arm in group.arms[:arms]),
                None,
                None,
            )
            for group in self.groups
        }


class Reader:
    """Reads experiments of one server."""

    def __init__(self, address: str, experiment: str) -> None:
        self._at = f"{address}/v1/experiments/{experiment}"

    def report(self, _: Sequence[Page]) -> Report:
        """All rows, page by page."""
        return Report.model_validate_json(self._read("/report"))

    def findings(self) -> Document:
        """All that the report says."""
        return _DOCUMENT.validate_json(self._read("/report"))

    def one(self) -> Document:
        """The experiment as it stands."""
        return _DOCUMENT.validate_json(self._read(""))

    def _read(self, path: str) -> bytes:
        return CLIENT.get(self._at + path).raise_for_status().content


def compared(experiment: str, newest: int, rng: Random) -> Pages:
    """Pages of rows of arms: a place is a batch of 1, 2 or 4 rows."""
    for number, within in windows(newest):
        rows = {
            place: [_scored(row, experiment, rng) for row in batch(rng, within, place)]
            for place in range(DIGITS)
        }
        jobs = [_job(experiment, number, place, some) for place, some in rows.items()]
        yield Page(experiment, number, *within, rows, jobs)


def differences(reader: Reader, experiment: str, pages: Sequence[Page]) -> Iterator[Difference]:
    """Whatever is not as it should be, to the bit: the whole report, and what was counted."""
    wanted, found, one = _wanted(PLANS[experiment], pages), reader.findings(), reader.one()
    for name, said in wanted.items():
        yield name, found.get(name), said
    yield "version", found["version"], sum(len(page.jobs) for page in pages)
    yield "counts", one["observations"], {"1": len(rows_of(pages))}


def _wanted(plan: Plan, pages: Sequence[Page]) -> Document:
    """What a report of these rows says."""
    rows = rows_of(pages)
    numbers = [str(page.number) for page in pages for some in page.rows.values() for _ in some]
    scores = {arm: np.array([row.scores.get(arm, 0.0) for row in rows], np.float64) for arm in ARMS}
    arm = [next(iter(row.scores)) for row in rows]
    apart = np.array([row.scores[own] for row, own in zip(rows, arm, strict=True)], np.float64)
    is_paired = plan.design == "paired"
    all_rows = ArmRows(
        y_true=np.array([row.y for row in rows], np.float64),
        y_proba=scores if is_paired else apart,
        unit=[row.unit for row in rows],
        arm=None if is_paired else arm,
        weight=np.array([row.w for row in rows], np.float64),
        slices={"page": numbers},
    )
    return _DOCUMENT.validate_json(to_json(arms_report(compare(plan, tally_arms(plan, all_rows)))))


def _scored(row: Row, experiment: str, rng: Random) -> Row:
    """The row with what the arms predict of one of few units, each in the arm of its parity."""
    unit = rng.randrange(UNITS)
    arms = ARMS if PLANS[experiment].design == "paired" else (ARMS[unit % 2],)
    return row._replace(unit=f"unit {unit}", scores={arm: rng.uniform(0.01, 0.99) for arm in arms})


def _job(experiment: str, number: int, place: int, rows: Sequence[Row]) -> Job:
    body: Document = {
        "y_true": [row.y for row in rows],
        "unit": [row.unit for row in rows],
        "sample_weight": [row.w for row in rows],
        "timestamp": [row.time for row in rows],
        "slice": {"page": [str(number)] * len(rows)},
    }
    if PLANS[experiment].design == "paired":
        body["y_proba"] = {arm: [row.scores[arm] for row in rows] for arm in ARMS}
    else:
        body["arm"] = [next(iter(row.scores)) for row in rows]
        body["y_proba"] = [next(iter(row.scores.values())) for row in rows]
    path = f"/v1/experiments/{experiment}/observations"
    return Job(path, f"{number}-{place}", json.dumps(body).encode(), frozenset([place]))
