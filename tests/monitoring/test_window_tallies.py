"""Rows whose labels were taken back are subtracted where sums are read, exactly."""

from itertools import permutations

import numpy as np
import pytest

from kullback.monitoring.cells import MATCHED, OBSERVED, PREDICTED, RETRACTED
from kullback.monitoring.window_tallies import PARTS_HELD, tallies_by_slice, tallies_by_step
from kullback.monitoring.windows import Span
from kullback.storage.base import Cell, Part
from kullback.tally.binary import binary_terms
from kullback.tally.metrics import TallyMetrics
from kullback.tally.tally import Layout, Tally

LAYOUT = Layout("binary", 2, "sklearn")


def tally(*rows: tuple[float, float]) -> Tally:
    """Of outcomes and predictions."""
    y, p = (np.array(column) for column in zip(*rows, strict=True))
    return binary_terms(LAYOUT, y, p, None, None).tally()


def part(kind: str, start: int, *rows: tuple[float, float]) -> Part:
    return Cell(kind, "", start, 60), tally(*rows).encoded()


def step_of_an_hour(at: int) -> Span:
    return Span(at // 3600 * 3600, at // 3600 * 3600 + 3600)


CORRECTED = [
    part(OBSERVED, 0, (1.0, 0.25), (0.0, 0.1)),
    part(MATCHED, 60, (0.0, 0.7)),
    part(PREDICTED, 60, (1.0, 0.7)),
    part(RETRACTED, 60, (0.0, 0.7)),
    part(MATCHED, 60, (1.0, 0.7)),
]


@pytest.mark.parametrize("parts", list(permutations(CORRECTED)))
def test_a_row_that_was_taken_back_does_not_count_in_any_order(parts: tuple[Part, ...]) -> None:
    expected = tally((1.0, 0.25), (0.0, 0.1), (1.0, 0.7))
    assert tallies_by_slice(parts)[""].labelled == expected
    assert tallies_by_slice(parts)[""].predictions == 3
    assert tallies_by_step(parts, step_of_an_hour) == {"": {Span(0, 3600): expected}}


def test_many_parts_of_each_kind_are_summed_as_few() -> None:
    rows = [(float(at % 2), at / 200) for at in range(2 * PARTS_HELD)]
    parts = [part(MATCHED, 60, row) for row in rows]
    parts += [part(RETRACTED, 60, row) for row in rows[1:]]
    assert tallies_by_slice(parts)[""].labelled == tally(rows[0])
    assert tallies_by_step(parts, step_of_an_hour) == {"": {Span(0, 3600): tally(rows[0])}}


def test_nothing_is_left_where_all_was_taken_back() -> None:
    parts = [part(MATCHED, 0, (1.0, 0.5)), part(RETRACTED, 0, (1.0, 0.5))]
    assert tallies_by_slice(parts)[""].labelled is None
    assert tallies_by_step(parts, step_of_an_hour) == {}


@pytest.mark.parametrize(
    "there",
    [
        [],
        [part(MATCHED, 0, (0.0, 0.5))],
        [part(MATCHED, 0, (1.0, 0.1), (1.0, 0.1))],
        [part(OBSERVED, 0, *[(1.0, 0.5), (0.0, 0.5)] * 3)],
    ],
)
def test_what_is_taken_back_before_it_is_seen_leaves_the_rest(there: list[Part]) -> None:
    early = part(RETRACTED, 0, (1.0, 0.5), (1.0, 0.9))
    found = tallies_by_slice([*there, early])[""].labelled
    assert found == tallies_by_slice(there)[""].labelled if there else found is None
    steps = tallies_by_step([*there, early], step_of_an_hour)
    assert steps == tallies_by_step(there, step_of_an_hour)


def test_sums_from_which_a_row_was_taken_that_was_another_can_be_read() -> None:
    low, high = 0.5004, 0.5008  # of one bin
    parts = [part(MATCHED, 0, *[(1.0, low)] * 3), part(RETRACTED, 0, (1.0, high))]
    found = tallies_by_slice(parts)[""].labelled
    assert found is not None
    assert TallyMetrics(found).metrics()["log_loss"].standard_error == 0.0
