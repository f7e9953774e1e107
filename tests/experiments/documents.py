"""Reports of simulated experiments, for the pages that are made of them."""

from dataclasses import replace
from math import exp

import numpy as np

from kullback.documents import extended
from kullback.experiments.arm_tallies import tally_arms
from kullback.experiments.comparison import Findings, compare
from kullback.experiments.evaluation_report import EvaluationLook, EvaluationReport, EvaluationStep
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.reporting import arms_report
from kullback.experiments.rows import ArmRows
from kullback.numerics.types import Array

HOSTILE = "a|b `c` <script>alert(1)</script> *d* [e](f)"
_ROWS = 6000


def plan(*arms: str, minimum_effect: float | None = 0.02, slices: tuple[str, ...] = ()) -> Plan:
    """A paired plan on log loss; the first arm is the control."""
    shares = tuple(Arm(name, 1 / len(arms)) for name in arms)
    return Plan(shares, arms[0], "paired", minimum_effect=minimum_effect, slices=slices)


def paired(shape: Plan, noise: list[float], rows: int = _ROWS) -> EvaluationReport:
    """Each arm predicts the truth with so much noise, in logits."""
    z, y, rng = _truth(rows)
    p = {
        name: _chance(z + scale * rng.normal(size=rows))
        for name, scale in zip(shape.names, noise, strict=True)
    }
    unit = [f"u{at}" for at in rng.integers(0, max(1, rows // 4), rows)]
    slices = {name: rng.choice(["x", HOSTILE], rows).tolist() for name in shape.slices}
    return _report(compare(shape, tally_arms(shape, ArmRows(y, p, unit=unit, slices=slices))))


def better() -> EvaluationReport:
    """`new` predicts better than `old`, by far."""
    return paired(plan("old", "new"), [2.0, 0.1])


def worse() -> EvaluationReport:
    """`new` predicts worse than `old`, by far."""
    return paired(plan("old", "new"), [0.1, 2.0])


def without_minimum() -> EvaluationReport:
    """Nothing says which effect is worth knowing of."""
    return paired(plan("old", "new", minimum_effect=None), [2.0, 0.1])


def segmented() -> EvaluationReport:
    """Three arms, one of them with a name that means something to Markdown and HTML."""
    return paired(plan("old", HOSTILE, "like", slices=("country",)), [2.0, 0.1, 2.0])


def unbalanced() -> EvaluationReport:
    """Two thirds of the units where a half was planned."""
    shape = Plan((Arm("old", 0.5), Arm("new", 0.5)), "old", minimum_effect=0.02)
    z, y, rng = _truth(_ROWS)
    arm = np.where(rng.random(_ROWS) < 2 / 3, "old", "new").tolist()
    unit = [f"{name}{at}" for at, name in enumerate(arm)]
    rows = ArmRows(y, _chance(z), unit=unit, arm=arm)
    return _report(compare(shape, tally_arms(shape, rows)))


def thin() -> EvaluationReport:
    """A few rows have nearly all the weight."""
    shape = plan("old", "new")
    z, y, rng = _truth(_ROWS)
    p = {"old": _chance(z + rng.normal(size=_ROWS)), "new": _chance(z)}
    importance = np.where(np.arange(_ROWS) % 1000 == 0, 1e5, 0.1)
    return _report(compare(shape, tally_arms(shape, ArmRows(y, p, importance=importance))))


def empty() -> EvaluationReport:
    """No rows yet."""
    return _report(compare(plan("old", "new"), {}))


def walked(report: EvaluationReport, arm: str = "new") -> EvaluationReport:
    """The same, with three looks of which the second is the first without 0."""
    looks = [
        (1000, -0.1, (-0.3, 0.1), 0.5),
        (2000, -0.2, (-0.3, -0.1), 4.0),
        (3000, -0.25, (-0.3, -0.2), 9.0),
    ]
    path = [
        EvaluationStep(n, (EvaluationLook(arm, effect, sequence, _around(effect), exp(e), e),))
        for n, effect, sequence, e in looks
    ]
    return replace(report, path=tuple(path))


def all_of_them() -> dict[str, EvaluationReport]:
    """Every kind of report, by what is special about it."""
    kinds = (better, worse, without_minimum, segmented, unbalanced, thin, empty)
    found = {kind.__name__: kind() for kind in kinds}
    return found | {"walked": walked(found["better"]), "not walked": found["better"]}


def _report(findings: Findings) -> EvaluationReport:
    """The report of files of which nothing was excluded."""
    report = arms_report(findings)
    nothing: dict[str, object] = {
        "files": (),
        "formats": {},
        "skipped": (),
        "excluded": {},
        "path": (),
    }
    return extended(EvaluationReport, report, rows=_ROWS, **nothing)


def _around(effect: float) -> tuple[float, float]:
    return effect - 0.05, effect + 0.05


def _truth(rows: int) -> tuple[Array, Array, np.random.Generator]:
    rng = np.random.default_rng(5)
    z = rng.normal(-2.0, 1.5, rows)
    return z, (rng.random(rows) < _chance(z)).astype(np.float64), rng


def _chance(z: Array) -> Array:
    p: Array = 1 / (1 + np.exp(-z))
    return p
