"""One distribution as it was sent, checked and with its logarithms."""

from dataclasses import dataclass, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import log_softmax
from kullback.numerics.types import Array
from kullback.scoring.arrays import (
    CheckedDistributions,
    distributions,
    logit_rows,
    shown,
    weights,
)
from kullback.scoring.checks import after_checks
from kullback.scoring.information_rows import (
    entropy_rows,
)
from kullback.scoring.log_probabilities import log_distributions, refuse_logarithms
from kullback.scoring.options import Options
from kullback.scoring.score import Context
from kullback.scoring.truncated import KeptOutcomes


@dataclass(frozen=True, slots=True)
class SentDistribution:
    """A distribution in the one form in which it was sent; rows are (k,) or (n, k)."""

    probabilities: Array | None = None
    logits: Array | None = None
    logs: Array | None = None
    top: KeptOutcomes | None = None  # ln p of the likeliest outcomes, by outcome


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
        top = top_name(name)
        forms: dict[str, object] = {
            name: sent.probabilities,
            logits_name: sent.logits,
            log_name: sent.logs,
            top: sent.top,
        }
        given = [form for form, values in forms.items() if values is not None]
        if len(given) > 1:
            raise InvalidInput.at(f"{given[0]} and {given[1]} exclude each other", name)
        if sent.probabilities is not None:
            refuse_logarithms(name, sent.probabilities, f"{log_name}, and scores {logits_name}")
            if sent.probabilities.shape[-1:] == (1,):  # divided by its sum it is always certain
                options = replace(options, on_unnormalized="error")
            return cls(name, distributions(name, sent.probabilities, options))
        if sent.logs is not None:
            if sent.logs.shape[-1:] == (1,):
                options = replace(options, on_unnormalized="error")
            remedy = f"scores of a softmax are {logits_name}"
            checked = log_distributions(log_name, sent.logs, options, remedy)
            return cls(log_name, checked)
        if sent.top is not None:
            detail = f"{top} needs the likeliest outcomes of the other side too"
            raise InvalidInput.at(detail, top)
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
        options = replace(options, sample_weight=weight)
        return after_checks(Context(metric, options, single=self.checked.single), self.checked)

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


def top_name(name: str) -> str:
    """What the likeliest outcomes of a side are called."""
    return f"{name}_top_logprobs"
