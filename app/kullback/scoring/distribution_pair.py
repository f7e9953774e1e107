"""Distributions as they were sent, alone or in pairs, checked and with their logarithms."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import log_softmax, log_softmax_ratio
from kullback.numerics.means import weighted_mean
from kullback.numerics.types import Array, Undefined
from kullback.scoring.arrays import (
    CheckedDistributions,
    distributions,
    logit_rows,
    shown,
    weights,
)
from kullback.scoring.information_rows import (
    cross_entropy_rows,
    cross_gradient,
    cross_logit_gradient,
    dot,
    entropy_rows,
    kl_rows,
)
from kullback.scoring.log_probabilities import log_distributions
from kullback.scoring.options import Options
from kullback.scoring.score import Context, in_unit


@dataclass(frozen=True, slots=True)
class SentDistribution:
    """A distribution in the one form in which it was sent; rows are (k,) or (n, k)."""

    probabilities: Array | None = None
    logits: Array | None = None
    logs: Array | None = None


@dataclass(frozen=True, slots=True)
class CheckedDistribution:
    """One side of a divergence: probabilities, with their logarithms where those were sent.

    `logits` are there where they were sent.
    """

    name: str
    checked: CheckedDistributions
    logits: Array | None = None

    @classmethod
    def read(
        cls, name: str, sent: SentDistribution, options: Options, logits_name: str | None = None
    ) -> "CheckedDistribution":
        """Check the one form that was sent.

        Raises:
            InvalidInput: it is not one, or a row is no distribution.
        """
        logits_name, log_name = logits_name or f"{name}_logits", f"{name}_log"
        forms = {name: sent.probabilities, logits_name: sent.logits, log_name: sent.logs}
        given = [form for form, values in forms.items() if values is not None]
        if len(given) > 1:
            raise InvalidInput.at(f"{given[0]} and {given[1]} exclude each other", name)
        if sent.probabilities is not None:
            if sent.probabilities.shape[-1:] == (1,):  # divided by its sum it is always certain
                options = replace(options, on_unnormalized="error")
            return cls(name, distributions(name, sent.probabilities, options))
        if sent.logs is not None:
            if sent.logs.shape[-1:] == (1,):
                options = replace(options, on_unnormalized="error")
            remedy = f"scores of a softmax are {logits_name}"
            checked = log_distributions(log_name, sent.logs, options, remedy)
            return cls(log_name, checked)
        if sent.logits is None:
            raise InvalidInput.at(f"{name} is missing", name)
        rows, single = logit_rows(logits_name, sent.logits)
        logs = log_softmax(rows)
        return cls(logits_name, CheckedDistributions(np.exp(logs), single=single, logs=logs), rows)

    @property
    def values(self) -> Array:
        """The probabilities, (n, k)."""
        return self.checked.values

    @property
    def logs(self) -> Array | None:
        """Their logarithms, where logarithms or logits were sent."""
        return self.checked.logs

    @property
    def sent_shape(self) -> str:
        """Its shape as it was sent."""
        return shown(self.values[0] if self.checked.single else self.values)

    def repeated(self, n: int) -> "CheckedDistribution":
        """Its one row, n times."""
        k = self.values.shape[1]
        logs, logits = (
            None if rows is None else np.broadcast_to(rows, (n, k))
            for rows in (self.logs, self.logits)
        )
        values = np.broadcast_to(self.values, (n, k))
        return replace(self, checked=replace(self.checked, values=values, logs=logs), logits=logits)

    def context(self, metric: str, options: Options) -> Context:
        """The context of a metric of this side alone."""
        rows = self.values.shape[0]
        weight = weights("sample_weight", options.sample_weight, rows)
        return Context(
            metric,
            replace(options, sample_weight=weight),
            clipped=self.checked.clipped,
            renormalized=self.checked.renormalized,
            max_sum_error=self.checked.max_sum_error,
            single=self.checked.single,
        )

    def entropy(self) -> Array:
        """H of each row, nats, (n,)."""
        return entropy_rows(self.values, self.logs)

    def slope(self, gradient: Array) -> Array:
        """The gradient with respect to what was sent, from that with respect to probabilities."""
        if self.logs is None:
            return gradient
        with np.errstate(invalid="ignore"):
            moved: Array = np.where(self.values > 0, self.values * gradient, 0.0)
        if self.logits is not None:
            moved -= self.values * moved.sum(axis=1, keepdims=True)
        return moved


@dataclass(frozen=True, slots=True)
class DistributionPair:
    """The target p and the predicted q of a divergence, of the same shape.

    `is_shared` says that q is one row beside many: its gradient is the sum of theirs.
    """

    target: CheckedDistribution
    predicted: CheckedDistribution
    is_shared: bool = False

    @classmethod
    def read(cls, p: SentDistribution, q: SentDistribution, options: Options) -> "DistributionPair":
        """Check both: see of.

        Raises:
            InvalidInput: one is no distribution, or their shapes do not go together.
        """
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

    def reversed(self) -> "DistributionPair":
        """The same with p and q exchanged."""
        return DistributionPair(self.predicted, self.target)

    def context(
        self, metric: str, options: Options, conventions: Mapping[str, object] | None = None
    ) -> Context:
        """The context of a metric of both, with the conventions that are its own."""
        context, target = self.predicted.context(metric, options), self.target.checked
        return replace(
            context,
            conventions=conventions or {},
            clipped=context.clipped + target.clipped,
            renormalized=context.renormalized + target.renormalized,
            max_sum_error=max(context.max_sum_error, target.max_sum_error),
            is_shared=self.is_shared,
        )

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
