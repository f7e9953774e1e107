"""Requests with distributions and counts."""

from types import MappingProxyType
from typing import Annotated

from pydantic import Field, FiniteFloat

from kullback.errors import InvalidInput
from kullback.payload.columns import LogitRows, LogProbabilities, Probabilities, Rows
from kullback.requests.base import GradientRequest
from kullback.requests.row_fields import RowFields
from kullback.requests.top_logprobs import TopOutcomes
from kullback.scoring import count_scores
from kullback.scoring.checked_distribution import SentDistribution
from kullback.scoring.cost import Cost
from kullback.scoring.cross_entropy import cross_entropy
from kullback.scoring.distribution_pair import DistributionPair
from kullback.scoring.entropy import entropy
from kullback.scoring.entropy_estimators import Estimator
from kullback.scoring.js_divergence import js_divergence
from kullback.scoring.kl_divergence import Direction, kl_divergence
from kullback.scoring.score import Score

MixtureWeight = Annotated[FiniteFloat, Field(ge=1e-300, lt=1)]


class EntropyRequest(GradientRequest):
    """Entropy of distributions, or estimated from counts."""

    metric_name = "entropy"
    row_axes = MappingProxyType({"p": 1, "logits": 1, "p_log": 1, "counts": 1})
    summed_fields = ("p", "p_log")

    p: Probabilities | None = Field(
        default=None, description="One distribution [k] or a batch [n][k]."
    )
    logits: LogitRows | None = Field(default=None, description="p = softmax(logits).")
    p_log: LogProbabilities | None = Field(default=None, description="ln p, in place of p.")
    counts: Rows | None = Field(default=None, description="Counts [k] or [n][k] to estimate from.")
    estimator: Estimator | None = Field(
        default=None, description="Estimator for counts; default plugin."
    )

    def _score(self) -> Score:
        """See scoring.entropy and count_scores.entropy_of_counts."""
        count_scores.refuse_both("counts", self.counts, self.p, self.logits, self.p_log)
        if self.counts is not None:
            if self.gradient:
                raise InvalidInput.at("counts have no gradient", "gradient")
            estimator = self.estimator or "plugin"
            return count_scores.entropy_of_counts(self.counts, estimator, self.options())
        if self.estimator is not None:
            raise InvalidInput.at("an estimator is of counts", "estimator")
        return entropy(SentDistribution(self.p, self.logits, self.p_log), self.options())


class PairRequest(GradientRequest):
    """A request of two distributions, each in one form; one row may stand beside many."""

    predicted_fields = frozenset(("q", "q_logits", "q_log"))
    row_axes = MappingProxyType(
        dict.fromkeys(("p", "p_logits", "p_log", "p_counts", *predicted_fields), 1)
    )
    summed_fields = ("p", "p_log", "q", "q_log", "p_top_logprobs", "q_top_logprobs")

    p: Probabilities | None = Field(default=None, description="Target: [k] or [n][k].")
    p_logits: LogitRows | None = Field(default=None, description="p = softmax(p_logits).")
    p_log: LogProbabilities | None = Field(default=None, description="ln p, in place of p.")
    q: Probabilities | None = Field(
        default=None,
        description="Predicted distribution, of the same shape or one row beside many.",
    )
    q_logits: LogitRows | None = Field(default=None, description="q = softmax(q_logits).")
    q_log: LogProbabilities | None = Field(default=None, description="ln q, in place of q.")
    p_top_logprobs: TopOutcomes | None = Field(
        default=None,
        description="ln p of the likeliest outcomes by outcome, one object per row: with that of q "
        "a lower bound, all other outcomes being one.",
    )
    q_top_logprobs: TopOutcomes | None = Field(
        default=None, description="The same of q, by the same names."
    )

    def costs(self) -> list[Cost]:
        """The same, with a cell for each row and outcome of truncated distributions."""
        kept = [side for side in (self.p_top_logprobs, self.q_top_logprobs) if side is not None]
        if not kept:
            return super().costs()
        n, sizes = max(map(len, kept)), [len(row or ()) for side in kept for row in side]
        work = n * 128 + sum(sizes) * 64 + n * (max(sizes) + 1) * 16
        return [*super().costs(), Cost("p_top_logprobs", "send rows of fewer outcomes", work)]

    def _row_fields(self) -> RowFields:
        return RowFields.of(self, self.row_axes, ("p_top_logprobs", "q_top_logprobs"))

    def target(self) -> SentDistribution:
        """P as it was sent."""
        return SentDistribution(self.p, self.p_logits, self.p_log, self.p_top_logprobs)

    def predicted(self) -> SentDistribution:
        """Q as it was sent."""
        return SentDistribution(self.q, self.q_logits, self.q_log, self.q_top_logprobs)

    def pair(self) -> DistributionPair:
        """Both, checked."""
        return DistributionPair.read(self.target(), self.predicted(), self.options())


class CrossEntropyRequest(PairRequest):
    """Cross-entropy of a target distribution and a predicted one."""

    metric_name = "cross_entropy"

    def _score(self) -> Score:
        """See scoring.cross_entropy."""
        return cross_entropy(self.pair(), self.options())


class KLDivergenceRequest(PairRequest):
    """Kullback-Leibler divergence of a predicted distribution from the target."""

    metric_name = "kl_divergence"

    p_counts: Rows | None = Field(
        default=None, description="Counts in place of p; they add a G test."
    )
    direction: Direction | None = Field(
        default=None, description="KL(p‖q) (the default), KL(q‖p), or the sum of both."
    )

    def _score(self) -> Score:
        """See scoring.kl_divergence and count_scores.kl_of_counts."""
        others = (self.p, self.p_logits, self.p_log, self.p_top_logprobs)
        count_scores.refuse_both("p_counts", self.p_counts, *others)
        if self.p_counts is None:
            return kl_divergence(self.pair(), self.options(), self.direction or "forward")
        if self.direction is not None:
            raise InvalidInput.at("counts have one direction, from them to q", "direction")
        return count_scores.kl_of_counts(self.p_counts, self.predicted(), self.options())


class JSDivergenceRequest(PairRequest):
    """Jensen-Shannon divergence of two distributions."""

    metric_name = "js_divergence"

    mixture_weight: MixtureWeight = Field(
        default=0.5, description="Share π of p in the mixture πp + (1 − π)q."
    )

    def _score(self) -> Score:
        """See scoring.js_divergence."""
        return js_divergence(self.pair(), self.options(), self.mixture_weight)
