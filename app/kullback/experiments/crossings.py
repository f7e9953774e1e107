"""First crossings: the first verdict on each arm that was not open, and answer, kept for good."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from kullback.documents import extended, to_json
from kullback.errors import KullbackError
from kullback.experiments.compared import Comparison
from kullback.experiments.comparison import Findings
from kullback.experiments.horizon_answers import settled_word
from kullback.experiments.plan import Plan
from kullback.experiments.report import FirstAnswer, FirstCrossing
from kullback.experiments.reporting import arm_effect
from kullback.experiments.stored import KIND
from kullback.experiments.verdict import VerdictWord
from kullback.moments import Clock
from kullback.numerics.types import Undefined
from kullback.storage.base import DONE, Record, Reply, Store, Transaction
from kullback.tally.report_types import finite

_OPEN = ("undecided", "invalid")
_VERDICT = "crossing"
_QUESTIONS = ("superiority", "margin", "horizon")
_JSON = TypeAdapter(FirstCrossing)
_Key = tuple[str, str]  # the verdict or a question, and the arm

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
    """What the store has of an epoch; not complete where it refused a write.

    Attributes:
        crossings: the first verdicts, in the order of the arms.
        answers: the first answers to each question, in the same order.
    """

    crossings: tuple[FirstCrossing, ...]
    answers: tuple[FirstAnswer, ...]
    is_complete: bool = True

    @classmethod
    def of(
        cls, kept: Mapping[_Key, FirstCrossing], plan: Plan, *, is_complete: bool = True
    ) -> "KeptCrossings":
        """Those by their keys, in the order of the plan."""
        arms = plan.treatments
        return cls(
            tuple(kept[_VERDICT, arm] for arm in arms if (_VERDICT, arm) in kept),
            tuple(
                extended(FirstAnswer, kept[question, arm], question=question)
                for arm in arms
                for question in _QUESTIONS
                if (question, arm) in kept
            ),
            is_complete,
        )


class FirstCrossings:
    """The first crossings that a store keeps."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def of(self, record: Record, epoch: int, plan: Plan) -> KeptCrossings:
        """Those of an epoch."""
        return KeptCrossings.of(self._read(record, epoch, plan), plan)

    def keep(self, snapshot: ExperimentSnapshot) -> KeptCrossings:
        """Keep what is decided for the first time, with the version it came at."""
        plan, comparisons = snapshot.findings.plan, snapshot.findings.comparisons[""]
        kept = self._read(snapshot.record, snapshot.epoch, plan)
        now = self._clock()
        fresh = {
            (what, comparison.arm): _crossing(comparison, word, plan.alpha, snapshot.version, now)
            for comparison in comparisons
            for what, word in _decided(comparison).items()
            if (what, comparison.arm) not in kept
        }
        try:
            kept |= self._write(snapshot, fresh) if fresh else {}
        except KullbackError as error:
            _log.warning("a first crossing was not kept yet: %s", error.message)
            return KeptCrossings.of(kept, plan, is_complete=False)
        return KeptCrossings.of(kept, plan)

    def _read(self, record: Record, epoch: int, plan: Plan) -> dict[_Key, FirstCrossing]:
        keys = [(what, arm) for arm in plan.treatments for what in (_VERDICT, *_QUESTIONS)]
        contents = {key: self._store.attachment(record.id, _name(epoch, key)) for key in keys}
        return {
            key: _JSON.validate_json(content)
            for key, content in contents.items()
            if content is not None
        }

    def _write(
        self, snapshot: ExperimentSnapshot, fresh: Mapping[_Key, FirstCrossing]
    ) -> dict[_Key, FirstCrossing]:
        """Keep these, unless others came first; whichever of the two is kept."""
        record, written = snapshot.record, dict[_Key, FirstCrossing]()

        def work(tx: Transaction) -> Reply:
            written.clear()
            present = tx.record(KIND, record.name, for_change=True)
            for key, crossing in fresh.items() if present and present.id == record.id else ():
                name = _name(snapshot.epoch, key)
                earlier = tx.attachment(record.id, name)
                if earlier is None:
                    tx.attach(record.id, name, to_json(crossing))
                    tx.count(record.id, {"crossings": 1})
                written[key] = crossing if earlier is None else _JSON.validate_json(earlier)
            return DONE

        self._store.write(work).result()
        return written


def _name(epoch: int, key: _Key) -> str:
    what, arm = key
    return f"{what}/{epoch}/{arm}"


def _decided(comparison: Comparison) -> Mapping[str, VerdictWord]:
    verdict, horizon = comparison.verdict, settled_word(comparison)
    words = (verdict.word, verdict.superiority, verdict.margin)
    decided = dict(zip((_VERDICT, *_QUESTIONS), words, strict=False))
    decided = {what: word for what, word in decided.items() if word not in _OPEN}
    return decided if horizon is None else decided | {"horizon": horizon}


def _crossing(
    comparison: Comparison, word: VerdictWord, alpha: float, version: int, now: float
) -> FirstCrossing:
    contrast, sequence = comparison.effect, comparison.confidence_sequence
    assert not isinstance(contrast, Undefined)  # an arm without an effect has no verdict
    assert sequence is not None
    return FirstCrossing(
        version,
        now,
        comparison.arm,
        word,
        contrast.effect,
        contrast.standard_error,
        arm_effect(comparison, alpha).sequence,
        sequence.e_value,
        finite(sequence.log_e_value),
    )
