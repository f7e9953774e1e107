"""Distributions as they were sent, alone or in pairs, checked and with their logarithms."""

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
    same_shape,
    weights,
)
from kullback.scoring.information_rows import cross_gradient, kl_rows
from kullback.scoring.options import Options
from kullback.scoring.score import Context, in_unit

Sent = tuple[Array | None, Array | None]  # probabilities, logits: one of them


@dataclass(frozen=True, slots=True)
class CheckedDistribution:
    """One side of a divergence: probabilities, and their logarithms where logits were sent."""

    name: str
    checked: CheckedDistributions
    logits: Array | None = None
    logs: Array | None = None

    @classmethod
    def read(
        cls,
        name: str,
        probabilities: Array | None,
        logits_name: str,
        logits: Array | None,
        options: Options,
    ) -> "CheckedDistribution":
        """Check the one form that was sent."""
        if (probabilities is None) == (logits is None):
            problem = "is missing" if logits is None else f"and {logits_name} exclude each other"
            raise InvalidInput.at(f"{name} {problem}", name)
        if probabilities is not None:
            if probabilities.shape[-1:] == (1,):  # divided by its sum one outcome is always certain
                options = replace(options, on_unnormalized="error")
            return cls(name, distributions(name, probabilities, options))
        assert logits is not None
        rows, single = logit_rows(logits_name, logits)
        logs = log_softmax(rows)
        return cls(logits_name, CheckedDistributions(np.exp(logs), single=single), rows, logs)

    @property
    def values(self) -> Array:
        """The probabilities, (n, k)."""
        return self.checked.values

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


def checked_pair(
    p: Sent, q: Sent, options: Options
) -> tuple[CheckedDistribution, CheckedDistribution]:
    """The target p and the predicted q of a divergence, each as (probabilities, logits).

    Raises:
        InvalidInput: one is no distribution, or their shapes differ.
    """
    target = CheckedDistribution.read("p", p[0], "p_logits", p[1], options)
    predicted = CheckedDistribution.read("q", q[0], "q_logits", q[1], options)
    same_shape(predicted.name, predicted.values, target.name, target.values)
    if target.checked.single != predicted.checked.single:
        raise InvalidInput.at(
            f"{predicted.name} and {target.name} must both be [k] or both [n][k]", predicted.name
        )
    return target, predicted


def pair_context(
    metric: str, target: CheckedDistribution, predicted: CheckedDistribution, options: Options
) -> Context:
    """The context of a metric of two distributions."""
    context = predicted.context(metric, options)
    return replace(
        context,
        clipped=context.clipped + target.checked.clipped,
        renormalized=context.renormalized + target.checked.renormalized,
        max_sum_error=max(context.max_sum_error, target.checked.max_sum_error),
    )


def kl_of_pair(target: CheckedDistribution, predicted: CheckedDistribution) -> Array:
    """KL(p‖q) of each row, nats, shape (n,)."""
    return kl_rows(target.values, predicted.values, _log_ratio(target, predicted))


def _log_ratio(target: CheckedDistribution, predicted: CheckedDistribution) -> Array | None:
    """Ln q − ln p, where either came from logits."""
    if target.logits is not None and predicted.logits is not None:
        return log_softmax_ratio(target.logits, predicted.logits)
    if target.logs is None and predicted.logs is None:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        log_p = np.log(target.values) if target.logs is None else target.logs
        log_q = np.log(predicted.values) if predicted.logs is None else predicted.logs
        ratio: Array = log_q - log_p
    return ratio


def mean_in_unit(rows: Array, weight: Array | None, options: Options) -> float | Undefined:
    """The weighted mean of rows in nats, in the unit asked for."""
    return in_unit(weighted_mean(rows, weight), options)


def cross_entropy_gradient(target: CheckedDistribution, predicted: CheckedDistribution) -> Array:
    """The gradient of H(p, q), and of KL(p‖q), with respect to q or its logits, shape (n, k)."""
    return cross_gradient(target.values, predicted.values, of_logits=predicted.logs is not None)
