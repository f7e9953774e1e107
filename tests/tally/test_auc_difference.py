"""Differences of AUC and their errors, by groups of units."""

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Indices, Undefined
from kullback.tally.contrast import auc_difference, auc_error
from kullback.tally.metrics import TallyMetrics
from kullback.tally.tally import Tally
from kullback.tally.units import GROUPS, group_of
from tests.tally.arms import BINARY, arms, columns, halves, jackknife, sure
from tests.tally.strategies import Batch


def ranked(batch: Batch) -> Tally:
    return replace(batch, layout=replace(batch.layout, clustered=True)).tally()


def area(batch: Batch, rows: Indices) -> float:
    assert batch.y is not None
    found: float = roc_auc_score(
        batch.y[rows], batch.p[rows], sample_weight=columns(batch)[0][rows]
    )
    return found


@pytest.mark.parametrize("is_paired", [True, False])
def test_a_difference_of_auc_is_that_of_sklearn_with_the_error_of_the_jackknife(
    *, is_paired: bool
) -> None:
    control, treatment = arms(6000) if is_paired else halves(arms(6000))
    groups = [group_of(columns(arm)[1]) for arm in (treatment, control)]
    effects = []
    for left_out in range(-1, GROUPS):
        rest = [np.flatnonzero(group != left_out) for group in groups]
        effects.append(area(treatment, rest[0]) - area(control, rest[1]))
    found = sure(auc_difference(ranked(treatment), ranked(control), is_paired=is_paired))
    assert found.clusters == GROUPS
    assert found.effect == pytest.approx(effects[0], abs=1e-4)
    assert found.standard_error == pytest.approx(jackknife(np.array(effects[1:])), rel=0.03)


def test_an_auc_by_hand() -> None:
    p, y = np.array([0.1, 0.4, 0.6, 0.9]), np.array([0.0, 1.0, 0.0, 1.0])
    control = Batch(BINARY, p, y, units=np.array([0, 300, 600, 900]))
    found = sure(
        auc_difference(ranked(replace(control, p=p[[0, 2, 1, 3]])), ranked(control), is_paired=True)
    )
    # placements of the control: 1, 1/2, 1/2, 1 around 3/4; of the treatment all are 1
    assert found.effect == 0.25
    assert found.standard_error == pytest.approx(math.sqrt(4 / 3 * 4) / 8, rel=1e-12)
    assert found.clusters == 4


def test_the_error_of_an_auc_is_that_of_the_jackknife_over_groups_of_units() -> None:
    batch, _ = arms(6000)
    group = group_of(columns(batch)[1])
    found = auc_error(ranked(batch))
    areas = [area(batch, np.flatnonzero(group != left_out)) for left_out in range(GROUPS)]
    assert found == pytest.approx(jackknife(np.array(areas)), rel=0.03)
    assert TallyMetrics(ranked(batch)).auc().standard_error == found


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_of_one_class_there_is_no_auc(label: float) -> None:
    both, _ = arms(50)
    one = replace(both, y=np.full(50, label))
    for treatment, control in ((one, both), (both, one), (one, one)):
        found = auc_difference(ranked(treatment), ranked(control), is_paired=True)
        assert found == Undefined(Reason.ONE_CLASS)
    assert auc_error(ranked(one)) == Undefined(Reason.ONE_CLASS)


def test_without_ranks_there_is_no_error_of_auc() -> None:
    control, treatment = arms(50)
    found = auc_difference(treatment.tally(), control.tally(), is_paired=True)
    assert found == Undefined(Reason.TOO_FEW_UNITS)


def test_of_one_unit_there_is_no_error_of_auc() -> None:
    batch, _ = arms(50)
    alone = ranked(replace(batch, units=np.zeros(50, np.int64)))
    assert auc_error(alone) == Undefined(Reason.TOO_FEW_UNITS)
