"""Rows of a simulated world as experiments take them, and the answer of the service."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from kullback.experiments.arm_tallies import tally_arms
from kullback.experiments.compared import Comparison
from kullback.experiments.comparison import compare
from kullback.experiments.measured import MetricName
from kullback.experiments.plan import Arm, Design, Plan
from kullback.experiments.rows import ArmRows
from kullback.numerics.types import Array, Flags, Indices, Undefined
from kullback.tally.contrast import Contrast
from kullback.tally.tally import Tally
from tests.statistics.worlds import Shown, probability

ARMS = (Arm("old", 0.5), Arm("new", 0.5))


@dataclass(frozen=True, slots=True)
class Experiment:
    """A plan and its rows."""

    plan: Plan
    rows: ArmRows

    def comparison(self) -> Comparison:
        """What is answered of the one treatment."""
        (found,) = compare(self.plan, tally_arms(self.plan, self.rows)).comparisons[""]
        return found

    def effect(self, metric: str = "") -> Contrast:
        """The difference in the plan's metric, or in another."""
        found = self.comparison()
        effect = found.other_metrics[metric] if metric else found.effect
        assert not isinstance(effect, Undefined)
        return effect

    def tallies(self) -> Mapping[str, Tally]:
        """Of the arms."""
        return tally_arms(self.plan, self.rows)[""].tallies

    def of(self, places: Indices) -> "Experiment":
        """The same with some of its rows, in that order."""
        return replace(self, rows=_taken(self.rows, places))

    def mirrored(self) -> "Experiment":
        """The same with treatment and control in each other's place."""
        other = next(name for name in self.plan.names if name != self.plan.control)
        return replace(self, plan=replace(self.plan, control=other))

    def weighted(self, weight: Array) -> "Experiment":
        """The same with weights."""
        return replace(self, rows=replace(self.rows, weight=weight))


def paired(rows: Shown, metric: MetricName = "log_loss") -> Experiment:
    """Both predictors score every row."""
    return Experiment(
        _plan("paired", metric),
        ArmRows(
            rows.y,
            {"old": probability(rows.first), "new": probability(rows.second)},
            unit=rows.unit[rows.user],
        ),
    )


def split(rows: Shown, treated: Flags, metric: MetricName = "log_loss") -> Experiment:
    """The first predictor scores every row, for one arm or the other."""
    return Experiment(
        _plan("parallel", metric),
        ArmRows(
            rows.y,
            probability(rows.first),
            unit=rows.unit[rows.user],
            arm=["new" if one else "old" for one in treated.tolist()],
        ),
    )


def _taken(rows: ArmRows, places: Indices) -> ArmRows:
    proba = rows.y_proba
    assert isinstance(rows.y_true, np.ndarray)
    assert isinstance(rows.unit, np.ndarray)
    assert proba is not None
    return ArmRows(
        rows.y_true[places],
        proba[places] if isinstance(proba, np.ndarray) else _by_arm(proba, places),
        rows.unit[places],
        None if rows.arm is None else [rows.arm[at] for at in places.tolist()],
        None if rows.weight is None else rows.weight[places],
    )


def _by_arm(proba: Mapping[str, Array], places: Indices) -> dict[str, Array]:
    return {name: p[places] for name, p in proba.items()}


def _plan(design: Design, metric: MetricName) -> Plan:
    return Plan(ARMS, "old", design=design, metric=metric, minimum_effect=0.05)
