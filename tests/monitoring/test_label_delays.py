"""The lag that is learned from the delays of labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.moments import DAY, HOUR
from kullback.monitoring.label_delays import DAYS_KEPT, RATIO, LabelDelays

NONE = LabelDelays.decoded(None)
delays = st.lists(st.floats(-100, 3e7), min_size=1, max_size=60)


def known(*seconds: float) -> LabelDelays:
    return NONE.with_delays(np.array(seconds), 0.0)


def test_nothing_is_known_before_a_label_came() -> None:
    assert NONE.lag is None
    assert NONE.labelled_share == 1


@given(delays)
def test_the_lag_is_a_quantile_never_too_much_and_a_few_per_cent_too_little(
    seconds: list[float],
) -> None:
    exact = sorted(seconds)[int(np.ceil(0.95 * len(seconds))) - 1]
    lag = known(*seconds).lag
    assert lag is not None
    assert lag <= max(exact, 0) * (1 + 1e-9)
    assert lag >= exact / RATIO * (1 - 1e-9) or exact < 1


@given(delays, delays)
def test_delays_of_a_day_add_up_in_any_order(first: list[float], second: list[float]) -> None:
    one, two = np.array(first), np.array(second)
    there = NONE.with_delays(one, 5.0).with_delays(two, 9.0)
    back = NONE.with_delays(two, 9.0).with_delays(one, 5.0)
    both = NONE.with_delays(np.concatenate([one, two]), 5.0)
    assert there.encoded() == back.encoded() == both.encoded()
    assert LabelDelays.decoded(both.encoded()).encoded() == both.encoded()


def test_a_burst_of_labels_two_days_late_is_two_days_late() -> None:
    lag = known(*[2.0 * DAY] * 3000).lag
    assert lag is not None
    assert 2 * DAY / RATIO <= lag <= 2 * DAY


def test_of_the_days_the_lag_is_the_median_by_rows() -> None:
    some = NONE
    for day, (late, rows) in enumerate([(60.0, 900), (70.0, 1000), (5.0 * DAY, 1800), (3.0, 20)]):
        some = some.with_delays(np.full(rows, late), day * DAY)
    assert some.lag == pytest.approx(70, rel=0.04)
    assert some.with_delays(np.full(3000, 5.0 * DAY), 4 * DAY).lag == pytest.approx(
        5 * DAY, rel=0.04
    )


def test_the_last_days_with_labels_are_kept() -> None:
    some = NONE
    for day in range(DAYS_KEPT + 3):
        some = some.with_delays(np.full(10, HOUR * (DAYS_KEPT + 3 - day)), 30.0 * DAY * day)
    assert np.unique(some.table["day"]).tolist() == [30 * day for day in range(3, 10)]
    assert len(some.encoded()) == 10 * DAYS_KEPT


def test_of_expired_predictions_the_share_with_labels_is_known() -> None:
    few = NONE.with_expired(1, 0, 0.0)
    assert few.labelled_share > 0.9
    many = NONE.with_expired(8000, 2000, 0.0)
    assert many.labelled_share == pytest.approx(0.2, abs=0.001)
    assert many.lag is None
    assert many.with_delays(np.array([60.0]), 0.0).lag == pytest.approx(60, rel=0.04)
