"""The page of an experiment tells who is better, how surely and why, by the report's numbers."""

import json
import math
import shlex
from collections import Counter
from datetime import datetime

import pytest

from kullback.experiments import wording
from kullback.figures.cells import cell, columns_of
from kullback.figures.typesetting import typeset
from kullback.tally.report_types import AucValue
from tests.experiments.arms import paired, split
from tests.experiments.service import (
    EXPERIMENT,
    PAIRED,
    PARALLEL,
    findings,
    hours,
    observe,
    report,
    sent,
)
from tests.monitoring.service import Document, Service
from tests.ui.experiments import N, crossed, opened
from tests.ui.opened import Page

pytestmark = pytest.mark.anyio

HOSTILE = ["<script>alert(1)</script>", "\"q\" & 'r'", "x" * 64, "شريط التوصيات"]


async def test_a_verdict_is_told_in_words_with_what_to_do(service: Service) -> None:
    page = await crossed(service)
    (one,) = (await report(service))["comparisons"]
    assert "b is worse than a" in page.states
    assert typeset(one["reason"]) in page.text
    assert "Do not ship it as it is." in page.text
    points = await service.points(EXPERIMENT, step=3600)
    until = next(point["to"] for point in points if point["verdict"] == "worse")
    words = " ".join(page.text.split())
    assert f"Rows up to {until[:16].replace('T', ' ')} UTC decided first: worse;" in words
    assert "noticed on 2026-03-05 12:00 UTC ." in words
    assert typeset(one["why"]["statement"]) in page.text


async def test_the_course_is_that_of_the_series(service: Service) -> None:
    page = await crossed(service)
    _, *points = await service.points(EXPERIMENT, step=3600)  # the first tells nothing yet
    drawn, table = page.figures["effect"], page.rows("The numbers of Effect of b")
    sequence, fixed, effect = drawn["series"]
    assert effect["y"] == [point["effect"] for point in points]
    assert list(zip(sequence["low"], sequence["high"], strict=True)) == [
        tuple(point["sequence"]) for point in points
    ]
    assert list(zip(fixed["low"], fixed["high"], strict=True)) == [
        tuple(point["fixed_interval"]) for point in points
    ]
    assert drawn["x"] == [datetime.fromisoformat(point["to"]).timestamp() for point in points]
    (level,) = drawn["levels"]  # on this axis the three are one line
    assert level["label"] == "no difference; −0.02: minimum effect; +0.02: minimum effect"
    for row, point in zip(table, points, strict=True):
        _, *intervals = columns_of([(None, *point["sequence"]), (None, *point["fixed_interval"])])
        numbers = (each for interval in zip(*intervals, strict=True) for each in interval)
        assert row == [point["to"], *numbers, cell(point["effect"])]


async def test_the_evidence_is_drawn_with_what_would_be_enough(service: Service) -> None:
    page = await crossed(service, alpha=0.1)
    _, *points = await service.points(EXPERIMENT, step=3600)
    drawn = page.figures["evidence"]
    (evidence,) = drawn["series"]
    powers = [point["log_e_value"] / math.log(10) for point in points]
    assert evidence["y"] == pytest.approx(powers)
    assert max(powers) > 1
    (level,) = drawn["levels"]  # on this axis the two are one line
    assert level == {"y": pytest.approx(1), "label": "claimed: e-value 10; nothing either way 0"}
    assert "From 10 (1/α) on" in page.text


async def test_evidence_for_no_difference_is_drawn_below_zero(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **sent(paired(n=N), timestamp=hours(N, 5)))
    (evidence,) = (await opened(service)).figures["evidence"]["series"]
    assert max(evidence["y"]) < 0


async def test_evidence_that_is_no_number_is_left_out(service: Service) -> None:
    plan = PARALLEL | {"convention": "exact", "minimum_effect": 0.02}
    await service.put(EXPERIMENT, **plan)
    rows = sent(split(paired(n=200)))
    rows["y_proba"][rows["arm"].index("b")] = 0.0
    rows["y_true"][rows["arm"].index("b")] = 1.0
    await observe(service, **rows)
    page = await opened(service)
    assert "effect" not in page.figures
    assert "There is no effect to draw yet." in page.text
    assert "A prediction of 0 came true" in page.text


async def test_without_a_minimum_effect_there_is_an_interval_and_no_evidence(
    service: Service,
) -> None:
    page = await crossed(service, minimum_effect=None)
    (fixed, effect) = page.figures["effect"]["series"]
    assert (fixed["label"], effect["label"]) == ("95% interval for one look", "Effect")
    assert "evidence" not in page.figures
    assert "The plan has no minimum_effect" in page.text


async def test_arms_have_the_numbers_of_the_report(service: Service) -> None:
    page, found = await crossed(service), await report(service)
    names = ("log_loss", "normalized_entropy", "calibration_ratio", "auc", "base_rate")
    for row, arm in zip(page.rows("The arms"), found["arms"], strict=True):
        metrics = [_measured(arm["metrics"][name]) for name in names]
        effective = f"{arm['effective_sample_size']:,.0f}"
        assert row[1:] == [f"{arm['n']:,}", f"{arm['units']:,}", *metrics, effective]
    assert [row[0] for row in page.rows("The arms")] == ["a (control)", "b"]


async def test_the_parts_of_why_are_bars_with_their_names(service: Service) -> None:
    page = await crossed(service)
    (one,) = (await report(service))["comparisons"]
    parts = [one["why"][name] for name in ("calibration", "ranking")]  # the rows are the same
    drawn = page.figures["parts"]
    assert drawn["xNames"] == ["calibration", "ranking"]
    assert drawn["series"][0]["y"] == parts
    table = page.rows("The numbers of Where the difference of b comes from")
    assert table == [list(row) for row in zip(drawn["xNames"], map(cell, parts), strict=True)]


async def test_reliability_and_scores_are_drawn_of_both_arms(service: Service) -> None:
    page, found = await crossed(service), await report(service)
    drawn, scores = page.figures["reliability"], page.figures["scores"]
    assert [series["label"] for series in drawn["series"][1:]] == ["a", "b"]
    for arm, series in zip(found["arms"], drawn["series"][1:], strict=True):
        own = [at for at, y in enumerate(series["y"]) if y is not None]
        bins = arm["reliability"]
        assert [drawn["x"][at] for at in own] == [one["mean_predicted"] for one in bins]
        assert [series["y"][at] for at in own] == [one["observed"] for one in bins]
    assert [sum(part["y"]) for part in scores["series"]] == [pytest.approx(1.0)] * 4
    assert drawn["x"] == sorted(drawn["x"])


async def test_segments_say_what_is_claimed_among_them_all(service: Service) -> None:
    rows = sent(paired(noise=3.0, n=N))
    rows["slice"] = {"country": ["DE", "FR", "US"] * (N // 3)}
    await service.put(EXPERIMENT, **(PAIRED | {"slices": ["country"]}))
    await observe(service, **rows)
    page, groups = await opened(service), (await report(service))["groups"]
    table = page.rows("Segments of b")
    assert [row[0] for row in table] == ["all rows", "country = DE", "country = FR", "country = US"]
    for row, group in zip(table[1:], groups, strict=True):
        adjusted = group["comparisons"][0]["adjusted"]
        assert row[-1].startswith("yes, " if adjusted["e_bh"] else "no")
    _, *drawn = page.figures["by-segment"]["series"][0]["y"]
    comparisons = [group["comparisons"][0] for group in groups]
    surest = sorted(comparisons, key=lambda one: -abs(one["effect"]) / one["standard_error"])
    assert drawn == [one["effect"] for one in surest]


async def test_units_that_are_not_split_as_planned_are_said_to_be(service: Service) -> None:
    await service.put(EXPERIMENT, **(PARALLEL | {"arms": {"a": 0.9, "b": 0.1}}))
    await observe(service, **sent(split(paired(n=N))))
    page = await opened(service)
    assert "b against a: no verdict, as the data cannot carry one" in page.states
    assert "failed" in page.states
    assert "failed Sample ratio Mismatch." in _on_one_line(page)


@pytest.mark.parametrize("plan", [PAIRED, PARALLEL])
async def test_an_experiment_without_rows_says_how_to_send_them(
    service: Service, plan: Document
) -> None:
    await service.put(EXPERIMENT, **(plan | {"arms": HOSTILE, "slices": ["country", "it's"[:2]]}))
    page = await opened(service)
    command, *rest = shlex.split(page.code[0].replace("\\\n", " "))
    assert (command, rest[0]) == ("curl", "http://kullback/v1/experiments/ranker/observations")
    assert (rest[1], rest[3]) == ("-H", "-d")
    rows = json.loads(rest[4])
    assert (await observe(service, **rows))["accepted"] == len(rows["y_true"])
    assert "No rows yet" not in (await opened(service)).text


@pytest.mark.parametrize("plan", [PAIRED, PARALLEL])
async def test_hostile_names_are_text(service: Service, plan: Document) -> None:
    hostile = plan | {"arms": HOSTILE, "control": HOSTILE[3], "slices": ["city"]}
    await service.put(EXPERIMENT, **hostile)
    n = 1200
    rows = sent(paired(n=n))
    if plan["design"] == "paired":
        rows["y_proba"] = dict.fromkeys(HOSTILE, rows["y_proba"]["a"])
    else:
        rows["arm"] = [HOSTILE[unit % 4] for unit in rows["unit"]]
        rows["y_proba"] = rows["y_proba"]["a"]
    await observe(service, **rows, slice={"city": [HOSTILE[at % 4] for at in range(n)]})
    page = await opened(service, arm=HOSTILE[1])
    assert page.tags.count("script") == 5 + len(page.figures)
    assert [row[0] for row in page.rows("The arms")] == [*HOSTILE[:3], f"{HOSTILE[3]} (control)"]
    cities = sorted(f"city = {name}" for name in HOSTILE)
    first, *others = page.figures["by-segment"]["xNames"]
    assert (first, sorted(others)) == ("all rows", cities)
    series = next(to for words, to in page.links.items() if words.startswith("series of"))
    answer = await service.client.get(series.removeprefix(".."))
    assert answer.json()["arm"] == HOSTILE[1]


async def test_a_verdict_has_its_effect_in_percent_and_as_a_bar(service: Service) -> None:
    page = await crossed(service)
    (one,) = (await report(service))["comparisons"]
    percent = float(page.text.split("of a\u2019s log loss")[0].split()[-1].removesuffix("%"))
    assert percent == pytest.approx(100 * one["relative_effect"], rel=0.02)
    assert "% of a's log loss" in page.text
    assert "less than the minimum effect, 0.02 nats" in page.text


async def test_every_metric_is_drawn_in_percent_of_the_control(service: Service) -> None:
    page, document = await crossed(service), await report(service)
    (one,) = document["comparisons"]
    drawn = page.figures["by-metric"]
    control = document["arms"][0]["metrics"]
    at = drawn["xNames"].index("Brier score ↓")
    expected = 100 * one["metrics"]["brier"]["effect"] / control["brier"]["value"]
    assert drawn["series"][0]["y"][at] == pytest.approx(expected)


async def test_sections_are_linked_from_the_top(service: Service) -> None:
    page = await crossed(service)
    inner = [to.removeprefix("#") for to in page.links.values() if to.startswith("#")]
    assert {"effects", "reasons", "course", "arms", "plan", "export"} <= set(inner)
    assert set(inner) <= set(page.ids)


async def test_each_id_stands_once(service: Service) -> None:
    page = await crossed(service)
    assert [name for name, count in Counter(page.ids).items() if count > 1] == []


async def test_the_report_can_be_taken_along(service: Service) -> None:
    page = await crossed(service)
    command, text = page.code[-2:]
    words = shlex.split(command)
    assert words[:2] == ["curl", "http://kullback/v1/experiments/ranker/report?epoch=1"]
    name, _, value = words[3].partition(": ")
    answer = await service.client.get(words[1], headers={name: value})
    assert answer.text.startswith("# Experiment ranker")
    assert text == answer.text
    linked = await service.client.get(page.links["report"].removeprefix(".."))
    assert findings(linked.json()) == findings(await report(service))


def _measured(found: Document) -> str:
    metric = AucValue(**{"error_bound": None, **found})
    return typeset(wording.measured(metric))


def _on_one_line(page: Page) -> str:
    return " ".join(page.text.split())
