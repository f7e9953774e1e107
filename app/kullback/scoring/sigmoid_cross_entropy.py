"""Sigmoid cross-entropy: binary and multi-label, from independent logits."""

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import sigmoid, softplus
from kullback.numerics.means import Mean, blocks
from kullback.numerics.types import Array, Undefined
from kullback.scoring.arrays import logits as checked_logits
from kullback.scoring.arrays import probabilities, same_shape, weights
from kullback.scoring.entries import entry_weights, neutral
from kullback.scoring.labels import flat
from kullback.scoring.losses import scaled
from kullback.scoring.options import Options
from kullback.scoring.score import Context, Losses, Score, in_unit, reduce_rows, score_rows


def sigmoid_cross_entropy(
    logits: Array, y_true: Array, pos_weight: Array | None, mask: Array | None, options: Options
) -> Score:
    """Cross-entropy of independent yes-or-no outcomes, computed from their logits.

        ℓ = c·y·softplus(−x) + (1 − y)·softplus(x)
        value = Σ w·ℓ / Σ w over unmasked entries

    Args:
        logits: x, shape (n,) or (n, l); −∞ is a probability of 0.
        y_true: y in [0, 1], same shape.
        pos_weight: c ≥ 0, one number or (l,); 1 where None.
        mask: 1 where an entry counts, else 0, same shape; all count where None. What does not
            count is not validated.
        options: see Options; `sample_weight` is of rows (n,) or of entries (n, l); the gradient is
            (1 − y) σ(x) − c·y·σ(−x), over the normalizer.

    Returns:
        In [0, ∞] nats. `per_label` are the means of the columns, `valid` counts the unmasked
        entries.

    Raises:
        InvalidInput: a logit, a label or a weight is impossible, or the shapes differ.

    Source: Cox, Journal of the Royal Statistical Society B 20 (1958).
    """
    if logits.ndim not in (1, 2):
        raise InvalidInput.at(f"logits has {logits.ndim} axes; [n] or [n][l] is expected", "logits")
    y_true = _of_axes(y_true, logits)
    same_shape("y_true", y_true, "logits", logits)
    mask = None if mask is None else _of_axes(mask, logits)
    entries = entry_weights("logits", logits, None, mask, options)
    x = checked_logits("logits", neutral(logits, entries, 0.0))
    truth = probabilities("y_true", neutral(y_true, entries, 0.0), options)
    n = x.shape[0]
    columns = x.reshape(n, -1).shape[1]
    c = _pos_weight(pos_weight, columns)
    shape = (n, columns)
    x, y = x.reshape(shape), truth.values.reshape(shape)
    valid = np.ones(shape) if entries is None else entries.values.reshape(shape)
    options = options if entries is None else entries.options
    context = Context("sigmoid_cross_entropy", options, clipped=truth.clipped)
    losses = np.empty(shape)
    for block in blocks(n):
        losses[block] = np.where(valid[block] > 0, _entries(x[block], y[block], c), 0.0)
    per_label = [_column(losses[:, j], valid[:, j], context) for j in range(columns)]
    share = valid.sum(axis=1)
    sums = scaled(losses, valid).sum(axis=1)
    per_row = np.divide(sums, share, out=np.zeros(n), where=share > 0)
    gradient = None
    if options.gradient:
        slope = np.where(y < 1, (1.0 - y) * sigmoid(x), 0.0)
        slope -= np.where(y > 0, c * y * sigmoid(-x), 0.0)
        gradient = (slope * valid).reshape(logits.shape)
    details = {"per_label": per_label, "valid": int(np.count_nonzero(valid))}
    rows = Losses(sums, share, share == 0, per_row, gradient)
    reduced = reduce_rows(rows, options.sample_weight)
    if entries is not None:
        reduced = entries.weighed(reduced)
    return score_rows(rows, details, context, reduced)


def _of_axes(values: Array, logits: Array) -> Array:
    """Entries of [n] and [n][1] alike, in the one of the two that the logits have."""
    if logits.ndim == 1 or logits.shape[1] > 1:
        return flat(values)
    return values.reshape(-1, 1) if values.ndim == 1 else values


def _pos_weight(pos_weight: Array | None, columns: int) -> Array:
    if pos_weight is None:
        return np.ones(columns)
    c = np.full(columns, pos_weight) if pos_weight.ndim == 0 else pos_weight
    checked = weights("pos_weight", c, columns)
    assert checked is not None
    return checked


def _entries(x: Array, y: Array, pos_weight: Array) -> Array:
    with np.errstate(invalid="ignore"):  # 0 · ∞, a side that does not count
        miss = np.where(y * pos_weight > 0, pos_weight * y * softplus(-x), 0.0)
        alarm = np.where(y < 1, (1.0 - y) * softplus(x), 0.0)
    entries: Array = miss + alarm
    return entries


def _column(losses: Array, valid: Array, context: Context) -> float | Undefined:
    weight = context.options.sample_weight
    mean = Mean()
    kept = valid > 0
    mean.add(losses[kept], valid[kept] if weight is None else valid[kept] * weight[kept])
    return in_unit(mean.value(), context.options)
