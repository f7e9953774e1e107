"""Effects by segment: those of one arm, each with its sequence in view."""

from xml.etree import ElementTree as ET

from kullback.figures.effects_by_segment import effects_by_segment
from kullback.figures.figure import Figure
from kullback.figures.svg import svg
from tests.figures.drawings import SVG, numbers, points, shapes, words
from tests.figures.reports import DOCUMENTS

SEGMENTED = DOCUMENTS["segmented"]


def figure_of(arm: str) -> Figure:
    figure = effects_by_segment(SEGMENTED, arm)
    assert figure is not None
    return figure


def test_all_rows_and_each_segment_have_the_effect_and_the_sequence_of_the_arm() -> None:
    figure = figure_of("like")
    (series,) = figure.series
    comparisons = [*SEGMENTED.comparisons, *(c for g in SEGMENTED.groups for c in g.comparisons)]
    comparisons = [each for each in comparisons if each.arm == "like"]
    assert len(comparisons) == 3
    assert series.y == [each.effect for each in comparisons]
    assert series.low is not None
    assert series.high is not None
    assert list(zip(series.low, series.high, strict=True)) == [
        each.sequence for each in comparisons
    ]


def test_effects_stand_under_another_in_the_order_of_their_numbers() -> None:
    figure = figure_of("like")
    diamonds = [points(each)[0] for each in shapes(svg(figure), "polygon", "estimate")]
    effects = [effect for effect in figure.series[0].y if effect is not None]
    assert [y for _, y in diamonds] == sorted(y for _, y in diamonds)
    by_effect = sorted(range(len(effects)), key=lambda at: effects[at])
    assert by_effect == sorted(range(len(effects)), key=lambda at: diamonds[at][0])


def test_every_sequence_is_in_view() -> None:
    lines = [
        numbers(each, "x1", "x2") for each in shapes(svg(figure_of("like")), "line", "sequence")
    ]
    assert len(lines) == 3
    assert all(24 < x1 < x2 < 456 for x1, x2 in lines)


def test_a_pointer_has_the_effect_and_its_intervals_told() -> None:
    picture = svg(figure_of("like"))
    titles = [each.text or "" for each in ET.fromstring(picture).iter(f"{SVG}title")][1:]  # noqa: S314
    assert titles[0].startswith("all rows: −0.01")
    assert any(title.startswith("country = x: ") for title in titles)
    assert all("at every look" in title and "for one look" in title for title in titles)
    assert {"country = x"} <= set(words(picture))


def test_without_segments_there_is_no_figure() -> None:
    assert effects_by_segment(DOCUMENTS["better"], "new") is None
