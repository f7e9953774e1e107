"""Whatever was written and removed between looks, the hours of a monitor are those of its parts."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kullback.clock import WatchedClock
from kullback.judgement.blocks import Block
from kullback.judgement.folds import Memo
from kullback.judgement.history import FeatureHour, History
from kullback.judgement.judge import Judgement, judge
from kullback.judgement.judged import JudgedBlock
from kullback.maintenance import MaintenanceThread
from kullback.monitoring.counters import MonitorCounters
from kullback.monitoring.judged_hours import JudgedHours
from kullback.monitoring.lifecycle import MonitorLifecycle
from kullback.monitoring.maintenance import MonitorMaintenance
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.queries import MonitorQueries, MonitorReader
from kullback.monitoring.rows import LabelRows, ObservationRows
from kullback.monitoring.stored import Removal, StoredMonitor, document
from kullback.monitoring.window_tallies import WindowTallies, tallies_by_slice
from kullback.monitoring.writes import Monitors
from kullback.numerics.types import Array
from kullback.scoring.nullable import Nullable
from kullback.storage.base import DONE, Reply, Transaction
from kullback.storage.sql import open_store
from kullback.tally.merge import merge
from kullback.timezones import Timestamps
from tests.monitoring.service import NOON
from tests.statements import watched

pytestmark = pytest.mark.untraced

HOUR, DAY = 3600, 86_400
NAMES = ("clicks", "taps")
MONITOR = Monitor(slices=("country",), features={"age": "numeric"}, ttl_seconds=6 * HOUR)
CHOICES = (
    MONITOR,
    replace(MONITOR, slices=()),
    replace(MONITOR, label_lag=2 * HOUR),
    replace(MONITOR, features={}, retention_days=1),
)
ages = st.sampled_from([0, 30, 50 * 60, HOUR, 3 * HOUR, 30 * HOUR, 9 * DAY])
batches = st.tuples(st.integers(0, 20), ages, st.integers(1, 30))


def contents(block: Block) -> list[object]:
    """All that a block is of, to the bit."""
    values = (getattr(block, name) for name in Block.__slots__)
    return [value.tobytes() if isinstance(value, np.ndarray) else value for value in values]


def written(blocks: Mapping[str, list[JudgedBlock]]) -> dict[str, list[object]]:
    return {
        name: [
            (each.mark, contents(each.block), each.rate.tobytes(), each.slope.tobytes())
            for each in some
        ]
        for name, some in blocks.items()
    }


class Looks(RuleBasedStateMachine):
    """Writes, removals, settings, time, maintenance and looks in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = TemporaryDirectory(prefix="kullback-")
        self.now, self.names, self.sent = NOON + 600, list(NAMES), 0
        self.waiting: list[str] = []
        self.unseen = 0
        clock, counters = WatchedClock(lambda: self.now, lambda: self.now), MonitorCounters()
        url = f"sqlite:///{self.directory.name}/kullback.db"
        self.store = open_store(url, merge, on_fatal=pytest.fail)
        self.monitors = Monitors(self.store, clock, counters)
        self.lifecycle = MonitorLifecycle(self.store, clock, counters)
        self.queries = MonitorQueries(self.store, clock)
        thread = MaintenanceThread(self.store, 1e6, lambda: self.now)
        self.maintenance = MonitorMaintenance(self.store, self.queries, clock, thread, counters)
        self.kept, self.memo = JudgedHours(), Memo()
        self.lifecycle.put(self.names[0], lambda _: MONITOR, None).result()
        for age, rows in ((30, 100), (3 * HOUR, 20), (30 * HOUR, 20)):
            self.observe((age, age, rows))
        self.predict((1, 3 * HOUR, 20))

    def teardown(self) -> None:
        self.store.close()
        self.directory.cleanup()

    @property
    def reader(self) -> MonitorReader:
        return self.queries.open(self.names[0])

    def rows(
        self, batch: tuple[int, int, int], ids: list[str] | None, y: Array | None
    ) -> ObservationRows:
        seed, age, rows = batch
        rng = np.random.default_rng(seed)
        monitor = self.reader.monitor
        time = self.now - min(age, monitor.retention_days * DAY - HOUR) - 60 * rng.random(rows)
        age_column = Nullable.of_texts([f"{n}" for n in rng.integers(20, 60, rows)])
        return ObservationRows(
            y,
            rng.uniform(0.1, 0.9, rows),
            None,
            Timestamps(time),
            None,
            {"country": rng.choice(["DE", "FR"], rows).tolist()} if monitor.slices else {},
            ids=ids,
            features={"age": replace(age_column, values=rng.normal(size=rows))}
            if monitor.features
            else {},
        )

    @rule(batch=batches)
    def observe(self, batch: tuple[int, int, int]) -> None:
        y = np.random.default_rng(batch[0]).integers(0, 2, batch[2]).astype(float)
        self.monitors.observe(self.names[0], self.rows(batch, None, y), None).result()

    @rule(batch=batches)
    def predict(self, batch: tuple[int, int, int]) -> None:
        ids = [f"{self.sent + place}" for place in range(batch[2])]
        self.sent += batch[2]
        self.monitors.observe(self.names[0], self.rows(batch, ids, None), None).result()
        self.waiting += ids

    @rule(seed=st.integers(0, 20), rows=st.integers(1, 60), corrects=st.booleans())
    def label(self, seed: int, rows: int, corrects: bool) -> None:  # noqa: FBT001
        ids = self.waiting[:rows]
        y = np.random.default_rng(seed).integers(0, 2, len(ids))
        if ids:
            self.monitors.label(self.names[0], LabelRows(ids, y, corrects), None).result()
            self.waiting = self.waiting[rows // 2 :]

    @rule(steps=st.integers(2, 5))
    def look_away(self, steps: int) -> None:
        """Nobody looks before so many more steps."""
        self.unseen = steps

    @rule(seconds=st.sampled_from([1, 60, HOUR, 7 * HOUR, 30 * HOUR]))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def tidy(self) -> None:
        self.maintenance.compact_all()

    @rule(age=ages, of=st.sampled_from([60, HOUR, DAY]))
    def remove(self, age: int, of: int) -> None:
        stop = self.now - age
        self.lifecycle.remove_windows(self.names[0], stop - of, stop, None).result()

    @rule(age=ages)
    def begin_removal(self, age: int) -> None:
        """Windows that nobody sees any more, of which the parts are still there."""
        hour = int(self.now - age) // HOUR * HOUR

        def work(tx: Transaction) -> Reply:
            stored = StoredMonitor.of(tx.record("monitor", self.names[0]), self.names[0])
            tx.change(stored.record.id, document(stored.monitor, Removal(hour, hour + HOUR, None)))
            return DONE

        self.store.write(work).result()
        self.look()
        self.maintenance.run_due()

    @rule()
    def rename(self) -> None:
        self.lifecycle.rename(self.names[0], self.names[1], None).result()
        self.names.reverse()
        self.maintenance.run_due()

    @rule(chosen=st.sampled_from(CHOICES))
    def change(self, chosen: Monitor) -> None:
        self.lifecycle.put(self.names[0], lambda _: chosen, None, forget=True).result()
        self.maintenance.run_due()

    @invariant()
    def every_hour_is_that_of_its_parts(self) -> None:
        self.unseen = max(self.unseen - 1, 0)
        if not self.unseen:
            self.look()

    def look(self) -> None:
        reader, anew = self.reader, JudgedHours()
        blocks, features = self.kept.blocks(reader), self.kept.features(reader)
        assert written(blocks) == written(anew.blocks(reader))
        same = [(hour.start, hour.mark) for hour in anew.features(reader)]
        assert [(hour.start, hour.mark) for hour in features] == same
        edges = 0, int(self.now) + HOUR
        wholes = {each.block.start: each.block for each in blocks.get("", [])}
        for name, some in blocks.items():
            assert [each.block.start for each in some if is_apart(each.block, wholes)] == [], name
        parts = reader.stored.seen(self.store.parts(reader.record.id, *edges))
        scored = tallies_by_slice(parts).get("", WindowTallies()).rows.scored
        assert sum(each.block.scored_rows for each in blocks.get("", [])) == scored
        found = judged_by(reader, dict(blocks), features, self.memo)
        assert found == judged_by(reader, dict(blocks), features, Memo())
        self.memo.turn()
        with watched() as statements:
            self.kept.blocks(reader)
        assert not any("content" in text and "FROM parts" in text for text, _ in statements)


def is_apart(block: Block, wholes: Mapping[int, Block]) -> bool:
    """Whether it is judged up to elsewhere than all rows of its hour, where these are."""
    whole = wholes[block.start]
    return whole.until > whole.start and block.until not in {block.start, whole.until}


def judged_by(
    reader: MonitorReader,
    blocks: dict[str, list[JudgedBlock]],
    features: list[FeatureHour],
    memo: Memo,
) -> Judgement:
    limits = {
        name: replace(each, minimum_rows=10, alarms_per_year=2000.0)
        for name, each in reader.thresholds.items()
    }
    return judge(
        History(
            now=reader.now,
            blocks=blocks.pop("", []),
            slices=blocks,
            features=features,
            lag=reader.maturity.lag,
            thresholds=limits,
            memo=memo,
        )
    )


def replaced(looks: Looks) -> None:
    """As many parts as before, and other rows."""
    looks.remove(30, DAY)
    for age in (30, 3 * HOUR):
        looks.observe((age + 1, age, 20))
    looks.predict((2, 3 * HOUR, 20))


def labelled(looks: Looks) -> None:
    looks.label(1, 20, corrects=False)


def corrected(looks: Looks) -> None:
    labelled(looks)
    looks.look()
    looks.waiting = [str(place) for place in range(20)]
    looks.label(2, 20, corrects=True)


def aged(looks: Looks) -> None:
    """The clock alone makes hours old."""
    looks.change(CHOICES[2])
    for _ in range(4):
        looks.look()
        looks.wait(HOUR)


def all_positive(looks: Looks) -> None:
    """Labels that stand for no others, and then a lag that makes them do so."""
    looks.monitors.label(looks.names[0], LabelRows(looks.waiting[:15], np.ones(15)), None).result()
    looks.wait(30 * HOUR)
    looks.look()
    looks.change(CHOICES[2])


def of_no_country(looks: Looks) -> None:
    """All rows of an hour change, and those of no value: they are off, beside the others."""
    rows = replace(looks.rows((9, 30, 300), None, np.ones(300)), slices={})
    looks.monitors.observe(looks.names[0], rows, None).result()


def merged(looks: Looks) -> None:
    looks.observe((5, 40, 20))
    looks.look()
    looks.tidy()


CHANGES: dict[str, Callable[[Looks], None]] = {
    "replaced": replaced,
    "labelled": labelled,
    "corrected": corrected,
    "aged": aged,
    "all positive": all_positive,
    "of no country": of_no_country,
    "merged": merged,
    "later": lambda looks: looks.wait(40 * 60),
    "removal begun": lambda looks: looks.begin_removal(3 * HOUR),
    "removed": lambda looks: looks.remove(30, HOUR),
    "renamed": lambda looks: looks.rename(),
    "without slices": lambda looks: looks.change(CHOICES[1]),
    "without features": lambda looks: looks.change(CHOICES[3]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_between_two_looks_is_seen(change: str) -> None:
    looks = Looks()
    looks.look()
    CHANGES[change](looks)
    looks.look()
    looks.teardown()


def test_what_was_read_by_other_settings_is_read_again() -> None:
    looks = Looks()
    reader = looks.reader
    before = looks.kept.features(reader)
    reader.monitor = replace(reader.monitor, features={"age": "categorical"})
    after = looks.kept.features(reader)
    assert all(hour.table.counts for hour in before)
    assert not any(hour.table.counts for hour in after)
    looks.teardown()


def test_of_an_hour_is_judged_what_is_mature() -> None:
    """Ten minutes after ten minutes of it, and the same ones of a value."""
    looks = Looks()
    looks.change(CHOICES[2])
    looks.now = NOON + HOUR
    for age in range(300, HOUR, 600):
        looks.observe((age, age, 20))
    looks.now += HOUR + 600
    seen = []
    for _ in range(6):
        looks.now += 600
        looks.look()
        hours = {
            name: some[-1].block for name, some in looks.kept.blocks(looks.reader).items() if some
        }
        whole = hours.pop("")
        seen.append((whole.rows, whole.until - whole.start))
        assert sum(each.rows for each in hours.values()) == whole.rows
        assert {each.until for each in hours.values()} == {whole.until}
    assert seen == [(140, 900), (160, 1500), (180, 2100), (200, 2700), *[(220, HOUR)] * 2]
    looks.teardown()


TestLooks = Looks.TestCase
TestLooks.settings = settings(
    max_examples=10,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
