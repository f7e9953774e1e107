"""Whatever comes in whatever order, every sum is to the bit that of the rows that should count."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kullback.clock import WatchedClock
from kullback.maintenance import MaintenanceThread
from kullback.monitoring.counters import MonitorCounters
from kullback.monitoring.lifecycle import MonitorLifecycle
from kullback.monitoring.maintenance import MonitorMaintenance
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.queries import MonitorQueries
from kullback.monitoring.rows import LabelRows, ObservationRows
from kullback.monitoring.window_tallies import WindowTallies, tallies_by_slice
from kullback.monitoring.writes import Monitors
from kullback.numerics.types import Array, Indices
from kullback.storage.sql import open_store
from kullback.tally.binary import binary_terms
from kullback.tally.merge import merge
from kullback.tally.multilabel import multilabel_terms
from kullback.tally.tally import Layout, Tally
from kullback.tally.terms import Terms
from kullback.timezones import Timestamps
from tests.monitoring.service import NOON, Document

pytestmark = pytest.mark.untraced

HOUR = 3600
TTL, WINDOW = 6 * HOUR, HOUR
MONITOR = Monitor(slices=("country",), ttl_seconds=TTL)
NAME = "clicks"

TermsOf = Callable[[Layout, Array | None, Array, Array | None, Indices | None], Terms]
name = st.sampled_from(["a", "b", "c", "d", "e", "f"])
outcome = st.sampled_from([0, 1])


@dataclass(frozen=True)
class Row:
    """What was predicted."""

    p: float
    weight: float
    time: float
    country: str


row = st.builds(
    Row,
    st.sampled_from([0.0, 0.25, 0.3, 0.9, 1.0]),
    st.sampled_from([0.5, 1.0, 1.0, 3.0]),
    st.sampled_from([0, 30, HOUR, 30 * HOUR]),
    st.sampled_from(["DE", "FR"]),
)
rows = st.lists(st.tuples(name, row, outcome), min_size=1, max_size=4)


@dataclass
class Kept:
    """What is known of an id."""

    arrived: float
    row: Row | None = None
    y: int | None = None
    is_default: bool = False


@dataclass
class Model:
    """A monitor as plain lists and dictionaries."""

    others: list[tuple[Row, int]] = field(default_factory=list)  # without an id, or expired
    scored: list[Row] = field(default_factory=list)
    kept: dict[str, Kept] = field(default_factory=dict)

    def labelled(self) -> list[tuple[Row, int]]:
        both = [(kept.row, kept.y) for kept in self.kept.values()]
        return self.others + [(row, y) for row, y in both if row is not None and y is not None]

    def come(self, key: str, row: Row | None, y: int | None, now: float, *, corrects: bool) -> str:
        """What becomes of a row, or of a half of it."""
        kept = self.kept.get(key)
        if kept is None:
            self.kept[key] = Kept(now, row, y)
            self.scored += [row] if row is not None else []
            return "new"
        if row is not None and kept.row is None:
            kept.row = row
            self.scored.append(row)
            return "matched"
        if y is None or (kept.y is not None and not kept.is_default and not corrects):
            return "duplicates"
        before, was_default, waits = kept.y, kept.is_default, kept.row is None
        if before == y and not was_default:
            return "duplicates"
        kept.y, kept.is_default = y, False
        if waits:
            return "corrected"
        return "matched" if before in {None, y} else "corrected"

    def tidy(self, now: float, default: int | None) -> None:
        for key, kept in list(self.kept.items()):
            waits = kept.row is not None and kept.y is None
            if default is not None and waits and kept.arrived < now - WINDOW:
                kept.y, kept.is_default = default, True
            if kept.arrived < int(now) - TTL:
                if kept.row is not None and kept.y is not None:
                    self.others.append((kept.row, kept.y))
                del self.kept[key]


def of_scores(tally: Tally | None) -> list[object]:
    """What a tally says of predictions alone."""
    if tally is None:
        return []
    names = ("rows", "w", "wp", "ww", "wwp", "wwpp")
    return [*map(tally.scalar, names), *map(tally.vector, ("bin_w", "bin_wp"))]


class Ledger(RuleBasedStateMachine):
    """Writes, corrections, time, maintenance and restarts in any order."""

    monitor = MONITOR
    terms: TermsOf = staticmethod(binary_terms)

    def proba(self, p: Array) -> Array:
        """What was predicted, (n,) or of each label."""
        return p

    def truth(self, y: Sequence[int]) -> Array:
        """What came, of each label where there are several."""
        return np.array(y)

    def tally(self, some: Sequence[Row], y: Sequence[int] | None) -> Tally | None:
        """The tally of rows, computed afresh."""
        if not some:
            return None
        p, w = (np.array([getattr(each, part) for each in some]) for part in ("p", "weight"))
        outcomes = None if y is None else np.asarray(self.truth(y), np.float64)
        return self.terms(self.monitor.layout, outcomes, self.proba(p), w, None).tally()

    def __init__(self) -> None:
        super().__init__()
        self.directory = TemporaryDirectory(prefix="kullback-")
        self.now = NOON
        self.model = Model()
        self.default: int | None = None
        self.open()

    def open(self) -> None:
        clock, counters = WatchedClock(lambda: self.now, lambda: self.now), MonitorCounters()
        url = f"sqlite:///{self.directory.name}/kullback.db"
        self.store = open_store(url, merge, on_fatal=pytest.fail)
        self.monitors = Monitors(self.store, clock, counters)
        self.lifecycle = MonitorLifecycle(self.store, clock, counters)
        self.queries = MonitorQueries(self.store, clock)
        thread = MaintenanceThread(self.store, 1e6, lambda: self.now)
        self.maintenance = MonitorMaintenance(self.store, self.queries, clock, thread, counters)

    def teardown(self) -> None:
        self.store.close()
        self.directory.cleanup()

    @initialize(default=st.sampled_from([None, 0, 1]))
    def create(self, default: int | None) -> None:
        self.default = default if self.monitor.task == "binary" else None
        window = None if self.default is None else WINDOW
        chosen = replace(self.monitor, default_label=self.default, label_window=window)
        self.lifecycle.put(NAME, lambda _: chosen, None).result()

    def sent(self, some: list[Row], y: list[int] | None, ids: list[str] | None) -> ObservationRows:
        return ObservationRows(
            None if y is None else self.truth(y),
            self.proba(np.array([each.p for each in some])),
            np.array([each.weight for each in some]),
            Timestamps(np.array([each.time for each in some])),
            None,
            {"country": [each.country for each in some]},
            ids=ids,
        )

    def placed(self, row: Row) -> Row:
        return Row(row.p, row.weight, self.now - row.time, row.country)

    def came(
        self, some: list[tuple[str, Row | None, int | None]], *, corrects: bool = False
    ) -> dict[str, int]:
        """What becomes of rows that stand in a batch: of an id one counts."""
        first = {key: (row, y) for key, row, y in (some if corrects else reversed(some))}
        became = dict.fromkeys(("new", "matched", "duplicates", "corrected"), 0)
        became["duplicates"] = len(some) - len(first)
        for key, (row, y) in first.items():
            became[self.model.come(key, row, y, self.now, corrects=corrects)] += 1
        return became

    @rule(some=rows)
    def observe(self, some: list[tuple[str, Row, int]]) -> None:
        come, y = [self.placed(row) for _, row, _ in some], [y for *_, y in some]
        self.monitors.observe(NAME, self.sent(come, y, None), None).result()
        self.model.others += zip(come, y, strict=True)
        self.model.scored += come

    @rule(some=rows)
    def observe_by_id(self, some: list[tuple[str, Row, int]]) -> None:
        come = [(key, self.placed(row), y) for key, row, y in some]
        sent = self.sent([row for _, row, _ in come], [y for *_, y in come], [k for k, *_ in come])
        answer = json.loads(self.monitors.observe(NAME, sent, None).result().reply.body)
        became = self.came([(key, row, y) for key, row, y in come])
        assert answer["duplicates"] == became["duplicates"]
        assert answer["accepted"] == len(some) - became["duplicates"]

    @rule(some=rows)
    def predict(self, some: list[tuple[str, Row, int]]) -> None:
        come = [(key, self.placed(row)) for key, row, _ in some]
        sent = self.sent([row for _, row in come], None, [key for key, _ in come])
        answer = json.loads(self.monitors.observe(NAME, sent, None).result().reply.body)
        self.check(answer, self.came([(key, row, None) for key, row in come]))

    @rule(some=st.lists(st.tuples(name, outcome), min_size=1, max_size=4), corrects=st.booleans())
    def label(self, some: list[tuple[str, int]], corrects: bool) -> None:  # noqa: FBT001
        sent = LabelRows([key for key, _ in some], self.truth([y for _, y in some]), corrects)
        answer = json.loads(self.monitors.label(NAME, sent, None).result().reply.body)
        self.check(answer, self.came([(key, None, y) for key, y in some], corrects=corrects))

    def check(self, answer: Document, became: dict[str, int]) -> None:
        found = {name: answer[name] for name in ("matched", "duplicates", "corrected")}
        assert found | {"new": answer["pending"]} == became

    @rule(seconds=st.sampled_from([1, 60, HOUR, 7 * HOUR, 30 * HOUR]))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def tidy(self) -> None:
        self.maintenance.compact_all()
        self.model.tidy(self.now, self.default)

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.open()

    @invariant()
    def every_sum_is_that_of_the_rows(self) -> None:
        record = self.store.record("monitor", NAME)
        if record is None:
            return
        for of in (None, "country"):
            found = tallies_by_slice(self.store.parts(record.id, 0, int(self.now) + HOUR, of))
            for country in (None,) if of is None else ("DE", "FR"):
                key = "" if country is None else f"country={country}"
                here = [
                    each for each in self.model.labelled() if country in {None, each[0].country}
                ]
                scored = [each for each in self.model.scored if country in {None, each.country}]
                window = found.get(key, WindowTallies())
                labelled = self.tally([row for row, _ in here], [y for _, y in here])
                assert window.labelled == labelled
                assert of_scores(window.scored) == of_scores(self.tally(scored, None))

    @invariant()
    def the_counts_are_those_of_the_halves(self) -> None:
        record = self.store.record("monitor", NAME)
        counts = {} if record is None else self.store.counts(record.id)
        kept = self.model.kept.values()
        waits = {
            "waiting_predictions": sum(each.row is not None and each.y is None for each in kept),
            "waiting_labels": sum(each.row is None for each in kept),
        }
        assert {name: counts.get(name, 0) for name in waits} == waits
        gone = ("waiting_predictions", "matched", "expired_predictions", "defaulted")
        assert counts.get("predictions", 0) == sum(counts.get(name, 0) for name in gone)
        both = ("waiting_labels", "matched", "expired_labels")
        assert counts.get("labels", 0) == sum(counts.get(name, 0) for name in both)


class LabelLedger(Ledger):
    """The same of rows with three labels."""

    monitor = replace(MONITOR, task="multilabel", labels=("a", "b", "c"))
    terms: TermsOf = staticmethod(multilabel_terms)

    def proba(self, p: Array) -> Array:
        """See Ledger."""
        return np.stack([p, p / 2, 1 - p], axis=1)

    def truth(self, y: Sequence[int]) -> Array:
        """See Ledger."""
        came: Array = np.array([[0, 1, 0], [1, 0, 0.5]])[list(y)]
        return came


TestLedger = Ledger.TestCase
TestLabelLedger = LabelLedger.TestCase
TestLedger.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestLabelLedger.settings = settings(TestLedger.settings, max_examples=10)
