"""What the checks of arrays did, as the diagnostics of a score tell it."""

from dataclasses import replace

from kullback.scoring.arrays import CheckedDistributions, CheckedProbabilities
from kullback.scoring.score import Context


def after_checks(context: Context, *checked: CheckedProbabilities) -> Context:
    """The context with the entries clipped, the rows renormalized and the largest |Σ − 1| told."""
    rows = [each for each in checked if isinstance(each, CheckedDistributions)]
    return replace(
        context,
        clipped=context.clipped + sum(each.clipped for each in checked),
        renormalized=context.renormalized + sum(each.renormalized for each in rows),
        max_sum_error=max([context.max_sum_error, *(each.max_sum_error for each in rows)]),
    )
