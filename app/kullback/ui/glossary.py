"""The terms of pages in plain words, each with the place of the documentation that explains it."""

from collections.abc import Mapping
from dataclasses import dataclass

_DRIFT = "metrics.html#drift"


@dataclass(frozen=True, slots=True)
class Term:
    """What a term means.

    Attributes:
        plain: a word or two beside it.
        meaning: a sentence, where a pointer is on it.
        place: where the documentation explains it.
    """

    plain: str
    meaning: str
    place: str


GLOSSARY: Mapping[str, Term] = {
    "PSI": Term(
        "size of the change",
        "Population stability index: how far two distributions are apart. Below 0.1 is small, "
        "above 0.25 is large.",
        _DRIFT,
    ),
    "JS, nats": Term(
        "distance, at most 0.69",
        "Jensen-Shannon divergence: how far two distributions are apart, at most ln 2.",
        _DRIFT,
    ),
    "KL, nats": Term(
        "distance, unbounded",
        "Kullback-Leibler divergence of this time from the reference.",
        _DRIFT,
    ),
    "G": Term(
        "evidence of a change",
        "Statistic of the G-test: the larger, the less the change can be chance.",
        _DRIFT,
    ),
    "Degrees of freedom": Term(
        "what G is judged by",
        "One less than the number of bins that are compared: p follows from it and G.",
        _DRIFT,
    ),
    "p": Term(
        "chance of it without a change",
        "How often chance alone would give a change at least as large.",
        _DRIFT,
    ),
    "Effective rows": Term(
        "rows of equal weight",
        "How many rows of equal weight tell as much as these weighted ones.",
        "experiments.html",
    ),
    "Rarer label": Term(
        "the scarcer of 0 and 1",
        "Intervals are only as good as the rows of the label that there is less of.",
        "experiments.html",
    ),
    "Influence": Term(
        "weight of the heaviest units",
        "How much of the uncertainty one bucket of units makes: a few heavy ones must not decide.",
        "experiments.html",
    ),
    "α": Term(
        "how often chance may decide",
        "The chance of a verdict where there is no difference, however often one looks.",
        "experiments.html",
    ),
    "Minimum effect": Term(
        "the least that matters",
        "The margin within which arms count as equal.",
        "experiments.html",
    ),
    "Log loss convention": Term(
        "whose log loss it is",
        "How probabilities of 0 and 1 are scored, and whether they are clipped: as which library.",
        "conventions.html",
    ),
}
