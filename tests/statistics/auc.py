"""AUC in many looks: what its sequence and its interval claim where two models rank alike."""

from dataclasses import dataclass

import numpy as np

from kullback.experiments.arm_tallies import ArmTallies, tally_arms
from kullback.experiments.reporting import AUC_SCALE
from kullback.numerics.types import Undefined
from kullback.tally.confidence_sequence import confidence_sequence
from kullback.tally.contrast import auc_difference
from tests.statistics import experiments
from tests.statistics.bounds import Bound
from tests.statistics.coverage import ALPHA, Told
from tests.statistics.worlds import World, shown

LOOKS = 20
_WORLD = World(1000)
_BURN_IN = 2  # looks: 100 units and more of each label
CLAIMED = Bound(0.0, 0.06)
PEEKED = Bound(0.12, 1.0)
COVERED = Bound(0.92, 0.98)


@dataclass(frozen=True, slots=True)
class AucClaims:
    """The part of all runs that claim a difference at any look, and whose last interval holds 0."""

    fixed: float
    sequence: float
    covered: float


def auc_claims(runs: int, told: Told = lambda: None) -> AucClaims:
    """Of paired predictors that are exchangeable, of users who come back."""
    counts = np.zeros(3)
    for run in range(runs):
        rng = np.random.default_rng([13, run])
        rows = shown(rng, _WORLD)
        experiment = experiments.paired(rows)
        places = np.array_split(rng.permutation(rows.y.size), LOOKS)
        sums, peeked, claimed, holds = ArmTallies(), False, False, False
        for look, part in enumerate(places):
            some = experiment.of(part)
            sums += tally_arms(some.plan, some.rows)[""]
            if look < _BURN_IN:
                continue
            found = auc_difference(sums.tallies["new"], sums.tallies["old"], is_paired=True)
            assert not isinstance(found, Undefined)
            low, high = found.interval(ALPHA)
            holds = low <= 0 <= high
            peeked |= not holds
            now = confidence_sequence(found, AUC_SCALE, ALPHA)
            claimed |= not now.low <= 0 <= now.high
        counts += peeked, claimed, holds
        told()
    return AucClaims(*(counts / runs).tolist())


def auc_complaints(found: AucClaims) -> list[str]:
    """Why this is not how rarely a sequence claims what is not, where an interval often does."""
    return (
        CLAIMED.complaints("AUC, sequence", found.sequence)
        + PEEKED.complaints("AUC, fixed interval at every look", found.fixed)
        + COVERED.complaints("AUC, one look", found.covered)
    )
