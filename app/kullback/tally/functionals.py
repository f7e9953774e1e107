"""Metrics as smooth functions of a tally's sums: values and derivatives."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kullback.numerics.isotonic import binary_entropy
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Undefined
from kullback.tally.exact import real
from kullback.tally.tally import Tally
from kullback.tally.unpredicted import lacks_labels, lacks_predictions

INFINITE = Undefined(Reason.POSITIVE_INFINITY)
MULTICLASS = Undefined(Reason.MULTICLASS)
ONE_CLASS = Undefined(Reason.ONE_CLASS)
NO_POSITIVES = Undefined(Reason.NO_POSITIVES)
_OF_PREDICTIONS = frozenset("lpb")


@dataclass(frozen=True, slots=True)
class Functional:
    """θ = g(Σw, Σwl, Σwy, Σwp, Σwb), which no scaling of all weights changes.

    Attributes:
        value: θ, which may be infinite, or why there is none.
        slopes: ∂θ/∂S by "w", "l", "y", "p", "b"; empty where the value is not finite.
    """

    value: float | Undefined
    slopes: Mapping[str, float] = field(default_factory=dict)


def log_loss(tally: Tally) -> Functional:
    """Σ wl / Σ w, nats; infinite where a row's loss is."""
    nothing = _lacking(tally, "l")
    if nothing:
        return nothing
    return Functional(math.inf) if _has_infinite(tally) else _mean(tally, "l")


def brier(tally: Tally) -> Functional:
    """Σ w(y − p)² / Σ w."""
    return _mean(tally, "b")


def accuracy(tally: Tally) -> Functional:
    """How much of all weight has the right class on top, of a multiclass task."""
    return _mean(tally, "y")


def base_rate(tally: Tally) -> Functional:
    """The base rate q = Σ wy / Σ w."""
    return _binary(tally) or _mean(tally, "y")


def mean_prediction(tally: Tally) -> Functional:
    """Σ wp / Σ w."""
    return _binary(tally) or _mean(tally, "p")


def normalized_entropy(tally: Tally) -> Functional:
    """NE = (Σ wl / Σ w) / H_b(q), q = Σ wy / Σ w.

    Source: He et al., ADKDD (2014), §3.
    """
    w, loss, y = _reals(tally, "w", "l", "y")
    nothing = _binary(tally) or _lacking(tally, "l")
    if nothing:
        return nothing
    q = y / w
    if not 0 < q < 1:
        return Functional(ONE_CLASS)
    if _has_infinite(tally):
        return Functional(math.inf)
    entropy, mean = binary_entropy(q), loss / w
    ratio = mean / entropy
    tilt = ratio * (math.log1p(-q) - math.log(q))
    slopes = {"l": 1.0, "y": -tilt, "w": tilt * q - mean}
    return Functional(ratio, {name: slope / entropy / w for name, slope in slopes.items()})


def calibration_ratio(tally: Tally) -> Functional:
    """R = Σ wp / Σ wy: 1 is perfect, more is too high a prediction."""
    y, p = _reals(tally, "y", "p")
    nothing = _binary(tally) or _lacking(tally, "p")
    if nothing:
        return nothing
    if y <= 0:
        return Functional(NO_POSITIVES)
    return Functional(p / y, {"p": 1 / y, "y": -p / y / y})


def log_calibration_ratio(tally: Tally) -> Functional:
    """The logarithm ln R = ln(Σ wp / Σ wy): 0 is perfect."""
    ratio = calibration_ratio(tally)
    if isinstance(ratio.value, Undefined):
        return ratio
    if ratio.value <= 0:
        return Functional(Undefined(Reason.NO_PREDICTIONS))
    slopes = {name: slope / ratio.value for name, slope in ratio.slopes.items()}
    return Functional(math.log(ratio.value), slopes)


def missing(tally: Tally) -> Undefined | None:
    """Why nothing can be read, if nothing can."""
    if tally.scalar("w") > 0:
        return None
    return Undefined(Reason.ZERO_WEIGHT if tally.scalar("rows") else Reason.EMPTY)


def missing_predictions(tally: Tally) -> Undefined | None:
    """Why nothing can be read that needs the predictions of all rows, if nothing can."""
    if lacks_predictions(tally):
        return Undefined(Reason.MISSING_PREDICTIONS)
    return missing(tally)


FUNCTIONALS: Mapping[str, Callable[[Tally], Functional]] = {
    "log_loss": log_loss,
    "normalized_entropy": normalized_entropy,
    "brier": brier,
    "log_calibration_ratio": log_calibration_ratio,
    "base_rate": base_rate,
    "mean_prediction": mean_prediction,
}


def _mean(tally: Tally, name: str) -> Functional:
    nothing = _lacking(tally, name)
    if nothing:
        return nothing
    w, total = _reals(tally, "w", name)
    return Functional(total / w, {name: 1 / w, "w": -total / w / w})


def _reals(tally: Tally, *names: str) -> tuple[float, ...]:
    return tuple(real(tally.scalar("w" if name == "w" else f"w{name}")) for name in names)


def _lacking(tally: Tally, name: str) -> Functional | None:
    """Why a sum of all rows is none, if it is none."""
    if name in _OF_PREDICTIONS:
        reason = missing_predictions(tally)
    elif lacks_labels(tally):
        reason = Undefined(Reason.MISSING_LABELS)
    else:
        reason = missing(tally)
    return None if reason is None else Functional(reason)


def _binary(tally: Tally) -> Functional | None:
    return Functional(MULTICLASS) if tally.layout.task == "multiclass" else None


def _has_infinite(tally: Tally) -> bool:
    return tally.scalar("infinite") > 0
