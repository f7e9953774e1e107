"""Metrics of a tally: ratios of its sums, computed last and never stored or averaged."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from kullback.numerics.isotonic import (
    Decomposition,
    binary_entropy,
    binary_entropy_sum,
    isotonic_means,
)
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined
from kullback.scoring.reliability import CalibrationNoise
from kullback.tally.bins import BINS, uniform
from kullback.tally.class_entropy import class_normalized_entropy
from kullback.tally.contrast import auc_error
from kullback.tally.exact import UNIT, real
from kullback.tally.functionals import (
    INFINITE,
    MULTICLASS,
    ONE_CLASS,
    Functional,
    accuracy,
    base_rate,
    brier,
    calibration_ratio,
    log_loss,
    mean_prediction,
    missing_predictions,
    normalized_entropy,
)
from kullback.tally.inference import row_error, standard_error
from kullback.tally.multilabel import label_normalized_entropy
from kullback.tally.tally import Tally

ECE_BINS = 15
RELIABILITY_BINS = 10
_TOO_FEW = Undefined(Reason.TOO_FEW_ROWS)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its standard error; `error_bound` where the bins leave it uncertain.

    `noise` is what chance makes of a calibration error, where that can be told.
    """

    value: float | Undefined
    standard_error: float | Undefined | None = None
    error_bound: float | None = None
    noise: CalibrationNoise | None = None


@dataclass(frozen=True, slots=True)
class Bin:
    """A bin of predictions (low, high] beside what was observed there."""

    low: float
    high: float
    weight: float
    mean_predicted: float | Undefined
    observed: float | Undefined


def estimate(tally: Tally, functional: Callable[[Tally], Functional]) -> Estimate:
    """A function of sums with its standard error."""
    result = functional(tally)
    if isinstance(result.value, Undefined):
        return Estimate(result.value, result.value)
    if not result.slopes:
        return Estimate(result.value, INFINITE)
    return Estimate(result.value, standard_error(tally, result.slopes))


class TallyMetrics:
    """What a tally says, metric by metric; lower is better but for `auc` and the information gain.

    Undefined are `empty` (no rows), `zero_weight`, `one_class`, `no_positives`, and for
    multiclass tasks `multiclass` what only a binary one has. The histogram of a multilabel task
    is of its entries, each label of each row: so are `ece`, `auc` and the decomposition.
    """

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self._task = tally.layout.task
        self._w = real(tally.scalar("w"))
        self._mass = self._w * (tally.layout.classes if self._task == "multilabel" else 1)

    @property
    def rows(self) -> int:
        """How many rows."""
        return self.tally.scalar("rows")

    @property
    def weight(self) -> float:
        """Σ w."""
        return self._w

    def metrics(self) -> dict[str, Estimate]:
        """Every metric by its name."""
        return {name: read() for name, read in self._readers().items()}

    def metric(self, name: str) -> Estimate:
        """One of them."""
        return self._readers()[name]()

    def names(self) -> list[str]:
        """The names of all metrics."""
        return list(self._readers())

    def _readers(self) -> dict[str, Callable[[], Estimate]]:
        readers: dict[str, Callable[[], Estimate]] = {
            "log_loss": partial(self._of, log_loss),
            "normalized_entropy": self._normalized_entropy,
            "relative_information_gain": self._gain,
            "calibration_ratio": partial(self._of, calibration_ratio),
            "brier": partial(self._of, brier),
            "ece": self.ece,
            "auc": self.auc,
            "base_rate": partial(self._of, base_rate),
            "mean_prediction": partial(self._of, mean_prediction),
        }
        more = {"accuracy": partial(self._of, accuracy)} if self._task == "multiclass" else {}
        return readers | more

    def ece(self) -> Estimate:
        """Σ_b |Σ w(y − p)| / Σ w over 15 bins of equal width, of a multiclass task's top label.

        The standard error is of first order, with the sign of every gap held, of rows whose
        weights say nothing about their gaps; there is none of units, nor of entries. So is the
        noise, which labels between 0 and 1 have not either.
        """
        nothing = self._missing()
        if nothing:
            return nothing
        _, observed, predicted = (uniform(sums, ECE_BINS) for sums in self._histogram())
        error = min(float(np.abs(observed - predicted).sum()) / self._mass, 1.0)
        if self.tally.layout.clustered or self._task == "multilabel":
            return Estimate(error)
        yy, py, pp, ww = map(self.tally.square, ("wwyy", "wwpy", "wwpp", "ww"))
        above, below = error.as_integer_ratio()
        spread = max((yy - 2 * py + pp) * below**2 - above**2 * ww, 0)
        of_sum = row_error(self.tally, spread, UNIT + below.bit_length() - 1)
        if not isinstance(of_sum, Undefined):
            of_sum /= self._w
        return Estimate(error, of_sum, noise=self._noise(observed - predicted))

    def _noise(self, gaps: Array) -> CalibrationNoise | None:
        """By the means of the fine bins, and the same weights in each."""
        if self.tally.square("wwy") != self.tally.square("wwyy"):
            return None
        weight, _, predicted = self._histogram()
        some = weight > 0
        mean = np.divide(predicted, weight, out=np.zeros(BINS), where=some)
        variance = uniform(predicted * np.maximum(1.0 - mean, 0.0), ECE_BINS)
        heaviness = self.tally.square("ww") / (self.tally.scalar("w") << UNIT)
        return CalibrationNoise.of(gaps, np.sqrt(variance) * math.sqrt(heaviness), self._w)

    def auc(self) -> Estimate:
        """AUC from the score histogram, pairs within a bin counting half: true to ± error_bound.

        The standard error is that of placements (DeLong), of rows; a soft label is y of a
        positive row and 1 − y of a negative one. Of a clustered tally it is that of units; there is
        none of entries.

        Source: DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988).
        """
        weight, positive, _ = self._histogram()
        negative = np.maximum(weight - positive, 0.0)
        p, n = float(positive.sum()), float(negative.sum())
        nothing = self._missing_binary()
        if nothing:
            return nothing
        if not (p > 0 and n > 0):
            return Estimate(ONE_CLASS, ONE_CLASS)
        positive, negative = positive / p, negative / n
        below = np.cumsum(negative) - negative / 2
        above = 1.0 - np.cumsum(positive) + positive / 2
        area = min(float(positive @ below), 1.0)
        bound = float(positive @ negative) / 2
        if self.tally.layout.clustered:
            return Estimate(area, auc_error(self.tally), bound)
        if self._task == "multilabel":
            return Estimate(area, None, bound)
        spread = (
            float(positive @ np.square(below - area)),
            float(negative @ np.square(above - area)),
        )
        return Estimate(area, self._of_placements(*spread), bound)

    def _of_placements(self, positive: float, negative: float) -> float | Undefined:
        """The standard error of AUC, from the variance of the placements of each class."""
        w, y = self.tally.scalar("w"), self.tally.scalar("wy")
        ww, wwy = self.tally.square("ww"), self.tally.square("wwy")
        ones, zeros = y**2 / wwy, (w - y) ** 2 / (ww - wwy)
        if ones <= 1 or zeros <= 1:
            return _TOO_FEW
        return math.sqrt(positive / (ones - 1) + negative / (zeros - 1))

    def decomposition(self) -> Decomposition:
        """Log loss as miscalibration − discrimination + uncertainty, from the histogram, nats.

        Binning makes both of the first smaller by the same amount, some 10⁻⁴ nats.

        Source: Dimitriadis, Gneiting & Jordan, PNAS 118 (2021).
        """
        nothing = self._missing_binary()
        if nothing:
            assert isinstance(nothing.value, Undefined)
            return Decomposition(nothing.value, nothing.value, nothing.value)
        weight, positive, _ = self._histogram()
        some = weight > 0
        blocks = isotonic_means(weight[some], np.minimum(positive, weight)[some])
        recalibrated = binary_entropy_sum(blocks[1], blocks[0]) / self._mass
        uncertainty = binary_entropy(real(self.tally.scalar("wy")) / self._w)
        loss = log_loss(self.tally).value
        assert not isinstance(loss, Undefined)
        return Decomposition(
            max(loss - recalibrated, 0.0), max(uncertainty - recalibrated, 0.0), uncertainty
        )

    def reliability(self, bins: int) -> list[Bin]:
        """Bins of equal width: mean prediction beside what was observed. `bins` divides 60."""
        empty = Undefined(Reason.EMPTY_BIN)
        columns = [uniform(sums, bins).tolist() for sums in self._histogram()]
        return [
            Bin(b / bins, (b + 1) / bins, w, p / w if w else empty, y / w if w else empty)
            for b, (w, y, p) in enumerate(zip(*columns, strict=True))
        ]

    def quantiles(self, bins: int) -> list[Bin]:
        """At most so many bins of about equal weight, from the lowest predictions to the highest.

        Whole bins of the histogram are put together; `low` and `high` are mean predictions of
        the first and the last of them.
        """
        weight, _, _ = self._histogram()
        total = float(weight.sum())
        middle = (np.cumsum(weight) - weight / 2) / total if total else weight
        return self._gathered(np.minimum((middle * bins).astype(np.int64), bins - 1))

    def scores(self, bins: int) -> list[Bin]:
        """At most so many bins of neighbouring predictions, about equally wide in logits."""
        return self._gathered(np.arange(BINS) * bins // BINS)

    def _gathered(self, index: Indices) -> list[Bin]:
        """Bins of the histogram put together by their index (BINS,), those that hold something."""
        weight, positive, predicted = self._histogram()
        gathered = []
        for at in np.unique(index[weight > 0]).tolist():
            inside = (index == at) & (weight > 0)
            means = predicted[inside] / weight[inside]
            w, y, p = (float(sums[inside].sum()) for sums in (weight, positive, predicted))
            gathered.append(Bin(float(means[0]), float(means[-1]), w, p / w, y / w))
        return gathered

    def _histogram(self) -> tuple[Array, Array, Array]:
        names = ("bin_w", "bin_wy", "bin_wp")
        weight, positive, predicted = (self.tally.vector(name).reals(BINS) for name in names)
        return weight, positive, predicted

    def _of(self, functional: Callable[[Tally], Functional]) -> Estimate:
        return estimate(self.tally, functional)

    def _normalized_entropy(self) -> Estimate:
        if self._task == "binary":
            return self._of(normalized_entropy)
        if self._task == "multilabel":
            return Estimate(label_normalized_entropy(self.tally))
        return Estimate(*class_normalized_entropy(self.tally))

    def _gain(self) -> Estimate:
        entropy = self._normalized_entropy()
        if isinstance(entropy.value, Undefined):
            return entropy
        return Estimate(1.0 - entropy.value, entropy.standard_error)

    def _missing(self) -> Estimate | None:
        reason = missing_predictions(self.tally)
        return None if reason is None else Estimate(reason, reason)

    def _missing_binary(self) -> Estimate | None:
        return Estimate(MULTICLASS, MULTICLASS) if self._task == "multiclass" else self._missing()
