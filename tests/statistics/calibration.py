"""Calibration errors of models whose truth is known: what chance makes, and what is left."""

from dataclasses import dataclass

import numpy as np

from kullback.numerics.types import Array, Undefined
from kullback.scoring.reliability import Reliability
from kullback.tally.metrics import ECE_BINS, TallyMetrics
from kullback.tally.tally import Layout
from tests.statistics.bounds import Bound
from tests.statistics.coverage import Told
from tests.tally.strategies import Batch

_LAYOUT = Layout("binary", 2, "exact")
_MANY = 2_000_000
TWICE = Bound(0.9, 1.0)  # within two standard errors
LESS_OFTEN = Bound(0.7, 1.0)  # where gaps are as large as chance


@dataclass(frozen=True, slots=True)
class Model:
    """Logits of predictions, normal, and the line of logits that is true of them."""

    rows: int
    mean: float = -1.0
    spread: float = 1.5
    slope: float = 1.0
    intercept: float = 0.0
    bound: Bound = TWICE

    def drawn(self, rng: np.random.Generator, rows: int) -> tuple[Array, Array]:
        """Predictions and their true probabilities, (rows,)."""
        logit = rng.normal(self.mean, self.spread, rows)
        truth = self.mean + self.intercept + self.slope * (logit - self.mean)
        return _probability(logit), _probability(truth)

    def error(self) -> float:
        """The ECE without chance."""
        p, truth = self.drawn(np.random.default_rng(17), _MANY)
        return (
            0.0 if (p == truth).all() else Reliability.of(p, truth, None, ECE_BINS, "uniform").ece()
        )


MODELS = {
    "calibrated, 1,000 rows": Model(1000),
    "calibrated, 20,000 rows": Model(20_000),
    "calibrated, 20,000 rows, CTR 3%": Model(20_000, mean=-4.0, spread=1.0),
    "slope 0.8, 1,000 rows": Model(1000, slope=0.8, bound=LESS_OFTEN),
    "slope 0.5 and off, 1,000 rows": Model(1000, slope=0.5, intercept=0.5, bound=LESS_OFTEN),
    "slope 0.5 and off, 20,000 rows": Model(20_000, slope=0.5, intercept=0.5),
}


@dataclass(frozen=True, slots=True)
class EceRuns:
    """The ECE of so many runs.

    Attributes:
        truth: the ECE without chance.
        plain, debiased, expected: means of the plug-in, of it without chance, of what chance makes.
        plain_held, debiased_held: how often they are within two standard errors of the truth.
    """

    truth: float
    plain: float
    debiased: float
    expected: float
    plain_held: float
    debiased_held: float


def ece_runs(model: Model, runs: int, told: Told = lambda: None) -> EceRuns:
    """What a tally says of a model, so many times."""
    found, truth = [], model.error()
    for run in range(runs):
        rng = np.random.default_rng([18, run])
        p, true = model.drawn(rng, model.rows)
        y = (rng.random(model.rows) < true).astype(np.float64)
        estimate = TallyMetrics(Batch(_LAYOUT, p, y).tally()).ece()
        assert estimate.noise is not None
        assert not isinstance(estimate.value, Undefined)
        assert isinstance(estimate.standard_error, float)
        noise = estimate.noise
        row = (estimate.value, noise.debiased, noise.expected_if_calibrated)
        found.append((*row, estimate.standard_error))
        told()
    table = np.array(found)
    held = np.abs(table[:, :2] - truth) <= 2 * table[:, 3:]
    return EceRuns(truth, *table[:, :3].mean(axis=0).tolist(), *held.mean(axis=0).tolist())


def ece_complaints(name: str, model: Model, found: EceRuns) -> list[str]:
    """Why the debiased ECE is not what it should be, if it is not."""
    complaints = model.bound.complaints(f"ECE, {name}", found.debiased_held)
    if not found.truth and abs(found.debiased) > 0.1 * found.expected:
        complaints.append(f"ECE, {name}: {found.debiased:.5f} on average, where it should be 0")
    if not found.truth and abs(found.plain / found.expected - 1) > 0.05:
        complaints.append(f"ECE, {name}: {found.plain:.5f} where {found.expected:.5f} is expected")
    return complaints


def _probability(logit: Array) -> Array:
    chance: Array = 1 / (1 + np.exp(-logit))
    return chance
