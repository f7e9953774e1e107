"""Changes of the plan of an experiment: which epoch they lead to, and what they leave behind."""

from dataclasses import dataclass

from kullback.errors import Conflict, FieldError, pointer
from kullback.experiments.plan import Plan
from kullback.experiments.replies import ChangedExperiment, PlanChange
from kullback.experiments.stored import PlanDocument, StoredExperiment, plan_of, rows_of
from kullback.storage.base import Transaction


@dataclass(frozen=True, slots=True)
class PlanTransition:
    """From the plan of an experiment to another, and from its epoch to that of the other.

    Attributes:
        stored: the experiment as it stands.
        plan: the other plan.
        epoch: the epoch of the other plan: the present one where its rows count on, else the
            latest one whose rows do, else the next; the present one too where it has no rows.
        rows: how many rows the present epoch has.
        kept: how many rows the epoch of the other plan has.
    """

    stored: StoredExperiment
    plan: Plan
    epoch: int
    rows: int
    kept: int

    @classmethod
    def of(cls, tx: Transaction, stored: StoredExperiment, plan: Plan) -> "PlanTransition":
        """The way of an experiment to a plan; nothing is written."""
        counts = tx.counts(stored.record.id)
        rows, epoch = rows_of(counts, stored.epoch), stored.epoch
        if stored.plan.incompatible(plan):
            unused = stored.epochs.stop if rows else stored.epoch
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
        change = PlanChange(fields, self.opens_epoch, self.left, self.kept)
        return ChangedExperiment.after(self.stored.record.name, self.epoch, self.plan, change)

    def make(self, tx: Transaction, *, new_epoch: bool) -> None:
        """Change the plan, if there is anything to change.

        Raises:
            Conflict: rows would be left behind, and no new epoch was asked for.
        """
        if self.left and not new_epoch:
            self._refuse()
        stored, record, last = self.stored, self.stored.record.id, self.stored.epochs.stop - 1
        if self.opens_epoch:
            is_nothing = stored.epoch == last and not self.rows
            if is_nothing:
                last -= 1
            else:
                tx.attach(record, plan_of(stored.epoch), stored.plan.encoded())
            last = max(last, self.epoch)
            tx.renew(record, self.epoch - 1)  # keys are of the rows of their epoch
        if stored.plan != self.plan:
            ahead = None if last == self.epoch else last
            tx.change(record, PlanDocument(self.epoch, self.plan, ahead).encoded())

    def _refuse(self) -> None:
        names = self.stored.plan.incompatible(self.plan)
        rows = f"{self.left:,} row{'s' * (self.left != 1)} of epoch {self.stored.epoch}"
        way = "returns to" if self.epoch in self.stored.epochs else "opens"
        detail = (
            f"this would leave {rows} behind: ?dry_run=true says what would change, and "
            f"?epoch=new {way} epoch {self.epoch}"
        )
        places = [FieldError(pointer(name), detail) for name in names]
        raise Conflict(f"{', '.join(names)}: {detail}", places)
