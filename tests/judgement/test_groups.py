"""Hours of few outcomes: put together until they can tell something, and no others."""

import numpy as np
import pytest

from kullback.judgement.findings import ENOUGH
from kullback.judgement.folds import Memo
from kullback.judgement.groups import grouped
from kullback.judgement.history import History
from kullback.judgement.judged import JudgedBlock, judged
from kullback.judgement.outcomes import no_skill
from kullback.judgement.recalibration import Tolerance
from kullback.judgement.slices import slices
from tests.judgement.worlds import block_of, drawn, looks

HOUR = 3600
RATE = 0.08
TOLERANCE = Tolerance()


def hours(rows: int, number: int, outcome: float | None = None) -> list[JudgedBlock]:
    """Hours of sound predictions; their outcomes are all alike where one is given."""
    rng = np.random.default_rng(1)
    result = []
    for hour in range(number):
        y, p = drawn(rng, rows)
        y = y if outcome is None else np.full(rows, outcome)
        result.append(judged(block_of(y, p, hour), TOLERANCE, mark=hour))
    return result


def together(blocks: list[JudgedBlock]) -> list[tuple[int, int, int]]:
    """The groups of some hours: their first one, the end of their last, and their rows."""
    groups = grouped(Memo(), blocks, TOLERANCE)
    return [(each.block.start // HOUR, each.block.stop // HOUR, each.block.rows) for each in groups]


def test_hours_of_many_outcomes_stay_as_they_are() -> None:
    blocks = hours(500, 12)
    assert list(grouped(Memo(), blocks, TOLERANCE)) == blocks


@pytest.mark.parametrize("rows", [5, 20, 100])
def test_hours_of_few_are_put_together_until_there_are_enough(rows: int) -> None:
    blocks = hours(rows, 300)
    groups = together(blocks)
    assert [start for start, _, _ in groups] == [0, *(stop for _, stop, _ in groups[:-1])]
    assert sum(some for _, _, some in groups) == 300 * rows
    for start, stop, _ in groups[:-1]:
        expected = np.cumsum([each.expected for each in blocks[start:stop]])
        assert expected[-1] >= ENOUGH
        assert (expected[:-1] < ENOUGH).all()


def test_where_a_group_ends_does_not_depend_on_its_labels() -> None:
    assert (
        together(hours(20, 200)) == together(hours(20, 200, 0.0)) == together(hours(20, 200, 1.0))
    )


def test_a_group_is_the_rows_of_its_hours() -> None:
    rng = np.random.default_rng(2)
    y, p = drawn(rng, 100)
    parts = [
        judged(block_of(y[at::4], p[at::4], hour), TOLERANCE, mark=at)
        for hour, at in enumerate(range(4))
    ]
    (group,) = grouped(Memo(), parts, TOLERANCE)
    whole = judged(block_of(y, p), TOLERANCE)
    assert group.rate == pytest.approx(whole.rate, abs=1e-6)
    assert group.slope == pytest.approx(whole.slope, abs=1e-6)


def test_a_group_of_a_value_is_held_against_the_other_rows_of_its_hours() -> None:
    rng = np.random.default_rng(5)
    wholes, parts = {}, []
    for hour in range(8):
        y, p = drawn(rng, 200, rate=0.3)
        p /= 3
        wholes[hour * HOUR] = judged(block_of(y, p, hour), TOLERANCE, mark=hour)
        parts.append(judged(block_of(y[:10], p[:10], hour), TOLERANCE, mark=100 + hour))
    (alone,) = grouped(Memo(), parts, TOLERANCE)
    (beside,) = grouped(Memo(), parts, TOLERANCE, wholes)
    assert alone.rate.max() > 5
    assert beside.rate.max() < 1


def joined_wrongly(rows: int, number: int) -> list[History]:
    rng = np.random.default_rng(4)
    world = []
    for hour in range(number):
        y, p = drawn(rng, rows, rate=0.3)
        world.append({"": block_of(y, rng.permutation(p), hour)})
    return list(looks(world))


def test_rows_joined_to_others_are_found_where_they_are_few() -> None:
    *_, last = joined_wrongly(6, 400)
    assert no_skill(last).is_alarm


def test_a_value_of_few_rows_that_is_off_like_all_others_is_not_named() -> None:
    rng = np.random.default_rng(11)
    world = []
    for hour in range(150):
        y, p = drawn(rng, 40)
        p /= 3
        parts = {"country=DE": slice(0, 25), "country=FR": slice(25, 40)}
        blocks = {name: block_of(y[some], p[some], hour) for name, some in parts.items()}
        world.append({"": block_of(y, p, hour), **blocks})
    *_, last = looks(world)
    assert not slices(last).is_alarm
