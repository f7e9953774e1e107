"""False claims of many comparisons at once."""

from dataclasses import dataclass

import numpy as np

from kullback.tally.confidence_sequence import confidence_sequence
from kullback.tally.multiplicity import e_bh, holm
from tests.statistics.bounds import at_most
from tests.statistics.coverage import ALPHA, Told
from tests.statistics.estimates import mean
from tests.statistics.worlds import World, loss, probability, shown

SEGMENTS = 20
_WORLD = World(200 * SEGMENTS)


@dataclass(frozen=True, slots=True)
class FalseClaims:
    """The part of all runs with any claim in a family where nothing differs."""

    holm: float
    e_bh: float


def false_claims(runs: int, told: Told = lambda: None) -> FalseClaims:
    """Of log loss and Brier score in each segment, in so many runs."""
    by_holm = by_e_bh = 0
    for run in range(runs):
        p_values, log_e = _family(np.random.default_rng([6, run]))
        by_holm += min(holm(p_values)) <= ALPHA
        by_e_bh += any(e_bh(log_e, ALPHA))
        told()
    return FalseClaims(by_holm / runs, by_e_bh / runs)


def family_complaints(found: FalseClaims, runs: int) -> list[str]:
    """Why so many claims of a family are too many, if they are."""
    bound = at_most(ALPHA, runs)
    return bound.complaints("Holm", found.holm) + bound.complaints("e-BH", found.e_bh)


def _family(rng: np.random.Generator) -> tuple[list[float], list[float]]:
    """P-values and ln e of paired predictors, none of which is better anywhere."""
    rows = shown(rng, _WORLD)
    buckets, segment = rows.buckets, rows.user % SEGMENTS
    p, q = probability(rows.first), probability(rows.second)
    effects = {
        0.04: loss(rows.y, rows.second) - loss(rows.y, rows.first),
        0.013: np.square(rows.y - q) - np.square(rows.y - p),
    }
    p_values, log_e = [], []
    for minimum, values in effects.items():
        for number in range(SEGMENTS):
            inside = segment == number
            found = mean(values[inside]).by(buckets[inside])
            p_values.append(found.p_value())
            log_e.append(confidence_sequence(found, minimum, ALPHA).log_e_value)
    return p_values, log_e
