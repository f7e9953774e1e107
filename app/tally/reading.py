"""This file is about what is read from a tally at the very end: ratios, never kept or averaged."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from app.scoring.isotonic import (
    Decomposition,
    binary_entropy,
    binary_entropy_sum,
    isotonic_means,
)
from app.scoring.means import Array, Undefined
from app.tally.bins import BINS, uniform
from app.tally.exact import UNIT, real
from app.tally.inference import row_error, standard_error
from app.tally.tally import Tally

ECE_BINS = 15
_MULTICLASS = Undefined("multiclass")
_ONE_CLASS = Undefined("one_class")
_NO_POSITIVES = Undefined("no_positives")
_TOO_FEW = Undefined("too_few_rows")
_INFINITE = Undefined("positive_infinity")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its standard error; `error_bound` where the bins leave it uncertain."""

    value: float | Undefined
    standard_error: float | Undefined | None = None
    error_bound: float | None = None


@dataclass(frozen=True, slots=True)
class Bin:
    """A bin of predictions (low, high] beside what was observed there."""

    low: float
    high: float
    weight: float
    mean_predicted: float | Undefined
    observed: float | Undefined


class Reading:
    """What a tally says, metric by metric; lower is better but for `auc` and the information gain.

    Undefined are `empty` (no rows), `zero_weight`, `one_class`, `no_positives`, and for
    multiclass tasks `multiclass` what only a binary one has.
    """

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.is_binary = tally.layout.task == "binary"
        self._w, self._l, self._y, self._p, self._b = (
            real(tally.scalar(name)) for name in ("w", "wl", "wy", "wp", "wb")
        )

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
            "log_loss": self.log_loss,
            "normalized_entropy": self.normalized_entropy,
            "relative_information_gain": self.relative_information_gain,
            "calibration_ratio": self.calibration_ratio,
            "brier": partial(self._mean, "b", self._b),
            "ece": self.ece,
            "auc": self.auc,
            "base_rate": partial(self._binary_mean, "y", self._y),
            "mean_prediction": partial(self._binary_mean, "p", self._p),
        }
        return (
            readers
            if self.is_binary
            else {**readers, "accuracy": partial(self._mean, "y", self._y)}
        )

    def log_loss(self) -> Estimate:
        """Σ wl / Σ w, nats; infinite where a row's loss is."""
        if self._has_infinite():
            return Estimate(math.inf, _INFINITE)
        return self._mean("l", self._l)

    def normalized_entropy(self) -> Estimate:
        """NE = (Σ wl / Σ w) / H_b(q), q = Σ wy / Σ w.

        Source: He et al., ADKDD (2014), §3.
        """
        missing = self._missing(self._binary_only() or self._one_class())
        if missing:
            return missing
        if self._has_infinite():
            return Estimate(math.inf, _INFINITE)
        w, q = self._w, self._y / self._w
        entropy = binary_entropy(q)
        loss = self._l / w
        ratio = loss / entropy
        tilt = ratio * (math.log1p(-q) - math.log(q))
        slopes = {
            name: slope / entropy / w
            for name, slope in (("l", 1.0), ("y", -tilt), ("w", tilt * q - loss))
        }
        return Estimate(ratio, standard_error(self.tally, slopes))

    def relative_information_gain(self) -> Estimate:
        """RIG = 1 − NE."""
        entropy = self.normalized_entropy()
        if isinstance(entropy.value, Undefined):
            return entropy
        return Estimate(1.0 - entropy.value, entropy.standard_error)

    def calibration_ratio(self) -> Estimate:
        """Σ wp / Σ wy: 1 is perfect, more is too high a prediction."""
        missing = self._missing(self._binary_only() or (None if self._y > 0 else _NO_POSITIVES))
        if missing:
            return missing
        ratio = self._p / self._y
        slopes = {"p": 1 / self._y, "y": -ratio / self._y}
        return Estimate(ratio, standard_error(self.tally, slopes))

    def ece(self) -> Estimate:
        """Σ_b |Σ w(y − p)| / Σ w over 15 bins of equal width, of a multiclass task's top label.

        The standard error is of first order, with the sign of every gap held, of rows whose
        weights say nothing about their gaps.
        """
        missing = self._missing(None)
        if missing:
            return missing
        _, observed, predicted = (uniform(sums, ECE_BINS) for sums in self._histogram())
        error = min(float(np.abs(observed - predicted).sum()) / self._w, 1.0)
        yy, py, pp, ww = map(self.tally.square, ("wwyy", "wwpy", "wwpp", "ww"))
        above, below = error.as_integer_ratio()
        spread = max((yy - 2 * py + pp) * below**2 - above**2 * ww, 0)
        of_sum = row_error(self.tally, spread, UNIT + below.bit_length() - 1)
        return Estimate(error, of_sum if isinstance(of_sum, Undefined) else of_sum / self._w)

    def auc(self) -> Estimate:
        """AUC from the score histogram, pairs within a bin counting half: true to ± error_bound.

        The standard error is that of placements (DeLong), of rows; a soft label is y of a
        positive row and 1 − y of a negative one.

        Source: DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988).
        """
        weight, positive, _ = self._histogram()
        negative = np.maximum(weight - positive, 0.0)
        p, n = float(positive.sum()), float(negative.sum())
        alone = None if p > 0 and n > 0 else _ONE_CLASS
        missing = self._missing(self._binary_only() or alone)
        if missing:
            return missing
        positive, negative = positive / p, negative / n
        below = np.cumsum(negative) - negative / 2
        above = 1.0 - np.cumsum(positive) + positive / 2
        area = min(float(positive @ below), 1.0)
        bound = float(positive @ negative) / 2
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
        missing = self._missing(self._binary_only())
        if missing:
            assert isinstance(missing.value, Undefined)
            return Decomposition(missing.value, missing.value, missing.value)
        weight, positive, _ = self._histogram()
        some = weight > 0
        blocks = isotonic_means(weight[some], np.minimum(positive, weight)[some])
        recalibrated = binary_entropy_sum(blocks[1], blocks[0]) / self._w
        uncertainty = binary_entropy(self._y / self._w)
        loss = math.inf if self._has_infinite() else self._l / self._w
        return Decomposition(
            max(loss - recalibrated, 0.0), max(uncertainty - recalibrated, 0.0), uncertainty
        )

    def reliability(self, bins: int) -> list[Bin]:
        """Bins of equal width: mean prediction beside what was observed. `bins` divides 60."""
        empty = Undefined("empty_bin")
        columns = [uniform(sums, bins).tolist() for sums in self._histogram()]
        return [
            Bin(b / bins, (b + 1) / bins, w, p / w if w else empty, y / w if w else empty)
            for b, (w, y, p) in enumerate(zip(*columns, strict=True))
        ]

    def _histogram(self) -> tuple[Array, Array, Array]:
        names = ("bin_w", "bin_wy", "bin_wp")
        weight, positive, predicted = (self.tally.vector(name).reals(BINS) for name in names)
        return weight, positive, predicted

    def _mean(self, name: str, total: float) -> Estimate:
        missing = self._missing(None)
        if missing:
            return missing
        mean = total / self._w
        slopes = {name: 1 / self._w, "w": -mean / self._w}
        return Estimate(mean, standard_error(self.tally, slopes))

    def _binary_mean(self, name: str, total: float) -> Estimate:
        return self._missing(self._binary_only()) or self._mean(name, total)

    def _missing(self, reason: Undefined | None) -> Estimate | None:
        if reason is not _MULTICLASS and self._w <= 0:
            reason = Undefined("zero_weight" if self.rows else "empty")
        return None if reason is None else Estimate(reason, reason)

    def _binary_only(self) -> Undefined | None:
        return None if self.is_binary else _MULTICLASS

    def _one_class(self) -> Undefined | None:
        return None if self._w > 0 and 0 < self._y / self._w < 1 else _ONE_CLASS

    def _has_infinite(self) -> bool:
        return self.tally.scalar("infinite") > 0
