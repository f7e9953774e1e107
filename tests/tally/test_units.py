"""Units fall into buckets that never change."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.tally.units import BUCKETS, bucket_of, hash_of

INTEGERS = [0, 1, 7, -1, 2**63 - 1, -(2**63)]
STRINGS = ["", "7", "user-1", "ünï", "12345678", "123456789", "a" * 64, "a" * 65, "\ud800"]
words = st.one_of(st.text(max_size=12), st.text(min_size=60, max_size=70), st.sampled_from(STRINGS))


def test_integers_keep_their_buckets() -> None:
    assert bucket_of(np.array(INTEGERS)).tolist() == [441, 934, 945, 723, 361, 785]
    assert hash_of(np.array([7])).tolist() == [0xEC779C3693F88501]


def test_the_integer_0_has_the_second_output_of_splitmix64() -> None:
    assert hash_of(np.array([0])).tolist() == [0x6E789E6AA1B965F4]


def test_strings_keep_their_buckets() -> None:
    assert bucket_of(STRINGS).tolist() == [892, 296, 398, 697, 56, 907, 950, 735, 295]
    assert hash_of(["user-1"]).tolist() == [0x63B698A43F9CF758]


def test_another_salt_gives_other_bits() -> None:
    assert hash_of(["7"], 1).tolist() == [0xA172C8AF6164722D]
    assert hash_of(np.array([7]), 1).tolist() == [0xC9FF3692C77538AD]


def test_a_number_is_not_its_digits() -> None:
    assert hash_of(np.array([7])).tolist() != hash_of(["7"]).tolist()


@given(st.lists(words, max_size=8), st.lists(words, max_size=8))
def test_a_string_does_not_look_at_its_neighbours(mine: list[str], theirs: list[str]) -> None:
    alone = [hash_of([word]).tolist()[0] for word in mine]
    assert hash_of([*theirs, *mine, *theirs]).tolist()[len(theirs) :][: len(mine)] == alone


def test_an_integer_does_not_look_at_its_neighbours() -> None:
    together = np.arange(-100, 100_000)
    assert hash_of(together)[::1001].tolist() == hash_of(together[::1001]).tolist()


def test_many_strings_beside_a_long_one_keep_theirs() -> None:
    names = [str(number) for number in range(40_000)]
    assert hash_of([*names, "x" * 10**6])[:-1].tolist() == hash_of(names).tolist()


def test_what_differs_by_an_end_of_zeros_is_another_unit() -> None:
    names = ["a", "a\0", "a\0\0", "a" + "\0" * 7, "a" + "\0" * 8, "a" * 65, "a" * 65 + "\0"]
    assert np.unique(hash_of(names)).size == len(names)


@pytest.mark.parametrize("salt", [0, 1])
@pytest.mark.parametrize("names", ["integers", "strings", "accents", "long"])
def test_buckets_are_evenly_full(names: str, salt: int) -> None:
    each = 64
    numbers = np.arange(BUCKETS * each)
    before = {"strings": "user-", "accents": "né-", "long": "x" * 70}
    found = hash_of(
        numbers if names == "integers" else [f"{before[names]}{n}" for n in numbers.tolist()], salt
    )
    counts = np.bincount((found >> np.uint64(54)).astype(np.int64), minlength=BUCKETS)
    chi_square = float(np.square(counts - each).sum()) / each
    spread = (2 * (BUCKETS - 1)) ** 0.5
    assert abs(chi_square - (BUCKETS - 1)) < 5 * spread


def test_no_units_have_no_buckets() -> None:
    assert bucket_of([]).tolist() == bucket_of(np.array([], np.int64)).tolist() == []


def test_an_integer_of_64_bits_is_another_unit_than_that_below_0_of_the_same_bits() -> None:
    signed = np.array([-1, 7, 5])
    unsigned: Any = np.array([2**64 - 1, 7, 2**63], np.uint64)
    assert hash_of(unsigned)[0] != hash_of(signed)[0]
    assert hash_of(unsigned)[1] == hash_of(signed)[1]
    assert hash_of(unsigned)[2] != hash_of(np.array([-(2**63)]))[0]
