"""Rows of arms that are not planned, of a holdout say: refused, or left out and counted."""

from typing import Any

import pytest

from tests.experiments.arms import paired, split
from tests.experiments.service import (
    EXPERIMENT,
    OBSERVATIONS,
    PAIRED,
    PARALLEL,
    TWO,
    TWO_APART,
    findings,
    observe,
    report,
    sent,
)
from tests.monitoring.service import Document, Service, done, refused

pytestmark = pytest.mark.anyio

IGNORING = PARALLEL | {"other_arms": "ignore"}
WITH_HOLDOUT: Document = {
    "y_true": [1, 0, 1],
    "y_proba": [0.5, 0.5, 0.25],
    "arm": ["a", "holdout", "b"],
    "unit": ["ann", "eve", "bob"],
}


async def test_rows_of_other_arms_are_refused_unless_said_otherwise(service: Service) -> None:
    await service.put(EXPERIMENT, **PARALLEL)
    answer = await service.client.post(OBSERVATIONS, json=WITH_HOLDOUT)
    assert refused(answer) == ("invalid-input", "/arm/1")
    dropped = await service.client.post(f"{OBSERVATIONS}?on_invalid=drop", json=WITH_HOLDOUT)
    assert done(dropped).items() >= {"accepted": 2, "ignored": 0, "rejected": 1}.items()


async def test_rows_of_other_arms_are_left_out_and_counted(service: Service) -> None:
    rows = sent(split(paired(noise=2.0, n=600)))
    await service.put(EXPERIMENT, **PARALLEL)
    await observe(service, **rows)
    want = await report(service)
    await service.client.delete(EXPERIMENT)
    await service.put(EXPERIMENT, **IGNORING)
    beside = {name: [*column, column[0]] for name, column in rows.items()}
    beside |= {"arm": [*rows["arm"], "holdout"], "unit": [*rows["unit"], 10**9]}
    assert (await observe(service, **beside)).items() >= {"accepted": 600, "ignored": 1}.items()
    found = await report(service)
    assert (findings(found), found["ignored"]) == (findings(want), 1)
    assert (await service.get(EXPERIMENT))["observations"] == {"1": 600}
    page = await service.client.get(f"{EXPERIMENT}/report", headers={"accept": "text/markdown"})
    assert "Left out: 1 of arms that are not planned" in page.text


async def test_a_batch_of_other_arms_alone_changes_nothing_but_their_number(
    service: Service,
) -> None:
    await service.put(EXPERIMENT, **IGNORING)
    for _ in range(2):
        answer = await observe(service, **(WITH_HOLDOUT | {"arm": ["x", "y", "holdout"]}))
        assert answer.items() >= {"accepted": 0, "ignored": 3, "rejected": 0}.items()
    found = await report(service)
    assert (found["ignored"], found["version"], found["arms"][0]["n"]) == (6, 0, 0)


async def test_what_is_wrong_with_a_row_has_its_own_place_beside_other_arms(
    service: Service,
) -> None:
    await service.put(EXPERIMENT, **IGNORING)
    wrong: dict[str, Any] = WITH_HOLDOUT | {"y_proba": [0.5, 0.5, 1.5]}
    answer = await service.client.post(OBSERVATIONS, json=wrong)
    assert refused(answer) == ("invalid-input", "/y_proba/2")
    dropped = done(await service.client.post(f"{OBSERVATIONS}?on_invalid=drop", json=wrong))
    assert dropped.items() >= {"accepted": 1, "ignored": 1, "rejected": 1}.items()
    assert dropped["rejections"][0]["pointer"] == "/y_proba/2"


async def test_predictions_of_other_arms_are_left_out_of_paired_rows(service: Service) -> None:
    other = TWO | {"y_proba": TWO["y_proba"] | {"c": [0.25, 0.25]}}
    await service.put(EXPERIMENT, **PAIRED)
    answer = await service.client.post(OBSERVATIONS, json=other)
    assert refused(answer) == ("invalid-input", "/y_proba/c")
    await service.put(EXPERIMENT, **PAIRED, other_arms="ignore")
    assert (await observe(service, **other)).items() >= {"accepted": 2, "ignored": 2}.items()
    assert [arm["n"] for arm in (await report(service))["arms"]] == [2, 2]


async def test_other_arms_may_be_ignored_from_now_on(service: Service) -> None:
    await service.put(EXPERIMENT, **PARALLEL)
    await observe(service, **TWO_APART)
    changed = await service.put(EXPERIMENT, **IGNORING)
    assert (changed["epoch"], changed["change"]["fields"]) == (1, ["other_arms"])
    assert (await observe(service, **WITH_HOLDOUT))["accepted"] == 2


async def test_a_row_without_a_value_is_in_the_segment_none(service: Service) -> None:
    await service.put(EXPERIMENT, **PARALLEL, slices=["country"])
    await observe(service, **TWO_APART, slice={"country": [None, ""]})
    (group,) = (await report(service, by="country"))["groups"]
    assert (group["slice"], [arm["n"] for arm in group["arms"]]) == ({"country": "(none)"}, [1, 1])
