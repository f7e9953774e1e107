"""Writes to experiments: an answered write is on disk, exactly once."""

from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from kullback.clock import WatchedClock
from kullback.errors import Conflict
from kullback.experiments.arm_tallies import CheckedArmRows, checked_arm_rows
from kullback.experiments.plan import Plan
from kullback.experiments.plan_changes import PlanTransition
from kullback.experiments.replies import AcceptedObservations, ChangedExperiment, ExperimentSetup
from kullback.experiments.rows import ArmRows
from kullback.experiments.stops import Stop
from kullback.experiments.stored import IGNORED, KIND, WRITES, PlanDocument, StoredExperiment
from kullback.experiments.windows import cells, is_of_tally, times
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
from kullback.tally.merge import merge
from kullback.tally.tally import decoded_total


class Experiments:
    """Writing to experiments, each write with the key that makes it happen once.

    Rows are checked and summed by the thread that calls; what is wrong with them is raised from
    the write, so that the retry of a batch that was stored gets its answer.
    """

    def __init__(self, store: Store, clock: WatchedClock) -> None:
        self._store = store
        self._clock = clock

    def put(
        self,
        name: str,
        plan: Plan,
        key: IdempotencyKey | None,
        *,
        new_epoch: bool = False,
        dry_run: bool = False,
    ) -> Future[Written]:
        """Create an experiment, or give it another plan; a dry run answers the same, and is none.

        The future raises:
            Conflict: rows would be left behind, and nobody said that they may be.
        """

        def work(tx: Transaction) -> Reply:
            record = tx.record(KIND, name, for_change=True)
            if record is None:
                if not dry_run:
                    tx.create(KIND, name, PlanDocument(1, plan).encoded(), self._clock())
                created = ChangedExperiment.after(ExperimentSetup.of(name, 1, plan), None)
                return Reply.of(created, 200 if dry_run else 201)
            stored = StoredExperiment.of(record, name)
            transition = PlanTransition.of(tx, stored, plan, new_epoch=new_epoch)
            if not dry_run:
                transition.make(tx, self._clock(), new_epoch=new_epoch)
            return Reply.of(transition.reply())

        # a dry run takes no key: it would be the answer to the change that comes after it
        return self._store.write(work, None if dry_run else key)

    def stop(self, name: str, note: str, key: IdempotencyKey | None) -> Future[Written]:
        """Take no more rows in the present epoch, for good; the same stop again changes nothing.

        The future raises:
            Conflict: it was stopped before, with another note.
        """

        def work(tx: Transaction) -> Reply:
            stored = StoredExperiment.of(tx.record(KIND, name, for_change=True), name)
            if stored.stop is None:
                stored = stored.stopped(Stop(self._clock(), note))
                tx.change(stored.record.id, stored.document.encoded())
            elif stored.stop.note != note:
                raise Conflict.at(f"the experiment is {stored.stop}", "note")
            return Reply.of(stored.setup())

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
            if ready.ignored:
                tx.count(record.id, {f"{IGNORED}/{ready.epoch}": ready.ignored})
            return ready.reply

        return write_prepared(self._store, lambda: self._prepared(name, rows), commit, key)

    def _prepared(self, name: str, rows: ArmRows) -> "_PreparedRows":
        self._clock.check()
        present = StoredExperiment.of(self._store.record(KIND, name), name)
        if present.stop is not None:
            raise Conflict(
                f"the experiment is {present.stop}: it takes no more rows, unless a PUT of its "
                "plan with ?epoch=new opens the next epoch"
            )
        epoch, now = present.epoch, self._clock()

        def check(these: ArmRows) -> tuple[CheckedArmRows, Array]:
            return checked_arm_rows(present.plan, these), times(these.timestamp, len(these), now)

        checked, rows, screening = screened_batch(rows, check, rows.screening)
        if checked is None:
            n = ignored = 0
            sums: dict[Cell, bytes] = {}
        else:
            n, ignored = checked[0].accepted, checked[0].ignored
            sums = cells(present.plan, epoch, *checked, present.periods(epoch))
        reply = _accepted(epoch, n, ignored, sums, screening)
        values = present.plan.max_values
        return _PreparedRows(present.record, epoch, n, ignored, sums, reply, values)


@dataclass(frozen=True, slots=True)
class _PreparedRows:
    """Rows that were checked and summed for an experiment, before the write that adds them."""

    record: Record
    epoch: int
    rows: int
    ignored: int
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


def _accepted(
    epoch: int, n: int, ignored: int, sums: Mapping[Cell, bytes], screening: Screening
) -> Reply:
    of_rows = [sums[cell] for cell in sums if not cell.slice and is_of_tally(cell)]
    clipped = infinite = 0
    if of_rows:
        tally = decoded_total(of_rows)
        clipped, infinite = tally.scalar("clipped"), tally.scalar("infinite")
    first = tuple(place for _, place in screening.rejections)
    accepted = AcceptedObservations(n, ignored, screening.rejected, first, clipped, infinite, epoch)
    return Reply.of(accepted)
