"""What the data cannot carry is not said: each guard, and which comes first."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from kullback.experiments.comparison import compare
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.rows import ArmRows
from kullback.numerics.types import Array
from kullback.tally.contrast import Contrast
from tests.experiments.arms import (
    NAMES,
    PAIRED,
    PARALLEL,
    SLICED,
    found,
    of_arms,
    only,
    paired,
    split,
)


def with_y(rows: ArmRows, y: Array) -> ArmRows:
    return replace(rows, y_true=y)


def crossing(rows: ArmRows, share: float) -> ArmRows:
    """Split traffic where this share of units has met both arms."""
    assert isinstance(rows.unit, np.ndarray)
    assert rows.arm is not None
    astray = rows.unit < share * rows.unit.max()
    first = np.arange(rows.unit.size) % 2 == 0
    arm = ["a" if one else "b" for one in np.where(astray, first, rows.unit % 2 == 0).tolist()]
    return replace(rows, arm=arm)


def lost(rows: ArmRows) -> ArmRows:
    """Most units of b are lost."""
    assert isinstance(rows.unit, np.ndarray)
    assert rows.arm is not None
    kept = np.flatnonzero((rows.unit % 2 == 0) | (rows.unit % 4 == 1))
    return ArmRows(
        np.asarray(rows.y_true)[kept],
        np.asarray(rows.y_proba)[kept],
        rows.unit[kept],
        [rows.arm[at] for at in kept.tolist()],
    )


def heavy(rows: ArmRows) -> ArmRows:
    w = np.ones(len(rows))
    w[:3] = 1e4
    return replace(rows, weight=w)


def impossible(rows: ArmRows) -> ArmRows:
    scores = {name: p.copy() for name, p in of_arms(rows).items()}
    scores["b"][np.flatnonzero(np.asarray(rows.y_true))[0]] = 0.0
    return replace(rows, y_proba=scores)


SPLIT = split(paired(0.1, 20_000))
EXACT = replace(PAIRED, convention="exact")
ENTROPY = replace(PAIRED, metric="normalized_entropy")
GUARDED: dict[str, tuple[Plan, Callable[[], ArmRows], str]] = {
    "lost units": (PARALLEL, lambda: lost(SPLIT), "sample_ratio_mismatch"),
    "lost units, and heavy rows": (PARALLEL, lambda: heavy(lost(SPLIT)), "sample_ratio_mismatch"),
    "lost units of one class": (
        PARALLEL,
        lambda: with_y(lost(SPLIT), np.zeros(len(lost(SPLIT)))),
        "sample_ratio_mismatch",
    ),
    "units of both arms": (PARALLEL, lambda: crossing(SPLIT, 0.3), "crossover"),
    "units of both arms, and heavy rows": (
        PARALLEL,
        lambda: heavy(crossing(SPLIT, 0.3)),
        "crossover",
    ),
    "heavy rows": (PAIRED, lambda: heavy(paired()), "effective_sample_size"),
    "heavy rows of few units": (
        PAIRED,
        lambda: replace(heavy(paired()), unit=np.arange(4000) % 50),
        "effective_sample_size",
    ),
    "few units": (PAIRED, lambda: paired(n=120), "too_few_units"),
    "few units and labels": (PAIRED, lambda: with_y(paired(n=120), np.zeros(120)), "too_few_units"),
    "few labels": (
        PAIRED,
        lambda: with_y(paired(), np.where(np.arange(4000) < 24, 1.0, 0.0)),
        "too_few_positives",
    ),
    "no labels": (PAIRED, lambda: with_y(paired(), np.zeros(4000)), "too_few_positives"),
    "one class": (ENTROPY, lambda: with_y(paired(), np.zeros(4000)), "one_class"),
    "an impossible outcome": (EXACT, lambda: impossible(paired()), "infinite"),
    "one unit": (PAIRED, lambda: replace(paired(), unit=np.zeros(4000, int)), "too_few_units"),
    "no weight": (PAIRED, lambda: replace(paired(), weight=np.zeros(4000)), "zero_weight"),
}


@pytest.mark.parametrize("case", GUARDED)
def test_what_the_data_cannot_carry_is_not_said(case: str) -> None:
    plan, rows, code = GUARDED[case]
    one = only(plan, rows())
    assert (one.verdict.word, one.verdict.code) == ("invalid", code)
    assert one.verdict.reason.endswith(".")


def test_an_arm_without_rows_is_empty() -> None:
    one = compare(PAIRED, {}).comparisons[""][0]
    assert (one.verdict.word, one.verdict.code) == ("invalid", "empty")
    alone = replace(SPLIT, arm=["a"] * 20_000)
    assert only(PARALLEL, alone).verdict.code == "sample_ratio_mismatch"
    assert only(PARALLEL, replace(alone, unit=None)).verdict.code == "empty"


def test_an_effect_is_told_even_where_there_is_no_verdict() -> None:
    one = only(PARALLEL, lost(SPLIT))
    assert one.verdict.word == "invalid"
    assert isinstance(one.effect, Contrast)
    assert one.effect.standard_error > 0
    assert one.confidence_sequence is not None


def test_a_few_units_of_both_arms_are_borne() -> None:
    findings = found(PARALLEL, crossing(SPLIT, 0.05))
    assert 0.02 < findings.crossover < 0.06
    assert findings.comparisons[""][0].verdict.code != "crossover"


@pytest.mark.parametrize("control", ["a", "b"])
def test_the_smaller_of_two_arms_has_to_have_enough_units(control: str) -> None:
    rows = paired(n=1000, per_unit=1)
    arm = ["b" if at < 60 else "a" for at in range(1000)]
    rows = replace(rows, y_proba=of_arms(rows)["a"], arm=arm, unit=np.arange(1000))
    plan = replace(PARALLEL, arms=(Arm("a", 0.94), Arm("b", 0.06)), control=control)
    assert only(plan, rows).verdict.reason == "60 units of at least 100 in each arm."


def test_paired_arms_have_the_same_units_and_no_ratio() -> None:
    findings = found(PAIRED, paired())
    assert findings.sample_ratio is None
    assert findings.crossover == 0.0
    assert findings.units is not None
    assert findings.units["a"] == findings.units["b"] > 1000


@pytest.mark.parametrize("share", [0.06, 1.0])
def test_a_unit_that_met_three_arms_is_one_that_met_more_than_one(share: float) -> None:
    unit = np.repeat(np.arange(300), 3)
    met_all = unit < 300 * share
    arm = [NAMES[at] for at in np.where(met_all, np.arange(900) % 3, unit % 3).tolist()]
    rows = ArmRows(np.arange(900) % 2, np.full(900, 0.5), unit, arm)
    findings = found(Plan(tuple(Arm(name, 1 / 3) for name in NAMES), "a"), rows)
    assert findings.crossover == pytest.approx(share, abs=1e-6)
    assert (findings.comparisons[""][0].verdict.code == "crossover") == (share > 0.1)


def test_rows_without_units_are_counted_by_their_buckets() -> None:
    rows = replace(paired(0.1), unit=None)
    findings = found(PAIRED, rows)
    assert findings.units is None
    assert findings.comparisons[""][0].verdict.word == "better"
    few = found(PAIRED, replace(paired(0.1, 90), unit=None))
    assert few.comparisons[""][0].verdict.reason.startswith("9")
    assert few.comparisons[""][0].verdict.code == "too_few_units"


def test_more_than_fill_all_buckets_are_enough_units() -> None:
    plan = replace(PAIRED, minimum_units=10**9)
    assert only(plan, replace(paired(0.1, 40_000), unit=None)).verdict.word == "better"
    assert only(plan, paired(0.1, 40_000)).verdict.code == "too_few_units"


def test_what_breaks_the_whole_breaks_its_segments() -> None:
    rows = replace(lost(SPLIT), slices={"country": ["DE"] * len(lost(SPLIT))})
    findings = found(replace(PARALLEL, slices=SLICED), rows)
    assert findings.comparisons["country=DE"][0].verdict.code == "sample_ratio_mismatch"
