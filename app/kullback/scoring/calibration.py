"""Calibration error: ECE, MCE, RMSCE, smooth ECE and the Brier score."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kullback.numerics.isotonic import decompose
from kullback.numerics.means import weighted_mean
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from kullback.scoring.arrays import weights
from kullback.scoring.binning import Bins, Strategy, bin_conventions, chosen_bins, given_bins
from kullback.scoring.calibration_forecast import CalibrationForecast, Predictions
from kullback.scoring.conventions import EXACT
from kullback.scoring.labels import Label, Labels, row_count
from kullback.scoring.losses import binary_losses
from kullback.scoring.options import Options
from kullback.scoring.reliability import Reliability, column_errors
from kullback.scoring.score import Context, Score, conventions, diagnostics, explained, in_unit
from kullback.scoring.smooth_calibration import smooth_calibration_error
from kullback.scoring.task import Task
from kullback.scoring.temperature import temperature

_NOISE = ("debiased", "expected_if_calibrated")


@dataclass(frozen=True, slots=True)
class CalibrationOptions:
    """What calibration can be asked beside Options."""

    bins: Bins = 15
    strategy: Strategy = "uniform"
    labels: Sequence[Label] | None = None
    pos_label: Label | None = None
    task: Task | None = None
    is_log: bool = False  # ln p was sent


def calibration(
    y_true: Labels,
    y_proba: Array | None,
    logits: Array | None,
    settings: CalibrationOptions,
    options: Options,
) -> Score:
    """Expected calibration error: the mean gap between what was said and what was seen.

        ECE = Σ_b (W_b/W) |observed_b − mean predicted_b|

    Args:
        y_true: labels (n,), or rows of a single 1 (n, k); soft labels in [0, 1] for one
            probability per row; for multilabel 0..1, (n, k).
        y_proba: P(pos_label) (n,), binned against y; or rows (n, k), of which the top label's
            confidence is binned against whether it was right, ties to the lowest index; for
            multilabel a probability per label (n, k). Their logarithms, if `settings.is_log`. Or
        logits: of a sigmoid (n,), (n, k) for multilabel; of a softmax (n, k).
        settings: `bins`, how many (default 15), their edges from 0 to 1, or a rule of
            chosen_bins, each (low, high], 0 in the first; `strategy` uniform, or quantile for
            bins of equal weight.
        options: see Options; there are no losses of rows to be summed or returned.

    Returns:
        In [0, 1]; for multilabel the mean of the `per_label` errors, beside `micro`, that of all
        entries together, of which all else speaks. `debiased` is the error without chance, and
        `expected_if_calibrated` what chance alone would make, of labels 0 and 1. `mce` is the
        largest gap, `rmsce` √Σ share·gap², `smooth_ece` the error without bins, `brier` the mean
        (p − y)² or
        Σₖ(pₖ − yₖ)²; `decomposition` of the log loss of what is binned; `temperature` for
        logits; `classwise` the mean ECE over classes, one against the rest.

    Raises:
        InvalidInput: a probability, a label, a weight or an edge is impossible.

    Source: Naeini, Cooper & Hauskrecht, AAAI (2015); Guo et al., ICML (2017).
    """
    n = row_count(y_true)
    options = replace(options, sample_weight=weights("sample_weight", options.sample_weight, n))
    extra = bin_conventions(settings.bins, settings.strategy)
    sent = Predictions(
        y_true,
        y_proba,
        logits,
        settings.task,
        settings.labels,
        settings.pos_label,
        settings.is_log,
    )
    forecast, context = sent.forecast(Context("calibration", options, conventions=extra))
    bins = _bins(forecast, settings)
    value, details = _details(forecast, bins, settings.strategy, context)
    weight = options.sample_weight
    return Score(
        metric="calibration",
        value=math.nan if isinstance(value, Undefined) else value,
        reason=value.reason if isinstance(value, Undefined) else None,
        unit="probability",
        n=n,
        weight=float(n) if weight is None else math.fsum(weight.tolist()),
        details=explained(details),
        conventions=conventions(context),
        diagnostics=diagnostics(np.empty(0), context),
    )


def _bins(forecast: CalibrationForecast, settings: CalibrationOptions) -> int | Array:
    """How many bins, or their edges: a rule looks at what is binned, cube_root at the rows."""
    if not isinstance(settings.bins, str):
        return given_bins(settings.bins)
    p, y, w = forecast.stated, forecast.came_true, forecast.weight
    if w is not None:
        p, y, w = p[w > 0], y[w > 0], w[w > 0]
    rows = p.size * forecast.brier.size // forecast.stated.size
    return chosen_bins(settings.bins, settings.strategy, (p, y, w), rows)


def _details(
    forecast: CalibrationForecast, bins: int | Array, strategy: Strategy, context: Context
) -> tuple[float | Undefined, dict[str, object]]:
    """The value, and the numbers beside it."""
    p, y, weight = forecast.stated, forecast.came_true, forecast.weight
    options = context.options
    losses, _ = binary_losses(y, p, EXACT, forecast.logs)
    mean = weighted_mean(losses, weight)
    parts = decompose(p, y, weight, math.nan if isinstance(mean, Undefined) else mean)
    value, details = _binned(forecast, bins, strategy, context)
    return value, {
        **details,
        "brier": weighted_mean(forecast.brier, options.sample_weight),
        "decomposition": {
            "miscalibration": in_unit(parts.miscalibration, options),
            "discrimination": in_unit(parts.discrimination, options),
            "uncertainty": in_unit(parts.uncertainty, options),
        },
        "temperature": _temperature(forecast),
    }


def _binned(
    forecast: CalibrationForecast, bins: int | Array, strategy: Strategy, context: Context
) -> tuple[float | Undefined, dict[str, object]]:
    """Errors of bins, and the one without; of each column too where there are some."""
    p, y, weight = forecast.stated, forecast.came_true, forecast.weight
    several = context.conventions["task"] == "multilabel"
    if weight is not None and not (weight > 0).any():
        gone = Undefined(Reason.ZERO_WEIGHT)
        names = (*_NOISE, "mce", "rmsce", "smooth_ece", "micro" if several else "classwise")
        return gone, dict.fromkeys(names, gone) | {"table": []}
    reliability = Reliability.of(p, y, weight, bins, strategy)
    value = reliability.ece()
    details: dict[str, object] = {
        **_noise(reliability, y),
        "mce": float(reliability.gaps().max()),
        "rmsce": math.sqrt(float(reliability.shares() @ reliability.gaps() ** 2)),
        "smooth_ece": smooth_calibration_error(p, y, weight),
        "table": reliability.table(),
    }
    if forecast.columns is None or forecast.truth is None:
        return value, details | {"classwise": Undefined(Reason.BINARY)}
    errors = column_errors(
        forecast.columns, forecast.truth, context.options.sample_weight, bins, strategy
    )
    mean = sum(errors) / len(errors)
    if several:
        return mean, details | {"micro": value, "per_label": errors}
    return value, details | {"classwise": mean, "per_class": errors}


def _noise(reliability: Reliability, y: Array) -> dict[str, float | Undefined]:
    if ((y > 0) & (y < 1)).any():
        return dict.fromkeys(_NOISE, Undefined(Reason.SOFT_LABELS))
    noise = reliability.noise()
    return dict(zip(_NOISE, (noise.debiased, noise.expected_if_calibrated), strict=True))


def _temperature(forecast: CalibrationForecast) -> float | Undefined:
    if forecast.logits is None or forecast.index is None:
        return Undefined(Reason.NO_LOGITS if forecast.logits is None else Reason.SOFT_LABELS)
    return temperature(forecast.logits, forecast.index, forecast.weight)
