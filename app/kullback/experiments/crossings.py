"""First crossings: the first verdict on each arm that was not open, kept for good."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from kullback.documents import to_json
from kullback.errors import KullbackError
from kullback.experiments.comparison import Comparison, Findings
from kullback.experiments.plan import Plan
from kullback.experiments.report import FirstCrossing
from kullback.experiments.reporting import arm_effect
from kullback.experiments.stored import KIND
from kullback.moments import Clock
from kullback.numerics.types import Undefined
from kullback.storage.base import DONE, Record, Reply, Store, Transaction
from kullback.tally.report_types import finite

_OPEN = ("undecided", "invalid")
_JSON = TypeAdapter(FirstCrossing)

_log = logging.getLogger("kullback.experiments")


@dataclass(frozen=True, slots=True)
class ExperimentSnapshot:
    """The findings of an epoch, at a version that every accepted write raises."""

    record: Record
    epoch: int
    version: int
    findings: Findings


@dataclass(frozen=True, slots=True)
class KeptCrossings:
    """The first crossings of an epoch that the store has; not complete where it refused a write."""

    crossings: tuple[FirstCrossing, ...]
    is_complete: bool


class FirstCrossings:
    """The first crossings that a store keeps."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def of(self, record: Record, epoch: int, plan: Plan) -> tuple[FirstCrossing, ...]:
        """Those of an epoch, in the order of its arms."""
        return tuple(self._read(record, epoch, plan).values())

    def keep(self, snapshot: ExperimentSnapshot) -> KeptCrossings:
        """Keep each verdict that is reached for the first time, with the version it came at."""
        plan, comparisons = snapshot.findings.plan, snapshot.findings.comparisons[""]
        kept = self._read(snapshot.record, snapshot.epoch, plan)
        now = self._clock()
        fresh = {
            comparison.arm: _crossing(comparison, plan.alpha, snapshot.version, now)
            for comparison in comparisons
            if comparison.verdict.word not in _OPEN and comparison.arm not in kept
        }
        try:
            kept |= self._write(snapshot, fresh) if fresh else {}
        except KullbackError as error:
            _log.warning("a first crossing was not kept yet: %s", error.message)
            return KeptCrossings(tuple(kept.values()), is_complete=False)
        in_order = tuple(kept[arm] for arm in plan.treatments if arm in kept)
        return KeptCrossings(in_order, is_complete=True)

    def _read(self, record: Record, epoch: int, plan: Plan) -> dict[str, FirstCrossing]:
        contents = {
            arm: self._store.attachment(record.id, _name(epoch, arm)) for arm in plan.treatments
        }
        return {
            arm: _JSON.validate_json(content)
            for arm, content in contents.items()
            if content is not None
        }

    def _write(
        self, snapshot: ExperimentSnapshot, fresh: Mapping[str, FirstCrossing]
    ) -> dict[str, FirstCrossing]:
        """Keep these, unless others came first; whichever of the two is kept."""
        record, written = snapshot.record, dict[str, FirstCrossing]()

        def work(tx: Transaction) -> Reply:
            written.clear()
            present = tx.record(KIND, record.name, for_change=True)
            for arm, crossing in fresh.items() if present and present.id == record.id else ():
                name = _name(snapshot.epoch, arm)
                earlier = tx.attachment(record.id, name)
                if earlier is None:
                    tx.attach(record.id, name, to_json(crossing))
                    tx.count(record.id, {"crossings": 1})
                written[arm] = crossing if earlier is None else _JSON.validate_json(earlier)
            return DONE

        self._store.write(work).result()
        return written


def _name(epoch: int, arm: str) -> str:
    return f"crossing/{epoch}/{arm}"


def _crossing(comparison: Comparison, alpha: float, version: int, now: float) -> FirstCrossing:
    contrast, sequence = comparison.effect, comparison.confidence_sequence
    assert not isinstance(contrast, Undefined)  # an arm without an effect has no verdict
    assert sequence is not None
    return FirstCrossing(
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
