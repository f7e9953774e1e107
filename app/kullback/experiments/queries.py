"""Queries of experiments: reports, series and first decisions."""

import hashlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import TypeAdapter

from kullback.documents import extended, to_json
from kullback.errors import InvalidInput, KullbackError
from kullback.experiments.answers import (
    EffectPoint,
    ExperimentDetail,
    ExperimentList,
    ExperimentSeries,
    ListedExperiment,
)
from kullback.experiments.arm_tallies import ArmTallies
from kullback.experiments.comparison import Comparison, Findings, compare, effects
from kullback.experiments.plan import Plan
from kullback.experiments.report import ExperimentReport, FirstCrossing
from kullback.experiments.reporting import arm_effect, arms_report
from kullback.experiments.windows import Part, by_step, tallies_by_segment
from kullback.experiments.writes import KIND, WRITES, StoredExperiment, plan_of
from kullback.moments import DAY, HOUR, Clock
from kullback.numerics.types import Undefined
from kullback.storage.base import DONE, Record, Reply, Store, Transaction
from kullback.tally.report_types import finite

POINTS = 500
_EVER = 1 << 60
_TRIES = 3
_OPEN = ("undecided", "invalid")
_CROSSING = TypeAdapter(FirstCrossing)

_log = logging.getLogger("kullback.experiments")


@dataclass(frozen=True, slots=True)
class ExperimentQuery:
    """What is asked of an experiment; None where nothing is said."""

    epoch: int | None = None
    by: str | None = None
    arm: str | None = None
    step: int = DAY


@dataclass(frozen=True, slots=True)
class ExperimentSnapshot:
    """The findings of an epoch, at a version that every accepted write raises."""

    record: Record
    epoch: int
    version: int
    findings: Findings


class CumulativeStep(NamedTuple):
    """What was known at some time: of how many rows, and of each arm against the control."""

    stop: int
    n: int
    comparisons: list[Comparison]


class ExperimentQueries:
    """Reading experiments; what was written before it was asked for is in every answer."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def list_all(self) -> ExperimentList:
        """Every experiment, by name."""
        return ExperimentList(tuple(map(_listed, self.stored())))

    def get(self, name: str) -> ExperimentDetail:
        """One experiment: its plan, what came, what was first decided.

        Raises:
            NotFound: there is none of that name.
        """
        found = self._find(name)
        record = found.record.id
        counts, last = self._store.counts(record), self._store.last_start(record)
        epochs = range(1, found.epoch + 1)
        return extended(
            ExperimentDetail,
            _listed(found),
            version=counts.get(WRITES, 0),
            observations={str(epoch): counts.get(f"observations/{epoch}", 0) for epoch in epochs},
            last_window=last,
            first_crossing=self._crossings(found.record, found.epoch, found.plan),
        )

    def etag(self, name: str, asked: object) -> str:
        """An entity tag: it changes whenever the answer to the question does."""
        record = self._find(name).record
        counts = sorted(self._store.counts(record.id).items())
        parts = (record.id, record.revision, counts, asked)
        return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'

    def report(self, name: str, asked: ExperimentQuery) -> ExperimentReport:
        """The report of an experiment; a verdict that is reached for the first time is kept.

        Raises:
            NotFound: there is none of that name.
            InvalidInput: there is no such epoch, or no such slice.
        """
        found = self._find(name)
        if asked.by is not None:
            self._plan(found, asked.epoch).check_slice(asked.by, "by")
        state = self.snapshot(found, asked.epoch)
        self.keep_crossings(state)
        return extended(
            ExperimentReport,
            arms_report(state.findings, asked.by),
            experiment=name,
            epoch=state.epoch,
            version=state.version,
            first_crossing=self._crossings(found.record, state.epoch, state.findings.plan),
        )

    def series(self, name: str, asked: ExperimentQuery) -> ExperimentSeries:
        """The effect of an arm over time: at the end of each step, of all rows up to there.

        Raises:
            NotFound: there is no experiment of that name.
            InvalidInput: there is no such epoch or arm, or the step cannot be asked for.
        """
        found = self._find(name)
        plan = self._plan(found, asked.epoch)
        arm = plan.treatments[0] if asked.arm is None else asked.arm
        if arm not in plan.treatments:
            detail = f"arm is one of {', '.join(plan.treatments)}, compared with {plan.control}"
            raise InvalidInput.at(detail, "arm")
        if asked.step < HOUR or asked.step % HOUR:
            raise InvalidInput.at(f"step is a multiple of {HOUR} seconds", "step")
        epoch = asked.epoch or found.epoch
        steps = by_step(epoch, asked.step, self._parts(found.record, plan, with_slices=False))
        if len(steps) > POINTS:
            detail = f"{len(steps)} points, where at most {POINTS} are given: ask for a longer step"
            raise InvalidInput.at(detail, "step")
        points = [_point(plan, one, arm, asked.step) for one in _growing(plan, epoch, steps)]
        return ExperimentSeries(
            name, plan.metric, asked.step, epoch, arm, plan.control, tuple(points)
        )

    def snapshot(self, found: StoredExperiment, epoch: int | None = None) -> ExperimentSnapshot:
        """The findings of an epoch, the present one unless said, with their version."""
        plan, record = self._plan(found, epoch), found.record
        before = self._version(record)
        for _ in range(_TRIES):  # a version is that of a state that no write fell into
            parts = self._parts(record, plan, with_slices=True)
            version, before = before, self._version(record)
            if version == before:
                break
        number = epoch or found.epoch
        return ExperimentSnapshot(
            record, number, version, compare(plan, tallies_by_segment(plan, number, parts))
        )

    def keep_crossings(self, state: ExperimentSnapshot) -> bool:
        """Keep each verdict that is reached for the first time, with the version it came at.

        Returns:
            Whether they are kept: where the store cannot be written, a later look does it.
        """
        reached = {
            _crossing(state.epoch, one.arm): one
            for one in state.findings.comparisons[""]
            if one.verdict.word not in _OPEN
        }
        known = {name for name in reached if self._store.attachment(state.record.id, name)}
        fresh = {name: one for name, one in reached.items() if name not in known}
        if not fresh:
            return True
        now, alpha = self._clock(), state.findings.plan.alpha

        def work(tx: Transaction) -> Reply:
            present = tx.record(KIND, state.record.name, for_change=True)
            for name, one in fresh.items() if present and present.id == state.record.id else ():
                if tx.attachment(state.record.id, name) is None:
                    tx.attach(state.record.id, name, _first(one, alpha, state.version, now))
                    tx.count(state.record.id, {"crossings": 1})
            return DONE

        try:
            self._store.write(work).result()
        except KullbackError as error:
            _log.warning("a first crossing was not kept yet: %s", error.message)
            return False
        return True

    def stored(self) -> list[StoredExperiment]:
        """Every experiment as it stands."""
        return [StoredExperiment.of(record, record.name) for record in self._store.records(KIND)]

    def last_start(self, found: StoredExperiment) -> int | None:
        """When the last hour that has rows began."""
        return self._store.last_start(found.record.id)

    def _find(self, name: str) -> StoredExperiment:
        return StoredExperiment.of(self._store.record(KIND, name), name)

    def _plan(self, found: StoredExperiment, epoch: int | None) -> Plan:
        if epoch in (None, found.epoch):
            return found.plan
        kept = self._store.attachment(found.record.id, plan_of(epoch or 0))
        if kept is None:
            raise InvalidInput.at(f"epoch is one of 1..{found.epoch}", "epoch")
        return Plan.decoded(kept)

    def _parts(self, record: Record, plan: Plan, *, with_slices: bool) -> list[Part]:
        parts = self._store.parts(record.id, -_EVER, _EVER)
        for name in plan.slices if with_slices else ():
            parts += self._store.parts(record.id, -_EVER, _EVER, slices=name)
        return parts

    def _version(self, record: Record) -> int:
        return self._store.counts(record.id).get(WRITES, 0)

    def _crossings(self, record: Record, epoch: int, plan: Plan) -> tuple[FirstCrossing, ...]:
        kept = [self._store.attachment(record.id, _crossing(epoch, arm)) for arm in plan.treatments]
        return tuple(_CROSSING.validate_json(content) for content in kept if content is not None)


def _listed(experiment: StoredExperiment) -> ListedExperiment:
    return extended(ListedExperiment, experiment.setup(), created=experiment.record.created)


def _crossing(epoch: int, arm: str) -> str:
    return f"crossing/{epoch}/{arm}"


def _first(comparison: Comparison, alpha: float, version: int, now: float) -> bytes:
    """A verdict that was reached for the first time, as it is kept."""
    contrast, sequence = comparison.effect, comparison.confidence_sequence
    assert not isinstance(contrast, Undefined)
    assert sequence is not None
    return to_json(
        FirstCrossing(
            version,
            now,
            comparison.arm,
            comparison.verdict.word,
            contrast.effect,
            contrast.standard_error,
            arm_effect(comparison, alpha).sequence,
            sequence.e_value,
            finite(sequence.log_e_value),
        )
    )


def _growing(plan: Plan, epoch: int, steps: Mapping[int, list[Part]]) -> Iterator[CumulativeStep]:
    known = ArmTallies()
    for stop, parts in steps.items():
        known += tallies_by_segment(plan, epoch, parts)[""]
        rows = [tally.scalar("rows") for tally in known.tallies.values()]
        n = max(rows, default=0) if plan.design == "paired" else sum(rows)
        yield CumulativeStep(stop, n, effects(plan, known))


def _point(plan: Plan, grown: CumulativeStep, arm: str, step: int) -> EffectPoint:
    (comparison,) = (each for each in grown.comparisons if each.arm == arm)
    start = max(0, grown.stop - step)  # a step may be longer than all time
    effect = arm_effect(comparison, plan.alpha)
    return extended(EffectPoint, effect, start=start, to=grown.stop, n=grown.n)
