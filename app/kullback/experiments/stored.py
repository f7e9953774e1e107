"""An experiment as it stands in the store: its plan, and the epochs that its rows came in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from pydantic import TypeAdapter

from kullback.experiments.plan import Plan
from kullback.experiments.replies import ExperimentSetup
from kullback.experiments.share_periods import SharePeriod
from kullback.experiments.stops import Stop
from kullback.storage.base import Record, Transaction
from kullback.storage.records import existing
from kullback.stored_sums import naming_settings

KIND = "experiment"
WRITES = "writes"
IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """The plan of an experiment, the epoch of rows that come now, the last one, those stopped.

    The last is the present one where it is not said: it is where nobody has gone back. `ramps` are
    the periods of shares of epochs in which these have changed.
    """

    epoch: int
    plan: Plan
    last: int | None = None
    stops: Mapping[int, Stop] = field(default_factory=dict)
    ramps: Mapping[int, tuple[SharePeriod, ...]] = field(default_factory=dict)

    @property
    def epochs(self) -> range:
        """The numbers of all epochs."""
        return range(1, (self.last or self.epoch) + 1)

    def encoded(self) -> bytes:
        """The bytes that `decoded` makes it from."""
        return _JSON.dump_json(self)

    @classmethod
    def decoded(cls, document: bytes) -> "PlanDocument":
        """See encoded."""
        return _JSON.validate_json(document)


_JSON = TypeAdapter(PlanDocument)


@dataclass(frozen=True, slots=True)
class StoredExperiment:
    """An experiment as it stands in the store."""

    record: Record
    document: PlanDocument

    @classmethod
    def of(cls, record: Record | None, name: str) -> "StoredExperiment":
        """The experiment of a record.

        Raises:
            NotFound: there is none.
            DamagedTally: its settings cannot be read.
        """
        record = existing(record, KIND, name)
        with naming_settings(KIND, record.name):
            return cls(record, PlanDocument.decoded(record.document))

    @property
    def epoch(self) -> int:
        """The epoch that rows come in."""
        return self.document.epoch

    @property
    def plan(self) -> Plan:
        """The plan of that epoch."""
        return self.document.plan

    @property
    def epochs(self) -> range:
        """The numbers of all epochs."""
        return self.document.epochs

    @property
    def stop(self) -> Stop | None:
        """Since when and why the epoch takes no more rows, if it does not."""
        return self.document.stops.get(self.epoch)

    def periods(self, epoch: int) -> tuple[SharePeriod, ...]:
        """The periods of constant shares of an epoch; none where shares have never changed."""
        return self.document.ramps.get(epoch, ())

    def stopped(self, stop: Stop) -> "StoredExperiment":
        """The same, stopped in its present epoch."""
        stops = {**self.document.stops, self.epoch: stop}
        return replace(self, document=replace(self.document, stops=stops))

    def setup(self) -> ExperimentSetup:
        """The experiment as its callers set it up."""
        return ExperimentSetup.of(self.record.name, self.epoch, self.plan, self.stop)

    def earlier(self, tx: Transaction, plan: Plan) -> int | None:
        """The latest other epoch that was not stopped and whose rows count under a plan, if any."""
        return next((epoch for epoch, past in self._past(tx) if not past.incompatible(plan)), None)

    def _past(self, tx: Transaction) -> Iterator[tuple[int, Plan]]:
        ended = {self.epoch, *self.document.stops}
        for epoch in reversed(self.epochs):
            kept = None if epoch in ended else tx.attachment(self.record.id, plan_of(epoch))
            if kept is not None:
                with naming_settings(KIND, self.record.name):
                    plan = Plan.decoded(kept)
                yield epoch, plan


def plan_of(epoch: int) -> str:
    """The name under which the plan of an epoch is kept that rows do not come in now."""
    return f"plan/{epoch}"


def rows_of(counts: Mapping[str, int], epoch: int) -> int:
    """How many rows came in an epoch, of the counts of an experiment."""
    return counts.get(f"observations/{epoch}", 0)


def ignored_in(counts: Mapping[str, int], epoch: int) -> int:
    """How many rows of other arms were left out of an epoch."""
    return counts.get(f"{IGNORED}/{epoch}", 0)
