"""Log-probabilities of tokens, from the forms in which language models return them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.types import Array, Flags, Indices
from kullback.scoring.arrays import logits as checked_logits
from kullback.scoring.arrays import refuse_ruled_out, row_blocks, shown


@dataclass(frozen=True, slots=True)
class Ragged:
    """Lists of unequal lengths: their entries one after the other, and how many each has."""

    values: Array | Indices | list[str]
    lengths: Indices

    def place(self, at: int) -> tuple[int, int]:
        """The sequence and the position of an entry."""
        ends = np.cumsum(self.lengths)
        sequence = int(np.searchsorted(ends, at, side="right"))
        return sequence, at - int(ends[sequence] - self.lengths[sequence])

    def numbers(self, name: str) -> Array:
        """The entries, where they are numbers.

        Raises:
            InvalidInput: they are strings.
        """
        if isinstance(self.values, list):
            raise InvalidInput.at("strings, where numbers are expected", name)
        return np.asarray(self.values, np.float64)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What each token cost: nats, flat over all sequences; and which tokens count."""

    nll: Array
    lengths: Indices
    valid: Flags
    gradient: Array | None = None


@dataclass(frozen=True, slots=True)
class PerplexityOptions:
    """What perplexity can be asked beside Options."""

    mask: Ragged | None = None
    ignore_index: int | None = None
    n_bytes: Array | None = None
    vocabulary_size: int | None = None


def from_log_probs(log_probs: Ragged, settings: PerplexityOptions) -> Tokens:
    """Tokens whose log-probabilities a model returned.

    Raises:
        InvalidInput: one is above 0 or not a number, or the mask is of another shape.
    """
    _some("token_logprobs", log_probs.lengths)
    values = log_probs.numbers("token_logprobs")
    bad = ~(values <= 0)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        detail = f"{values[first]:g} is not the logarithm of a probability"
        raise InvalidInput.at(detail, "token_logprobs", *log_probs.place(first))
    if settings.ignore_index is not None:
        raise InvalidInput.at("ignore_index needs logits and y_true", "ignore_index")
    valid = _valid(settings.mask, log_probs.lengths)
    return Tokens(0.0 - values, log_probs.lengths, valid)


def _valid(mask: Ragged | None, lengths: Indices) -> Flags:
    if mask is None:
        return np.ones(int(lengths.sum()), dtype=np.bool_)
    if mask.lengths.shape != lengths.shape:
        detail = f"mask has {mask.lengths.size} sequences of {lengths.size}"
        raise InvalidInput.at(detail, "mask")
    odd = np.flatnonzero(mask.lengths != lengths)
    if odd.size:
        row = int(odd[0])
        detail = f"{mask.lengths[row]} entries where the sequence has {lengths[row]}"
        raise InvalidInput.at(detail, "mask", row)
    flags = mask.numbers("mask")
    bad = (flags != 0) & (flags != 1)
    if bad.any():
        raise InvalidInput.at("a mask is 0 or 1", "mask", *mask.place(int(np.argmax(bad))))
    return flags > 0


def from_logits(
    logits: Array, y_true: Ragged, settings: PerplexityOptions, *, gradient: bool
) -> Tokens:
    """Tokens predicted by logits over a vocabulary.

    Args:
        logits: z, shape (n, t, v), or (t, v) for one sequence.
        y_true: token indices, n lists of t.
        settings: `mask` and `ignore_index` say which tokens count.
        gradient: whether to return softmax(z) − 1{j = y} too.

    Raises:
        InvalidInput: a logit or a token is impossible, or the shapes differ.
    """
    if logits.ndim not in (2, 3):
        raise InvalidInput.at(f"logits has shape {shown(logits)}; [n][t][v] is expected", "logits")
    z = checked_logits("logits", logits)
    refuse_ruled_out("logits", z)
    shape = z.shape if z.ndim == 3 else (1, *z.shape)
    n, t, v = shape
    if y_true.lengths.size != n or (y_true.lengths != t).any():
        raise InvalidInput.at(f"y_true is not {n} lists of {t} tokens", "y_true")
    index = _token_indices(y_true)
    valid = _valid(settings.mask, y_true.lengths)
    if settings.ignore_index is not None:
        valid &= index != settings.ignore_index
    outside = valid & ((index < 0) | (index >= v))
    if outside.any():
        at = int(np.argmax(outside))
        raise InvalidInput.at(f"the token is not among 0..{v - 1}", "y_true", *y_true.place(at))
    index = np.where(valid, index, 0)
    flat = z.reshape(-1, v)
    nll = np.empty(n * t)
    slope = np.empty_like(flat) if gradient else None
    for block in row_blocks(n * t, v):
        with np.errstate(over="ignore"):  # a gap beyond a double is −∞
            nll[block], shares = _costs(flat[block], index[block], keep=gradient)
        if slope is not None and shares is not None:
            slope[block] = shares
    return Tokens(nll, y_true.lengths, valid, None if slope is None else slope.reshape(z.shape))


def _token_indices(y_true: Ragged) -> Indices:
    numbers = y_true.numbers("y_true")
    bad = ~((numbers == np.floor(numbers)) & (np.abs(numbers) < 2**53))
    if bad.any():
        at = int(np.argmax(bad))
        raise InvalidInput.at(f"{numbers[at]:g} is not a token", "y_true", *y_true.place(at))
    return numbers.astype(np.int64)


def _some(name: str, lengths: Indices) -> None:
    if lengths.size == 0:
        raise InvalidInput.at(f"{name} is empty", name)


def _costs(z: Array, index: Indices, *, keep: bool) -> tuple[Array, Array | None]:
    """−ln softmax(z)_y of each row without the other logarithms; softmax(z) − 1{j = y} if kept."""
    rows = np.arange(index.size)
    top = z.argmax(axis=1)
    shifted = z - z[rows, top][:, None]
    wanted = shifted[rows, index]
    grown = np.exp(shifted, out=shifted)
    grown[rows, top] = 0.0
    rest = grown.sum(axis=1)
    nll: Array = np.log1p(rest) - wanted
    if not keep:
        return nll, None
    grown[rows, top] = 1.0
    grown /= (1.0 + rest)[:, None]
    grown[rows, index] = 0.0
    grown[rows, index] = 0.0 - grown.sum(axis=1)
    return nll, grown


def from_top_log_probs(
    top: Sequence[Sequence[Mapping[str, float]]],
    y_true: Ragged,
    settings: PerplexityOptions,
    tolerance: float,
) -> Tokens:
    """Tokens of which only the most likely were returned: the rest share what is left.

    A token that was not returned has (1 − Σ kept) / (vocabulary_size − kept).

    Raises:
        InvalidInput: the shapes differ, a log-probability is above 0, those of a token sum to
            more than 1, or a vocabulary size is needed.
    """
    lengths = np.array([len(sequence) for sequence in top], dtype=np.int64)
    _some("top_logprobs", lengths)
    if not isinstance(y_true.values, list):
        raise InvalidInput.at("y_true holds the tokens, as strings", "y_true")
    if y_true.lengths.shape != lengths.shape or (y_true.lengths != lengths).any():
        raise InvalidInput.at("y_true and top_logprobs are of different lengths", "y_true")
    if settings.ignore_index is not None:
        raise InvalidInput.at("ignore_index needs logits and y_true", "ignore_index")
    valid = _valid(settings.mask, lengths)
    flat = [kept for sequence in top for kept in sequence]
    nll = np.zeros(len(flat))
    for at, (kept, token) in enumerate(zip(flat, y_true.values, strict=True)):
        rest = _rest(kept)
        if not rest >= -tolerance:
            raise InvalidInput.at(_complaint(rest), "top_logprobs", *y_true.place(at))
        if token in kept:
            nll[at] = 0.0 - kept[token]
        elif valid[at]:
            nll[at] = _spread(rest, len(kept), settings.vocabulary_size)
    return Tokens(nll, lengths, valid)


def _rest(kept: Mapping[str, float]) -> float:
    """1 − Σ e^{ln p} of the tokens kept, from 1 − p of the likeliest; nan where ln p > 0."""
    if not kept:
        return 1.0
    likeliest, *others = sorted(kept.values(), reverse=True)
    if any(not value <= 0 for value in kept.values()):
        return math.nan
    return math.fsum([-math.expm1(likeliest), *(-math.exp(value) for value in others)])


def _complaint(rest: float) -> str:
    if math.isnan(rest):
        return "not the logarithm of a probability"
    return f"the probabilities kept sum to {1 - rest:.12g}"


def _spread(rest: float, kept: int, vocabulary_size: int | None) -> float:
    """−ln of what a token that was not kept has: an equal part of the rest."""
    if vocabulary_size is None:
        detail = "a token is not among those kept: vocabulary_size is needed"
        raise InvalidInput.at(detail, "vocabulary_size")
    if vocabulary_size <= kept:
        raise InvalidInput.at("more tokens are kept than it leaves others", "vocabulary_size")
    return math.log(vocabulary_size - kept) - math.log(rest) if rest > 0 else math.inf
