"""Checks of an experiment: what holds before its verdict counts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from kullback.experiments import wording
from kullback.experiments.measured import OF_MEASURES
from kullback.experiments.report import ArmReport, ExperimentReport
from kullback.experiments.verdict import (
    LEAST_EFFECTIVE,
    LEAST_POSITIVES,
    MOST_CROSSED,
    WARN_CROSSED,
)
from kullback.numerics.digits import UNKNOWN
from kullback.tally.confidence_sequence import MOST_OF_ONE

State = Literal["ok", "wait", "warning", "failed"]
HUES: dict[State, str] = {"ok": "good", "wait": "", "warning": "stop", "failed": "bad"}


@dataclass(frozen=True, slots=True)
class Guard:
    """A check, its state, and the numbers that it looked at."""

    name: str
    state: State
    words: str

    @property
    def hue(self) -> str:
        """The class of the state."""
        return HUES[self.state]


def guards(report: ExperimentReport) -> list[Guard]:
    """All checks that are a question here, in the order in which they count."""
    split = (_split,) if report.sample_ratio.expected is not None else ()
    crossover = (_crossover,) if split and report.assignment == "unit" else ()
    labels = () if report.metric in OF_MEASURES else (_labels,)
    losses = (_losses,) if has_predictions(report) else ()
    every = (*split, *crossover, _weights, _units, *labels, _buckets, *losses)
    return [guard(report) for guard in every]


def has_predictions(report: ExperimentReport) -> bool:
    """Whether anybody predicted anything."""
    return any(arm.reliability for arm in report.arms)


def _split(report: ExperimentReport) -> Guard:
    words = wording.shares(report.sample_ratio).removeprefix("Sample ratio: ")
    state: State = "failed" if report.sample_ratio.alarm else "ok"
    return Guard("Sample ratio", state, words[0].upper() + words[1:])


def _crossover(report: ExperimentReport) -> Guard:
    crossed = report.crossover
    state: State = "ok" if crossed < WARN_CROSSED else "warning"
    return Guard(
        "Crossover",
        "failed" if crossed >= MOST_CROSSED else state,
        f"{wording.percent(crossed)} of all units met more than one arm (a warning from "
        f"{WARN_CROSSED:.0%}, no verdict from {MOST_CROSSED:.0%}).",
    )


def _weights(report: ExperimentReport) -> Guard:
    counts = _by_arm(report, lambda arm: _counted(arm.effective_sample_size))
    broken = any(arm.refused for arm in report.arms)
    words = f"After weighting: {counts} (at least {LEAST_EFFECTIVE} where there are so many rows)."
    return Guard("Effective rows", "failed" if broken else "ok", words)


def _units(report: ExperimentReport) -> Guard:
    least = report.minimum_units
    few = any(arm.units is not None and arm.units < least for arm in report.arms)
    counts = _by_arm(report, lambda arm: _counted(arm.units))
    return Guard("Units", "wait" if few else "ok", f"{counts} (at least {least:,} in each arm).")


def _labels(report: ExperimentReport) -> Guard:
    rarer = {arm.arm: _rarer(arm) for arm in report.arms}
    judged = report.minimum_effect is not None and not any(
        each.verdict == "invalid" for each in report.comparisons
    )
    few = any(count is None or count < LEAST_POSITIVES for count in rarer.values())
    few = few or any(each.reason_code == "too_few_positives" for each in report.comparisons)
    counts = _by_arm(report, lambda arm: _counted(rarer[arm.arm]))
    return Guard(
        "Rarer label",
        "wait" if few and not judged else "ok",
        f"Rows that have it: {counts} (at least {LEAST_POSITIVES} in each arm).",
    )


def _buckets(report: ExperimentReport) -> Guard:
    largest = {each.arm: each.largest_share for each in report.comparisons}
    shares = {arm: share for arm, share in largest.items() if share is not None}
    name, most = "Influence", f"(at most {MOST_OF_ONE:.0%})"
    if not shares:
        return Guard(name, "wait", "Not known before rows of two units in each arm.")
    words = ", ".join(f"{arm} {share:.2%}" for arm, share in shares.items())
    state: State = "wait" if max(shares.values()) > MOST_OF_ONE else "ok"
    return Guard(
        name,
        state,
        f"Share of the variance that the largest bucket of units makes: {words} {most}.",
    )


def _losses(report: ExperimentReport) -> Guard:
    clipped = _counts(report.arms, lambda arm: arm.clipped, "clipped")
    infinite = _counts(report.arms, lambda arm: arm.infinite, "with an infinite loss")
    words = "; ".join([*clipped, *infinite]) or "No loss was clipped, and none is infinite"
    return Guard("Impossible predictions", "warning" if clipped or infinite else "ok", f"{words}.")


def _counts(arms: Iterable[ArmReport], count: Callable[[ArmReport], float], what: str) -> list[str]:
    return [f"{arm.arm} {count(arm):,.0f} {what}" for arm in arms if count(arm)]


def _by_arm(report: ExperimentReport, words: Callable[[ArmReport], str]) -> str:
    return ", ".join(f"{arm.arm} {words(arm)}" for arm in report.arms)


def _rarer(arm: ArmReport) -> float | None:
    """About how many effective rows have the rarer label."""
    rate = arm.metrics["base_rate"].value
    if rate is None:
        return None
    return min(rate, 1 - rate) * arm.effective_sample_size


def _counted(count: float | None) -> str:
    return UNKNOWN if count is None else f"{count:,.0f}"
