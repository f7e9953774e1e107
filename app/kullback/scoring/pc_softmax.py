"""Probability-corrected softmax loss, and the information that it estimates."""

from dataclasses import replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import log_softmax
from kullback.numerics.types import Array, Indices
from kullback.scoring.arrays import distributions, logit_rows, row_blocks, shown, weights
from kullback.scoring.labels import Labels, hard_labels
from kullback.scoring.options import Options
from kullback.scoring.refusals import refuse
from kullback.scoring.score import Context, Losses, Score, in_unit, reduce_rows, score_rows
from kullback.scoring.task import refuse_label_shape


def pc_softmax(logits: Array, y_true: Labels, prior: Array | None, options: Options) -> Score:
    """Loss whose negative is an estimate of the information that inputs carry about labels.

        ℓ = −ln s_y = ln Σⱼ πⱼ e^{zⱼ} − z_y,  s = e^z / Σⱼ πⱼ e^{zⱼ}

    Args:
        logits: z of a network trained with this loss, shape (n, k); −∞ rules a class out.
        y_true: class indices (n,).
        prior: π, shape (k,), sums to 1; uniform where None. A class with π = 0 leaves the sum.
        options: see Options; the gradient is softmax(z + ln π) − 1{j = y}, over the normalizer.

    Returns:
        At least min ln π nats: may be negative. `mutual_information` is −value,
        `pointwise_information` ln s_y of each row, `predictions` the arg max of z and
        `predictions_prior` that of z + ln π.

    Raises:
        InvalidInput: the prior is no distribution of k classes, or a label has π = 0.

    Source: Qin, Kim & Gedeon, arXiv:1911.10688 (2019).
    """
    z, single = logit_rows("logits", logits)
    n, k = z.shape
    index = labels_of(y_true, z, options)
    log_prior = log_prior_of(prior, k, options)
    possible(index, z, log_prior)
    options = replace(options, sample_weight=weights("sample_weight", options.sample_weight, n))
    information = np.empty(n)
    for block in row_blocks(n, k):
        information[block] = pointwise_information(z[block], index[block], log_prior)
    losses = 0.0 - information
    gradient = corrected_gradient(z, index, log_prior) if options.gradient else None
    rows = Losses(losses, gradient=gradient)
    reduced = reduce_rows(rows, options.sample_weight)
    mean = in_unit(reduced.value(), options)
    details = {
        "mutual_information": 0.0 - mean if isinstance(mean, float) else mean,
        "pointwise_information": in_details(information / options.nats + 0.0),
        "predictions": z.argmax(axis=1),
        "predictions_prior": (z + log_prior).argmax(axis=1),
    }
    context = Context("pc_softmax", options, single=single)
    return score_rows(rows, details, context, reduced)


def in_details(values: Array) -> Array | list[float]:
    """The same, as a list where an infinity needs its reason told."""
    return values if np.isfinite(values).all() else values.tolist()


def labels_of(y_true: Labels, logits: Array, options: Options) -> Indices:
    """The class index of each of n rows.

    Raises:
        InvalidInput: there are not n labels, or one is not among 0..k−1.
    """
    refuse_label_shape(y_true, "logits", logits)
    return hard_labels("y_true", y_true, None, logits.shape[1], options)


def log_prior_of(prior: Array | None, k: int, options: Options) -> Array:
    """Ln π (k,), −∞ where π = 0; uniform where None.

    Raises:
        InvalidInput: the prior is no distribution of k classes.
    """
    if prior is None:
        return np.full(k, -np.log(k))
    if prior.shape != (k,):
        raise InvalidInput.at(f"prior has shape {shown(prior)}; [{k}] is expected", "prior")
    share = distributions("prior", prior, options).values[0]
    with np.errstate(divide="ignore"):
        log_prior: Array = np.log(share)
    return log_prior


def possible(index: Indices, z: Array, log_prior: Array) -> None:
    """Refuse a label of a class that the prior rules out, and logits that leave no other class.

    Raises:
        InvalidInput: a label has π = 0, or a row has no finite logit of a class with π > 0.
    """
    allowed = log_prior > -np.inf
    refuse("y_true", ~allowed[index], lambda _: "the prior gives this class no mass")
    if not allowed.all():
        empty = z[:, allowed].max(axis=1) == -np.inf
        refuse("logits", empty, lambda _: "the row rules out every outcome that the prior allows")


def pointwise_information(z: Array, index: Indices, log_prior: Array) -> Array:
    """z_y − ln Σⱼ πⱼ e^{zⱼ} of each row: nats, (n,).

    The largest allowed logit is taken off first and never put back; near uniform logits the sum
    is 1 + Σ π(e^d − 1), which keeps the digits of a small information.
    """
    allowed = log_prior > -np.inf
    with np.errstate(over="ignore"):  # a gap beyond a double is −∞
        d = z[:, allowed] - z[:, allowed].max(axis=1, keepdims=True)
    prior = np.exp(log_prior[allowed])
    surplus = float(prior.sum()) - 1.0
    gap = np.expm1(d) @ prior
    with np.errstate(divide="ignore", invalid="ignore"):
        normalizer = np.where(gap > -0.5, np.log1p(gap + surplus), np.log(np.exp(d) @ prior))
    column = np.cumsum(allowed) - 1
    information: Array = d[np.arange(index.size), column[index]] - normalizer
    return information


def corrected_gradient(z: Array, index: Indices, log_prior: Array) -> Array:
    """softmax(z + ln π) − 1{j = y}, the class itself as minus the sum of the others: (n, k)."""
    rows = np.arange(index.size)
    top = np.where(log_prior > -np.inf, z, -np.inf).max(axis=1, keepdims=True)
    with np.errstate(over="ignore"):
        gradient = np.exp(log_softmax((z - top) + log_prior))
    gradient[rows, index] = 0.0
    gradient[rows, index] = 0.0 - gradient.sum(axis=1)
    return gradient
