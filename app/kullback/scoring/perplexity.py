"""Perplexity of token sequences, per token, byte, character and word."""

import math
from dataclasses import replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.means import exp, weighted_mean
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined
from kullback.scoring.arrays import shown, weights
from kullback.scoring.options import Options
from kullback.scoring.refusals import refuse
from kullback.scoring.score import (
    Context,
    Losses,
    Score,
    conventions,
    diagnostics,
    explained,
    reduce_rows,
)
from kullback.scoring.tokens import PerplexityOptions, Tokens, starts

_LN2, _LN10 = math.log(2.0), math.log(10.0)
_SHORT = 64  # tokens that may be added one after the other
_MOST = 2.0**53  # bytes, characters or words


def perplexity(tokens: Tokens, settings: PerplexityOptions, options: Options) -> Score:
    """How many tokens a model was as good as choosing between.

        perplexity = exp(Σ w·nll / Σ w·tokens),  nll of a token = −ln p(token | context)

    Args:
        tokens: their costs; see kullback/scoring/tokens.py.
        settings: `n_bytes`, `n_chars` and `n_words` of the text, in all or of each sequence.
        options: see Options; `sample_weight` weighs sequences, `base` and `reduction` change
            nothing; the gradient is with respect to the logits.

    Returns:
        At least 1; infinite where a token had probability 0 (`positive_infinity`) or where e to
        the mean is beyond a double (`positive_overflow`): `log10_perplexity` holds then too. The
        standard error takes sequences as units. `word_perplexity` is e to (Σ w·nll / Σ w·words),
        `mean_perplexity` the mean over sequences of their own perplexities.

    Raises:
        InvalidInput: a weight or a length of the text is impossible.

    Source: Jelinek, Mercer, Bahl & Baker, Journal of the Acoustical Society of America 62 (1977).
    """
    n = tokens.lengths.size
    weight = weights("sample_weight", options.sample_weight, n)
    options = replace(options, sample_weight=weight)
    counted = np.where(tokens.valid, tokens.nll, 0.0)
    owner = np.repeat(np.arange(n), tokens.lengths)
    nll = segment_sums(counted, tokens.lengths)
    count: Array = np.bincount(owner, tokens.valid, n).astype(np.float64)
    rows = Losses(nll, count, count == 0)
    reduced = reduce_rows(rows, weight)
    mean = reduced.value()
    value = exp(mean)
    whole = value if isinstance(value, float) else math.nan
    reason = reduced.reason
    if math.isinf(whole) and reason is None:
        reason = Reason.POSITIVE_OVERFLOW
    per_row = np.divide(nll, count, out=np.zeros(n), where=count > 0)
    context = Context(
        "perplexity",
        options,
        renormalized=tokens.renormalized,
        max_sum_error=tokens.max_sum_error,
    )
    details = {
        **_details(nll, count, mean, weight),
        **_per_unit(nll, count, settings, weight),
        "tokens_without_context": tokens.without_context,
    }
    return Score(
        metric="perplexity",
        value=whole,
        reason=reason,
        unit="tokens",
        n=reduced.n,
        weight=reduced.weight,
        standard_error=_error(reduced.standard_error, whole),
        per_row=per_row if options.per_row else None,
        gradient=_reduced_gradient(tokens, owner, reduced.normalizer, whole, options),
        details=explained(details),
        conventions=conventions(context),
        diagnostics=diagnostics(per_row, context),
    )


def _error(nats: float | None, value: float) -> float | None:
    """The error of e to a mean, from that of the mean."""
    error = math.inf if nats is None else nats * value
    return error if math.isfinite(error) else None


def segment_sums(values: Array, lengths: Indices) -> Array:
    """The sum of each sequence, pairwise where it is long; 0 where it is empty."""
    sums, filled = np.zeros(lengths.size), np.flatnonzero(lengths)
    if filled.size:
        sums[filled] = np.add.reduceat(values, starts(lengths))
    ends = np.cumsum(lengths)
    for at in np.flatnonzero(lengths > _SHORT).tolist():
        sums[at] = values[ends[at] - lengths[at] : ends[at]].sum()
    return sums


def _reduced_gradient(
    tokens: Tokens, owner: Indices, normalizer: float, value: float, options: Options
) -> Array | None:
    if tokens.gradient is None or not math.isfinite(value):
        return None
    weight = options.sample_weight
    per_token = np.where(tokens.valid, 1.0 if weight is None else weight[owner], 0.0)
    scale = per_token.reshape(tokens.gradient.shape[:-1])[..., None]
    gradient: Array = tokens.gradient * (scale * (value / normalizer)) + 0.0
    return gradient


def _details(
    nll: Array, count: Array, mean: float | Undefined, weight: Array | None
) -> dict[str, object]:
    sequences = [
        {
            "nll": row if size else 0.0,
            "n_tokens": int(size),
            "perplexity": exp(row / size) if size else Undefined(Reason.EMPTY),
        }
        for row, size in zip(nll.tolist(), count.tolist(), strict=True)
    ]
    filled = count > 0
    means = nll[filled] / count[filled]
    w = None if weight is None else weight[filled]
    with np.errstate(over="ignore"):
        perplexities = np.exp(means)
    return {
        "mean_nll": mean,
        "nll": _total(nll, count, weight),
        "n_tokens": int(count.sum()),
        "bits_per_token": mean / _LN2 if isinstance(mean, float) else mean,
        "log10_perplexity": mean / _LN10 if isinstance(mean, float) else mean,
        "mean_perplexity": weighted_mean(perplexities, w),
        "mean_sequence_nll": weighted_mean(means, w),
        "sequences": sequences,
    }


def _total(nll: Array, count: Array, weight: Array | None) -> float:
    w = np.ones_like(nll) if weight is None else weight
    alive = (w > 0) & (count > 0)
    return float(np.sum(w[alive] * nll[alive]))


def _per_unit(
    nll: Array, count: Array, settings: PerplexityOptions, weight: Array | None
) -> dict[str, object]:
    """Bits and perplexity per byte, character and word of the text."""
    total = _total(nll, count, weight)
    w = np.where(count > 0, 1.0 if weight is None else weight, 0.0)
    details: dict[str, object] = {}
    for unit, (size, missing, zero) in {
        "byte": (settings.n_bytes, Reason.NO_BYTES, Reason.ZERO_BYTES),
        "char": (settings.n_chars, Reason.NO_CHARS, Reason.ZERO_CHARS),
        "word": (settings.n_words, Reason.NO_WORDS, Reason.ZERO_WORDS),
    }.items():
        mean: float | Undefined = Undefined(missing)
        if size is not None:
            length = _length(f"n_{unit}s", size, w)
            mean = total / length if length > 0 else Undefined(zero)
        details[f"bits_per_{unit}"] = mean / _LN2 if isinstance(mean, float) else mean
        details[f"{unit}_perplexity"] = exp(mean)
    return details


def _length(name: str, sizes: Array, weight: Array) -> float:
    """Of all texts of which a token counts; one number is of them all."""
    if sizes.ndim and sizes.shape == weight.shape:
        sizes = np.where(weight > 0, sizes, 0.0)
    refuse(name, ~((sizes >= 0) & (sizes <= _MOST)), lambda _: "no number of them")
    if not sizes.ndim:
        return float(sizes)
    if sizes.shape != weight.shape:
        raise InvalidInput.at(f"{name} has shape {shown(sizes)}; [{weight.size}] is expected", name)
    return float(sizes @ weight)
