"""What a tally says as a document: numbers with their status and reason."""

import math
from collections.abc import Sequence

from kullback.numerics.types import Undefined
from kullback.tally.metrics import Bin, Estimate, TallyMetrics

Document = dict[str, object]


def stated(value: float | Undefined) -> tuple[float | None, str, str | None]:
    """A value, its status and its reason."""
    if isinstance(value, Undefined):
        return None, "undefined", value.reason
    if math.isinf(value):
        return None, "infinite", "positive_infinity" if value > 0 else "negative_infinity"
    return value, "finite", None


def finite(value: float | Undefined | None) -> float | None:
    """The value if it is a number."""
    return None if value is None else stated(value)[0]


def estimate(found: Estimate) -> Document:
    """An estimate as an answer: a value, or why there is none."""
    number: Document = dict(zip(("value", "status", "reason"), stated(found.value), strict=True))
    number["standard_error"] = finite(found.standard_error)
    if found.error_bound is not None:
        number["error_bound"] = found.error_bound
    return number


def numbers(reading: TallyMetrics) -> Document:
    """How many rows, how much weight, and every metric."""
    metrics = {name: estimate(found) for name, found in reading.metrics().items()}
    metrics["auc"].setdefault("error_bound", None)
    return {"n": reading.rows, "weight": reading.weight, "metrics": metrics}


def bins(found: Sequence[Bin]) -> list[Document]:
    """Bins of predictions: the mean prediction beside what was observed."""
    return [
        {
            "low": one.low,
            "high": one.high,
            "weight": one.weight,
            "mean_predicted": finite(one.mean_predicted),
            "observed": finite(one.observed),
        }
        for one in found
    ]


def decomposition(reading: TallyMetrics) -> Document:
    """Log loss as miscalibration − discrimination + uncertainty, in nats."""
    found = reading.decomposition()
    names = ("miscalibration", "discrimination", "uncertainty")
    return {name: finite(getattr(found, name)) for name in names}
