"""An experiment is planned by rows, by a monitor, or by an experiment that there is."""

import numpy as np
import pytest

from tests.experiments.arms import paired, split
from tests.experiments.service import EXPERIMENT, PAIRED, PARALLEL, hours, observe, report, sent
from tests.monitoring.service import MONITOR, Document, Service, refused

pytestmark = pytest.mark.anyio

PLAN = "/v1/experiments/plan"
ROWS: Document = sent(split(paired(n=2000)))
PLAIN = {name: ROWS[name] for name in ("y_true", "y_proba", "unit")}


async def planned(service: Service, **fields: object) -> Document:
    return await service.post("plan", "/v1/experiments", **fields)


def first(document: Document) -> Document:
    size = document["sizes"][0]
    assert isinstance(size, dict)
    return size


async def test_rows_of_one_model_are_a_pilot(service: Service) -> None:
    found = await planned(service, minimum_effect=0.02, units_per_day=500, days=[10], **PLAIN)
    assert found["pilot"]["of"] == "units"
    assert found["pilot"]["rows"] == 2000
    assert [(each["method"], each["power"]) for each in found["sizes"]] == [
        ("fixed", 0.8),
        ("fixed", 0.95),
        ("sequence", 0.8),
        ("sequence", 0.95),
    ]
    units = [each["units"] for each in found["sizes"]]
    assert units[0] < units[1] < units[2] * 1.0 < units[3]
    # V of a model's log loss by users, from the plain formula of a mean of users' sums
    y, p = np.array(PLAIN["y_true"]), np.array(PLAIN["y_proba"])
    losses = -np.where(y == 1, np.log(p), np.log1p(-p))
    _, user = np.unique(np.array(PLAIN["unit"]), return_inverse=True)
    sums = np.bincount(user, losses - losses.mean()) / losses.size
    expected = 4 * 7.8489 * np.square(sums).sum() * user.max() / 0.02**2
    assert units[0] == pytest.approx(expected, rel=0.1)
    assert {each["days"] for each in found["detectable"]} == {10.0}


async def test_rows_of_two_arms_and_conversions_are_pilots(service: Service) -> None:
    both = await planned(service, minimum_effect=0.02, **ROWS)
    alone = await planned(service, minimum_effect=0.02, **PLAIN)
    assert first(both)["units"] == pytest.approx(first(alone)["units"], rel=0.25)
    rates = await planned(
        service, metric="base_rate", minimum_effect="5%", y_true=[1, 0, 0, 0] * 250
    )
    # 16 p(1 − p)/δ² in each arm is the rule of thumb, of 80 % power
    assert first(rates)["arms"]["control"] == pytest.approx(
        15.7 * 0.25 * 0.75 / 0.0125**2,
        rel=0.1,  # by 1,024 buckets of rows
    )


async def test_an_experiment_is_the_pilot_of_the_next(service: Service) -> None:
    for plan, rows in ((PAIRED, paired(n=2000)), (PARALLEL, split(paired(n=2000)))):
        await service.put(EXPERIMENT, **plan)
        await observe(service, **sent(rows, timestamp=hours(2000, 40)))
        design = plan["design"]
        found = await planned(
            service, experiment="ranker", design=design, minimum_effect=0.02, units_per_day=100
        )
        by_rows = await planned(
            service, design=design, minimum_effect=0.02, **_arms(design, sent(rows))
        )
        assert first(found)["units"] == pytest.approx(first(by_rows)["units"], rel=0.02)
        assert first(found)["days"] == pytest.approx(first(found)["units"] / 100)
        await service.client.delete(EXPERIMENT)


async def test_a_monitor_is_a_pilot(service: Service) -> None:
    await service.put(MONITOR)
    await service.post("observations", **{name: PLAIN[name] for name in ("y_true", "y_proba")})
    found = await planned(service, monitor="clicks", minimum_effect=0.02)
    rows = {name: PLAIN[name] for name in ("y_true", "y_proba")}
    assert found["pilot"]["of"] == "rows"
    assert found["pilot"]["units_per_day"] == 2000
    by_rows = await planned(service, minimum_effect=0.02, **rows)
    assert first(found)["units"] == pytest.approx(first(by_rows)["units"], rel=0.1)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({}, "/y_true"),
        ({"monitor": "clicks", "experiment": "ranker"}, "/y_true"),
        ({"y_true": [1, 0] * 20}, "/y_proba"),
        (PLAIN | {"design": "paired"}, "/y_proba"),
        (PLAIN | {"y_proba": [0.5]}, "/y_proba"),
        (PLAIN | {"days": [0]}, "/days/0"),
        (PLAIN | {"days": [7]}, "/units_per_day"),
        (PLAIN | {"minimum_effect": None}, "/minimum_effect"),
        (PLAIN | {"minimum_effect": "0%"}, "/minimum_effect"),
        (PLAIN | {"control": "c"}, "/control"),
        (PLAIN | {"y_proba": [2.0, *PLAIN["y_proba"][1:]]}, "/y_proba/0"),
    ],
)
async def test_what_cannot_be_planned_names_its_field(
    service: Service, fields: Document, place: str
) -> None:
    answer = await service.client.post(PLAN, json={"minimum_effect": 0.02} | fields)
    assert refused(answer, 422)[1] == place


async def test_a_pilot_that_is_not_there_or_says_too_little_is_refused(service: Service) -> None:
    for kind in ("experiment", "monitor"):
        answer = await service.client.post(PLAN, json={"minimum_effect": 0.02, kind: "none"})
        assert answer.status_code == 404
    few = {"minimum_effect": 0.02, "y_true": [1, 0], "y_proba": [0.5, 0.4]}
    answer = await service.client.post(PLAN, json=few)
    assert answer.status_code == 422
    assert "the pilot says too little" in answer.json()["detail"]
    await service.put(EXPERIMENT, **PAIRED)
    body = {"minimum_effect": 0.02, "experiment": "ranker"}
    assert refused(await service.client.post(PLAN, json=body), 422)[1] == "/design"
    assert (await report(service))["version"] == 0


def _arms(design: object, rows: Document) -> Document:
    """What rows say to a plan, whose arms are those of the rows."""
    return rows | ({"arms": ["a", "b"]} if design == "paired" else {})
