"""Design effect of a split of rows: how many rows go to an arm together."""

import numpy as np

from kullback.numerics.types import Array


def design_effect(weights: Array, rows: int) -> float:
    """How many times the variance of independent rows the split of rows by arm has.

        D = N/W² · G/(G − 1) · Σₖ Σ_b (wₖ_b − πₖ w_b)²/πₖ / (K − 1),  πₖ = Wₖ/W

    It is 1 where each row goes to an arm by itself, m where m rows of a request go together, and
    takes in whatever else ties rows of one unit. N/D is as many independent rows.

    Args:
        weights: w of each arm in each bucket of units, (k, b).
        rows: N, how many there are.

    Returns:
        At least 1; 1 where fewer than two buckets or arms have rows.

    Source: Rao & Scott, Journal of the American Statistical Association 76 (1981), the mean
        design effect of a chi-square test; by buckets of units as clusters.
    """
    of_bucket, of_arm = weights.sum(axis=0), weights.sum(axis=1)
    whole, clusters = float(of_arm.sum()), int(np.count_nonzero(of_bucket))
    there = of_arm > 0
    arms = int(np.count_nonzero(there))
    if clusters < 2 or arms < 2:
        return 1.0
    shares = of_arm[there, np.newaxis] / whole
    spread = np.square(weights[there] - shares * of_bucket) / shares
    mean = float(spread.sum()) / (arms - 1) * clusters / (clusters - 1)
    return max(1.0, mean / whole * (rows / whole))
