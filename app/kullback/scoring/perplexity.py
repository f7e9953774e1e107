"""Perplexity of token sequences, with bits per token and per byte."""

import math
from dataclasses import replace

import numpy as np

from kullback.numerics.means import exp
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined
from kullback.scoring.arrays import refuse, weights
from kullback.scoring.options import Options
from kullback.scoring.score import (
    Context,
    Losses,
    Score,
    conventions,
    diagnostics,
    explained,
    reduce_rows,
)
from kullback.scoring.tokens import PerplexityOptions, Tokens

_LN2, _LN10 = math.log(2.0), math.log(10.0)


def perplexity(tokens: Tokens, settings: PerplexityOptions, options: Options) -> Score:
    """How many tokens a model was as good as choosing between.

        perplexity = exp(Σ w·nll / Σ w·tokens),  nll of a token = −ln p(token | context)

    Args:
        tokens: their costs; see kullback/scoring/tokens.py.
        settings: `n_bytes` of the text, in all or of each sequence.
        options: see Options; `sample_weight` weighs sequences, `base` and `reduction` change
            nothing; the gradient is with respect to the logits.

    Returns:
        At least 1; infinite where a token had probability 0 (`positive_infinity`) or where e to
        the mean is beyond a double (`positive_overflow`): `log10_perplexity` holds then too. The
        standard error takes sequences as units. `bits_per_byte` needs `n_bytes`.

    Raises:
        InvalidInput: a weight or a byte count is impossible.

    Source: Jelinek, Mercer, Bahl & Baker, Journal of the Acoustical Society of America 62 (1977).
    """
    n = tokens.lengths.size
    weight = weights("sample_weight", options.sample_weight, n)
    options = replace(options, sample_weight=weight)
    counted = np.where(tokens.valid, tokens.nll, 0.0)
    owner = np.repeat(np.arange(n), tokens.lengths)
    nll = _segment_sums(counted, tokens.lengths)
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
    context = Context("perplexity", options)
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
        details=explained(_details(nll, count, mean, settings, weight)),
        conventions=conventions(context),
        diagnostics=diagnostics(per_row, context),
    )


def _error(nats: float | None, value: float) -> float | None:
    """The error of e to a mean, from that of the mean."""
    error = math.inf if nats is None else nats * value
    return error if math.isfinite(error) else None


def _segment_sums(values: Array, lengths: Indices) -> Array:
    """The sum of each sequence, pairwise; 0 where it is empty."""
    ends = np.cumsum(lengths).tolist()
    return np.array(
        [
            float(np.sum(values[end - size : end]))
            for end, size in zip(ends, lengths.tolist(), strict=True)
        ]
    )


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
    nll: Array,
    count: Array,
    mean: float | Undefined,
    settings: PerplexityOptions,
    weight: Array | None,
) -> dict[str, object]:
    w = np.ones_like(nll) if weight is None else weight
    alive = (w > 0) & (count > 0)
    total = float(np.sum(w[alive] * nll[alive]))
    sequences = [
        {
            "nll": row if size else 0.0,
            "n_tokens": int(size),
            "perplexity": exp(row / size) if size else Undefined(Reason.EMPTY),
        }
        for row, size in zip(nll.tolist(), count.tolist(), strict=True)
    ]
    return {
        "mean_nll": mean,
        "nll": total,
        "n_tokens": int(count.sum()),
        "bits_per_token": mean / _LN2 if isinstance(mean, float) else mean,
        "bits_per_byte": _per_byte(total, settings.n_bytes, w),
        "log10_perplexity": mean / _LN10 if isinstance(mean, float) else mean,
        "sequences": sequences,
    }


def _per_byte(nll: float, n_bytes: Array | None, weight: Array) -> float | Undefined:
    if n_bytes is None:
        return Undefined(Reason.NO_BYTES)
    sizes = n_bytes
    if sizes.ndim:
        checked = weights("n_bytes", sizes, weight.size)
        assert checked is not None
        sizes = np.asarray(checked @ weight)
    refuse("n_bytes", ~((sizes >= 0) & (sizes < np.inf)), lambda _: "no number of bytes")
    return nll / (float(sizes) * _LN2) if sizes > 0 else Undefined(Reason.NO_BYTES)
