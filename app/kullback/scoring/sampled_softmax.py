"""Sampled softmax: cross-entropy of a positive item among negatives that were drawn."""

from dataclasses import replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import log_softmax
from kullback.numerics.numerals import numeral
from kullback.numerics.types import Array, Flags
from kullback.scoring.arrays import logits as checked_logits
from kullback.scoring.arrays import refuse_ruled_out, shown, weights
from kullback.scoring.candidates import Candidates, gradients_apart
from kullback.scoring.options import Options
from kullback.scoring.refusals import refuse
from kullback.scoring.score import Context, Losses, Score, reduce_rows, score_rows


def sampled_softmax(
    logits: tuple[Array, Array],
    log_q: tuple[Array | None, Array | None],
    mask: Array | None,
    options: Options,
) -> Score:
    """Cross-entropy of the positive item in a softmax over it and the negatives drawn with it.

        ℓ = −ln (e^{z⁺} / (e^{z⁺} + Σⱼ e^{zⱼ})),  z = logit − ln q

    Args:
        logits: of the positive items (n,), and of the negatives (n, m), or (n,) for one each.
        log_q: ln of the probability, or of the expected count, with which the positive item (n,)
            and each negative (n, m) are drawn; None corrects nothing.
        mask: of the negatives, 1 where one counts, 0 for an accidental hit; all count where None.
        options: see Options; the `gradients` are with respect to the two arrays of logits:
            p − 1 and p, over the normalizer.

    Returns:
        In [0, ∞] nats. With correction the gradient is, for many negatives, that of the softmax
        over all items. `accuracy` is the share of rows whose positive item has the largest
        corrected logit; where it shares that place with others, the chance to be drawn from them.
        `negatives` counts those that count; a row without any is left out.

    Raises:
        InvalidInput: a logit, a correction or a weight is impossible, or the shapes do not fit.

    Source: Bengio & Senécal, IEEE Transactions on Neural Networks 19 (2008); Yi et al., RecSys
        (2019), §3, for items drawn with a batch.
    """
    sent = Candidates.of(*logits, mask, checked_logits)
    n = sent.positive.shape[0]
    weight = weights("sample_weight", options.sample_weight, n)
    every = np.ones_like(sent.positive, dtype=np.bool_)
    positive = sent.positive - _correction("positive_log_q", log_q[0], every)
    negative = sent.negative - _correction("negative_log_q", log_q[1], sent.valid)
    z = np.concatenate((positive, np.where(sent.valid, negative, -np.inf)), axis=1)
    alone: Flags = sent.valid.sum(axis=1) == 0
    z[alone, 0] = 0.0
    refuse_ruled_out("positive_logits", z)
    log_p = log_softmax(z)
    best = z.max(axis=1, keepdims=True)
    right = np.where(z[:, 0] == best[:, 0], 1.0 / (z == best).sum(axis=1), 0.0)
    gradient = None
    if options.gradient:
        gradient = np.exp(log_p)
        gradient[:, 0] = np.expm1(log_p[:, 0])
    details = {
        "accuracy": reduce_rows(Losses(right, ignored=alone), weight).value(),
        "negatives": int(np.count_nonzero(sent.valid)),
    }
    context = Context("sampled_softmax", replace(options, sample_weight=weight))
    losses = Losses(0.0 - log_p[:, 0], ignored=alone, gradient=gradient)
    return gradients_apart(score_rows(losses, details, context), logits[1].shape)


def _correction(name: str, log_q: Array | None, valid: Flags) -> Array | float:
    if log_q is None:
        return 0.0
    if log_q.size != valid.size or log_q.shape[0] != valid.shape[0]:
        shape = f"[{valid.shape[0]}]" + (f"[{valid.shape[1]}]" if valid.shape[1] > 1 else "")
        raise InvalidInput.at(f"{name} has shape {shown(log_q)}; {shape} is expected", name)
    bad = valid.reshape(log_q.shape) & ~np.isfinite(log_q)
    refuse(name, bad, lambda at: f"{numeral(log_q[at], 0.0)} is not the logarithm of a probability")
    return np.where(valid, log_q.reshape(valid.shape), 0.0)
