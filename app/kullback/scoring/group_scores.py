"""Group scores: log loss, normalized entropy and AUC of each group, such as a user."""

import math
from dataclasses import dataclass, fields

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.isotonic import binary_entropy
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined
from kullback.scoring.labels import Labels, row_count, whole
from kullback.scoring.options import Options
from kullback.scoring.ranking import Ranking

MOST_ROWS = 10_000
_QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


def group_numbers(group: Labels, n: int) -> Indices:
    """An integer for the group of each row, (n,): its id, or its place among those of strings.

    Raises:
        InvalidInput: there are not n of them, or an id is a fraction.
    """
    if row_count(group) != n:
        raise InvalidInput.at(
            f"group has {row_count(group)} rows where there are {n} predictions", "group"
        )
    if not isinstance(group, list):
        is_unsigned = group.dtype == np.uint64  # whose 64 bits tell them apart as well
        return group.view(np.int64) if is_unsigned else whole("group", group)
    number: dict[str, int] = {}
    return np.fromiter((number.setdefault(name, len(number)) for name in group), np.int64, n)


@dataclass(frozen=True, slots=True)
class GroupScores:
    """The sums of each group (g,), in the order of the ranking, and its AUC or nan."""

    n: Indices
    weight: Array
    lost: Array
    positive: Array
    auc: Array
    first: Indices

    @classmethod
    def of(cls, ranking: Ranking, y: Array, losses: Array, weight: Array | None) -> "GroupScores":
        """The sums of rows: outcomes, losses in nats, and weights (n,)."""
        order, groups = ranking.order, ranking.groups
        y, losses = y[order], losses[order]
        n = np.diff(groups, append=order.size)
        mass, clicks, w = n.astype(np.float64), y, None
        if weight is not None:
            w = weight[order]
            mass, clicks = np.add.reduceat(w, groups), w * y
            with np.errstate(invalid="ignore"):  # 0 · ∞, which adds nothing
                losses = np.where(w > 0, w * losses, 0.0)
        return cls(
            n,
            mass,
            np.add.reduceat(losses, groups),
            np.add.reduceat(clicks, groups),
            ranking.areas(y, w),
            np.minimum.reduceat(order, groups),
        )

    def part(self, chosen: Indices) -> "GroupScores":
        """Some of the groups."""
        return GroupScores(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def grouped_auc(self) -> float | Undefined:
        """Σ W·AUC / Σ W over groups that have both classes; W is the weight of a group."""
        both = ~np.isnan(self.auc)
        total = float(self.weight[both].sum())
        if total == 0:
            return Undefined(Reason.ONE_CLASS)
        return float((self.auc[both] * self.weight[both]).sum()) / total

    def macro_log_loss(self, options: Options) -> float | Undefined:
        """The plain mean over groups that have weight, in the unit of the answer."""
        alive = self.weight > 0
        if not alive.any():
            return Undefined(Reason.ZERO_WEIGHT)
        return float((self.lost[alive] / self.weight[alive]).mean()) / options.nats

    def summary(self) -> dict[str, object]:
        """How many groups there are, how many have both classes, and how their AUCs spread."""
        areas = self.auc[~np.isnan(self.auc)]
        spread = np.quantile(areas, _QUANTILES).tolist() if areas.size else None
        return {
            "groups": self.n.size,
            "with_both_classes": areas.size,
            "auc_quantiles": Undefined(Reason.ONE_CLASS) if spread is None else spread,
        }

    def heaviest(self, group: Labels, options: Options) -> dict[str, object]:
        """A row for each of the heaviest groups as they first appear, and the sums of the rest."""
        heaviest = np.lexsort((self.first, -self.weight))
        listed, rest = heaviest[:MOST_ROWS], heaviest[MOST_ROWS:]
        groups = self.part(listed[np.argsort(self.first[listed])]).rows(group, options)
        return {"groups": groups} | (
            {"groups_rest": self.part(rest).total(options)} if rest.size else {}
        )

    def rows(self, group: Labels, options: Options) -> list[dict[str, object]]:
        """Each group by its name, with what it holds and scores."""
        sums = zip(self.weight, self.lost, self.positive, self.auc, strict=True)
        heads = zip(self.first.tolist(), self.n.tolist(), strict=True)
        return [
            {"group": _name(group, row), "n": n} | _scores([float(each) for each in of], options)
            for (row, n), of in zip(heads, sums, strict=True)
        ]

    def total(self, options: Options) -> dict[str, object]:
        """All groups as one, but for the AUC, which is that within them."""
        sums = [float(column.sum()) for column in (self.weight, self.lost, self.positive)]
        head = {"groups": self.n.size, "n": int(self.n.sum())}
        return head | _scores([*sums, 0.0], options) | {"auc": self.grouped_auc()}


def normalized_entropy(log_loss: float, base_rate: float | Undefined) -> float | Undefined:
    """LL / H_b(r): log loss over that of predicting the base rate everywhere."""
    if isinstance(base_rate, Undefined):
        return base_rate
    entropy = binary_entropy(base_rate)
    return log_loss / entropy if entropy > 0 else Undefined(Reason.ONE_CLASS)


def _name(group: Labels, row: int) -> str | int:
    name = group[row]
    return name if isinstance(name, str) else int(name)


def _scores(sums: list[float], options: Options) -> dict[str, object]:
    """What a group scores, from its weight, loss and positives, and its AUC or nan."""
    weight, lost, positive, area = sums
    if weight == 0:
        gone = Undefined(Reason.ZERO_WEIGHT)
        return {"weight": weight, "log_loss": gone, "normalized_entropy": gone, "auc": gone}
    mean = lost / weight
    return {
        "weight": weight,
        "log_loss": mean / options.nats,
        "normalized_entropy": normalized_entropy(mean, min(positive / weight, 1.0)),
        "auc": Undefined(Reason.ONE_CLASS) if math.isnan(area) else area,
    }
