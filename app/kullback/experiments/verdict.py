"""Verdicts: the word for a comparison, and its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal, Self

from kullback.experiments.margins import Margin, absolute_margin, worded
from kullback.experiments.measured import OF_MEASURES
from kullback.experiments.plan import Plan
from kullback.numerics.digits import chance, counted, magnitude
from kullback.numerics.types import Undefined
from kullback.tally.confidence_sequence import (
    DISCOUNT,
    MOST_OF_ONE,
    ConfidenceSequence,
    still_needed,
)
from kullback.tally.contrast import Contrast
from kullback.tally.inference import kish
from kullback.tally.report_types import finite
from kullback.tally.sample_ratio import SampleRatio
from kullback.tally.tally import Tally

LEAST_POSITIVES = 25
LEAST_EFFECTIVE = 100
MOST_CROSSED = 0.1
WARN_CROSSED = 0.01
TOO_EARLY = ("empty", "zero_weight", "one_class", "too_few_units", "too_few_positives")


Tone = Literal["good", "even", "bad", "stop", "open"]


class VerdictWord(StrEnum):
    """What is said of an arm against the control, in a word and in a sentence.

    Attributes:
        label: the word as people read it.
        claim: a sentence about {} against {}, the arm and the control.
        tone: how it is coloured: good, even or bad news, a stop, or open still.
    """

    label: str
    claim: str
    tone: Tone

    def __new__(cls, word: str, claim: str = "", tone: Tone = "open") -> Self:
        """A word with its sentence."""
        verdict = str.__new__(cls, word)
        verdict._value_ = word
        verdict.label = word.replace("_", " ")
        verdict.claim = claim
        verdict.tone = tone
        return verdict

    BETTER = "better", "{} is better than {}", "good"
    WORSE = "worse", "{} is worse than {}", "bad"
    EQUIVALENT = "equivalent", "{} and {} are equivalent", "even"
    NOT_WORSE = "not_worse", "{} is not worse than {}", "even"
    UNDECIDED = "undecided", "{} against {}: not decided yet", "open"
    INVALID = "invalid", "{} against {}: no verdict, as the data cannot carry one", "stop"


_GOOD = (VerdictWord.BETTER, VerdictWord.EQUIVALENT, VerdictWord.NOT_WORSE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be said of an arm against the control.

    Attributes:
        word: `invalid` where the data cannot carry a verdict, `undecided` where more may.
        code: why, for programs.
        reason: why, in a sentence.
        needed: how many times the present information decides, where that can be told.
        superiority: whether there is a difference: better, worse, or open.
        margin: how it lies to the margin: better or worse by more, equivalent, not worse, or open.
    """

    word: VerdictWord
    code: str
    reason: str
    needed: float | None = None
    superiority: VerdictWord = VerdictWord.INVALID
    margin: VerdictWord = VerdictWord.INVALID


def invalid_assignment(ratio: SampleRatio | None, crossed: float) -> Verdict | None:
    """What makes every comparison invalid: units that did not go to the arms as planned.

    Args:
        ratio: of the units of all arms, if there is one.
        crossed: the part of all units that met more than one arm.
    """
    if ratio is not None and ratio.alarm:
        expected = " : ".join(f"{count:,.0f}" for count in ratio.expected)
        counts = " : ".join(f"{count:,.0f}" for count in ratio.units)
        evidence = magnitude(ratio.e_value, finite(ratio.log_e_value))
        return Verdict(
            VerdictWord.INVALID,
            "sample_ratio_mismatch",
            f"{ratio.trials.capitalize()} are not split as planned: {counts} where {expected} is "
            f"expected (e-value {evidence}, chi-square p-value of one look "
            f"{chance(ratio.chi_square_p_value)}). Look for what loses {ratio.trials} of one "
            "arm; if this split was meant, say so in the shares of the arms.",
        )
    if crossed >= MOST_CROSSED:
        return Verdict(
            VerdictWord.INVALID,
            "crossover",
            f"{crossed:.1%} of all units met more than one arm (at most 10%).",
        )
    return None


def too_thin(tally: Tally) -> Verdict | None:
    """Why the weights of an arm leave too little of it, if they do.

    Where one row holds a tenth of all weight, fewer than 100 rows are effective too.
    """
    effective, rows = kish(tally), tally.scalar("weighted_rows")
    if not 0 < effective < LEAST_EFFECTIVE <= rows:
        return None
    reason = (
        f"The weights leave {effective:.1f} effective rows of {rows:,} (at least "
        f"{LEAST_EFFECTIVE}): a few rows decide everything."
    )
    return Verdict(VerdictWord.INVALID, "effective_sample_size", reason)


def too_early(plan: Plan, arms: Sequence[Tally], units: float) -> Verdict | None:
    """Why no verdict of two arms can be trusted yet, if none can.

    Args:
        plan: says how many units are enough.
        arms: the two that are compared.
        units: how many the smaller of them has met.
    """
    if units < plan.minimum_units:
        reason = f"{counted(round(units), 'unit')} of at least {plan.minimum_units:,} in each arm."
        return Verdict(VerdictWord.INVALID, "too_few_units", reason)
    if plan.metric in OF_MEASURES:
        return None
    rarest = min(count for tally in arms for count in _effective_outcomes(tally))
    if rarest < LEAST_POSITIVES:
        rows = counted(round(rarest), "row")
        reason = f"{rows} of the rarer label of at least {LEAST_POSITIVES} in each arm."
        return Verdict(VerdictWord.INVALID, "too_few_positives", reason)
    return None


def verdict_of(
    plan: Plan, difference: Contrast, sequence: ConfidenceSequence, margin: Margin
) -> Verdict:
    """The verdict of the confidence sequence [l, u] of the treatment's effect, margin d.

        superiority: better u < 0 · worse l > 0
        margin: better u < −d · equivalent −d < l, u < d · not worse u < d · worse l > d

    for a metric of which less is better; the other way round where more is. Both are read off one
    sequence, which rules out effects at every look. The plan's objective says which of them is
    the verdict: of superiority it is that of the margin where there is no difference to claim.
    """
    superiority, within = _superiority(plan, sequence), _within(plan, margin)
    word = _word(plan, superiority, within)
    if word is VerdictWord.UNDECIDED:
        code, reason, needed = _outlook(plan, difference, margin.amount)
    else:
        code, reason, needed = word, _claim(plan, word, sequence, within), None
    return Verdict(word, code, reason, needed, superiority, within)


def with_guardrails(verdict: Verdict, guardrails: Mapping[str, VerdictWord]) -> Verdict:
    """The same verdict, with the guardrails that are worse in its reason."""
    worse = [name for name, word in guardrails.items() if word is VerdictWord.WORSE]
    if not worse:
        return verdict
    names = ", ".join(name.replace("_", " ") for name in worse)
    subject = f"guardrail {names} is" if len(worse) == 1 else f"guardrails {names} are"
    but = "But" if verdict.word in _GOOD else "And"
    return replace(verdict, reason=f"{verdict.reason} {but} {subject} worse.")


def _bounds(plan: Plan, sequence: ConfidenceSequence) -> tuple[float, float]:
    """The least and the most that the treatment may be worse."""
    if plan.prefers_more:
        return -sequence.high, -sequence.low
    return sequence.low, sequence.high


def _superiority(plan: Plan, sequence: ConfidenceSequence) -> VerdictWord:
    low, high = _bounds(plan, sequence)
    if high < 0:
        return VerdictWord.BETTER
    return VerdictWord.WORSE if low > 0 else VerdictWord.UNDECIDED


def _within(plan: Plan, margin: Margin) -> VerdictWord:
    """How the effect lies to the margin: by the bounds of what is beyond it on either side."""
    sides = margin.below, margin.above
    if plan.prefers_more:
        sides = margin.above, margin.below
    (least, beyond), (above, most) = (_bounds(plan, side) for side in sides)
    if beyond < 0:
        return VerdictWord.BETTER
    if most < 0:
        return VerdictWord.EQUIVALENT if least > 0 else VerdictWord.NOT_WORSE
    return VerdictWord.WORSE if above > 0 else VerdictWord.UNDECIDED


def _word(plan: Plan, superiority: VerdictWord, margin: VerdictWord) -> VerdictWord:
    """What is answered to the question that the plan asks."""
    if plan.objective == "superiority":
        return margin if superiority is VerdictWord.UNDECIDED else superiority
    if plan.objective == "non_inferiority":
        is_open = margin in (VerdictWord.WORSE, VerdictWord.UNDECIDED)
        return margin if is_open else VerdictWord.NOT_WORSE
    return VerdictWord.UNDECIDED if margin is VerdictWord.NOT_WORSE else margin


def _claim(plan: Plan, word: VerdictWord, sequence: ConfidenceSequence, margin: VerdictWord) -> str:
    low, high = _bounds(plan, sequence)
    name, unit = plan.metric_name.replace("_", " "), " nats" if plan.metric == "log_loss" else ""
    bound = worded(plan.minimum_effect or 0.0, unit)
    sure = f"({100 * (1 - plan.alpha):g}% sure at every look)"
    is_within = margin in (VerdictWord.EQUIVALENT, VerdictWord.NOT_WORSE)
    within = f", but within the margin of {bound}" if is_within else ""
    sentences = {
        VerdictWord.BETTER: f"is better by at least {-high:.3g}{unit}",
        VerdictWord.WORSE: f"is worse by at least {low:.3g}{unit}{within}",
        VerdictWord.EQUIVALENT: f"differs by less than {bound}",
        VerdictWord.NOT_WORSE: f"is not worse by {bound} or more",
    }
    return f"Its {name} {sentences[word]} {sure}."


def _outlook(plan: Plan, difference: Contrast, delta: float) -> tuple[str, str, float | None]:
    """Why nothing is decided: the code, a sentence, and how much information would do."""

    def is_decided(later: ConfidenceSequence) -> bool:
        within = _within(plan, absolute_margin(delta, later))
        word = _word(plan, _superiority(plan, later), within)
        return word is not VerdictWord.UNDECIDED

    decides = None if plan.objective == "superiority" else is_decided
    needed = still_needed(difference, delta, plan.alpha, decides)
    if difference.largest_share > MOST_OF_ONE:
        reason = (
            f"The units of one bucket make {difference.largest_share:.0%} of the variance (at most "
            f"{MOST_OF_ONE:.0%}): so long evidence counts a {DISCOUNT:.0f}th."
        )
        return "dominated", reason, needed
    times = "more than 10,000" if needed is None else f"about {float(f'{needed:.2g}'):,.9g}"
    outlook = f"If the effect stays as it is, {times} times the present information decides."
    return "undecided", outlook, needed


def undefined_effect(effect: Undefined) -> Verdict:
    """Why there is no verdict: there is no effect."""
    sentences = {
        "empty": "An arm has no rows yet.",
        "zero_weight": "The rows of an arm have no weight.",
        "one_class": "An arm has rows of one label only: its metric is undefined.",
        "infinite": "A prediction of 0 came true: the metric is infinite.",
        "too_few_units": "All rows of an arm are of one unit.",
        "zero_denominator": "The denominators of an arm sum to 0.",
    }
    reason = sentences.get(effect.reason, f"The effect is undefined: {effect.reason}.")
    return Verdict(VerdictWord.INVALID, effect.reason, reason)


def without_minimum() -> Verdict:
    """The verdict of a plan that does not say what is worth knowing of."""
    reason = "The plan has no minimum_effect, the smallest effect that matters: nothing is decided."
    both = VerdictWord.UNDECIDED, VerdictWord.UNDECIDED
    return Verdict(VerdictWord.UNDECIDED, "no_minimum_effect", reason, None, *both)


def _effective_outcomes(tally: Tally) -> tuple[float, float]:
    """How many rows of each label carry the weight: (Σwy)²/Σ(wy)², and so of 1 − y."""
    w, y = tally.scalar("w"), tally.scalar("wy")
    ww, wwy, wwyy = map(tally.square, ("ww", "wwy", "wwyy"))
    ones, zeros = wwyy, ww - 2 * wwy + wwyy
    return (y**2 / ones if ones else 0.0), ((w - y) ** 2 / zeros if zeros else 0.0)
