"""Effects by plain sums: what each row adds, and then each bucket."""

import math
from dataclasses import dataclass

import numpy as np

from kullback.numerics.types import Array, Flags, Indices, Undefined
from kullback.tally.contrast import Contrast, contrast, contrast_of_arms
from kullback.tally.units import BUCKETS

NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Estimate:
    """An effect θ and what each row adds to it, u (n,), of sum 0; of two arms which are treated."""

    effect: float
    u: Array
    treated: Flags | None = None

    def by(self, buckets: Indices) -> Contrast:
        """The contrast of these influences, summed by bucket."""
        if self.treated is None:
            clusters = np.count_nonzero(np.bincount(buckets, minlength=BUCKETS))
            found = contrast(self.effect, _summed(buckets, self.u), int(clusters))
        else:
            rows = self.treated, ~self.treated
            new, old = (_summed(buckets, self.u * of_arm) for of_arm in rows)
            met = [np.bincount(buckets[of_arm], minlength=BUCKETS) > 0 for of_arm in rows]
            found = contrast_of_arms(self.effect, (new, -old), (met[0], met[1]))
        assert not isinstance(found, Undefined)
        return found

    @property
    def naive_error(self) -> float:
        """The standard error as if rows were independent."""
        n = self.u.size
        return math.sqrt(n / (n - 1) * float(np.square(self.u).sum()))


def _summed(buckets: Indices, u: Array) -> Array:
    return np.bincount(buckets, u, BUCKETS).astype(np.float64)


def mean(values: Array) -> Estimate:
    """The mean: of losses, or of how much one loss is above the other."""
    theta = float(values.mean())
    return Estimate(theta, (values - theta) / values.size)


def apart(losses: Array, treated: Flags) -> Estimate:
    """The mean of the treated minus that of the others."""
    ours, theirs = (_share(losses, rows) for rows in (treated, ~treated))
    return Estimate(ours.effect - theirs.effect, ours.u - theirs.u, treated)


def entropies_apart(y: Array, losses: Array, treated: Flags) -> Estimate:
    """The normalized entropy of the treated minus that of the others."""
    ours, theirs = (_entropy(y, losses, rows) for rows in (treated, ~treated))
    return Estimate(ours.effect - theirs.effect, ours.u - theirs.u, treated)


def log_calibration(y: Array, p: Array) -> Estimate:
    """Ln R = ln(Σp / Σy)."""
    positives, predicted = float(y.sum()), float(p.sum())
    return Estimate(math.log(predicted / positives), p / predicted - y / positives)


def _share(values: Array, rows: Flags) -> Estimate:
    """The mean of some rows; the others add nothing."""
    n = np.count_nonzero(rows)
    theta = float(values[rows].mean())
    return Estimate(theta, np.where(rows, values - theta, 0.0) / n)


def _entropy(y: Array, losses: Array, rows: Flags) -> Estimate:
    cost, rate = _share(losses, rows), _share(y, rows)
    q = rate.effect
    entropy = -q * math.log(q) - (1 - q) * math.log1p(-q)
    ratio = cost.effect / entropy
    slope = math.log1p(-q) - math.log(q)
    return Estimate(ratio, (cost.u - ratio * slope * rate.u) / entropy)
