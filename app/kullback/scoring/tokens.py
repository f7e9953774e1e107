"""Log-probabilities of tokens, from the forms in which language models return them."""

from dataclasses import dataclass

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.numerals import numeral
from kullback.numerics.types import Array, Flags, Indices
from kullback.scoring.arrays import logits as checked_logits
from kullback.scoring.arrays import refuse_one_logit, refuse_ruled_out, row_blocks, shown


@dataclass(frozen=True, slots=True)
class Ragged:
    """Lists of unequal lengths: their entries one after the other, and how many each has.

    `absent` are lists that were null: a single entry, which is missing, stands for each.
    """

    values: Array | Indices | list[str]
    lengths: Indices
    absent: Flags | None = None

    def first_entries(self) -> Indices:
        """The place of the first entry of each list that was there and has one."""
        has_one = self.lengths > 0 if self.absent is None else (self.lengths > 0) & ~self.absent
        places: Indices = (np.cumsum(self.lengths) - self.lengths)[has_one]
        return places

    def place(self, at: int) -> tuple[int, ...]:
        """The sequence and the position of an entry; of a list that was null itself alone."""
        ends = np.cumsum(self.lengths)
        sequence = int(np.searchsorted(ends, at, side="right"))
        if self.absent is not None and self.absent[sequence]:
            return (sequence,)
        return sequence, at - int(ends[sequence] - self.lengths[sequence])

    def sequences(self, kept: Indices) -> "Ragged":
        """Some of the lists alone."""
        ends = np.cumsum(self.lengths)
        spans = [
            slice(end - size, end)
            for end, size in zip(ends[kept].tolist(), self.lengths[kept].tolist(), strict=True)
        ]
        absent = None if self.absent is None else self.absent[kept]
        if isinstance(self.values, list):
            texts = [text for span in spans for text in self.values[span]]
            return Ragged(texts, self.lengths[kept], absent)
        values: Array | Indices = np.concatenate([self.values[span] for span in spans])
        return Ragged(values, self.lengths[kept], absent)

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
    """What each token cost: nats, flat over all sequences; and which tokens count.

    Attributes:
        without_context: how many first tokens do not count as nothing predicted them.
        renormalized: how many tokens had probabilities that were divided by their sum.
        max_sum_error: by how much those of a token summed to more than 1.
    """

    nll: Array
    lengths: Indices
    valid: Flags
    gradient: Array | None = None
    without_context: int = 0
    renormalized: int = 0
    max_sum_error: float = 0.0


@dataclass(frozen=True, slots=True)
class PerplexityOptions:
    """What perplexity can be asked beside Options."""

    mask: Ragged | None = None
    ignore_index: int | None = None
    n_bytes: Array | None = None
    n_chars: Array | None = None
    n_words: Array | None = None
    vocabulary_size: int | None = None


def from_log_probs(log_probs: Ragged, settings: PerplexityOptions) -> Tokens:
    """Tokens whose log-probabilities a model returned; NaN for a first one without context.

    Raises:
        InvalidInput: one is above 0 or not a number, or the mask is of another shape.
    """
    some("token_logprobs", log_probs.lengths)
    if settings.ignore_index is not None:
        raise InvalidInput.at("ignore_index needs logits and y_true", "ignore_index")
    valid = counted(settings.mask, log_probs.lengths)
    sent = log_probs.numbers("token_logprobs")
    without = np.zeros(sent.size, np.bool_)
    first = log_probs.first_entries()
    without[first] = np.isnan(sent[first]) & valid[first]
    valid &= ~without
    values = np.where(valid, sent, 0.0)
    bad = ~(values <= 0)
    if bad.any():
        at = int(np.argmax(bad))
        detail = f"{numeral(values[at], 0.0)} is not the logarithm of a probability"
        raise InvalidInput.at(detail, "token_logprobs", *log_probs.place(at))
    missing = int(np.count_nonzero(without))
    return Tokens(0.0 - values, log_probs.lengths, valid, without_context=missing)


def starts(lengths: Indices) -> Indices:
    """The place of the first entry of each sequence that has one."""
    places: Indices = (np.cumsum(lengths) - lengths)[lengths > 0]
    return places


def counted(mask: Ragged | None, lengths: Indices) -> Flags:
    """Which tokens the mask lets count.

    Raises:
        InvalidInput: the mask is of another shape, or is neither 0 nor 1.
    """
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
    n, t, v = logits.shape if logits.ndim == 3 else (1, *logits.shape)
    refuse_one_logit("logits", logits)
    if y_true.lengths.size != n or (y_true.lengths != t).any():
        raise InvalidInput.at(f"y_true is not {n} lists of {t} tokens", "y_true")
    valid = counted(settings.mask, y_true.lengths)
    index = token_indices(y_true, valid)
    if settings.ignore_index is not None:
        valid &= index != settings.ignore_index
    z = checked_logits("logits", neutral_logits(logits, valid))
    refuse_ruled_out("logits", z)
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


def neutral_logits(logits: Array, valid: Flags) -> Array:
    """The same, with 0 in rows that do not count where anything in them could be refused."""
    if valid.all() or np.isfinite(logits.min() + logits.max()):
        return logits
    neutral = logits.copy()
    neutral.reshape(-1, logits.shape[-1])[~valid] = 0.0
    return neutral


def token_indices(y_true: Ragged, valid: Flags) -> Indices:
    """The tokens that count, as indices; 0 for the others.

    Raises:
        InvalidInput: one is not whole, or they are strings.
    """
    numbers = np.where(valid, y_true.numbers("y_true"), 0.0)
    bad = ~((numbers == np.floor(numbers)) & (np.abs(numbers) < 2**53))
    if bad.any():
        at = int(np.argmax(bad))
        raise InvalidInput.at(f"{numeral(numbers[at])} is not a token", "y_true", *y_true.place(at))
    return numbers.astype(np.int64)


def some(name: str, lengths: Indices) -> None:
    """Refuse a list of no sequences.

    Raises:
        InvalidInput: it is.
    """
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
