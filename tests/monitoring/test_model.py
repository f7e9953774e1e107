"""Whatever is done in whatever order: a monitor holds what lists and dictionaries would hold."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from tempfile import TemporaryDirectory

import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.monitoring.service import MONITOR, Document, Service, running

pytestmark = pytest.mark.untraced

HOUR, DAY = 3600, 86_400
TTL, RETENTION = 6 * HOUR, 3 * DAY
CHOSEN: Document = {"ttl_seconds": TTL, "retention_days": 3, "slices": ["country"]}
EPS = 2.0**-52

name = st.sampled_from(["a", "b", "c", "d", "e"])
score = st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0])
weight = st.sampled_from([0.0, 0.5, 1.0, 3.0])
age = st.sampled_from([0, 30, HOUR, 20 * HOUR, 2 * DAY])
outcome = st.sampled_from([0, 1])
country = st.sampled_from(["DE", "FR"])


@dataclass(frozen=True)
class Row:
    """A prediction, and its outcome where that is known."""

    p: float
    weight: float
    time: float
    country: str
    y: int | None = None

    def loss(self) -> Fraction:
        bounded = min(max(self.p, EPS), 1 - EPS)
        return Fraction(self.weight) * Fraction(-math.log(bounded if self.y else 1 - bounded))

    def is_kept(self, now: float) -> bool:
        return (self.time // HOUR + 1) * HOUR > int(now) - RETENTION


row = st.builds(Row, score, weight, age, country)


@dataclass
class Half:
    """A row that waits for its other half, or has found it."""

    side: str
    content: Row | int
    arrived: float


@dataclass
class Model:
    """A monitor as plain lists and dictionaries."""

    labelled: list[Row] = field(default_factory=list)
    scored: list[Row] = field(default_factory=list)
    halves: dict[str, Half] = field(default_factory=dict)
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("observations", "predictions", "labels", "matched", "duplicates"), 0
        )
    )
    expired: dict[str, int] = field(default_factory=lambda: {"predictions": 0, "labels": 0})

    def come(self, side: str, key: str, content: Row | int, now: float) -> str:
        """What becomes of a half: `matched`, `pending` or `duplicates`."""
        there = self.halves.get(key)
        if there is not None and there.side in {side, "both"}:
            self.counts["duplicates"] += 1
            return "duplicates"
        self.counts[side] += 1
        if isinstance(content, Row):
            self.scored.append(content)
        if there is None:
            self.halves[key] = Half(side, content, now)
            return "pending"
        self.counts["matched"] += 1
        halves = (content, there.content)
        (prediction,) = (half for half in halves if isinstance(half, Row))
        (y,) = (half for half in halves if isinstance(half, int))
        self.labelled.append(with_outcome(prediction, y))
        self.halves[key] = Half("both", 0, there.arrived)
        return "matched"

    def tidy(self, now: float) -> None:
        for key, half in list(self.halves.items()):
            if half.arrived < int(now) - TTL:
                del self.halves[key]
                if half.side != "both":
                    self.expired[half.side] += 1
        self.labelled = [each for each in self.labelled if each.is_kept(now)]
        self.scored = [each for each in self.scored if each.is_kept(now)]


def with_outcome(of: Row, y: int) -> Row:
    return Row(of.p, of.weight, of.time, of.country, y)


def columns(rows: list[Row]) -> Document:
    return {
        "y_proba": [each.p for each in rows],
        "sample_weight": [each.weight for each in rows],
        "timestamp": [each.time for each in rows],
        "slice": {"country": [each.country for each in rows]},
    }


class Monitored(RuleBasedStateMachine):
    """Writes, time and maintenance in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = TemporaryDirectory(prefix="kullback-")
        self.started = start_blocking_portal()
        self.portal = self.started.__enter__()
        url = f"sqlite:///{self.directory.name}/kullback.db"
        self.context = self.portal.wrap_async_context_manager(running(url))
        self.service: Service = self.context.__enter__()
        self.model = Model()
        self.put()

    def teardown(self) -> None:
        self.context.__exit__(None, None, None)
        self.started.__exit__(None, None, None)
        self.directory.cleanup()

    @property
    def now(self) -> float:
        return self.service.clock.now

    def placed(self, rows: list[Row]) -> list[Row]:
        """Rows with their age made a time."""
        return [Row(each.p, each.weight, self.now - each.time, each.country) for each in rows]

    def post(self, what: str, rows: Document) -> Document:
        async def sent() -> Document:
            return await self.service.post(what, **rows)

        return self.portal.call(sent)

    def put(self) -> None:
        async def sent() -> None:
            await self.service.put(**CHOSEN)

        self.portal.call(sent)

    @rule()
    def change_nothing(self) -> None:
        self.put()

    @rule(rows=st.lists(st.tuples(row, outcome), min_size=1, max_size=4))
    def observe(self, rows: list[tuple[Row, int]]) -> None:
        come = self.placed([each for each, _ in rows])
        y = [outcome for _, outcome in rows]
        self.post("observations", {"y_true": y, **columns(come)})
        self.model.scored += come
        self.model.labelled += map(with_outcome, come, y)
        self.model.counts["observations"] += len(rows)

    @rule(rows=st.lists(st.tuples(name, row), min_size=1, max_size=4))
    def predict(self, rows: list[tuple[str, Row]]) -> None:
        come = self.placed([each for _, each in rows])
        keys = [key for key, _ in rows]
        told = self.post("predictions", {"id": keys, **columns(come)})
        self.check("predictions", keys, come, told)

    @rule(rows=st.lists(st.tuples(name, outcome), min_size=1, max_size=4))
    def label(self, rows: list[tuple[str, int]]) -> None:
        keys, y = [key for key, _ in rows], [y for _, y in rows]
        self.check("labels", keys, y, self.post("labels", {"id": keys, "y_true": y}))

    def check(self, side: str, keys: list[str], come: Sequence[Row | int], told: Document) -> None:
        became = dict.fromkeys(("matched", "pending", "duplicates"), 0)
        first: dict[str, Row | int] = {}
        for key, content in zip(keys, come, strict=True):
            if key in first:
                became["duplicates"] += 1
                self.model.counts["duplicates"] += 1
            first.setdefault(key, content)
        for key, content in first.items():
            became[self.model.come(side, key, content, self.now)] += 1
        assert {what: told[what] for what in became} == became

    @rule(seconds=st.sampled_from([1, 60, HOUR, 7 * HOUR, DAY, 2 * DAY]))
    def wait(self, seconds: int) -> None:
        self.service.clock.now += seconds

    @rule()
    def tidy(self) -> None:
        self.portal.call(self.service.tidy)
        self.model.tidy(self.now)

    @precondition(lambda self: len(self.model.scored) > 3)
    @rule()
    def remove(self) -> None:
        async def sent() -> None:
            await self.service.client.delete(MONITOR)

        self.portal.call(sent)
        self.put()
        self.model = Model()

    @invariant()
    def the_report_is_of_the_rows(self) -> None:
        async def read() -> Document:
            asked: Document = {"from": 0, "to": self.now + DAY, "by": "country"}
            return await self.service.report(**asked)

        report = self.portal.call(read)
        countries = sorted({each.country for each in self.model.scored})
        assert [group["slice"]["country"] for group in report["groups"]] == countries
        places = [("", report), *zip(countries, report["groups"], strict=True)]
        for of, place in places:
            rows = [each for each in self.model.labelled if of in {"", each.country}]
            total = sum(Fraction(each.weight) for each in rows)
            assert (place["n"], place["weight"]) == (len(rows), float(total))
            scored = [each for each in self.model.scored if of in {"", each.country}]
            assert place["predictions"] == len(scored)
            value = place["metrics"]["log_loss"]["value"]
            if total:
                expected = float(sum(each.loss() for each in rows) / total)
                assert value == pytest.approx(expected, rel=1e-14)
            else:
                assert value is None

    @invariant()
    def the_counts_add_up(self) -> None:
        found = self.portal.call(self.service.get)["counts"]
        assert found.items() >= self.model.counts.items()
        assert found["expired"] == self.model.expired
        sides = [half.side for half in self.model.halves.values()]
        assert found["pending"] == {side: sides.count(side) for side in ("predictions", "labels")}
        for side in ("predictions", "labels"):
            gone = found["matched"] + found["expired"][side]
            assert found["pending"][side] == found[side] - gone


TestMonitored = Monitored.TestCase
TestMonitored.settings = settings(
    max_examples=15,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
