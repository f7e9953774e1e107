"""Bayesian personalized ranking: logistic loss of pairs of a positive and a negative item."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import sigmoid, softplus
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Flags, Indices, Undefined
from kullback.scoring.arrays import same_shape, shown, weights
from kullback.scoring.candidates import Candidates, gradients_apart
from kullback.scoring.group_scores import group_numbers
from kullback.scoring.labels import Labels, flat, positive_shares
from kullback.scoring.magnitudes import moderate
from kullback.scoring.options import Options
from kullback.scoring.ranking import Ranking
from kullback.scoring.refusals import refuse
from kullback.scoring.score import Context, Losses, Reduced, Score, reduce_rows, score_rows

_PAIRS = 1 << 18  # at a time


def bpr(logits: Array, y_true: Labels, group: Labels | None, options: Options) -> Score:
    """How surely the positive items of a group are scored above its negative ones.

        ℓ = −ln σ(zᵢ − zⱼ) for each positive i and negative j of a group
        value = Σ wᵢ wⱼ ℓᵢⱼ / Σ wᵢ wⱼ over all pairs

    Args:
        logits: z, scores (n,), finite.
        y_true: 1 for a positive item, 0 for a negative one (n,).
        group: such as the user of each row (n,); all rows are one group where None.
        options: see Options; the gradient is with respect to the logits.

    Returns:
        In [0, ∞) nats. `pairs` counts them, `groups` those that have both, and
        `groups_without_pairs` the others, which are left out; `auc` is the share of pairs scored
        rightly, ties counting half. `standard_error` is over groups; `per_row` is the mean loss of
        the pairs of a row.

    Raises:
        InvalidInput: a score is not finite or beyond 1e60, or a label is not 0 or 1.

    Source: Rendle, Freudenthaler, Gantner & Schmidt-Thieme, UAI (2009), §4.
    """
    if logits.ndim != 1:
        raise InvalidInput.at(f"logits has shape {shown(logits)}; [n] is expected", "logits")
    z = moderate("logits", logits)
    y = positive_shares("y_true", y_true).values
    same_shape("y_true", y, "logits", z)
    refuse("y_true", (y > 0) & (y < 1), lambda _: "an item of a pair is positive (1) or not (0)")
    n = z.size
    options = replace(options, sample_weight=weights("sample_weight", options.sample_weight, n))
    w = np.ones(n) if options.sample_weight is None else options.sample_weight
    number = np.zeros(n, np.int64) if group is None else group_numbers(group, n)
    ranking = Ranking.of(y, number)  # the negatives of each group, then its positives
    order, starts = ranking.order, ranking.groups
    sizes = np.diff(starts, append=n)
    sides = np.add.reduceat(y[order], starts).astype(np.int64)
    counts = _Counts(starts, sizes - sides, sides)
    sums = counts.pair_sums(z[order], w[order])
    others = _other_weights(counts, y[order], w[order])
    paired = counts.pairs > 0
    own = w[order] * y[order]  # each pair once, as its positive row has it
    reduced, accuracy = _over_groups(sums, counts, own, others)
    rows = np.repeat(paired, sizes)
    reduced = replace(reduced, n=int(rows.sum()), weight=float(w[order][rows].sum()))
    per_row, slope = np.empty(n), np.empty(n)
    per_row[order] = np.divide(sums.loss, others, out=np.zeros(n), where=others > 0)
    slope[order] = sums.slope
    details = {
        "pairs": int(counts.pairs.sum()),
        "groups": int(np.count_nonzero(paired)),
        "groups_without_pairs": int(np.count_nonzero(~paired)),
        "auc": accuracy,
    }
    losses = Losses(per_row, gradient=slope if options.gradient else None)
    return score_rows(losses, details, Context("bpr", options), reduced)


def bpr_of_candidates(logits: tuple[Array, Array], mask: Array | None, options: Options) -> Score:
    """The same for pairs that were drawn: a positive item, and its negatives.

    Args:
        logits: of the positive items (n,), and of the negatives (n, m), or (n,) for one each.
        mask: of the negatives, 1 where one counts; all count where None.
        options: see Options; the `gradients` are with respect to the two arrays of logits.

    Returns:
        As bpr: the mean over pairs, a row's weight being that of each of its pairs. `per_row` is
        the mean loss of the pairs of a row; `standard_error` is over rows.

    Raises:
        InvalidInput: a score is not finite or beyond 1e60, or the shapes do not fit.

    Source: see bpr.
    """
    sent = Candidates.of(*logits, mask, moderate)
    n = sent.positive.shape[0]
    weight = weights("sample_weight", options.sample_weight, n)
    gap = sent.negative - sent.positive
    share = sent.valid.sum(axis=1).astype(np.float64)
    total = np.where(sent.valid, softplus(gap), 0.0).sum(axis=1)
    right = np.where(sent.valid, _right(gap), 0.0).sum(axis=1)
    gradient = None
    if options.gradient:
        slope = np.where(sent.valid, sigmoid(gap), 0.0)
        gradient = np.concatenate((0.0 - slope.sum(axis=1, keepdims=True), slope), axis=1)
    per_row = np.divide(total, share, out=np.zeros(n), where=share > 0)
    ignored = share == 0
    accuracy = reduce_rows(Losses(right, share, ignored), weight)
    details = {"pairs": int(share.sum()), "auc": accuracy.value()}
    losses = Losses(total, share, ignored, per_row, gradient)
    context = Context("bpr", replace(options, sample_weight=weight))
    return gradients_apart(score_rows(losses, details, context), logits[1].shape)


def pair_count(y_true: Labels, group: Labels | None) -> int:
    """How many pairs there are, before anything is checked."""
    labels = flat(y_true)
    if isinstance(labels, list) or labels.ndim != 1:
        return 0
    y: Flags = np.equal(labels, 1)
    if group is None or len(group) != y.size:
        return int(y.sum()) * int((~y).sum())
    number = group_numbers(group, y.size)
    order = np.argsort(number, kind="stable")
    fresh = np.append(True, number[order][1:] != number[order][:-1])
    starts = np.flatnonzero(fresh)
    positive = np.add.reduceat(y[order].astype(np.float64), starts)
    return int((positive * (np.diff(starts, append=y.size) - positive)).sum())


@dataclass(frozen=True, slots=True)
class _Sums:
    """Of each row over the pairs it is in (n,), each pair as its other row weighs.

    `right` is of positive rows alone.
    """

    loss: Array
    slope: Array
    right: Array


@dataclass(frozen=True, slots=True)
class _Counts:
    """Where each group starts (g,), with its negatives and, after them, its positives."""

    starts: Indices
    negatives: Indices
    positives: Indices

    @property
    def pairs(self) -> Indices:
        """How many pairs each group has."""
        counts: Indices = self.negatives * self.positives
        return counts

    def pair_sums(self, z: Array, w: Array) -> _Sums:
        """The sums over pairs, a bounded number of pairs at a time."""
        loss, slope, right = np.zeros_like(z), np.zeros_like(z), np.zeros_like(z)
        for rows, counts, first in self._batches():
            begin = np.cumsum(counts) - counts
            which = np.repeat(np.arange(rows.size), counts)
            others = np.arange(which.size) + (first - begin)[which]
            gap = z[others] - z[rows][which]
            cost, rise = softplus(gap), sigmoid(gap)
            loss[rows] = np.add.reduceat(w[others] * cost, begin)
            slope[rows] = 0.0 - np.add.reduceat(w[others] * rise, begin)
            right[rows] = np.add.reduceat(w[others] * _right(gap), begin)
            low, width = int(others[0]), int(others[-1] - others[0]) + 1
            near = slice(low, low + width)
            loss[near] += np.bincount(others - low, w[rows][which] * cost, width)
            slope[near] += np.bincount(others - low, w[rows][which] * rise, width)
        return _Sums(loss, slope, right)

    def _batches(self) -> Iterator[tuple[Indices, Indices, Indices]]:
        """Positive rows, how many negatives each has, and the first of these."""
        owner = np.repeat(np.arange(self.starts.size), np.where(self.pairs > 0, self.positives, 0))
        counts, first = self.negatives[owner], self.starts[owner]
        begin = np.flatnonzero(np.diff(owner, prepend=-1))
        place = np.arange(owner.size) - np.repeat(begin, np.diff(begin, append=owner.size))
        rows, ends, start = first + counts + place, np.cumsum(counts), 0
        while start < rows.size:
            done = int(ends[start] - counts[start])
            stop = max(start + 1, int(np.searchsorted(ends, done + _PAIRS, side="right")))
            yield rows[start:stop], counts[start:stop], first[start:stop]
            start = stop


def _right(gap: Array) -> Array:
    """1 where the negative item is scored below, ½ where both are scored alike."""
    return np.where(gap < 0, 1.0, np.where(gap == 0, 0.5, 0.0))


def _other_weights(counts: _Counts, y: Array, w: Array) -> Array:
    """What the rows weigh with which each row makes pairs."""
    positive, negative = (np.add.reduceat(w * side, counts.starts) for side in (y, 1.0 - y))
    sizes = counts.negatives + counts.positives
    return np.where(y > 0, np.repeat(negative, sizes), np.repeat(positive, sizes))


def _over_groups(
    sums: _Sums, counts: _Counts, own: Array, others: Array
) -> tuple[Reduced, float | Undefined]:
    """The mean loss over pairs, and the share that is right."""
    paired = counts.pairs > 0
    if not paired.any():
        nothing = Reduced(np.nan, 0.0, 0, 0.0, None, Reason.ONE_CLASS)
        return nothing, Undefined(Reason.ONE_CLASS)
    parts = (sums.loss, sums.right, others)
    lost, right, weight = (np.add.reduceat(own * part, counts.starts)[paired] for part in parts)
    reduced = reduce_rows(Losses(lost, weight), None)
    return reduced, reduce_rows(Losses(right, weight), None).value()
