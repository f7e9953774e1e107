"""What a tally says as JSON: each number with its status, or the reason that there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kullback.numerics.isotonic import Decomposition
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Undefined
from kullback.scoring.score import Status
from kullback.tally.metrics import Bin, Estimate, TallyMetrics


@dataclass(frozen=True, slots=True)
class MetricValue:
    """A metric; `value` is null where `reason` says why there is none."""

    value: float | None
    status: Status
    reason: Reason | None
    standard_error: float | None

    @classmethod
    def of(cls, estimate: Estimate) -> "MetricValue":
        """The estimate as it is reported."""
        return cls(*stated(estimate.value), finite(estimate.standard_error))


@dataclass(frozen=True, slots=True)
class AucValue(MetricValue):
    """The area under the ROC curve, true to ± `error_bound`: scores are kept in bins."""

    error_bound: float | None


MetricValues = Mapping[str, AucValue | MetricValue]


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Predictions in (low, high], beside what was observed."""

    low: float
    high: float
    weight: float
    mean_predicted: float | None
    observed: float | None


@dataclass(frozen=True, slots=True)
class LogLossDecomposition:
    """Log loss = miscalibration − discrimination + uncertainty, in nats."""

    miscalibration: float | None
    discrimination: float | None
    uncertainty: float | None

    @classmethod
    def of(cls, decomposition: Decomposition) -> "LogLossDecomposition":
        """The decomposition as it is reported."""
        return cls(
            finite(decomposition.miscalibration),
            finite(decomposition.discrimination),
            finite(decomposition.uncertainty),
        )


def stated(value: float | Undefined) -> tuple[float | None, Status, Reason | None]:
    """A value, its status and its reason."""
    if isinstance(value, Undefined):
        return None, "undefined", value.reason
    reason = Reason.of_infinity(value)
    return (value, "finite", None) if reason is None else (None, "infinite", reason)


def finite(value: float | Undefined | None) -> float | None:
    """The value if it is a number."""
    return None if value is None else stated(value)[0]


def metric_values(metrics: TallyMetrics) -> MetricValues:
    """Every metric of a tally by its name."""
    values: dict[str, AucValue | MetricValue] = {}
    for name, estimate in metrics.metrics().items():
        value = MetricValue.of(estimate)
        if name == "auc":
            value = AucValue(
                value.value, value.status, value.reason, value.standard_error, estimate.error_bound
            )
        values[name] = value
    return values


def reliability_bins(bins: Sequence[Bin]) -> tuple[ReliabilityBin, ...]:
    """Bins of predictions as they are reported."""
    return tuple(
        ReliabilityBin(
            each.low, each.high, each.weight, finite(each.mean_predicted), finite(each.observed)
        )
        for each in bins
    )
