"""Calibration error: ECE, MCE, RMSCE and the Brier score."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.isotonic import decompose
from kullback.numerics.logspace import log_softmax, sigmoid
from kullback.numerics.means import weighted_mean
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined
from kullback.scoring.arrays import distributions, logit_rows, probabilities, row_sums, weights
from kullback.scoring.arrays import logits as checked_logits
from kullback.scoring.binning import Strategy
from kullback.scoring.conventions import EXACT
from kullback.scoring.labels import Label, Labels, binary_target, flat, hard_labels, row_count
from kullback.scoring.losses import binary_losses
from kullback.scoring.options import Options
from kullback.scoring.reliability import Reliability, classwise_errors
from kullback.scoring.score import Context, Score, conventions, diagnostics, explained, in_unit
from kullback.scoring.temperature import temperature


@dataclass(frozen=True, slots=True)
class CalibrationOptions:
    """What calibration can be asked beside Options."""

    bins: int = 15
    strategy: Strategy = "uniform"
    labels: Sequence[Label] | None = None
    pos_label: Label | None = None


@dataclass(frozen=True, slots=True)
class _Forecast:
    """What is binned: the stated probability, whether it came true, and all behind it."""

    stated: Array
    came_true: Array
    brier: Array
    rows: Array | None = None
    index: Indices | None = None
    logits: Array | None = None


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
        y_true: labels (n,); soft labels in [0, 1] for one probability per row.
        y_proba: P(pos_label) (n,), binned against y; or rows (n, k), of which the top label's
            confidence is binned against whether it was right, ties to the lowest index. Or
        logits: of a sigmoid (n,), of a softmax (n, k).
        settings: `bins` (default 15), each (low, high], 0 in the first; `strategy` uniform, or
            quantile for bins of equal counts.
        options: see Options; `reduction` and `base` do not change the value.

    Returns:
        In [0, 1]. `mce` is the largest gap, `rmsce` √Σ share·gap², `brier` the mean (p − y)² or
        Σₖ(pₖ − yₖ)²; `decomposition` of the log loss of what is binned; `temperature` for
        logits; `classwise` the mean ECE over classes, one against the rest.

    Raises:
        InvalidInput: a probability, a label or a weight is impossible.

    Source: Naeini, Cooper & Hauskrecht, AAAI (2015); Guo et al., ICML (2017).
    """
    n, options = _checked(y_true, y_proba, logits, options)
    weight = options.sample_weight
    context = Context(
        "calibration", options, conventions={"bins": settings.bins, "strategy": settings.strategy}
    )
    y_proba = None if y_proba is None else flat(y_proba)
    logits = None if logits is None else flat(logits)
    sent = logits if y_proba is None else y_proba
    assert sent is not None
    if sent.ndim == 1:
        forecast, context = _binary(y_true, y_proba, logits, settings, context)
    else:
        forecast, context = _multiclass(y_true, y_proba, logits, settings, context)
    if weight is not None and not (weight > 0).any():
        value, reason, reliability = math.nan, Reason.ZERO_WEIGHT, None
    else:
        reliability = Reliability.of(
            forecast.stated, forecast.came_true, weight, settings.bins, settings.strategy
        )
        value, reason = reliability.ece(), None
    return Score(
        metric="calibration",
        value=value,
        reason=reason,
        unit="probability",
        n=n,
        weight=float(n) if weight is None else math.fsum(weight.tolist()),
        details=explained(_details(forecast, reliability, settings, options)),
        conventions=conventions(context),
        diagnostics=diagnostics(np.empty(0), context),
    )


def _checked(
    y_true: Labels, y_proba: Array | None, logits: Array | None, options: Options
) -> tuple[int, Options]:
    name, sent = ("logits", logits) if y_proba is None else ("y_proba", y_proba)
    if sent is None or (y_proba is not None and logits is not None):
        raise InvalidInput.at("send either y_proba or logits", "y_proba")
    if sent.ndim not in (1, 2) or sent.size == 0:
        raise InvalidInput.at(f"{name} must be [n] or [n][k], and not empty", name)
    n = sent.shape[0]
    if row_count(y_true) != n:
        raise InvalidInput.at(f"y_true has {row_count(y_true)} rows but {name} has {n}", "y_true")
    return n, replace(options, sample_weight=weights("sample_weight", options.sample_weight, n))


def _binary(
    y_true: Labels,
    y_proba: Array | None,
    logits: Array | None,
    settings: CalibrationOptions,
    context: Context,
) -> tuple[_Forecast, Context]:
    options = context.options
    truth = binary_target("y_true", y_true, settings.labels, settings.pos_label, options)
    y = truth.values
    if y_proba is not None:
        checked = probabilities("y_proba", y_proba, options)
        p = checked.values
        context = replace(context, clipped=checked.clipped + truth.clipped)
        return _Forecast(p, y, (p - y) ** 2), context
    assert logits is not None
    x = checked_logits("logits", logits)
    p = sigmoid(x)
    hard = bool(((y == 0) | (y == 1)).all())
    both = np.stack((np.zeros_like(x), x), axis=1)
    index = y.astype(np.int64) if hard else None
    context = replace(context, clipped=truth.clipped)
    return _Forecast(p, y, (p - y) ** 2, None, index, both), context


def _multiclass(
    y_true: Labels,
    y_proba: Array | None,
    logits: Array | None,
    settings: CalibrationOptions,
    context: Context,
) -> tuple[_Forecast, Context]:
    if y_proba is not None:
        checked = distributions("y_proba", y_proba, context.options)
        p = checked.values
        context = replace(
            context,
            clipped=checked.clipped,
            renormalized=checked.renormalized,
            max_sum_error=checked.max_sum_error,
        )
        z = None
    else:
        assert logits is not None
        z, _ = logit_rows("logits", logits)
        p = np.exp(log_softmax(z))
    n, k = p.shape
    index = hard_labels("y_true", y_true, settings.labels, k, context.options)
    top = p.argmax(axis=1)
    miss = p.copy()
    miss[np.arange(n), index] -= 1.0
    confidence = np.minimum(p[np.arange(n), top], 1.0)
    right = (top == index).astype(np.float64)
    return _Forecast(confidence, right, row_sums(np.square(miss)), p, index, z), context


def _details(
    forecast: _Forecast,
    reliability: Reliability | None,
    settings: CalibrationOptions,
    options: Options,
) -> dict[str, object]:
    weight = options.sample_weight
    gone = Undefined(Reason.ZERO_WEIGHT)
    losses, _ = binary_losses(forecast.came_true, forecast.stated, EXACT)
    mean = weighted_mean(losses, weight)
    log_loss = math.nan if isinstance(mean, Undefined) else mean
    parts = decompose(forecast.stated, forecast.came_true, weight, log_loss)
    return {
        "mce": gone if reliability is None else float(reliability.gaps().max()),
        "rmsce": gone
        if reliability is None
        else math.sqrt(float(reliability.shares() @ reliability.gaps() ** 2)),
        "brier": weighted_mean(forecast.brier, weight),
        "table": [] if reliability is None else reliability.table(),
        "decomposition": {
            "miscalibration": in_unit(parts.miscalibration, options),
            "discrimination": in_unit(parts.discrimination, options),
            "uncertainty": in_unit(parts.uncertainty, options),
        },
        "temperature": _temperature(forecast, weight),
        **_classwise(forecast, settings, weight),
    }


def _temperature(forecast: _Forecast, weight: Array | None) -> float | Undefined:
    if forecast.logits is None or forecast.index is None:
        return Undefined(Reason.NO_LOGITS if forecast.logits is None else Reason.SOFT_LABELS)
    return temperature(forecast.logits, forecast.index, weight)


def _classwise(
    forecast: _Forecast, settings: CalibrationOptions, weight: Array | None
) -> dict[str, object]:
    if forecast.rows is None or forecast.index is None:
        return {"classwise": Undefined(Reason.BINARY)}
    if weight is not None and not (weight > 0).any():
        return {"classwise": Undefined(Reason.ZERO_WEIGHT)}
    errors = classwise_errors(
        forecast.rows, forecast.index, weight, settings.bins, settings.strategy
    )
    return {"classwise": sum(errors) / len(errors), "per_class": errors}
