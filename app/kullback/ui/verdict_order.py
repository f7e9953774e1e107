"""The order of arms: those that are shown to be better first, then by their effect."""

import math

from kullback.experiments.report import ArmEffect
from kullback.experiments.verdict import VerdictWord

_BEST_FIRST = (
    *(VerdictWord.BETTER, VerdictWord.NOT_WORSE, VerdictWord.EQUIVALENT),
    *(VerdictWord.UNDECIDED, VerdictWord.WORSE, VerdictWord.INVALID),
)


def standing(comparison: ArmEffect | None, prefers_more: bool) -> tuple[int, float]:  # noqa: FBT001
    """What the best of arms has the least of; of an arm that nobody knows of the most."""
    if comparison is None or comparison.effect is None:
        return len(_BEST_FIRST), math.inf
    return _BEST_FIRST.index(
        comparison.verdict
    ), -comparison.effect if prefers_more else comparison.effect
