"""Costs of scores against what was sent."""

import numpy as np
import pytest

from kullback.scoring.cost import LEAST_ANSWER, Cost, check, distinct, entries, is_cheap, rows
from kullback.scoring.tokens import Ragged
from tests.scoring import strategies as draw

CAP = 64 << 20


def answer(numbers: int) -> list[Cost]:
    return [Cost("map", "ask for less", numbers=numbers), Cost("bins", "ask for fewer", numbers=1)]


def work(steps: int) -> list[Cost]:
    return [Cost("bins", "ask for fewer", work=1), Cost("map", "ask for less", work=steps)]


def test_16_mib_may_always_be_answered_and_more_where_more_was_sent() -> None:
    check(answer(LEAST_ANSWER - 1), 1, CAP)
    check(answer(2_999_999), 1_000_000, CAP)
    with draw.refused("/map", "ask for less"):
        check(answer(LEAST_ANSWER), 1, CAP)
    with draw.refused("/map", "3000000 are the limit"):
        check(answer(3_000_000), 1_000_000, CAP)


def test_no_answer_is_larger_than_a_body_may_be() -> None:
    check(answer(CAP // 20 - 1), 10**9, CAP)
    with draw.refused("/map", "limit"):
        check(answer(CAP // 20), 10**9, CAP)
    check(answer(LEAST_ANSWER - 1), 1, 1 << 20)  # 16 MiB may be, in whatever bodies


@pytest.mark.parametrize(("sent", "most"), [(1, 1 << 24), (1 << 20, 1 << 28), (10**9, 1 << 31)])
def test_work_grows_with_what_was_sent_and_has_an_end(sent: int, most: int) -> None:
    check(work(most - 1), sent, CAP)
    with draw.refused("/map", f"{most} are the limit"):
        check(work(most), sent, CAP)


def test_what_is_cheap_is_a_matter_of_work_and_of_numbers() -> None:
    assert is_cheap([])
    assert is_cheap(work(500_000))
    assert not is_cheap(work(600_000))
    assert not is_cheap(answer(100_000))


def test_entries_rows_and_values_are_counted_in_whatever_holds_them() -> None:
    ragged = Ragged(np.arange(3.0), np.array([2, 0, 1]))
    named = {"a": np.ones(4), "b": np.ones(4)}
    nested = [[{"a": 0.0, "b": 0.0}], []]
    assert [entries(each) for each in (np.ones((2, 3)), ragged, named, nested, ["a"], None)] == [
        *(6, 6, 8, 2, 1, 1)
    ]
    assert [rows(each) for each in (np.ones((2, 3)), np.array(1.0), ragged, named, nested, 1)] == [
        *(2, 0, 3, 4, 2, 0)
    ]
    assert distinct(np.array([2, 2, 7])) == 2
    assert distinct(["a", "b", "a", None]) == 3
