"""Reading monitors: reports, series, and what stands of each in the store."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property

from kullback.documents import extended
from kullback.errors import DamagedTally
from kullback.judgement.settings import Thresholds
from kullback.moments import Clock
from kullback.monitoring.annotations import ANNOTATIONS, Annotation, annotations_of, within
from kullback.monitoring.arrival_times import ARRIVALS, ArrivalTimes
from kullback.monitoring.checks import MonitorChecks, state_of
from kullback.monitoring.features import ALL_FEATURES, total_features
from kullback.monitoring.histories import Histories
from kullback.monitoring.ingest import SLICE_VALUES
from kullback.monitoring.label_delays import DELAYS, LabelDelays
from kullback.monitoring.maturity import Maturity
from kullback.monitoring.recent import RecentHour, recent_hour
from kullback.monitoring.reference import Reference
from kullback.monitoring.replies import (
    CreatedMonitor,
    ListedMonitor,
    MonitorCounts,
    MonitorDetails,
    MonitorList,
    ReferenceSummary,
)
from kullback.monitoring.selection import MonitorQuery, MonitorSelection, counted_query
from kullback.monitoring.stored import KIND, REFERENCE, StoredMonitor
from kullback.monitoring.window_tallies import WindowTallies, tallies_by_slice
from kullback.monitoring.windows import Span, span
from kullback.storage.base import Record, Store
from kullback.storage.records import PresentRecords
from kullback.storage.slice_values import values_with_places
from kullback.tally.feature_table import FeatureTable
from kullback.tally.metrics import TallyMetrics
from kullback.timezones import Time


class MonitorQueries:
    """Reading monitors; what was written before it was asked for is in every answer."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._histories = Histories()
        self._present = PresentRecords(StoredMonitor.of)

    def list_all(
        self,
        checks: Mapping[str, MonitorChecks],
        sees: Callable[[str], bool],
        tag: str | None = None,
        after: str | None = None,
    ) -> MonitorList:
        """Every monitor whose name is seen, by name; of a tag, or behind a name, where asked.

        Raises:
            DamagedTally: the settings of one cannot be read.
        """
        records = self._store.records(KIND, after or "")
        listed = self._listed(checks, filter(lambda each: sees(each.name), records), tag)
        return MonitorList(tuple(listed))

    def list_part(
        self,
        checks: Mapping[str, MonitorChecks],
        sees: Callable[[str], bool],
        limit: int,
        tag: str | None,
        after: str | None,
    ) -> MonitorList:
        """The first so many of those; what comes behind them is not read.

        Raises:
            DamagedTally: the settings of one among them cannot be read.
        """
        listed: list[ListedMonitor] = []
        for record in self._seen_behind(after or "", sees, limit + 1):
            if len(listed) == limit and (tag is None or _may_have(record, tag)):
                return MonitorList(tuple(listed), listed[-1].name)
            if len(listed) < limit:
                listed += self._listed(checks, [record], tag)
        return MonitorList(tuple(listed), None)

    def _seen_behind(self, after: str, sees: Callable[[str], bool], count: int) -> Iterator[Record]:
        """The records behind a name that are seen, of which so many are read at a time."""
        while records := self._store.records(KIND, after, count):
            yield from (record for record in records if sees(record.name))
            if len(records) < count:
                return
            after = records[-1].name

    @staticmethod
    def _listed(
        checks: Mapping[str, MonitorChecks], records: Iterable[Record], tag: str | None
    ) -> Iterator[ListedMonitor]:
        for record in records:
            monitor = StoredMonitor.of(record, record.name).monitor
            if tag is None or tag in monitor.tags:
                state = state_of(checks.get(record.name))
                yield extended(ListedMonitor, CreatedMonitor.at(record, monitor), state=state)

    def open(self, name: str) -> "MonitorReader":
        """A monitor as it is now.

        Raises:
            NotFound: there is none of that name.
        """
        stored = StoredMonitor.of(self._store.record(KIND, name), name)
        return MonitorReader(self._store, stored, self._clock(), self._histories)

    def forget_others(self, records: Iterable[int]) -> None:
        """Keep nothing in memory of monitors but those of these numbers."""
        self._histories.forget_others(records)

    def present(self) -> dict[str, StoredMonitor]:
        """Every monitor whose settings can be read, by name: the same objects until they change."""
        return self._present.of(self._store.records(KIND))


def _may_have(record: Record, tag: str) -> bool:
    """Whether it has the tag, as far as can be read."""
    with suppress(DamagedTally):
        return tag in StoredMonitor.of(record, record.name).monitor.tags
    return True


class MonitorReader:
    """A monitor at one moment; what is needed of it is read once, when it is first needed."""

    def __init__(
        self, store: Store, stored: StoredMonitor, now: float, histories: Histories
    ) -> None:
        self.store = store
        self.record = stored.record
        self.stored = stored
        self.monitor = stored.monitor
        self.now = now
        self._histories = histories

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """What the store counts of it."""
        return self.store.counts(self.record.id)

    @cached_property
    def last_start(self) -> int | None:
        """When the last window began that has rows."""
        return self.store.last_start(self.record.id)

    @cached_property
    def reference(self) -> Reference | None:
        """What its drift is measured against."""
        content = self.store.attachment(self.record.id, REFERENCE)
        return None if content is None else Reference.decoded(content)

    def details(self, checks: MonitorChecks | None) -> MonitorDetails:
        """How it was set up, what came and what waits; its state by the last look at its checks."""
        reference = self.reference
        return extended(
            MonitorDetails,
            CreatedMonitor.at(self.record, self.monitor),
            state=state_of(checks),
            counts=MonitorCounts.of(self.counts),
            last_window=self.last_start,
            learned_label_lag=self.delays.lag,
            reference=None if reference is None else ReferenceSummary.of(reference),
        )

    def baseline(self) -> TallyMetrics | None:
        """The metrics of its reference, where that has rows with labels."""
        labelled = {} if self.reference is None else self.reference.labelled
        return TallyMetrics(labelled[""]) if "" in labelled else None

    @cached_property
    def delays(self) -> LabelDelays:
        """How late its labels come, as far as it has learned that."""
        return LabelDelays.decoded(self.store.attachment(self.record.id, DELAYS))

    @cached_property
    def arrivals(self) -> ArrivalTimes | None:
        """When its rows came; None where no write has told."""
        return ArrivalTimes.decoded(self.store.attachment(self.record.id, ARRIVALS))

    def annotations(
        self, start: Time | None = None, stop: Time | None = None
    ) -> tuple[Annotation, ...]:
        """What happened from `start` to before `stop`, as somebody has written down.

        Raises:
            InvalidInput: a time is without a time zone as the monitor is.
        """
        return within(self._annotations, self.monitor, start, stop)

    @cached_property
    def _annotations(self) -> tuple[Annotation, ...]:
        return annotations_of(self.store.attachment(self.record.id, ANNOTATIONS))

    @cached_property
    def values(self) -> Sequence[str]:
        """The values of its slices that are counted apart: "country=DE", of late days first."""
        content = self.store.attachment(self.record.id, SLICE_VALUES)
        return [] if content is None else values_with_places(content)

    @cached_property
    def maturity(self) -> Maturity:
        """What makes its time mature."""
        return Maturity.of(self.monitor, self.delays)

    @cached_property
    def thresholds(self) -> Mapping[str, Thresholds]:
        """Those of each of its checks."""
        return self.monitor.thresholds

    def recent(self, before: RecentHour | None = None) -> RecentHour:
        """Its last mature hour, and its last hour; see recent_hour."""
        return recent_hour(self, before)

    def checks(self) -> MonitorChecks:
        """What its checks have found by now."""
        return self._histories.checks(self)

    def span(self, start: Time | None, stop: Time | None) -> Span:
        """Some time of it, in whole windows."""
        return span(self.monitor, start, stop, self.now)

    def past(self, chosen: Span) -> Span | None:
        """The time that a moving reference of some time is of, in windows as they are kept."""
        offset = self.monitor.reference_offset
        return None if offset is None else self.span(chosen.start - offset, chosen.stop - offset)

    def reference_of(
        self, chosen: Span, slices: Sequence[str | None] = (None,)
    ) -> Reference | None:
        """What drift of some time, of all rows and of slices, is measured against."""
        reference, past = self.reference, self.past(chosen)
        if reference is None or past is None:
            return reference
        tallies: dict[str, WindowTallies] = {}
        for name in slices:
            with self.store.stream(self.record.id, *past, slices=name) as parts:
                tallies |= tallies_by_slice(self.stored.seen(parts))
        return reference.moved(past, tallies, self.features(past))

    def features(self, chosen: Span) -> FeatureTable:
        """The counts of each feature of all rows in some time."""
        if not self.monitor.features:
            return FeatureTable()
        with self.store.stream(self.record.id, *chosen, slices=ALL_FEATURES) as parts:
            return total_features(self.stored.seen(parts), self.monitor.features)

    def tallies(self, chosen: Span) -> WindowTallies:
        """What came of all rows in some time."""
        return MonitorSelection(self, MonitorQuery(), chosen).tallies()

    def select(self, query: MonitorQuery) -> MonitorSelection:
        """Some time of it.

        Raises:
            InvalidInput: the time or a slice cannot be asked for.
        """
        start = query.start if query.last is None else max(self.now - query.last, 0.0)
        chosen = self.span(start, query.stop)
        return MonitorSelection(self, counted_query(self.monitor, query), chosen)
