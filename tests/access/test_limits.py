"""Token buckets fill steadily, hold no more than a burst, and are bounded in number."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.access.limits import TokenBuckets, network


class Watch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@given(
    st.integers(1, 50),
    st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=100),
)
def test_no_more_is_let_through_than_the_burst_and_what_time_brings(
    rate: int, pauses: list[float]
) -> None:
    watch = Watch()
    buckets = TokenBuckets(watch)
    passed = 0
    for pause in pauses:
        watch.now += pause
        passed += buckets.take("key", rate) == 0
    assert passed <= rate + float(Fraction(watch.now) * rate) + 1e-6


@pytest.mark.parametrize("rate", [0.0, 1e-310, 1e-9])
def test_a_rate_that_a_file_of_keys_should_not_have_is_a_day_to_wait(rate: float) -> None:
    buckets = TokenBuckets(Watch())
    assert [buckets.take("key", rate) for _ in range(2)] == [0, 86_400]


def test_whoever_waits_as_long_as_is_said_gets_through() -> None:
    watch = Watch()
    buckets = TokenBuckets(watch)
    waits = [buckets.take("key", 0.5) for _ in range(2)]
    assert waits == [0, 2]
    watch.now += waits[1]
    assert buckets.take("key", 0.5) == 0


def test_one_does_not_take_from_another() -> None:
    buckets = TokenBuckets(Watch())
    assert [buckets.take(name, 1.0) for name in ("a", "a", "b")] == [0, 1, 0]


def test_buckets_of_whoever_was_not_seen_for_longest_are_forgotten() -> None:
    buckets = TokenBuckets(Watch(), most_buckets=2)
    for name in ("a", "b", "a", "c"):
        buckets.take(name, 1.0)
    assert buckets.take("a", 1.0) > 0  # "b" was forgotten
    assert buckets.take("b", 1.0) == 0


@pytest.mark.parametrize(
    ("address", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("", "", True),
    ],
)
def test_an_ipv6_address_stands_for_its_network(address: str, other: str, same: bool) -> None:  # noqa: FBT001
    assert (network(address) == network(other)) is same
