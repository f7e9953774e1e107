"""Answers of planned horizons: which way a look decides, and what stays of those before."""

import math
from collections.abc import Sequence
from dataclasses import replace

from kullback.experiments.compared import Comparison
from kullback.experiments.horizon_report import HorizonReport
from kullback.experiments.report import (
    FirstAnswer,
    OverallComparison,
    ParallelComparison,
)
from kullback.experiments.verdict import VerdictWord
from kullback.tally.report_types import finite

Overall = tuple[ParallelComparison | OverallComparison, ...]


def horizon_word(comparison: Comparison) -> VerdictWord | None:
    """What the present look says; None without a look."""
    look = comparison.horizon
    if look is None:
        return None
    if abs(look.statistic) < look.boundary:
        return VerdictWord.UNDECIDED
    is_better = (look.statistic > 0) is comparison.higher_is_better
    return VerdictWord.BETTER if is_better else VerdictWord.WORSE


def settled_word(comparison: Comparison) -> VerdictWord | None:
    """The answer that no later look may change; None while looks go on."""
    word, look = horizon_word(comparison), comparison.horizon
    is_open = look is None or (word is VerdictWord.UNDECIDED and not look.is_last)
    return None if is_open else word


def horizon_report(comparison: Comparison) -> HorizonReport | None:
    """The present look, as reports tell it."""
    look, word = comparison.horizon, horizon_word(comparison)
    if look is None or word is None:
        return None
    bounds = (look.low, look.high)
    return HorizonReport(
        finite(look.fraction),
        finite(look.statistic),
        finite(look.boundary),
        bounds if all(map(math.isfinite, bounds)) else None,
        word,
        look.is_last,
    )


def with_settled(comparisons: Overall, answers: Sequence[FirstAnswer]) -> Overall:
    """Comparisons whose horizons have the answers that were kept."""
    kept = {answer.arm: answer.verdict for answer in answers if answer.question == "horizon"}
    return tuple(
        comparison
        if comparison.horizon is None or comparison.arm not in kept
        else replace(comparison, horizon=replace(comparison.horizon, answer=kept[comparison.arm]))
        for comparison in comparisons
    )
