"""Writes to experiments: an answered write is on disk, exactly once."""

from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from pydantic import TypeAdapter

from kullback.clock import WatchedClock
from kullback.errors import Conflict
from kullback.experiments.arm_tallies import CheckedArmRows, checked_arm_rows
from kullback.experiments.plan import Plan
from kullback.experiments.replies import AcceptedObservations, ExperimentSetup
from kullback.experiments.rows import ArmRows
from kullback.experiments.windows import cells, times
from kullback.numerics.types import Array
from kullback.scoring.screening import Screening, screened_batch
from kullback.storage.base import (
    Cell,
    IdempotencyKey,
    Record,
    Reply,
    Store,
    Transaction,
    Written,
)
from kullback.storage.prepared import write_prepared
from kullback.storage.records import existing
from kullback.storage.slice_values import admit
from kullback.stored_sums import naming_settings
from kullback.tally.merge import merge
from kullback.tally.tally import decoded_total

KIND = "experiment"
WRITES = "writes"


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """An experiment as it stands: its plan, and how many plans with rows came before."""

    epoch: int
    plan: Plan

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
    epoch: int
    plan: Plan

    @classmethod
    def of(cls, record: Record | None, name: str) -> "StoredExperiment":
        """The experiment of a record.

        Raises:
            NotFound: there is none.
            DamagedTally: its settings cannot be read.
        """
        record = existing(record, KIND, name)
        with naming_settings(KIND, record.name):
            document = PlanDocument.decoded(record.document)
        return cls(record, document.epoch, document.plan)

    def setup(self) -> ExperimentSetup:
        """The experiment as its callers set it up."""
        return ExperimentSetup.of(self.record.name, self.epoch, self.plan)


class Experiments:
    """Writing to experiments, each write with the key that makes it happen once.

    Rows are checked and summed by the thread that calls; what is wrong with them is raised from
    the write, so that the retry of a batch that was stored gets its answer.
    """

    def __init__(self, store: Store, clock: WatchedClock) -> None:
        self._store = store
        self._clock = clock

    def put(self, name: str, plan: Plan, key: IdempotencyKey | None) -> Future[Written]:
        """Create an experiment, or change its plan; once rows have come that opens a new epoch."""

        def work(tx: Transaction) -> Reply:
            record = tx.record(KIND, name, for_change=True)
            if record is None:
                record = tx.create(KIND, name, PlanDocument(1, plan).encoded(), self._clock())
                return Reply.of(StoredExperiment(record, 1, plan).setup(), 201)
            present = StoredExperiment.of(record, name)
            if present.plan == plan:
                return Reply.of(present.setup())
            epoch = present.epoch
            if tx.has_rows(record.id):
                tx.attach(record.id, plan_of(epoch), present.plan.encoded())
                epoch += 1
                tx.renew(record.id)  # keys of rows that are of the past are new again
            tx.change(record.id, PlanDocument(epoch, plan).encoded())
            return Reply.of(StoredExperiment(record, epoch, plan).setup())

        return self._store.write(work, key)

    def delete(self, name: str, key: IdempotencyKey | None) -> Future[Written]:
        """Remove an experiment and all that it holds."""

        def work(tx: Transaction) -> Reply:
            tx.delete(existing(tx.record(KIND, name, for_change=True), KIND, name).id)
            return Reply(204, b"")

        return self._store.write(work, key)

    def observe(self, name: str, rows: ArmRows, key: IdempotencyKey | None) -> Future[Written]:
        """Add rows to the present epoch."""

        def commit(tx: Transaction, ready: _PreparedRows) -> Reply:
            present, record = StoredExperiment.of(tx.record(KIND, name), name).record, ready.record
            if (present.id, present.revision) != (record.id, record.revision):
                raise Conflict("the experiment was changed while the rows came: send them again")
            if ready.rows:
                tx.add(record.id, ready.bounded(tx))
                tx.count(record.id, {WRITES: 1, f"observations/{ready.epoch}": ready.rows})
            return ready.reply

        return write_prepared(self._store, lambda: self._prepared(name, rows), commit, key)

    def _prepared(self, name: str, rows: ArmRows) -> "_PreparedRows":
        self._clock.check()
        present = StoredExperiment.of(self._store.record(KIND, name), name)
        epoch, now = present.epoch, self._clock()

        def check(these: ArmRows) -> tuple[CheckedArmRows, Array]:
            return checked_arm_rows(present.plan, these), times(these.timestamp, len(these), now)

        checked, rows, screening = screened_batch(rows, check, rows.screening)
        n, sums = len(rows), {} if checked is None else cells(present.plan, epoch, *checked)
        reply = _accepted(epoch, n, sums, screening)
        return _PreparedRows(present.record, epoch, n, sums, reply, present.plan.max_values)


@dataclass(frozen=True, slots=True)
class _PreparedRows:
    """Rows that were checked and summed for an experiment, before the write that adds them."""

    record: Record
    epoch: int
    rows: int
    cells: Mapping[Cell, bytes]
    reply: Reply
    values: int

    def bounded(self, tx: Transaction) -> Mapping[Cell, bytes]:
        """The cells, as many of each slice as may be: the rest of its values are one."""
        name = f"slice values/{self.epoch}"
        moved = admit(tx, self.record.id, name, self.cells, self.values)
        if not moved:
            return self.cells
        kept: dict[Cell, list[bytes]] = defaultdict(list)
        for cell, content in self.cells.items():
            kept[cell._replace(slice=moved.get(cell.slice, cell.slice))].append(content)
        return {cell: merge(contents) for cell, contents in kept.items()}


def plan_of(epoch: int) -> str:
    """The name under which the plan of a past epoch is kept."""
    return f"plan/{epoch}"


def _accepted(epoch: int, n: int, sums: Mapping[Cell, bytes], screening: Screening) -> Reply:
    of_rows = [sums[cell] for cell in sums if not cell.slice and "/tally/" in cell.kind]
    clipped = infinite = 0
    if of_rows:
        tally = decoded_total(of_rows)
        clipped, infinite = tally.scalar("clipped"), tally.scalar("infinite")
    first = tuple(place for _, place in screening.rejections)
    accepted = AcceptedObservations(n, screening.rejected, first, clipped, infinite, epoch)
    return Reply.of(accepted)
