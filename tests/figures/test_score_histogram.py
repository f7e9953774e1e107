"""Scores by label: the parts of each label, none lost and none twice."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.experiments.report import OverallArm
from kullback.figures import score_histogram
from kullback.figures.in_view import Numbers
from tests.figures.reports import DOCUMENTS, arm

chance = st.floats(0.0, 1.0)


def labels(*bins: tuple[float, float, float]) -> dict[str, Numbers]:
    figure = score_histogram.of_arms([arm(*bins)], "name")
    return {series.label: series.y for series in figure.series}


def test_each_bin_has_its_part_of_each_label() -> None:
    drawn = labels((0.2, 0.25, 40.0), (0.6, 0.5, 60.0))
    assert drawn["new, label 1"] == pytest.approx([0.25, 0.75])
    assert drawn["new, label 0"] == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("arm", DOCUMENTS["better"].arms, ids=lambda arm: arm.arm)
def test_the_parts_of_each_label_sum_to_one(arm: OverallArm) -> None:
    for series in score_histogram.of_arms([arm], "name").series:
        assert math.fsum(part or 0 for part in series.y) == pytest.approx(1.0)


@given(st.lists(st.tuples(chance, chance, st.floats(0.1, 1e6)), max_size=10))
def test_parts_are_those_of_all_the_weight(bins: list[tuple[float, float, float]]) -> None:
    for parts in labels(*bins).values():
        known = [part for part in parts if part is not None]
        assert not known or math.fsum(known) == pytest.approx(1.0)


def test_a_label_that_never_came_has_no_parts() -> None:
    drawn = labels((0.2, 0.0, 40.0), (0.6, 0.0, 60.0))
    assert drawn == {"new, label 1": [None, None], "new, label 0": pytest.approx([0.4, 0.6])}


def test_arms_share_the_places_at_which_their_scores_are_drawn() -> None:
    old, new = replace(arm((0.2, 0.25, 40.0), (0.6, 0.5, 60.0)), arm="old"), arm((0.6, 1.0, 20.0))
    figure = score_histogram.of_arms([old, new], "name")
    drawn = {series.label: series.y for series in figure.series}
    assert figure.x == pytest.approx([0.2, 0.6])
    assert drawn["old, label 1"] == pytest.approx([0.25, 0.75])
    assert drawn["new, label 1"] == pytest.approx([0.0, 1.0])
    assert drawn["new, label 0"] == [None, None]


def test_bins_of_one_place_are_together_and_lose_nothing() -> None:
    drawn = labels((0.2, 0.25, 40.0), (0.2001, 0.25, 40.0), (0.9, 0.5, 40.0))
    assert drawn["new, label 1"] == pytest.approx([0.5, 0.5])


def test_no_rows_are_no_figure() -> None:
    assert score_histogram.of_arms([DOCUMENTS["empty"].arms[0]], "name").is_empty
