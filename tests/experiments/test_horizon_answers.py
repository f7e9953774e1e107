"""Answers of planned horizons in findings and reports, and what is kept of them."""

from dataclasses import replace

import pytest

from kullback.errors import InvalidInput
from kullback.experiments import wording
from kullback.experiments.horizon_answers import horizon_report, settled_word
from kullback.experiments.measured import MetricName
from kullback.experiments.report import OverallComparison
from kullback.experiments.reporting import arms_report
from kullback.experiments.verdict import VerdictWord
from kullback.numerics.types import Undefined
from kullback.requests.experiments import ExperimentSettings
from kullback.requests.validation import validated
from kullback.tally.horizon import Horizon, horizon_look
from tests.experiments.arms import PAIRED, found, only, paired
from tests.experiments.service import EXPERIMENT, NEW_EPOCH, observe, report, sent
from tests.experiments.service import PAIRED as PLAN
from tests.monitoring.service import Service

pytestmark = pytest.mark.anyio
PLANNED = replace(PAIRED, power=0.9)


def test_a_plan_with_a_power_has_a_look_in_all_rows() -> None:
    rows = paired(noise=0.9)
    one = only(PLANNED, rows)
    assert not isinstance(one.effect, Undefined)
    assert one.horizon == horizon_look(Horizon(0.05, 0.9), one.effect, 0.02)
    assert only(PAIRED, rows).horizon is None
    assert only(PLANNED, paired(n=40)).horizon is None, "before the burn-in"
    sliced = replace(PLANNED, slices=("country",))
    with_segments = replace(rows, slices={"country": ["DE"] * 4000})
    assert found(sliced, with_segments).comparisons["country=DE"][0].horizon is None


@pytest.mark.parametrize("metric", ["log_loss", "brier"])
def test_its_answer_is_by_the_side_of_the_effect(metric: MetricName) -> None:
    one = only(replace(PLANNED, metric=metric), paired(noise=1.5))
    look = horizon_report(one)
    assert look is not None
    assert (look.answer, settled_word(one)) == ("worse", "worse")
    mirrored = replace(one, higher_is_better=True)
    assert settled_word(mirrored) == "better"


def test_nothing_is_settled_before_the_end_unless_the_boundary_is_reached() -> None:
    one = only(PLANNED, paired())
    assert one.horizon is not None
    early = replace(one, horizon=replace(one.horizon, fraction=0.5, statistic=1.0, boundary=3.0))
    late = replace(one, horizon=replace(one.horizon, fraction=1.2, statistic=1.0, boundary=2.2))
    assert settled_word(early) is None
    assert settled_word(late) == "undecided"
    assert settled_word(replace(one, horizon=None)) is None


def test_it_is_told_in_words() -> None:
    (one,) = arms_report(found(PLANNED, paired(noise=0.9))).comparisons
    assert isinstance(one, OverallComparison)
    assert one.horizon is not None
    told = wording.horizon(arms_report(found(PLANNED, paired())), one)
    assert told.startswith("Planned horizon, ")
    assert "b is worse than a. By its looks the effect is between +" in told
    last = replace(one, horizon=replace(one.horizon, answer=VerdictWord.UNDECIDED, is_last=True))
    assert "no difference was found" in wording.horizon(arms_report(found(PLANNED, paired())), last)
    assert wording.horizon(arms_report(found(PAIRED, paired())), replace(one, horizon=None)) == ""


def test_a_power_needs_an_effect_to_find() -> None:
    with pytest.raises(InvalidInput, match="power"):
        validated(ExperimentSettings, {"arms": ["a", "b"], "power": 0.9})


async def test_the_answer_of_the_last_look_stays(service: Service) -> None:
    await service.put(EXPERIMENT, **PLAN, power=0.9)
    rows = sent(paired(n=8000))
    await observe(service, **rows)
    first = await report(service)
    (one,) = first["comparisons"]
    assert one["horizon"]["is_last"]
    kept = [each for each in first["first_answers"] if each["question"] == "horizon"]
    assert [each["verdict"] for each in kept] == [one["horizon"]["answer"]] == ["undecided"]
    worse = paired(noise=3.0, n=8000)
    await observe(service, **sent(worse))
    later = await report(service)
    (now,) = later["comparisons"]
    assert (now["verdict"], now["horizon"]["answer"]) == ("worse", "undecided")
    assert abs(now["horizon"]["statistic"]) > now["horizon"]["boundary"]
    await service.put(NEW_EPOCH, **PLAN, power=0.8)
    assert (await report(service))["epoch"] == 2
