"""Effects by segment: those of one arm, each with its sequence in view."""

from dataclasses import replace
from xml.etree import ElementTree as ET

from kullback.experiments.report import ComparisonReport
from kullback.figures.effects_by_segment import MAX_SEGMENTS, effects_by_segment
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
    whole, *segments = (each for each in comparisons if each.arm == "like")
    assert len(segments) == 2
    comparisons = [whole, *sorted(segments, key=sureness, reverse=True)]
    assert series.y == [each.effect for each in comparisons]
    assert series.low is not None
    assert series.high is not None
    assert list(zip(series.low, series.high, strict=True)) == [
        each.sequence for each in comparisons
    ]


def sureness(comparison: ComparisonReport) -> float:
    assert comparison.effect is not None
    assert comparison.standard_error is not None
    return abs(comparison.effect) / comparison.standard_error


def test_of_many_segments_the_surest_are_drawn_and_the_rest_are_counted() -> None:
    group = SEGMENTED.groups[0]
    (like,) = (each for each in group.comparisons if each.arm == "like")
    many = tuple(
        replace(
            group,
            slice={"city": "a name that is far longer than its room is wide " * 2 + str(at)},
            comparisons=(replace(like, effect=(-1) ** at * at / 100, standard_error=0.1),),
        )
        for at in range(30)
    )
    figure = effects_by_segment(replace(SEGMENTED, groups=many), "like")
    assert figure is not None
    assert [name.split()[-1] for name in figure.x_names[1:]] == [
        str(at) for at in range(29, 29 - MAX_SEGMENTS, -1)
    ]
    assert figure.more == f"{30 - MAX_SEGMENTS} more segments"
    titles = [each.text or "" for each in ET.fromstring(svg(figure)).iter(f"{SVG}title")]  # noqa: S314
    assert any(title.startswith(f"{figure.x_names[1]}: ") for title in titles)
    assert any("…" in word and word.endswith("wide 29") for word in words(svg(figure)))


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
