"""Steps of series depend on the clock, and what tells whether they have changed says so."""

from hypothesis import example, given
from hypothesis import strategies as st

from kullback.moments import DAY, HOUR
from kullback.monitoring.monitor import HOURS_KEPT_SECONDS, WINDOWS_KEPT_SECONDS, Monitor
from kullback.monitoring.windows import span, step_at, widened

NOW = 1_772_712_000
WINDOWS = st.sampled_from([1, 60, 600, 1800, HOUR, 3 * HOUR, DAY])


@given(
    WINDOWS,
    st.integers(1, 300),
    st.integers(0, 3 * HOUR),
    st.integers(0, 40 * DAY),
    st.sampled_from([60, 600, HOUR, 5 * HOUR, DAY]),
)
@example(1800, 3, 1800, 81_000, HOUR)  # a step that begins before the span becomes wider
def test_steps_are_the_same_as_long_as_windows_widen_at_the_same_time(
    window: int, times: int, offset: int, age: int, later: int
) -> None:
    monitor, before = Monitor("binary", window_seconds=window, retention_days=90), NOW + offset
    start, after = before - age, before + later
    chosen = span(monitor, start, start + DAY, before)
    if span(monitor, start, start + DAY, after) != chosen or (
        widened(monitor, chosen, before) != widened(monitor, chosen, after)
    ):
        return
    for place in range(chosen.start, chosen.stop, max(window, HOUR)):
        steps = [step_at(monitor, window * times, place, now) for now in (before, after)]
        assert steps[0] == steps[1]


def test_windows_widen_where_the_clock_says() -> None:
    monitor = Monitor("binary", window_seconds=60)
    chosen = span(monitor, NOW - 40 * DAY, NOW, NOW)
    hour, day = (NOW - age for age in (WINDOWS_KEPT_SECONDS, HOURS_KEPT_SECONDS))
    assert widened(monitor, chosen, NOW) == (hour // HOUR * HOUR, day // DAY * DAY)
