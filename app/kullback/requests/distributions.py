"""Requests with distributions and counts."""

from pydantic import Field

from kullback.errors import InvalidInput
from kullback.payload.columns import LogitRows, Probabilities, Rows
from kullback.requests.base import GradientRequest
from kullback.scoring import count_scores
from kullback.scoring.cross_entropy import cross_entropy
from kullback.scoring.entropy import entropy
from kullback.scoring.entropy_estimators import Estimator
from kullback.scoring.js_divergence import js_divergence
from kullback.scoring.kl_divergence import kl_divergence
from kullback.scoring.score import Score


class EntropyRequest(GradientRequest):
    """Entropy of distributions, or estimated from counts."""

    p: Probabilities | None = Field(
        default=None, description="One distribution [k] or a batch [n][k]."
    )
    logits: LogitRows | None = Field(default=None, description="p = softmax(logits).")
    counts: Rows | None = Field(default=None, description="Counts [k] or [n][k] to estimate from.")
    estimator: Estimator | None = Field(
        default=None, description="Estimator for counts; default plugin."
    )

    def score(self) -> Score:
        """See scoring.entropy and count_scores.entropy_of_counts."""
        count_scores.refuse_both("counts", self.counts, self.p, self.logits)
        if self.counts is not None:
            if self.gradient:
                raise InvalidInput.at("counts have no gradient", "gradient")
            estimator = self.estimator or "plugin"
            return count_scores.entropy_of_counts(self.counts, estimator, self.options())
        if self.estimator is not None:
            raise InvalidInput.at("an estimator is of counts", "estimator")
        return entropy(self.p, self.logits, self.options())


class CrossEntropyRequest(GradientRequest):
    """Cross-entropy of a target distribution and a predicted one."""

    p: Probabilities = Field(description="Target: one distribution [k] or a batch [n][k].")
    q: Probabilities | None = Field(
        default=None, description="Predicted distribution, of the same shape."
    )
    q_logits: LogitRows | None = Field(default=None, description="q = softmax(q_logits).")

    def score(self) -> Score:
        """See scoring.cross_entropy."""
        return cross_entropy(self.p, self.q, self.q_logits, self.options())


class KLDivergenceRequest(GradientRequest):
    """Kullback-Leibler divergence of a predicted distribution from the target."""

    p: Probabilities | None = Field(default=None, description="Target: [k] or [n][k].")
    p_logits: LogitRows | None = Field(default=None, description="p = softmax(p_logits).")
    q: Probabilities | None = Field(
        default=None, description="Predicted distribution, of the same shape."
    )
    q_logits: LogitRows | None = Field(default=None, description="q = softmax(q_logits).")
    p_counts: Rows | None = Field(
        default=None, description="Counts in place of p; they add a G test."
    )

    def score(self) -> Score:
        """See scoring.kl_divergence and count_scores.fit_of_counts."""
        count_scores.refuse_both("p_counts", self.p_counts, self.p, self.p_logits)
        if self.p_counts is not None:
            return count_scores.fit_of_counts(self.p_counts, self.q, self.q_logits, self.options())
        target, predicted = (self.p, self.p_logits), (self.q, self.q_logits)
        return kl_divergence(target, predicted, self.options())


class JSDivergenceRequest(GradientRequest):
    """Jensen-Shannon divergence of two distributions."""

    p: Probabilities = Field(description="One distribution [k] or a batch [n][k].")
    q: Probabilities = Field(description="Second distribution, of the same shape.")

    def score(self) -> Score:
        """See scoring.js_divergence."""
        return js_divergence(self.p, self.q, self.options())
