"""An experiment and a query about it, answered by what is read of the store once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from kullback.documents import entity_tag, extended
from kullback.errors import InvalidInput
from kullback.experiments.arm_tallies import ArmTallies
from kullback.experiments.comparison import compare, effects
from kullback.experiments.crossings import ExperimentSnapshot, FirstCrossings
from kullback.experiments.horizon_answers import with_settled
from kullback.experiments.plan import Plan
from kullback.experiments.replies import (
    EffectPoint,
    ExperimentDetail,
    ExperimentSeries,
    ListedExperiment,
)
from kullback.experiments.report import ArmEffect, ExperimentReport
from kullback.experiments.reporting import arm_effect, arms_report
from kullback.experiments.stored import WRITES, StoredExperiment, ignored_in, plan_of, rows_of
from kullback.experiments.windows import by_step, count_steps, tallies_by_segment
from kullback.moments import DAY, HOUR
from kullback.storage.base import Cell, Part, Store

Form = Literal["report", "page", "series"]
POINTS = 500
STEPS = (HOUR, 6 * HOUR, DAY, 7 * DAY, 28 * DAY, 700 * DAY)  # the last has room for all time
_EVER = 1 << 60


@dataclass(frozen=True, slots=True)
class ExperimentQuery:
    """A question about an experiment: None is the present epoch, no slice, the first treatment."""

    epoch: int | None = None
    by: str | None = None
    arm: str | None = None
    step: int = DAY
    form: Form = "report"


class ExperimentSelection:
    """An experiment and a query about it; what is needed of the store is read once, when it is."""

    def __init__(
        self,
        store: Store,
        crossings: FirstCrossings,
        experiment: StoredExperiment,
        query: ExperimentQuery,
    ) -> None:
        self.experiment = experiment
        self.query = query
        self.epoch = query.epoch or experiment.epoch
        self._store = store
        self._crossings = crossings
        self._record = experiment.record
        self._counted_parts: tuple[int, list[Part]] | None = None

    def narrowed(self, query: ExperimentQuery) -> "ExperimentSelection":
        """Another query about the same experiment."""
        return ExperimentSelection(self._store, self._crossings, self.experiment, query)

    @cached_property
    def etag(self) -> str:
        """An entity tag: it changes whenever the answer to the query does."""
        counts = sorted(self.counts.items())
        parts = (self._record.id, self._record.revision, counts, self.query)
        return entity_tag(repr(parts).encode())

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """What the store counts of it."""
        return self._store.counts(self._record.id)

    @cached_property
    def last_start(self) -> int | None:
        """When the last hour that has rows began."""
        return self._store.last_start(self._record.id)

    @cached_property
    def plan(self) -> Plan:
        """The plan of the epoch.

        Raises:
            InvalidInput: there is no such epoch.
        """
        if self.epoch == self.experiment.epoch:
            return self.experiment.plan
        kept = self._store.attachment(self._record.id, plan_of(self.epoch))
        if kept is None:
            raise InvalidInput.at(f"epoch is one of 1..{self.epochs[-1]}", "epoch")
        return Plan.decoded(kept)

    def details(self) -> ExperimentDetail:
        """The plan, the number of rows in each epoch, and the first verdicts."""
        experiment = self.experiment
        kept = self._crossings.of(self._record, experiment.epoch, experiment.plan)
        return extended(
            ExperimentDetail,
            listed(experiment),
            version=self.counts.get(WRITES, 0),
            observations={str(epoch): self.rows_of(epoch) for epoch in self.epochs},
            last_window=self.last_start,
            first_crossing=kept.crossings,
            first_answers=kept.answers,
        )

    @property
    def epochs(self) -> range:
        """The numbers of all epochs."""
        return self.experiment.epochs

    def rows_of(self, epoch: int) -> int:
        """How many rows came in an epoch."""
        return rows_of(self.counts, epoch)

    def report(self) -> ExperimentReport:
        """The report; a verdict that is reached for the first time is kept.

        Raises:
            InvalidInput: there is no such epoch, or no such slice.
        """
        if self.query.by is not None:
            self.plan.check_slice(self.query.by, "by")
        snapshot = self.snapshot()
        kept = self._crossings.keep(snapshot)
        report = arms_report(snapshot.findings, self.query.by)
        return extended(
            ExperimentReport,
            replace(report, comparisons=with_settled(report.comparisons, kept.answers)),
            experiment=self._record.name,
            epoch=snapshot.epoch,
            version=snapshot.version,
            ignored=ignored_in(self.counts, snapshot.epoch),
            stopped=self.experiment.document.stops.get(snapshot.epoch),
            first_crossing=kept.crossings,
            first_answers=kept.answers,
        )

    def snapshot(self) -> ExperimentSnapshot:
        """The findings of the epoch, with their version."""
        plan = self.plan
        if self._counted_parts is None:
            self._counted_parts = self._store.counted_parts(self._record.id, WRITES)
        version, parts = self._counted_parts
        by_segment = tallies_by_segment(plan, self.epoch, parts)
        findings = compare(plan, by_segment, self.experiment.periods(self.epoch))
        return ExperimentSnapshot(self._record, self.epoch, version, findings)

    def series(self, step: int | None = None, arm: str | None = None) -> ExperimentSeries:
        """The effect of an arm at the end of each step, of all rows up to there.

        By the step and arm of the query, unless they are named.

        Raises:
            InvalidInput: there is no such epoch or arm, or the step cannot be asked for.
        """
        plan, step = self.plan, step or self.query.step
        arm = self.query.arm if arm is None else arm
        arm = plan.treatments[0] if arm is None else arm
        if arm not in plan.treatments:
            detail = f"arm is one of {', '.join(plan.treatments)}, compared with {plan.control}"
            raise InvalidInput.at(detail, "arm")
        self.check_step(step)
        name, points = self._record.name, tuple(self._points(arm, step))
        return ExperimentSeries(name, plan.metric, step, self.epoch, arm, plan.control, points)

    def check_step(self, step: int) -> None:
        """Refuse steps that are not of whole hours or too many; no part of a sum is read for it.

        Raises:
            InvalidInput: the step cannot be asked for.
        """
        if step < HOUR or step % HOUR:
            raise InvalidInput.at(f"step is a multiple of {HOUR} seconds", "step")
        points = count_steps(self.epoch, step, self._cells)
        if points > POINTS:
            detail = f"{points} points, where at most {POINTS} are given: ask for a longer step"
            raise InvalidInput.at(detail, "step")

    def allows(self, step: int) -> bool:
        """Whether the step can be asked for."""
        try:
            self.check_step(step)
        except InvalidInput:
            return False
        return True

    def _points(self, arm: str, step: int) -> Iterator[EffectPoint]:
        plan, tallies = self.plan, ArmTallies()
        for stop, parts in by_step(self.epoch, step, self._parts).items():
            tallies += tallies_by_segment(plan, self.epoch, parts)[""]
            rows = [tally.scalar("rows") for tally in tallies.tallies.values()]
            n = max(rows, default=0) if plan.design == "paired" else sum(rows)
            start = max(0, stop - step)  # a step may be longer than all time
            effect = self._effect(tallies, arm)
            yield extended(EffectPoint, effect, start=start, to=stop, n=n)

    def _effect(self, tallies: ArmTallies, arm: str) -> ArmEffect:
        several = effects(self.plan, tallies, self.experiment.periods(self.epoch))
        comparisons = {comparison.arm: comparison for comparison in several}
        return arm_effect(comparisons[arm], self.plan.alpha)

    @cached_property
    def _parts(self) -> list[Part]:
        """The parts of all rows."""
        if self._counted_parts is None:
            return self._store.parts(self._record.id, -_EVER, _EVER)
        return [part for part in self._counted_parts[1] if not part[0].slice]

    @cached_property
    def _cells(self) -> list[Cell]:
        """The cells of all rows."""
        if self._counted_parts is None:
            return self._store.cells(self._record.id)
        return [cell for cell, _ in self._parts]


def listed(experiment: StoredExperiment) -> ListedExperiment:
    """The experiment as it was set up, and when."""
    return extended(ListedExperiment, experiment.setup(), created=experiment.record.created)
