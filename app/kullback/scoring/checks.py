"""What the checks of arrays did, as the diagnostics of a score tell it."""

from dataclasses import replace

from kullback.scoring.arrays import CheckedDistributions, CheckedProbabilities
from kullback.scoring.score import Context


def after_checks(context: Context, *checked: CheckedProbabilities, clipped: int = 0) -> Context:
    """The context with the entries clipped, the rows renormalized and the largest |Σ − 1| told.

    `clipped` are those that a convention has clipped beside the checks.
    """
    clipped, renormalized, worst = clipped + context.clipped, context.renormalized, 0.0
    for each in checked:
        clipped += each.clipped
        if isinstance(each, CheckedDistributions):
            renormalized += each.renormalized
            worst = max(worst, each.max_sum_error)
    worst = max(worst, context.max_sum_error)
    if (clipped, renormalized, worst) == (
        context.clipped,
        context.renormalized,
        context.max_sum_error,
    ):
        return context
    return replace(context, clipped=clipped, renormalized=renormalized, max_sum_error=worst)
