"""Entropy and divergences of distributions, by the form in which they are sent."""

from kullback.numerics.types import Array
from kullback.scoring import cross_entropy as cross_entropies
from kullback.scoring import entropy as entropies
from kullback.scoring import js_divergence as js_divergences
from kullback.scoring import kl_divergence as kl_divergences
from kullback.scoring.checked_distribution import SentDistribution
from kullback.scoring.distribution_pair import DistributionPair
from kullback.scoring.kl_divergence import Direction
from kullback.scoring.options import Options
from kullback.scoring.score import Score

Forms = tuple[Array | None, Array | None] | SentDistribution  # probabilities and logits, or any


def sent(forms: Forms) -> SentDistribution:
    return forms if isinstance(forms, SentDistribution) else SentDistribution(*forms)


def in_form(form: str, values: Array) -> SentDistribution:
    """Rows as their `form` has them: probabilities, logits or logs."""
    forms = {"probabilities": None, "logits": None, "logs": None, form: values}
    return SentDistribution(forms["probabilities"], forms["logits"], forms["logs"])


def in_logs(rows: Array) -> SentDistribution:
    return SentDistribution(logs=rows)


def entropy(p: Array | None, logits: Array | None, options: Options) -> Score:
    return entropies.entropy(SentDistribution(p, logits), options)


def cross_entropy(p: Array, q: Array | None, q_logits: Array | None, options: Options) -> Score:
    return cross_entropy_of((p, None), (q, q_logits), options)


def cross_entropy_of(p: Forms, q: Forms, options: Options) -> Score:
    pair = DistributionPair.read(sent(p), sent(q), options)
    return cross_entropies.cross_entropy(pair, options)


def kl_divergence(p: Forms, q: Forms, options: Options, direction: Direction = "forward") -> Score:
    pair = DistributionPair.read(sent(p), sent(q), options)
    return kl_divergences.kl_divergence(pair, options, direction)


def js_divergence(p: Array, q: Array, options: Options, weight: float = 0.5) -> Score:
    return js_divergence_of((p, None), (q, None), options, weight)


def js_divergence_of(p: Forms, q: Forms, options: Options, weight: float = 0.5) -> Score:
    pair = DistributionPair.read(sent(p), sent(q), options)
    return js_divergences.js_divergence(pair, options, weight)
