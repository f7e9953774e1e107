"""Effects by segment: those of one arm, each with its sequence in view."""

import pytest

from kullback.figures.effects_by_segment import effects_by_segment
from kullback.figures.svg import svg
from tests.figures.drawings import heights, numbers, shapes, words
from tests.figures.reports import DOCUMENTS

SEGMENTED = DOCUMENTS["segmented"]


def test_each_segment_has_the_effect_and_the_sequence_of_the_arm() -> None:
    figure = effects_by_segment(SEGMENTED, "like")
    assert figure is not None
    (series,) = figure.series
    comparisons = [each for group in SEGMENTED.groups for each in group.comparisons]
    comparisons = [each for each in comparisons if each.arm == "like"]
    assert len(comparisons) == 2
    assert series.y == [each.effect for each in comparisons]
    assert series.low is not None
    assert series.high is not None
    assert list(zip(series.low, series.high, strict=True)) == [
        each.sequence for each in comparisons
    ]


def test_every_sequence_is_in_view_where_its_bar_stands() -> None:
    figure = effects_by_segment(SEGMENTED, "like")
    assert figure is not None
    picture = svg(figure)
    (series,) = figure.series
    assert series.low is not None
    assert series.high is not None
    bars = [numbers(each, "y1", "y2") for each in shapes(picture, "line", "bar")]
    place = heights(picture)
    for (y1, y2), low, high in zip(bars, series.low, series.high, strict=True):
        assert low is not None
        assert high is not None
        assert (y1, y2) == pytest.approx((place(low), place(high)), abs=0.05)
        assert 34 < y2 < y1 < 260
    assert {"country = x"} <= set(words(picture))


def test_without_segments_there_is_no_figure() -> None:
    assert effects_by_segment(DOCUMENTS["better"], "new") is None
