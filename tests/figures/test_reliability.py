"""Reliability: Wilson intervals, and logits where points would lie in a corner."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.figures import reliability
from kullback.figures.in_view import Numbers
from kullback.figures.intervals import wilson
from kullback.tally.report_types import ReliabilityBin
from tests.figures.reports import DOCUMENTS, arm

chance = st.floats(0.0, 1.0)


def ends(*bins: tuple[float, float, float]) -> tuple[Numbers, Numbers]:
    *_, observed = reliability.of_arms([arm(*bins)], "name").series
    assert observed.low is not None
    assert observed.high is not None
    return observed.low, observed.high


def scales(*bins: tuple[float, float, float]) -> set[str]:
    figure = reliability.of_arms([arm(*bins)], "name")
    return {figure.x_scale, figure.y_scale}


@pytest.mark.parametrize(
    ("share", "rows", "low", "high"),
    [
        (
            0.1,
            10,
            0.017876,
            0.404150,
        ),  # Newcombe, Statistics in Medicine 17 (1998), by his method 3
        (81 / 263, 263, 0.255292, 0.366213),
        (15 / 148, 148, 0.062404, 0.160532),
        (0 / 20, 20, 0.0, 0.161125),
        (1 / 29, 29, 0.006113, 0.171761),
        (29 / 29, 29, 0.883029, 1.0),
    ],
)
def test_intervals_are_those_of_wilson(share: float, rows: float, low: float, high: float) -> None:
    assert wilson(share, rows) == pytest.approx((low, high), abs=5e-5)


@given(chance, st.floats(1e-3, 1e9))
def test_an_interval_holds_what_was_observed_and_stays_a_probability(
    share: float, rows: float
) -> None:
    low, high = wilson(share, rows)
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1


def test_bars_are_wilson_intervals_of_the_rows_in_a_bin() -> None:
    low, high = ends((0.3, 0.1, 10.0), (0.6, 0.5, 40.0))
    assert (low[0], high[0]) == wilson(0.1, 10)
    assert (low[1], high[1]) == wilson(0.5, 40)


def test_weights_that_are_all_as_large_change_no_bar() -> None:
    bins = ((0.3, 0.1, 10.0), (0.6, 0.5, 40.0))
    heavy = replace(arm(*((p, o, 7 * weight) for p, o, weight in bins)), n=50)
    *_, observed = reliability.of_arms([heavy], "name").series
    assert (observed.low, observed.high) == ends(*bins)


def test_error_bars_shrink_with_weight() -> None:
    low, high = ends((0.3, 0.3, 1e4), (0.6, 0.3, 4e4))
    light, heavy = (
        top - bottom
        for bottom, top in zip(low, high, strict=True)
        if top is not None and bottom is not None
    )
    assert light == pytest.approx(2 * heavy, rel=1e-3)
    assert light == pytest.approx(2 * 1.96 * 0.00458258, rel=1e-3)


def test_what_was_never_observed_may_still_happen() -> None:
    low, high = ends((0.1, 0.0, 20.0))
    assert low[0] == 0.0
    assert high[0] == pytest.approx(0.161125, abs=5e-5)


def test_bins_without_rows_are_left_out() -> None:
    empty = ReliabilityBin(0, 1, 0.0, None, None)
    assert reliability.of_arms([replace(arm(), reliability=(empty,))], "name").is_empty
    assert reliability.of_arms([DOCUMENTS["empty"].arms[0]], "name").is_empty


def test_logits_are_for_rows_that_would_lie_in_a_corner() -> None:
    assert scales((0.0005, 0.001, 50.0), (0.02, 0.02, 50.0)) == {"logit"}
    assert scales((0.95, 0.9, 50.0), (0.9999, 0.99, 50.0)) == {"logit"}
    assert scales((0.02, 0.01, 900.0), (0.5, 0.4, 50.0), (0.9, 0.8, 50.0)) == {"logit"}
    assert scales((0.02, 0.01, 30.0), (0.5, 0.4, 50.0), (0.99, 0.9, 10.0)) == {"linear"}
    assert scales((0.1, 0.2, 50.0), (0.9, 0.8, 50.0)) == {"linear"}
    assert scales((0.0, 0.0, 50.0), (1.0, 1.0, 50.0)) == {"linear"}
    assert scales() == {"linear"}


def test_a_point_that_logits_cannot_show_is_told() -> None:
    crowded, spread = (
        reliability.of_arms([arm((p, 0.0, 50.0), (0.3, 0.3, 50.0))], "name") for p in (0.001, 0.2)
    )
    assert "beyond the axis" in crowded.caption
    assert "beyond the axis" not in spread.caption
