"""Moments in words and in full: what a reader sees, and what a browser knows."""

from datetime import UTC, datetime

import pytest

from kullback.ui.dates import absolute, ago, date, relative

NOW = datetime(2026, 11, 30, 13, 50, tzinfo=UTC).timestamp()
MINUTE, HOUR, DAY = 60, 3600, 86_400


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (29, "just now"),
        (30, "1 minute ago"),
        (12 * MINUTE, "12 minutes ago"),
        (89 * MINUTE, "89 minutes ago"),
        (90 * MINUTE, "2 hours ago"),
        (35 * HOUR, "35 hours ago"),
        (36 * HOUR, "2 days ago"),
        (44 * DAY, "44 days ago"),
        (75 * DAY, "3 months ago"),
        (700 * DAY, "2 years ago"),
        (-10 * MINUTE, "in 10 minutes"),
        (-1 * DAY, "in 24 hours"),
    ],
)
def test_a_moment_is_said_in_its_largest_fitting_unit(seconds: int, words: str) -> None:
    assert relative(NOW - seconds, NOW) == words


def test_a_moment_in_words_has_its_date_on_hover() -> None:
    assert ago(NOW - 12 * MINUTE, NOW) == (
        '<time datetime="2026-11-30T13:38:00Z" title="2026-11-30 13:38 UTC">12 minutes ago</time>'
    )


def test_a_date_is_an_element_that_programs_read_too() -> None:
    assert absolute(NOW) == "2026-11-30 13:50 UTC"
    assert date(NOW) == '<time datetime="2026-11-30T13:50:00Z">2026-11-30 13:50 UTC</time>'
