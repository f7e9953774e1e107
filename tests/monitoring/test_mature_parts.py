"""Up to when an hour is mature: all of it, a part from its start on, or nothing."""

import pytest

from kullback.monitoring.maturity import Maturity, Step
from kullback.monitoring.window_tallies import RowCounts
from kullback.monitoring.windows import Span

MINUTE, HOUR = 60, 3600
START = 100 * HOUR
SPAN = Span(START, START + HOUR)
LEARNED = Maturity(30 * MINUTE, 1.0, 30 * 24 * HOUR, MINUTE)
CHOSEN = Maturity(30 * MINUTE, None, 30 * 24 * HOUR, MINUTE)


def steps(*shares: float) -> list[Step]:
    """Six windows of 100 rows, of which such shares have labels."""
    result, rows = [], RowCounts()
    for place, share in enumerate(shares, 1):
        rows = rows.with_rows(RowCounts(predicted=100, matched=round(100 * share)))
        result.append((START + place * 10 * MINUTE, rows))
    return result


def until(maturity: Maturity, some: list[Step], minutes: int, most: int | None = None) -> int:
    """Minutes of the hour that are mature so many minutes after its start."""
    at = None if most is None else START + most * MINUTE
    return (maturity.until(SPAN, some, START + minutes * MINUTE, at) - START) // MINUTE


@pytest.mark.parametrize(
    ("minutes", "part"), [(29, 0), (39, 0), (40, 10), (55, 20), (75, 40), (89, 50), (90, 60)]
)
def test_where_age_decides_it_is_what_is_old(minutes: int, part: int) -> None:
    assert until(CHOSEN, steps(0, 0, 0, 0, 0, 0), minutes) == part


@pytest.mark.parametrize(
    ("shares", "minutes", "part"),
    [
        ((1, 1, 1, 0.5, 0.2, 0), 60, 30),
        ((1, 1, 1, 0.5, 0.2, 0), 50, 20),
        ((1, 1, 0.8, 0.1, 0, 0), 60, 20),  # old enough, and not labelled as they will be
        ((0.8, 1, 1, 1, 1, 0.5), 60, 0),
        ((0.8, 1, 1, 1, 1, 0.5), 80, 50),  # one window is no hole, if few rows are missing
        ((1, 1, 1, 1, 1, 0.9), 61, 60),  # about all have labels, whatever their age
        ((1, 1, 1, 1, 1, 0.0), 59, 20),  # and of a part of an hour that is not asked
        ((0, 0, 0, 0, 0, 0), 3000, 0),
    ],
)
def test_where_lags_are_learned_labels_are_there_too(
    shares: tuple[float, ...], minutes: int, part: int
) -> None:
    assert until(LEARNED, steps(*shares), minutes) == part


@pytest.mark.parametrize(
    ("shares", "most", "part"),
    [
        ((1, 1, 1, 1, 1, 1), 60, 60),
        ((1, 1, 1, 1, 1, 1), 20, 20),
        ((1, 1, 1, 1, 1, 1), 0, 60),  # as long as nothing is known of all rows
        ((1, 0.5, 1, 1, 1, 0), 20, 0),
        ((1, 0.5, 1, 1, 1, 0), 60, 0),
        ((1, 1, 1, 1, 1, 0), 0, 0),
    ],
)
def test_a_value_is_judged_up_to_where_all_rows_are(
    shares: tuple[float, ...], most: int, part: int
) -> None:
    assert until(LEARNED, steps(*shares), 300, most) == part


def test_of_a_few_rows_those_with_labels_may_be_all_positive() -> None:
    few = [
        (stop, RowCounts(predicted=rows.predicted // 5, matched=rows.matched // 5))
        for stop, rows in steps(1, 1, 0, 0, 0, 0)
    ]
    assert until(LEARNED, few, 45) == 0  # 20 rows
    assert until(LEARNED, few, 55) == 20
    assert until(LEARNED, few, 300, 10) == 0


def test_nor_do_the_first_rows_stand_for_the_others() -> None:
    assert until(LEARNED, steps(1, 0, 0, 0, 0, 0), 45) == 10
    assert until(LEARNED, steps(1, 0, 0, 0, 0, 0), 55) == 10
    assert until(LEARNED, steps(1, 0, 0, 0, 0, 0), 65) == 0


def test_a_value_without_rows_by_then_is_not_judged() -> None:
    late = [(stop, rows) for stop, rows in steps(1, 1, 1, 1, 1, 1) if stop > START + 20 * MINUTE]
    assert until(LEARNED, late, 300, 20) == 0
