"""A plan says what it needs, and how long that takes, in words."""

from dataclasses import replace

import pytest

from kullback.experiments.time_to_decision import TimeToDecision
from kullback.ui.planning import days_in_words, needs, outlook
from tests.experiments.arms import PAIRED, PARALLEL


def test_a_plan_needs_units_labels_and_a_small_error() -> None:
    least, narrow, rows = needs(PAIRED)
    assert least == "100 units and 25 rows of the rarer label in each arm."
    assert narrow == (
        "A standard error of about 0.0052 nats: then a difference of log loss of 0.02 nats is "
        "found with a power of 80%."
    )
    assert "two hours after the first rows" in rows


def test_a_plan_of_base_rates_tells_its_rows_before_they_come() -> None:
    *_, rows = needs(replace(PARALLEL, metric="base_rate"))
    assert rows.startswith("With independent rows that takes ")
    assert "13,000 at a base rate of 10%" in rows


@pytest.mark.parametrize("effect", [1e-9, 1e-30, 1e-100])
def test_what_nobody_can_wait_for_is_told_without_its_digits(effect: float) -> None:
    *_, rows = needs(replace(PARALLEL, metric="base_rate", minimum_effect=effect))
    assert rows.count("more than a billion at a base rate") == 3
    told = outlook(PAIRED, TimeToDecision(1000, 0.01, 1e60, None))
    assert " in more than 1,000 years (more than a billion rows in all); " in told


def test_a_plan_without_a_minimum_effect_is_asked_for_one() -> None:
    assert needs(replace(PAIRED, minimum_effect=None))[1].startswith("A minimum_effect")


@pytest.mark.parametrize(
    ("time", "told"),
    [
        (
            TimeToDecision(1000, 100.0, 1900.0, 40_000.0),
            (
                "With 100 rows a day, as lately, a difference of 0.02 nats is found with a power "
                "of 80% in about 9 days (1,900 rows in all); the effect as it stands is decided in "
                "about 13 months (40,000 rows in all)."
            ),
        ),
        (
            TimeToDecision(1000, None, 1900.0, None),
            (
                "A difference of 0.02 nats is found with a power of 80% with 1,900 rows in all; "
                "the effect as it stands is decided with more than 10,000 times the present rows."
            ),
        ),
        (
            TimeToDecision(1000, 50.0, 1000.5, 1010.0),
            (
                "With 50 rows a day, as lately, a difference of 0.02 nats is found with a power "
                "of 80% by now; the effect as it stands is decided by now, as likely as not."
            ),
        ),
        (None, ""),
    ],
)
def test_the_outlook_is_told_in_days_and_rows(time: TimeToDecision | None, told: str) -> None:
    assert outlook(PAIRED, time) == told


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (0.1, "less than a day"),
        (1.0, "about a day"),
        (9.2, "about 9 days"),
        (25.0, "about 4 weeks"),
        (100.0, "about 3 months"),
        (4000.0, "about 11 years"),
    ],
)
def test_days_are_told_as_people_plan(days: float, told: str) -> None:
    assert days_in_words(days) == told
