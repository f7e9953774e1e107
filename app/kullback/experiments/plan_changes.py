"""Changes of the plan of an experiment: which epoch they lead to, and what they leave behind."""

from dataclasses import dataclass

from kullback.errors import Conflict, FieldError, pointer
from kullback.experiments.plan import Plan
from kullback.experiments.replies import ChangedExperiment, ExperimentSetup, PlanChange
from kullback.experiments.share_periods import SharePeriod, changed_shares
from kullback.experiments.stored import PlanDocument, StoredExperiment, plan_of, rows_of
from kullback.storage.base import Transaction


@dataclass(frozen=True, slots=True)
class PlanTransition:
    """From the plan of an experiment to another, and from its epoch to that of the other.

    Attributes:
        stored: the experiment as it stands.
        plan: the other plan.
        epoch: the epoch of the other plan: the present one where its rows count on, else the
            latest one whose rows do, else the next; the present one too where it has no rows. An
            epoch that was stopped is none of these, unless nothing changes.
        rows: how many rows the present epoch has.
        kept: how many rows the epoch of the other plan has.
        opens_stratum: whether rows count on, in a stratum of their own, as shares alone change.
    """

    stored: StoredExperiment
    plan: Plan
    epoch: int
    rows: int
    kept: int
    opens_stratum: bool = False

    @classmethod
    def of(
        cls, tx: Transaction, stored: StoredExperiment, plan: Plan, *, new_epoch: bool
    ) -> "PlanTransition":
        """The way of an experiment to a plan; nothing is written."""
        counts, is_stopped = tx.counts(stored.record.id), stored.stop is not None
        rows, epoch = rows_of(counts, stored.epoch), stored.epoch
        reopens = is_stopped and (new_epoch or stored.plan != plan)
        is_ramp = not (reopens or new_epoch) and stored.plan.ramps_to(plan)
        if is_ramp and rows:
            return cls(stored, plan, epoch, rows, rows, opens_stratum=True)
        if reopens or (stored.plan.incompatible(plan) and not is_ramp):
            unused = stored.epochs.stop if rows or is_stopped else stored.epoch
            epoch = stored.earlier(tx, plan) or unused
        return cls(stored, plan, epoch, rows, rows_of(counts, epoch))

    @property
    def opens_epoch(self) -> bool:
        """Whether rows will come in another epoch."""
        return self.epoch != self.stored.epoch

    @property
    def left(self) -> int:
        """How many rows are left behind."""
        return self.rows if self.opens_epoch else 0

    def reply(self) -> ChangedExperiment:
        """The experiment under the other plan, and what has changed."""
        fields = self.stored.plan.differing(self.plan)
        change = PlanChange(fields, self.opens_epoch, self.opens_stratum, self.left, self.kept)
        stopped = None if self.opens_epoch else self.stored.stop
        setup = ExperimentSetup.of(self.stored.record.name, self.epoch, self.plan, stopped)
        return ChangedExperiment.after(setup, change)

    def make(self, tx: Transaction, now: float, *, new_epoch: bool) -> None:
        """Change the plan at a moment, if there is anything to change.

        Raises:
            Conflict: rows would be left behind, or it was stopped, and no new epoch was asked for.
        """
        is_stopped = self.stored.stop is not None
        if (self.left or (self.opens_epoch and is_stopped)) and not new_epoch:
            self._refuse()
        stored, record, last = self.stored, self.stored.record.id, self.stored.epochs.stop - 1
        if self.opens_epoch:
            is_nothing = stored.epoch == last and not self.rows and not is_stopped
            if is_nothing:
                last -= 1
            else:
                tx.attach(record, plan_of(stored.epoch), stored.plan.encoded())
            last = max(last, self.epoch)
            tx.renew(record, self.epoch - 1)  # keys are of the rows of their epoch
        if stored.plan != self.plan or self.opens_epoch:
            ahead = None if last == self.epoch else last
            stops, ramps = stored.document.stops, self._ramps(now)
            document = PlanDocument(self.epoch, self.plan, ahead, stops, ramps)
            tx.change(record, document.encoded())

    def _ramps(self, now: float) -> dict[int, tuple[SharePeriod, ...]]:
        """The periods of shares of all epochs, once the plan has changed."""
        stored, ramps = self.stored, dict(self.stored.document.ramps)
        if self.opens_stratum:
            before, shares = stored.plan.shares, self.plan.shares
            ramps[self.epoch] = changed_shares(stored.periods(self.epoch), before, shares, now)
        elif not self.kept:
            ramps.pop(self.epoch, None)
        return ramps

    def _refuse(self) -> None:
        stop, epoch = self.stored.stop, self.stored.epoch
        names = self.stored.plan.differing(self.plan)
        if stop is None:
            names = self.stored.plan.incompatible(self.plan)
        rows = f"this would leave {self.left:,} row{'s' * (self.left != 1)} of epoch {epoch} behind"
        why = rows if stop is None else f"epoch {epoch} is {stop}"
        way = "returns to" if self.epoch in self.stored.epochs else "opens"
        detail = (
            f"{why}: ?dry_run=true says what would change, and ?epoch=new {way} epoch {self.epoch}"
        )
        places = [FieldError(pointer(name), detail) for name in names]
        raise Conflict(f"{', '.join(names)}: {detail}", places)
