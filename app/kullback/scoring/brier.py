"""Brier score: binary, multiclass and multilabel, with its skill, its parts, and ranked classes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.means import weighted_mean
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined
from kullback.scoring.arrays import (
    CheckedDistributions,
    distributions,
    probabilities,
    row_sums,
    weights,
)
from kullback.scoring.binning import Strategy, bin_conventions, given_bins
from kullback.scoring.brier_parts import BrierParts, brier_parts
from kullback.scoring.checks import after_checks
from kullback.scoring.labels import (
    Label,
    Labels,
    binary_target,
    class_labels,
    flat,
)
from kullback.scoring.multilabel import multilabel_target
from kullback.scoring.options import Options
from kullback.scoring.refusals import RENORMALIZE
from kullback.scoring.score import Context, Losses, Score, score_rows
from kullback.scoring.task import (
    MULTILABEL,
    Task,
    may_be_multilabel,
    refuse_label_shape,
    refuse_task,
    refuse_unused,
)


@dataclass(frozen=True, slots=True)
class BrierOptions:
    """What the Brier score can be asked beside Options."""

    task: Task | None = None
    labels: Sequence[Label] | None = None
    pos_label: Label | None = None
    bins: int | Sequence[float] = 15
    strategy: Strategy = "uniform"


@dataclass(frozen=True, slots=True)
class _Forecast:
    """Predictions (n, k) beside the class of each row (n,), or what came true of each column."""

    p: Array
    truth: Indices | Array

    def misses(self) -> Array:
        """P − y, (n, k)."""
        if self.truth.ndim == 2:
            return np.subtract(self.p, self.truth)
        misses = self.p.copy()
        misses[np.arange(self.truth.size), self.truth] -= 1.0
        return misses

    def spreads(self, weight: Array | None) -> Array:
        """Σ_{j<k} (Y_j − mean Y_j)² of each row, Y the cumulative sums of what happened, (n,)."""
        k = self.p.shape[1]
        if self.truth.ndim == 2:
            steps = np.cumsum(self.truth, axis=1)[:, :-1]
            return row_sums(np.square(steps - np.average(steps, axis=0, weights=weight)))
        shares = np.bincount(self.truth, weight, k)
        rate = np.cumsum(shares / shares.sum())[:-1]
        below = np.concatenate(([0.0], np.cumsum(rate**2)))  # Σ over the classes before
        above = np.concatenate((np.cumsum((1 - rate[::-1]) ** 2)[::-1], [0.0]))
        spreads: Array = (below + above)[self.truth]
        return spreads


def brier(y_true: Labels, y_proba: Array, settings: BrierOptions, options: Options) -> Score:
    """The mean squared distance of the predicted probabilities from what happened.

        binary      ℓ = (p − y)²
        multiclass  ℓ = Σₖ (pₖ − yₖ)²
        multilabel  ℓ = the mean over labels of (p − y)²
        skill score = 1 − value / uncertainty
        ranked probability score = the mean of Σ_{j<k} (P_j − Y_j)², P and Y cumulative sums

    Args:
        y_true: labels (n,), integers or strings, or rows (n, k) of a single 1; soft labels (n,)
            in [0, 1] or rows (n, k) that sum to 1; for multilabel 0..1, (n, k).
        y_proba: P(pos_label) (n,); or rows (n, k) whose columns are `labels`, in that order.
        settings: task, labels, pos_label; `bins` and `strategy` of the parts.
        options: see Options, of which `base` means nothing here; the gradient is with respect to
            y_proba.

    Returns:
        In [0, 1]; multiclass in [0, 2], twice what a binary forecast of two columns has. The
        parts of brier_parts, one against the rest and added up for classes. `skill_score` beside
        the base rate, `ranked_probability_score` of classes in the order of the columns, in
        [0, k − 1], and its skill; `per_label` for multilabel.

    Raises:
        InvalidInput: a probability, a row, a label or a weight is impossible.

    Source: Brier, Monthly Weather Review 78 (1950); Epstein, Journal of Applied Meteorology 8
        (1969), and Murphy, ibid. 10 (1971), for ranked classes.
    """
    if y_proba.size == 0:
        raise InvalidInput.at("y_proba is empty", "y_proba")
    task = settings.task or ("binary" if flat(y_proba).ndim == 1 else "multiclass")
    column = task == "binary" and y_proba.ndim == 2
    y_proba = flat(y_proba) if column else y_proba
    refuse_task(task, "y_proba", y_proba)
    refuse_unused(task, settings.pos_label, options)
    refuse_label_shape(y_true, "y_proba", y_proba, task)
    n = y_proba.shape[0]
    weight = weights("sample_weight", options.sample_weight, n)
    extra = {"task": task, **bin_conventions(settings.bins, settings.strategy)}
    context = Context("brier", options, conventions=extra, column=column)
    forecast, context = _READERS[task](y_true, y_proba, settings, context)
    misses = forecast.misses()
    share = 1.0 / misses.shape[1] if task == "multilabel" else 1.0
    losses = share * row_sums(np.square(misses))
    gradient = None
    if options.gradient:
        gradient = 2 * share * (misses.reshape(-1) if task == "binary" else misses)
    mean = weighted_mean(losses, weight)
    details = _parts(forecast, mean, replace(settings, task=task), weight)
    if task == "multilabel":
        details["per_label"] = [weighted_mean(miss**2, weight) for miss in misses.T]
    elif task == "multiclass":
        details |= _ranked(forecast, misses, mean, weight)
    score = score_rows(Losses(losses, gradient=gradient), details, context)
    return replace(score, unit="squared probability")


def _binary(
    y_true: Labels, y_proba: Array, settings: BrierOptions, context: Context
) -> tuple[_Forecast, Context]:
    options = context.options
    checked = probabilities("y_proba", y_proba, options)
    truth = binary_target("y_true", y_true, settings.labels, settings.pos_label, options)
    forecast = _Forecast(checked.values[:, None], truth.values[:, None])
    return forecast, after_checks(context, checked, truth)


def _multiclass(
    y_true: Labels, y_proba: Array, settings: BrierOptions, context: Context
) -> tuple[_Forecast, Context]:
    k = y_proba.shape[1]
    remedy = MULTILABEL if may_be_multilabel(y_true, k) else RENORMALIZE
    checked = distributions("y_proba", y_proba, context.options, remedy)
    target = class_labels("y_true", y_true, settings.labels, k, context.options)
    context = after_checks(context, checked)
    if not isinstance(target, CheckedDistributions):
        return _Forecast(checked.values, target), context
    return _Forecast(checked.values, target.values), after_checks(context, target)


def _multilabel(
    y_true: Labels, y_proba: Array, settings: BrierOptions, context: Context
) -> tuple[_Forecast, Context]:
    checked = probabilities("y_proba", y_proba, context.options)
    truth = multilabel_target(y_true, checked.values, settings.labels, context.options)
    return _Forecast(checked.values, truth.values), after_checks(context, checked, truth)


_READERS = {"binary": _binary, "multiclass": _multiclass, "multilabel": _multilabel}


def _parts(
    forecast: _Forecast, mean: float | Undefined, settings: BrierOptions, weight: Array | None
) -> dict[str, object]:
    """The skill and the parts; those of a multilabel task are means over its labels."""
    if isinstance(mean, Undefined):
        return dict.fromkeys(("skill_score", *(part.name for part in fields(BrierParts))), mean)
    bins = given_bins(settings.bins)
    sums = asdict(brier_parts(forecast.p, forecast.truth, weight, bins, settings.strategy))
    columns = forecast.p.shape[1] if settings.task == "multilabel" else 1
    parts = {name: part / columns for name, part in sums.items()}
    return {"skill_score": _skill(mean, parts["uncertainty"]), **parts}


def _skill(value: float, reference: float) -> float | Undefined:
    return 1.0 - value / reference if reference > 0 else Undefined(Reason.ONE_CLASS)


def _ranked(
    forecast: _Forecast, misses: Array, mean: float | Undefined, weight: Array | None
) -> dict[str, object]:
    """The ranked probability score, and its skill beside the shares of the classes."""
    names = ("ranked_probability_score", "ranked_probability_skill_score")
    if isinstance(mean, Undefined):
        return dict.fromkeys(names, mean)
    rows = row_sums(np.square(np.cumsum(misses, axis=1)[:, :-1]))
    score, reference = weighted_mean(rows, weight), weighted_mean(forecast.spreads(weight), weight)
    assert isinstance(score, float)  # as the mean is
    assert isinstance(reference, float)
    return dict(zip(names, (score, _skill(score, reference)), strict=True))
