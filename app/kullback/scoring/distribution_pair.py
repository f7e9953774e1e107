"""Pairs of distributions: of the same outcomes, one row beside many repeated, or truncated."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import log_softmax_ratio
from kullback.numerics.means import weighted_mean
from kullback.numerics.types import Array, Undefined
from kullback.scoring.checked_distribution import (
    CheckedDistribution,
    SentDistribution,
    top_name,
)
from kullback.scoring.checks import after_checks
from kullback.scoring.information_rows import (
    cross_entropy_rows,
    cross_gradient,
    cross_logit_gradient,
    dot,
    kl_rows,
)
from kullback.scoring.options import Options
from kullback.scoring.score import Context, in_unit
from kullback.scoring.truncated import truncated_distributions


@dataclass(frozen=True, slots=True)
class DistributionPair:
    """The target p and the predicted q of a divergence, of the same shape.

    `is_shared` says that q is one row beside many: its gradient is the sum of theirs.
    """

    target: CheckedDistribution
    predicted: CheckedDistribution
    is_shared: bool = False
    is_truncated: bool = False

    @classmethod
    def read(cls, p: SentDistribution, q: SentDistribution, options: Options) -> "DistributionPair":
        """Check both: see of.

        Raises:
            InvalidInput: one is no distribution, or their shapes do not go together.
        """
        if p.top is not None and q.top is not None:
            return cls._truncated(p, q, options)
        target = CheckedDistribution.read("p", p, options)
        return cls.of(target, CheckedDistribution.read("q", q, options))

    @classmethod
    def of(cls, target: CheckedDistribution, predicted: CheckedDistribution) -> "DistributionPair":
        """Both, one row beside many repeated.

        Raises:
            InvalidInput: their shapes do not go together.
        """
        (n, k), (m, other) = target.values.shape, predicted.values.shape
        if k != other or (n != m and 1 not in (n, m)):
            detail = (
                f"{predicted.name} has shape {predicted.sent_shape} but {target.name} has "
                f"{target.sent_shape}: as many outcomes and rows are expected, or one row beside "
                "many"
            )
            raise InvalidInput.at(detail, predicted.name)
        if n < m:
            return cls(target.repeated(m), predicted)
        return (
            cls(target, predicted.repeated(n), is_shared=True) if m < n else cls(target, predicted)
        )

    @classmethod
    def _truncated(
        cls, p: SentDistribution, q: SentDistribution, options: Options
    ) -> "DistributionPair":
        """The likeliest outcomes of both, and the rest as one: see truncated."""
        if options.gradient:
            raise InvalidInput.at("truncated distributions have no gradient", "gradient")
        sides = []
        for name, sent in (("p", p), ("q", q)):
            if any(form is not None for form in (sent.probabilities, sent.logits, sent.logs)):
                detail = f"{top_name(name)} and other forms of {name} exclude each other"
                raise InvalidInput.at(detail, top_name(name))
            assert sent.top is not None
            sides.append((top_name(name), sent.top))
        checked = truncated_distributions(sides[0], sides[1], options)
        target, predicted = (
            CheckedDistribution(name, rows) for (name, _), rows in zip(sides, checked, strict=True)
        )
        return cls(target, predicted, is_truncated=True)

    def tails(self, weight: Array | None) -> dict[str, object]:
        """Of truncated distributions, the mean mass of the outcomes that both did not keep."""
        if not self.is_truncated:
            return {}
        sides = {"p_tail": self.target, "q_tail": self.predicted}
        return {
            "bound": "lower",
            **{name: weighted_mean(side.values[:, -1], weight) for name, side in sides.items()},
        }

    def reversed(self) -> "DistributionPair":
        """The same with p and q exchanged."""
        return DistributionPair(self.predicted, self.target)

    def context(
        self, metric: str, options: Options, conventions: Mapping[str, object] | None = None
    ) -> Context:
        """The context of a metric of both, with the conventions that are its own."""
        context = after_checks(self.predicted.context(metric, options), self.target.checked)
        return replace(context, conventions=conventions or {}, is_shared=self.is_shared)

    def log_ratio(self) -> Array | None:
        """Ln q − ln p of each entry, where either came from logarithms."""
        p, q = self.target, self.predicted
        if p.logits is not None and q.logits is not None:
            return log_softmax_ratio(p.logits, q.logits)
        if p.logs is None and q.logs is None:
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            log_p = np.log(p.values) if p.logs is None else p.logs
            log_q = np.log(q.values) if q.logs is None else q.logs
            ratio: Array = log_q - log_p
        return ratio

    def kl(self) -> Array:
        """KL(p‖q) of each row, nats, (n,)."""
        return kl_rows(self.target.values, self.predicted.values, self.log_ratio())

    def cross_entropy(self) -> Array:
        """H(p, q) of each row, nats, (n,)."""
        p, q = self.target, self.predicted
        if q.logs is None:
            rows = cross_entropy_rows(p.values, q.values)
        else:
            rows = 0.0 - dot(p.values, q.logs)
        if p.logs is not None:  # what q rules out costs ∞, though p may be 0 as a double
            absent = q.values == 0 if q.logs is None else q.logs == -np.inf
            rows[(absent & (p.logs > -np.inf)).any(axis=1)] = np.inf
        return rows

    def cross_entropy_slope(self) -> Array:
        """The gradient of H(p, q), and of KL(p‖q), with respect to what was sent of q, (n, k)."""
        p, q = self.target.values, self.predicted
        if q.logits is not None:
            return cross_logit_gradient(p, q.values)
        return cross_gradient(p, q.values) if q.logs is None else 0.0 - p


def mean_in_unit(rows: Array, weight: Array | None, options: Options) -> float | Undefined:
    """The weighted mean of rows in nats, in the unit asked for."""
    return in_unit(weighted_mean(rows, weight), options)
