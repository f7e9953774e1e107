"""Listwise softmax: cross-entropy of the softmax over each list with its relevances."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.numerals import numeral
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Flags, Indices
from kullback.scoring.arrays import logits as checked_logits
from kullback.scoring.arrays import same_shape, shown, weights
from kullback.scoring.group_scores import group_numbers
from kullback.scoring.labels import Labels, flat
from kullback.scoring.magnitudes import LARGEST
from kullback.scoring.options import Options
from kullback.scoring.ranking import Ranking
from kullback.scoring.refusals import refuse
from kullback.scoring.score import Context, Losses, Reduced, Score, in_unit, reduce_rows, score_rows

ListTarget = Literal["normalized", "softmax"]


def listwise_softmax(
    logits: Array, y_true: Labels, group: Labels, target: ListTarget, options: Options
) -> Score:
    """Cross-entropy of a softmax over the items of a list with the relevance that each has.

        ℓ = −Σᵢ tᵢ ln softmax(z)ᵢ over the items i of a list
        t = y / Σ y (normalized), or softmax(y) (softmax)
        value = Σ Wℓ / Σ W over lists, W the weight of the rows of a list

    Args:
        logits: z, scores (n,); −∞ is an item that its list cannot choose.
        y_true: y ≥ 0, relevance of each row: clicks, or grades (n,).
        group: the list of each row (n,).
        target: what the relevances of a list become.
        options: see Options; all rows of a list have one weight. The gradient is W(p − t) / Σ W.

    Returns:
        In [0, ∞] nats; infinite where a relevant item has a logit of −∞. Lists whose relevances
        are all 0 have no normalized target, and of one item nothing is chosen: both are counted
        and left out. `target_entropy` is the least that any scores can reach. `standard_error`
        is over lists; `per_row` is −tᵢ ln softmax(z)ᵢ, whose sum over a list is its loss.

    Raises:
        InvalidInput: a score or a relevance is impossible, a list rules out all of its items, or
            its rows have several weights.

    Source: Cao, Qin, Liu, Tsai & Li, ICML (2007), for softmax targets; Bruch, Wang, Bendersky &
        Najork, ICTIR (2019), for normalized ones.
    """
    if logits.ndim != 1:
        raise InvalidInput.at(f"logits has shape {shown(logits)}; [n] is expected", "logits")
    z = checked_logits("logits", logits)
    y = relevances("y_true", y_true)
    same_shape("y_true", y, "logits", z)
    n = z.size
    options = replace(options, sample_weight=weights("sample_weight", options.sample_weight, n))
    number = group_numbers(group, n)
    lists = _Lists.of(z, number)
    best = lists.sorted(z)[lists.last]
    if not best.min() > -np.inf:
        gone = np.empty(n, dtype=np.bool_)
        gone[lists.order] = (best == -np.inf)[lists.owner]
        refuse("logits", gone, lambda _: "the list rules out all of its items")
    list_weight = _list_weights(lists, options.sample_weight)
    log_p = lists.log_softmax(z)
    t, positive = lists.normalized(y)
    if target == "softmax":
        t, positive = np.exp(_Lists.of(y, number).log_softmax(y)), np.ones_like(positive)
    several = lists.last > lists.groups
    counts = _Counted(lists, positive & several, list_weight)
    alive = counts.rows & (t > 0)
    with np.errstate(divide="ignore", invalid="ignore"):  # 0 · −∞, an item that is not relevant
        costs = np.where(alive, 0.0 - t * log_p, 0.0)
        least = np.where(alive, 0.0 - t * np.log(t), 0.0)
    reason = Reason.ONE_CLASS if positive.any() else Reason.NO_POSITIVES
    details = {
        "lists": int(np.count_nonzero(counts.chosen)),
        "without_positives": int(np.count_nonzero(~positive)),
        "of_one_item": int(np.count_nonzero(positive & ~several)),
        "target_entropy": in_unit(counts.mean(least, reason).value(), options),
    }
    gradient = np.where(counts.rows, np.exp(log_p) - t, 0.0) if options.gradient else None
    context = Context("listwise_softmax", options, conventions={"target": target})
    reduced = counts.mean(costs, reason)
    return score_rows(Losses(costs, gradient=gradient), details, context, reduced)


def relevances(name: str, y_true: Labels) -> Array:
    """Relevances (n,), or (n, 1): finite and at least 0.

    Raises:
        InvalidInput: one is not.
    """
    labels = flat(y_true)
    if isinstance(labels, list):
        raise InvalidInput.at("strings, where relevances of at least 0 are expected", name)
    if labels.ndim != 1:
        raise InvalidInput.at(f"{name} has shape {shown(labels)}; [n] is expected", name)
    y = np.asarray(labels, np.float64)
    bad = ~((y >= 0) & (y <= LARGEST))
    refuse(name, bad, lambda at: f"{numeral(y[at], 0.0, LARGEST)} is not a relevance from 0 on")
    return y


@dataclass(frozen=True, slots=True)
class _Lists:
    """Rows in order of list, and of score within: where lists begin and end, and whose each is."""

    order: Indices
    groups: Indices
    last: Indices
    owner: Indices

    @classmethod
    def of(cls, score: Array, group: Indices) -> "_Lists":
        ranking = Ranking.of(score, group)
        sizes = np.diff(ranking.groups, append=score.size)
        owner = np.repeat(np.arange(sizes.size), sizes)
        return cls(ranking.order, ranking.groups, ranking.groups + sizes - 1, owner)

    def sorted(self, values: Array) -> Array:
        """Values of rows, in this order."""
        return values[self.order]

    def spread(self, flags: Flags) -> Flags:
        """Flags of lists, as those of the rows as they were sent."""
        rows = np.empty(self.order.size, dtype=np.bool_)
        rows[self.order] = flags[self.owner]
        return rows

    def log_softmax(self, z: Array) -> Array:
        """Ln softmax over each list, of the scores by which it is sorted: the last is largest."""
        shifted = self.sorted(z)
        with np.errstate(over="ignore"):  # a gap beyond a double is −∞
            shifted = shifted - shifted[self.last][self.owner]
        grown = np.exp(shifted)
        grown[self.last] = 0.0  # left out, as in numerics.logspace: 1 + ε would lose its digits
        log_p = np.empty_like(z)
        log_p[self.order] = shifted - np.log1p(np.add.reduceat(grown, self.groups))[self.owner]
        return log_p

    def normalized(self, y: Array) -> tuple[Array, Flags]:
        """Y / Σ y within each list, and which lists have such a target."""
        shares = self.sorted(y)
        sums = np.add.reduceat(shares, self.groups)
        t = np.empty_like(y)
        t[self.order] = shares / np.where(sums > 0, sums, 1.0)[self.owner]
        return t, sums > 0


def _list_weights(lists: _Lists, weight: Array | None) -> Array | None:
    """The one weight of each list."""
    if weight is None:
        return None
    w = lists.sorted(weight)
    each: Array = w[lists.groups]
    odd = np.empty(w.size, dtype=np.bool_)
    odd[lists.order] = w != each[lists.owner]
    refuse("sample_weight", odd, lambda _: "the rows of a list have one weight, that of the list")
    return each


@dataclass(frozen=True, slots=True)
class _Counted:
    """Lists of which some count, and their weights."""

    lists: _Lists
    chosen: Flags
    weight: Array | None

    @property
    def rows(self) -> Flags:
        """Which rows are of lists that count."""
        return self.lists.spread(self.chosen)

    def mean(self, costs: Array, reason: Reason) -> Reduced:
        """The mean over lists; n counts their rows, and the weight is that of the rows."""
        lists, chosen = self.lists, self.chosen
        sums = np.add.reduceat(lists.sorted(costs), lists.groups)[chosen]
        if not sums.size:
            return Reduced(np.nan, 0.0, 0, 0.0, None, reason)
        weight = None if self.weight is None else self.weight[chosen]
        sizes = (lists.last - lists.groups + 1)[chosen]
        total = float(sizes.sum() if weight is None else (sizes * weight).sum())
        return replace(reduce_rows(Losses(sums), weight), n=int(sizes.sum()), weight=total)
