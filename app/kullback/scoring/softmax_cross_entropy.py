"""Softmax cross-entropy from logits."""

from dataclasses import dataclass, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import log_softmax
from kullback.numerics.means import ClassMeans, Mean, exp, part, weighted_mean
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Flags, Indices, Undefined
from kullback.scoring.arrays import (
    CheckedDistributions,
    logit_rows,
    row_blocks,
    row_sums,
    weights,
)
from kullback.scoring.checks import after_checks
from kullback.scoring.class_weights import ClassWeightName, class_counts, class_weights
from kullback.scoring.label_types import in_one_type, kind_of
from kullback.scoring.labels import Labels, class_indices, class_labels
from kullback.scoring.options import Options
from kullback.scoring.score import Context, Losses, Score, in_unit, reduce_rows, score_rows
from kullback.scoring.task import refuse_label_shape


@dataclass(frozen=True, slots=True)
class SoftmaxOptions:
    """What softmax cross-entropy can be asked beside Options."""

    class_weight: Array | ClassWeightName | None = None
    beta: float | None = None
    ignore_index: int | None = None
    label_smoothing: float = 0.0


@dataclass(frozen=True, slots=True)
class _Batch:
    """Logits, and per row the target: a class with its weight, or a soft row."""

    logits: Array
    class_weight: Array
    smoothing: float
    index: Indices | None = None
    soft: Array | None = None
    ignored: Flags | None = None

    def targets(self, block: slice) -> Array:
        """t_nc = w_c[(1 − ε) y_nc + ε/k] of a block; 0 in ignored rows."""
        k = self.class_weight.size
        if self.soft is not None:
            target = (1.0 - self.smoothing) * self.soft[block]
        else:
            assert self.index is not None
            index = self.index[block]
            target = np.zeros((index.size, k))
            target[np.arange(index.size), index] = 1.0 - self.smoothing
        target += self.smoothing / k
        target *= self.class_weight
        if self.ignored is not None:
            target[self.ignored[block]] = 0.0
        return target


def softmax_cross_entropy(
    logits: Array, y_true: Labels, settings: SoftmaxOptions, options: Options
) -> Score:
    """Cross-entropy of a softmax with its target, computed from the logits.

        ℓₙ = −Σ_c t_nc ln softmax(zₙ)_c,  t_nc = w_c[(1 − ε) y_nc + ε/k]
        value = Σ ℓₙ / Σ w_{yₙ}   for class indices (ignored rows left out)
              = Σ ℓₙ / n          for soft rows

    Args:
        logits: z, shape (n, k) or (k,); −∞ masks a class.
        y_true: class indices (n,), or rows (n, k) of a single 1, or soft ones that sum to 1.
        settings: class_weight w, ignore_index, label_smoothing ε in [0, 1].
        options: see Options; the gradient is (Σ_c t_nc) softmax(zₙ) − tₙ, over the normalizer.

    Returns:
        In [0, ∞] nats; infinite where a masked class has target mass.
        `perplexity` is e to the mean of −ln p of the target itself, unsmoothed and unweighted;
        `normalizer` what the mean divides by; `target_entropy` the least possible value.

    Raises:
        InvalidInput: a logit, a class, a row or a weight is impossible.

    Source: Bridle, Neurocomputing (1990); Szegedy et al., CVPR (2016), §7 for smoothing.
    """
    z, single = logit_rows("logits", logits)
    n, k = z.shape
    options = replace(options, sample_weight=weights("sample_weight", options.sample_weight, n))
    extra = {"label_smoothing": settings.label_smoothing, "ignore_index": settings.ignore_index}
    context = Context("softmax_cross_entropy", options, conventions=extra, single=single)
    y, _ = in_one_type(y_true, ())
    if isinstance(y, list):
        detail = f"y_true holds {kind_of(y)}; class indices are expected"
        raise InvalidInput.at(detail, "y_true")
    y = y.reshape(1, k) if _is_one_row(y, n, k) else y
    refuse_label_shape(y, "logits", z)
    y = y.reshape(n) if y.size == n else y
    target, ignored = _targets(y, settings.ignore_index, k, options)
    if isinstance(target, CheckedDistributions):
        return _soft(z, target, settings, context)
    index = target
    counted = np.ones(n, np.bool_) if ignored is None else ~ignored
    if options.sample_weight is not None:
        counted &= options.sample_weight > 0
    class_weight = class_weights(
        settings.class_weight, class_counts(index[counted], k), settings.beta
    )
    column_weight = np.ones(k) if class_weight is None else class_weight
    batch = _Batch(z, column_weight, settings.label_smoothing, index, None, ignored)
    share = None if class_weight is None else column_weight[index]
    return _score(batch, share, {"class_weights": class_weight}, context)


def _is_one_row(y_true: Array | Indices, n: int, k: int) -> bool:
    """Whether one row of logits came with one row of labels rather than with one class."""
    return n == 1 and y_true.shape == (k,) and k > 1


def _targets(
    y_true: Array | Indices, ignore_index: int | None, k: int, options: Options
) -> tuple[Indices | CheckedDistributions, Flags | None]:
    if ignore_index is None:
        return class_labels("y_true", y_true, None, k, options), None
    if y_true.ndim > 1:
        target = class_labels("y_true", y_true, None, k, options)
        if isinstance(target, CheckedDistributions):
            raise InvalidInput.at("ignore_index does not apply to soft rows", "ignore_index")
        y_true = target
    ignored = y_true == ignore_index
    index = class_indices("y_true", np.where(ignored, 0, y_true), None, k)
    return index, ignored if ignored.any() else None


def _soft(
    z: Array, target: CheckedDistributions, settings: SoftmaxOptions, context: Context
) -> Score:
    weight = context.options.sample_weight
    counts = (target.values if weight is None else target.values[weight > 0]).sum(axis=0)
    class_weight = class_weights(settings.class_weight, counts, settings.beta)
    column_weight = np.ones(z.shape[1]) if class_weight is None else class_weight
    batch = _Batch(z, column_weight, settings.label_smoothing, None, target.values)
    context = after_checks(context, target)
    details: dict[str, object] = {
        "class_weights": class_weight,
        "target_entropy": _target_entropy(target, settings, context),
    }
    return _score(batch, None, details, context)


def _target_entropy(
    target: CheckedDistributions, settings: SoftmaxOptions, context: Context
) -> float | Undefined:
    """The mean entropy of the (smoothed) targets: what no prediction can go below."""
    k = target.values.shape[1]
    smooth = (1.0 - settings.label_smoothing) * target.values + settings.label_smoothing / k
    with np.errstate(divide="ignore"):
        logs = np.where(smooth > 0, np.log(smooth), 0.0)
    mean = weighted_mean(0.0 - row_sums(smooth * logs), context.options.sample_weight)
    return mean if isinstance(mean, Undefined) else max(mean, 0.0) / context.options.nats


def _score(batch: _Batch, share: Array | None, extra: dict[str, object], context: Context) -> Score:
    n, k = batch.logits.shape
    options = context.options
    losses, plain = np.empty(n), np.empty(n)
    gradient = np.empty((n, k)) if options.gradient else None
    accuracy = Mean()
    for block in row_blocks(n, k):
        logs = log_softmax(batch.logits[block])
        target = batch.targets(block)
        losses[block] = _expected_cost(target, logs)
        plain[block], truth = _plain_cost(batch, block, logs)
        hit = batch.logits[block].argmax(axis=1) == truth
        w = part(options.sample_weight, block)
        if batch.ignored is not None:
            kept = ~batch.ignored[block]
            hit, w = hit[kept], None if w is None else w[kept]
        accuracy.add(hit, w)
        if gradient is not None:
            gradient[block] = _gradient(target, logs, batch, block)
    rows = Losses(losses, share, batch.ignored, gradient=gradient)
    reduced = reduce_rows(rows, options.sample_weight)
    surprise = reduce_rows(Losses(plain, ignored=batch.ignored), options.sample_weight)
    details: dict[str, object] = {
        "accuracy": accuracy.value(),
        "perplexity": exp(surprise.value()),
        "normalizer": reduced.normalizer,
        "macro": _macro(batch, losses, share, options),
        **{name: value for name, value in extra.items() if value is not None},
    }
    return score_rows(rows, details, context, reduced)


def _expected_cost(target: Array, logs: Array) -> Array:
    """−Σ t ln p of each row, with 0·(−∞) = 0."""
    if not logs.min() > -np.inf:
        logs = np.where(target > 0, logs, 0.0)
    return 0.0 - row_sums(target * logs)


def _plain_cost(batch: _Batch, block: slice, logs: Array) -> tuple[Array, Indices]:
    """−ln p of the target as it was sent, without smoothing and weights, and its class."""
    if batch.soft is not None:
        soft = batch.soft[block]
        return _expected_cost(soft, logs), soft.argmax(axis=1)
    assert batch.index is not None
    index = batch.index[block]
    cost = 0.0 - logs[np.arange(index.size), index]
    if batch.ignored is not None:
        cost[batch.ignored[block]] = 0.0
    return cost, index


def _gradient(target: Array, logs: Array, batch: _Batch, block: slice) -> Array:
    """(Σ t) p − t; at the class itself minus the sum of the others, so that p − 1 never cancels."""
    gradient = np.exp(logs)
    gradient *= target.sum(axis=1, keepdims=True)
    gradient -= target
    if batch.index is not None:
        rows, index = np.arange(gradient.shape[0]), batch.index[block]
        gradient[rows, index] = 0.0
        gradient[rows, index] = 0.0 - gradient.sum(axis=1)
    return gradient


def _macro(
    batch: _Batch, losses: Array, share: Array | None, options: Options
) -> float | Undefined:
    """The unweighted mean of the classes' means."""
    if batch.index is None:
        return Undefined(Reason.SOFT_LABELS)
    kept = np.ones(losses.size, np.bool_) if batch.ignored is None else ~batch.ignored
    if not kept.any():
        return Undefined(Reason.EMPTY)
    if share is not None:
        kept &= share > 0
        losses = np.divide(losses, share, out=np.zeros_like(losses), where=kept)
    means = ClassMeans(batch.class_weight.size)
    w = options.sample_weight
    means.add(losses[kept], batch.index[kept], None if w is None else w[kept])
    return in_unit(means.value(), options)
