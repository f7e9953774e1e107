"""Guards of an experiment page: what must hold before its verdict counts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from kullback.experiments import wording
from kullback.experiments.report import ArmReport, ExperimentReport
from kullback.experiments.verdict import (
    LEAST_EFFECTIVE,
    LEAST_POSITIVES,
    MOST_CROSSED,
    MOST_OF_ONE,
    WARN_CROSSED,
)
from kullback.numerics.digits import UNKNOWN

State = Literal["holds", "wait", "look", "broken", "not asked"]
HUES: dict[State, str] = {
    "holds": "good",
    "wait": "",
    "look": "stop",
    "broken": "bad",
    "not asked": "",
}


@dataclass(frozen=True, slots=True)
class Guard:
    """What must hold, whether it does, and by which numbers."""

    name: str
    state: State
    words: str

    @property
    def hue(self) -> str:
        """The class of the state."""
        return HUES[self.state]


def guards(report: ExperimentReport) -> list[Guard]:
    """All guards, in the order in which they count."""
    every = (_split, _crossover, _weights, _units, _labels, _buckets, _losses)
    return [guard(report) for guard in every]


def _split(report: ExperimentReport) -> Guard:
    words = wording.shares(report.sample_ratio).removeprefix("Sample ratio: ")
    state: State = "broken" if report.sample_ratio.alarm else "holds"
    if report.sample_ratio.expected is None:
        state = "not asked"
    return Guard("Sample ratio", state, words[0].upper() + words[1:])


def _crossover(report: ExperimentReport) -> Guard:
    name, crossed = "Crossover", report.crossover
    if report.sample_ratio.expected is None:
        return Guard(name, "not asked", "Units may meet every arm here.")
    state: State = "holds" if crossed < WARN_CROSSED else "look"
    return Guard(
        name,
        "broken" if crossed >= MOST_CROSSED else state,
        f"{wording.percent(crossed)} of all units met more than one arm (a warning from "
        f"{WARN_CROSSED:.0%}, no verdict from {MOST_CROSSED:.0%}).",
    )


def _weights(report: ExperimentReport) -> Guard:
    counts = _by_arm(report, lambda arm: _counted(arm.effective_sample_size))
    broken = any(arm.refused for arm in report.arms)
    least = f"at least {LEAST_EFFECTIVE} where there are so many rows"
    return Guard("Effective rows", "broken" if broken else "holds", f"{counts} ({least}).")


def _units(report: ExperimentReport) -> Guard:
    least = report.minimum_units
    few = any(arm.units is not None and arm.units < least for arm in report.arms)
    counts = _by_arm(report, lambda arm: _counted(arm.units))
    return Guard("Units", "wait" if few else "holds", f"{counts} (at least {least:,} in each arm).")


def _labels(report: ExperimentReport) -> Guard:
    rarer = {arm.arm: _rarer(arm) for arm in report.arms}
    judged = report.minimum_effect is not None and not any(
        each.verdict == "invalid" for each in report.comparisons
    )
    few = any(count is None or count < LEAST_POSITIVES for count in rarer.values())
    few = few or any(each.reason_code == "too_few_positives" for each in report.comparisons)
    counts = _by_arm(report, lambda arm: _counted(rarer[arm.arm]))
    return Guard(
        "Rows of the rarer label",
        "wait" if few and not judged else "holds",
        f"{counts} (at least {LEAST_POSITIVES} in each arm).",
    )


def _buckets(report: ExperimentReport) -> Guard:
    shares = [(each.arm, each.clusters, each.largest_share) for each in report.comparisons]
    largest = [
        f"{arm} {clusters:,}, the largest makes {share:.2%} of the variance"
        for arm, clusters, share in shares
        if clusters is not None and share is not None
    ]
    if not largest:
        return Guard("Buckets of units", "wait", "No difference of two buckets yet.")
    many = any(share is not None and share > MOST_OF_ONE for _, _, share in shares)
    words = f"{'; '.join(largest)} (at most {MOST_OF_ONE:.0%})."
    return Guard("Buckets of units", "wait" if many else "holds", words)


def _losses(report: ExperimentReport) -> Guard:
    clipped = _counts(report.arms, lambda arm: arm.clipped, "clipped")
    infinite = _counts(report.arms, lambda arm: arm.infinite, "with an infinite loss")
    words = "; ".join([*clipped, *infinite]) or "None was clipped, none had an infinite loss"
    return Guard("Impossible predictions", "look" if clipped or infinite else "holds", f"{words}.")


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
