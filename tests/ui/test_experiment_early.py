"""The page of an experiment before there is a verdict: what it needs, and nothing absurd."""

import re

import pytest

from tests.experiments.arms import paired
from tests.experiments.service import (
    EXPERIMENT,
    PAIRED,
    PARALLEL,
    TWO,
    hours,
    observe,
    report,
    sent,
)
from tests.monitoring.service import Service
from tests.ui.experiments import opened

pytestmark = pytest.mark.anyio


async def test_what_is_not_decided_says_how_many_rows_would_do(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **sent(paired(n=600)))
    page, found = await opened(service), await report(service)
    (one,) = found["comparisons"]
    assert one["verdict"] == "undecided"
    rows = float(f"{600 * one['information_needed']:.2g}")
    assert f"the effect as it stands is decided with {rows:,.0f} rows in all." in page.text
    assert "First decided" not in page.text


async def test_what_is_open_is_told_in_days_and_rows(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **sent(paired(n=600), timestamp=hours(600, 48)))
    page = await opened(service)
    assert "not decided yet" in page.states[0]
    assert (
        "rows a day, as lately, a difference of 0.02 nats is found with a power of 80% in about"
        in page.text
    )
    assert "If the effect stays" not in page.text


async def test_one_moment_of_rows_is_not_drawn_over_time(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **TWO)
    page = await opened(service)
    assert "effect" not in page.figures
    assert "Drawn once two steps of time have an interval that tells something." in page.text
    assert "100 units and 25 rows of the rarer label in each arm." in page.text
    assert "That is of the rows at hand, and no evidence." in page.text
    assert page.rows("Statistics")[0][3:] == ["—"] * 4
    assert set(page.figures) == {"reliability", "scores"}
    assert "rows in all" not in page.text
    assert "effects" not in page.ids
    assert "#effects" not in page.links.values()
    assert not re.search(r"e\+\d|10[⁰¹²³⁴-⁹]{2}", page.text)


async def test_a_plan_without_rows_says_what_it_needs(service: Service) -> None:
    await service.put(EXPERIMENT, **(PARALLEL | {"metric": "base_rate"}))
    page = await opened(service)
    assert "A standard error of about 0.0052: then a difference of base rate of 0.02" in page.text
    assert "13,000 at a base rate of 10%" in page.text


async def test_what_is_too_little_waits(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **TWO)
    page = await opened(service)
    words = " ".join(page.text.split())
    assert "wait Units a 2, b 2 (at least 100 in each arm)." in words
    assert "wait Rarer label" in words
    assert "Rows that have it: a 1, b 1 (at least 25 in each arm)." in words
    assert "ok Effective rows" in words
    assert "After weighting: a 2, b 2 (at least 100 where" in words
    assert "Crossover" not in words


async def test_four_rows_have_no_outlook_and_no_number_beyond_belief(service: Service) -> None:
    await service.put(EXPERIMENT, **PARALLEL)
    rows = {"y_true": [1, 0, 1, 0], "y_proba": [0.6, 0.4, 0.9, 0.2], "arm": ["a", "b", "b", "a"]}
    await observe(service, **rows, unit=["a", "b", "c", "d"])
    page, document = await opened(service), await report(service)
    (comparison,) = document["comparisons"]
    assert comparison["sequence"] is None
    assert "rows in all" not in page.text
    assert "10,000 times" not in page.text
    assert not re.search(r"e\+\d|10[⁰¹²³⁴-⁹]{2}", page.text)


async def test_a_minimum_effect_far_below_the_error_is_named_as_the_reason(
    service: Service,
) -> None:
    await service.put(EXPERIMENT, **(PAIRED | {"minimum_effect": 1e-9}))
    await observe(service, **sent(paired(noise=9.0, n=600)))
    page, document = await opened(service), await report(service)
    (comparison,) = document["comparisons"]
    assert comparison["verdict"] == "undecided"
    words = " ".join(page.text.split())
    assert "The minimum effect, 1 × 10⁻⁹ nats, is far smaller than the standard error" in words
    assert "or plan a minimum effect that is near the effects you expect" in words
    assert "confidence sequence is not" not in words, "no word of a sequence that is not shown"
    assert "1e-09" not in words


async def test_what_is_open_has_its_rows_by_power_as_the_planner_tells_them(
    service: Service,
) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **sent(paired(n=600), timestamp=hours(600, 48)))
    page = await opened(service)
    drawn = page.figures["by-power"]
    at_any, at_one = (dict(zip(drawn["x"], each["y"], strict=True)) for each in drawn["series"])
    planned = await service.post("plan", "/v1/experiments", **PAIRED, experiment="ranker")
    assert len(planned["sizes"]) == 4
    for size in planned["sizes"]:
        rows = (at_one if size["method"] == "fixed" else at_any)[100 * size["power"]]
        assert rows == pytest.approx(size["rows"], rel=0.01)
