"""Tokens of which a model returned only the likeliest, with their log-probabilities."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.numerals import numeral
from kullback.numerics.types import Flags, Indices
from kullback.scoring.arrays import FLOAT64
from kullback.scoring.options import Options
from kullback.scoring.tokens import (
    PerplexityOptions,
    Ragged,
    Tokens,
    counted,
    some,
    starts,
    token_indices,
)

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class KeptTokens:
    """The likeliest tokens of each position, over all sequences one position after the other.

    Attributes:
        kept: ln p by token; None where there was no context to predict from.
        chosen: the token that stands there, where it was sent with the others.
        lengths: how many positions each sequence has.
        single: whether one sequence was sent, as a list of its positions.
    """

    kept: Sequence[Mapping[str, float] | None]
    chosen: Sequence[str | None]
    lengths: Indices
    single: bool = False

    def place(self, at: int) -> tuple[int, ...]:
        """The sequence and the position of a token, as they were sent."""
        return (at,) if self.single else Ragged([], self.lengths).place(at)

    @property
    def size(self) -> int:
        """How many log-probabilities there are, and sequences."""
        return self.lengths.size + sum(len(kept or "") for kept in self.kept)

    def sequences(self, rows: Indices) -> "KeptTokens":
        """Some of the sequences alone."""
        ends = np.cumsum(self.lengths)
        places = [
            at
            for end, size in zip(ends[rows].tolist(), self.lengths[rows].tolist(), strict=True)
            for at in range(end - size, end)
        ]
        kept, chosen = [self.kept[at] for at in places], [self.chosen[at] for at in places]
        return KeptTokens(kept, chosen, self.lengths[rows], self.single)

    @property
    def has_ids(self) -> bool:
        """Whether tokens are named by their numbers in a vocabulary."""
        first = next((kept for kept in self.kept if kept), {})
        return all(token.isdecimal() for token in first)


def from_top_log_probs(
    top: KeptTokens, y_true: Ragged | None, settings: PerplexityOptions, options: Options
) -> Tokens:
    """Tokens of which only the most likely were returned: the rest share what is left.

    A token that was not returned has (1 − Σ kept) / (vocabulary_size − kept).

    Args:
        top: the tokens that were kept.
        y_true: the tokens that stand there, or their ids; None where they are in `top`.
        settings: `mask` and `vocabulary_size`.
        options: `sum_tolerance`, by how much kept probabilities may sum to more than 1, and
            `on_unnormalized`, which divides them by their sum where they do.

    Raises:
        InvalidInput: the shapes differ, a log-probability is above 0, those of a token sum to
            more than 1, or a vocabulary size is needed.
    """
    some("top_logprobs", top.lengths)
    if settings.ignore_index is not None:
        raise InvalidInput.at("ignore_index needs logits and y_true", "ignore_index")
    valid = counted(settings.mask, top.lengths)
    place = top.place
    without = _without_context(top, valid)
    valid &= ~without
    targets = _targets(top, y_true, valid)
    nll = np.zeros(len(top.kept))
    renormalized, worst = 0, 0.0
    for at in np.flatnonzero(valid).tolist():
        kept, token = top.kept[at] or {}, targets[at]
        rest = remainder(kept)
        if math.isnan(rest):
            raise InvalidInput.at("not the logarithm of a probability", "top_logprobs", *place(at))
        surplus, shift = max(0.0, -rest), 0.0
        worst = max(worst, surplus)
        if options.on_unnormalized == "renormalize" and surplus > len(kept) * _EPS:
            renormalized, shift = renormalized + 1, math.log1p(surplus)
        elif surplus > options.tolerance(FLOAT64) and options.on_unnormalized == "error":
            detail = too_much(surplus, options.tolerance(FLOAT64))
            raise InvalidInput.at(detail, "top_logprobs", *place(at))
        if token is not None and token in kept:
            nll[at] = max(0.0, shift - kept[token])
        else:
            nll[at] = _spread(rest, len(kept), settings.vocabulary_size)
    return Tokens(
        nll,
        top.lengths,
        valid,
        without_context=int(np.count_nonzero(without)),
        renormalized=renormalized,
        max_sum_error=worst,
    )


def _without_context(top: KeptTokens, valid: Flags) -> Flags:
    """Which first tokens have no log-probabilities; refused anywhere else."""
    empty = np.fromiter((kept is None for kept in top.kept), np.bool_, len(top.kept))
    first = np.zeros(empty.size, np.bool_)
    first[starts(top.lengths)] = True
    bad = empty & valid & ~first
    if bad.any():
        at = top.place(int(np.argmax(bad)))
        detail = "null, which only the first token of a sequence may be"
        raise InvalidInput.at(detail, "top_logprobs", *at)
    return empty & first & valid


def _targets(top: KeptTokens, y_true: Ragged | None, valid: Flags) -> Sequence[str | None]:
    """The token that stands at each position."""
    if y_true is None:
        if any(top.chosen[at] is None for at in np.flatnonzero(valid).tolist()):
            raise InvalidInput.at("this field is missing", "y_true")
        return top.chosen
    if y_true.lengths.shape != top.lengths.shape or (y_true.lengths != top.lengths).any():
        raise InvalidInput.at("y_true and top_logprobs are of different lengths", "y_true")
    if isinstance(y_true.values, list):
        return y_true.values
    if not top.has_ids:
        raise InvalidInput.at("y_true holds the tokens, as strings", "y_true")
    return [str(index) for index in token_indices(y_true, valid).tolist()]


def remainder(kept: Mapping[str, float]) -> float:
    """1 − Σ e^{ln p} of the tokens kept, from 1 − p of the likeliest; nan where ln p > 0."""
    if not kept:
        return 1.0
    likeliest, *others = sorted(kept.values(), reverse=True)
    if any(not value <= 0 for value in kept.values()):
        return math.nan
    return math.fsum([-math.expm1(likeliest), *(-math.exp(value) for value in others)])


def too_much(surplus: float, tolerance: float) -> str:
    """What is wrong with probabilities that sum to so much more than 1, and what to do."""
    kept = numeral(1 + surplus, 1.0, 1 + tolerance)
    return (
        f"the probabilities kept sum to {kept}, more than 1 by over {tolerance:g}: "
        'raise sum_tolerance, or send on_unnormalized: "renormalize" to divide by the sum'
    )


def _spread(rest: float, kept: int, vocabulary_size: int | None) -> float:
    """−ln of what a token that was not kept has: an equal part of the rest."""
    if vocabulary_size is None:
        detail = "a token is not among those kept: vocabulary_size is needed"
        raise InvalidInput.at(detail, "vocabulary_size")
    if vocabulary_size <= kept:
        raise InvalidInput.at("more tokens are kept than it leaves others", "vocabulary_size")
    return math.log(vocabulary_size - kept) - math.log(rest) if rest > 0 else math.inf
