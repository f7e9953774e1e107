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


@dataclass(frozen=True, slots=True)
class EceValue(MetricValue):
    """The expected calibration error, which chance makes larger.

    `debiased` is it without chance, 0 on average of calibrated predictions; `standard_error` is
    its own too. `expected_if_calibrated` is what chance alone would make. Both are null of units,
    of entries, and of labels between 0 and 1.
    """

    debiased: float | None
    expected_if_calibrated: float | None


MetricValues = Mapping[str, AucValue | EceValue | MetricValue]


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
    values: dict[str, AucValue | EceValue | MetricValue] = {}
    for name, estimate in metrics.metrics().items():
        value, error = stated(estimate.value), finite(estimate.standard_error)
        if name == "auc":
            values[name] = AucValue(*value, error, estimate.error_bound)
        elif name == "ece":
            noise = estimate.noise
            without = None if noise is None else noise.debiased
            chance = None if noise is None else noise.expected_if_calibrated
            values[name] = EceValue(*value, error, without, chance)
        else:
            values[name] = MetricValue(*value, error)
    return values


def reliability_bins(bins: Sequence[Bin]) -> tuple[ReliabilityBin, ...]:
    """Bins of predictions as they are reported."""
    return tuple(
        ReliabilityBin(
            each.low, each.high, each.weight, finite(each.mean_predicted), finite(each.observed)
        )
        for each in bins
    )
