"""Arms are compared in one call as by an experiment, whatever type of body brings the rows."""

import json
import math
from typing import Any

import pyarrow as pa
import pytest
from httpx import AsyncClient

from kullback.payload.media import ARROW, JSON, PARQUET
from tests.api.asking import Score, refuse, refused, score
from tests.experiments.arms import paired, split
from tests.experiments.service import EXPERIMENT, TWO, TWO_APART, findings, observe, report, sent
from tests.monitoring.service import Document, Service
from tests.payload.batch_bodies import dotted, rows_of
from tests.payload.bodies import as_arrow, as_parquet, typed

pytestmark = pytest.mark.anyio

COMPARISON = (
    *("arm", "control", "effect", "relative_effect", "standard_error", "degrees_of_freedom"),
    *("fixed_interval", "fixed_p_value", "sequence", "e_value", "p_value", "verdict", "reason"),
    "why",
)
ARM = ("arm", "units", "n", "weight", "metrics")
RATIO = ("e_value", "p_value", "alarm", "units", "expected")
THREE: Document = TWO_APART | {
    "y_true": [1, 0, 1],
    "y_proba": [0.5, 0.25, 0.5],
    "arm": ["b", "a", "c"],
    "unit": [1, 2, 3],
}


async def by_table(client: AsyncClient, body: bytes, kind: str, **options: str) -> Score:
    """The answer to columns, with what is no column in the query."""
    url = "/v1/scores/compare"
    answer = await client.post(url, content=body, params=options, headers=typed(kind))
    assert answer.status_code == 200, answer.text
    found: Score = json.loads(answer.content, parse_constant=refuse)
    return found


def of(found: Score) -> dict[str, Any]:
    """The comparison of the first treatment."""
    one: dict[str, Any] = found["details"]["comparisons"][0]
    return one


async def test_the_effect_is_that_of_the_treatment_minus_the_control(client: AsyncClient) -> None:
    found = await score(client, "compare", **TWO)
    assert found["value"] == pytest.approx(math.log(2 / 3), rel=1e-14)
    assert (found["n"], found["weight"], found["unit"]) == (2, 2.0, "nats")
    assert of(found).keys() >= set(COMPARISON)
    assert found["details"]["sample_ratio"].keys() >= set(RATIO)
    assert all(arm.keys() >= set(ARM) for arm in found["details"]["arms"])
    assert (found["value"], found["standard_error"]) == (
        of(found)["effect"],
        of(found)["standard_error"],
    )


@pytest.mark.parametrize("base", ["e", "2", "10"])
async def test_the_base_is_of_the_score_and_never_of_the_report(
    client: AsyncClient, base: str
) -> None:
    rows = sent(paired(n=400))
    nats = await score(client, "compare", **rows, per_row=True)
    found = await score(client, "compare", **rows, base=base, per_row=True)
    unit = 1.0 if base == "e" else math.log(float(base))
    assert found["value"] == pytest.approx(nats["value"] / unit, rel=1e-15)
    assert found["standard_error"] == pytest.approx(nats["standard_error"] / unit, rel=1e-15)
    assert found["per_row"] == pytest.approx([each / unit for each in nats["per_row"]], rel=1e-14)
    assert found["details"] == nats["details"]


async def test_rows_of_paired_arms_are_differences_and_of_parallel_ones_losses(
    client: AsyncClient,
) -> None:
    found = await score(client, "compare", **TWO, per_row=True)
    assert found["per_row"] == pytest.approx([math.log(2 / 3)] * 2)
    assert (await score(client, "compare", **TWO))["per_row"] is None
    found = await score(client, "compare", **TWO_APART, per_row=True)
    assert found["per_row"] == pytest.approx([math.log(2), -math.log(0.75)])
    assert found["value"] == pytest.approx(-math.log(0.75) - math.log(2))


@pytest.mark.parametrize("metric", ["normalized_entropy", "brier"])
async def test_other_metrics_have_no_unit_and_no_base(client: AsyncClient, metric: str) -> None:
    rows = sent(paired(n=400))
    one = await score(client, "compare", **rows, metric=metric)
    other = await score(client, "compare", **rows, metric=metric, base="2")
    assert one["unit"] == other["unit"] == "dimensionless"
    assert one["value"] == other["value"]
    arms = {arm["arm"]: arm["metrics"][metric]["value"] for arm in one["details"]["arms"]}
    assert one["value"] == pytest.approx(arms["b"] - arms["a"], rel=1e-9)


@pytest.mark.parametrize("lost", ["a", "b"])
async def test_a_loss_that_is_infinite_makes_the_effect_infinite(
    client: AsyncClient, lost: str
) -> None:
    p = {"a": [0.5, 0.5], "b": [0.75, 0.25]} | {lost: [0.0, 0.5]}
    exact = {"y_true": [1, 0], "y_proba": p, "convention": "exact", "per_row": True}
    found = await score(client, "compare", **exact)
    sign = "positive_infinity" if lost == "b" else "negative_infinity"
    assert (found["status"], found["reason"]) == ("infinite", sign)
    assert (found["diagnostics"]["infinite"], found["diagnostics"]["infinite_rows"]) == (1, [0])
    assert found["per_row"][0] is None
    assert of(found)["verdict"] == "invalid"
    clipped = await score(client, "compare", **(exact | {"convention": "sklearn"}))
    assert (clipped["status"], clipped["diagnostics"]["clipped"]) == ("finite", 1)


async def test_two_losses_that_are_infinite_have_no_difference(client: AsyncClient) -> None:
    p = {"a": [0.0, 0.5], "b": [0.0, 0.5]}
    found = await score(client, "compare", y_true=[1, 0], y_proba=p, convention="exact")
    assert (found["status"], found["reason"]) == ("undefined", "infinite")


async def test_one_class_leaves_normalized_entropy_undefined(client: AsyncClient) -> None:
    sent = TWO | {"y_true": [0, 0], "metric": "normalized_entropy"}
    found = await score(client, "compare", **sent)
    assert (found["status"], found["reason"]) == ("undefined", "one_class")
    assert (of(found)["verdict"], of(found)["reason_code"]) == ("invalid", "one_class")


async def test_without_a_minimum_effect_nothing_is_decided(client: AsyncClient) -> None:
    rows = sent(paired(noise=3.0))
    found = of(await score(client, "compare", **rows))
    missing = ("sequence", "e_value", "p_value", "log_e_value", "information")
    assert [found[name] for name in missing] == [None] * 5
    assert (found["verdict"], found["reason_code"]) == ("undecided", "no_minimum_effect")
    assert found["fixed_p_value"] < 1e-6
    found = of(await score(client, "compare", **rows, minimum_effect=0.02))
    assert None not in [found[name] for name in missing]
    assert found["verdict"] == "worse"


@pytest.mark.parametrize("options", [{}, {"minimum_effect": 0.01, "control": "b"}])
async def test_every_type_of_body_gets_the_same_bytes(
    client: AsyncClient, options: Document
) -> None:
    for rows in (sent(paired(n=300)), sent(split(paired(n=300)))):
        answer = await client.post("/v1/scores/compare", json=rows | options)
        query = {name: str(value) for name, value in options.items()}
        for table in (dotted(rows), pa.Table.from_pylist(rows_of(rows))):
            for body, kind in ((as_arrow(table), ARROW), (as_parquet(table), PARQUET)):
                found = await client.post(
                    "/v1/scores/compare", content=body, params=query, headers=typed(kind)
                )
                assert found.content == answer.content


PLANS: list[Document] = [
    {"minimum_effect": 0.02},
    {"metric": "normalized_entropy", "alpha": 0.1, "minimum_effect": 0.01, "minimum_units": 10},
    {"metric": "brier", "convention": "exact"},
]


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("design", ["paired", "parallel"])
async def test_an_experiment_of_the_same_rows_reports_the_same_to_the_bit(
    service: Service, plan: Document, design: str
) -> None:
    drawn = paired(noise=2.0, n=1500)
    country = ["DE" if at % 3 else "FR" for at in range(1500)]
    rows = sent(drawn if design == "paired" else split(drawn), slice={"country": country})
    arms = {"a": 0.5, "b": 0.5}
    settings = plan | {"arms": arms, "design": design, "slices": ["country"]}
    await service.put(EXPERIMENT, **settings)
    await observe(service, **rows)
    answer = await service.client.post("/v1/scores/compare", json=rows | plan | {"arms": arms})
    details = {name: each for name, each in answer.json()["details"].items() if name != "reasons"}
    assert findings(await report(service)) == details
    assert len(details["groups"]) == 2


async def test_the_control_is_the_first_arm_that_is_sent(client: AsyncClient) -> None:
    assert (await score(client, "compare", **THREE))["details"]["control"] == "b"
    turned = TWO | {"y_proba": {"b": [0.75, 0.25], "a": [0.5, 0.5]}}
    assert (await score(client, "compare", **turned))["value"] == pytest.approx(math.log(1.5))
    found = await score(client, "compare", **THREE, control="c")
    assert [one["arm"] for one in found["details"]["comparisons"]] == ["b", "a"]
    assert {one["control"] for one in found["details"]["comparisons"]} == {"c"}


async def test_arms_may_be_planned_with_shares_and_without_rows(client: AsyncClient) -> None:
    arms = {"c": 0.25, "b": 0.25, "a": 0.25, "d": 0.25}
    found = (await score(client, "compare", **THREE, arms=arms))["details"]
    assert [(arm["arm"], arm["share"], arm["n"]) for arm in found["arms"]] == [
        *(("c", 0.25, 1), ("b", 0.25, 1), ("a", 0.25, 1), ("d", 0.25, 0)),
    ]
    assert found["control"] == "c"


@pytest.mark.parametrize("arms", ['["1","2"]', '{"1":0.5,"2":0.5}', None])
async def test_arms_named_by_numbers_are_controls_in_a_query_too(
    client: AsyncClient, arms: str | None
) -> None:
    rows = TWO | {"y_proba": {"1": [0.5, 0.5], "2": [0.75, 0.25]}}
    planned = {} if arms is None else {"arms": arms}
    for table in (dotted(rows), pa.Table.from_pylist(rows_of(rows))):
        for control, effect in (("1", math.log(2 / 3)), ("2", math.log(1.5))):
            found = await by_table(client, as_arrow(table), ARROW, control=control, **planned)
            assert found["value"] == pytest.approx(effect)
    apart = TWO_APART | {"arm": [1, 2]}
    found = await by_table(client, as_arrow(pa.table(apart)), ARROW, control="2", **planned)
    assert found["details"]["control"] == "2"


NAMES = ("__proto__", "a.b", "a/b", "~", "é" * 64, '"', "<b>", "y_true", " ", "null")


@pytest.mark.parametrize("name", NAMES)
async def test_arms_may_be_named_by_anything_that_can_be_read(
    client: AsyncClient, name: str
) -> None:
    rows = TWO | {"y_proba": {"x": [0.5, 0.5], name: [0.75, 0.25]}}
    found = await score(client, "compare", **rows)
    assert of(found)["arm"] == name
    apart = await score(client, "compare", **(TWO_APART | {"arm": ["x", name]}), control=name)
    assert of(apart)["control"] == name


def many(count: int) -> dict[str, list[float]]:
    return {f"arm{number}": [0.5, 0.5] for number in range(count)}


REFUSED: list[tuple[Document, str]] = [
    (TWO | {"reduction": "sum"}, "/reduction"),
    (TWO | {"y_proba": many(21)}, "/y_proba"),
    (TWO | {"y_proba": many(1)}, "/y_proba"),
    (TWO | {"y_proba": {}}, "/y_proba"),
    (TWO | {"y_proba": {"a": [0.5], "b": [0.5, 0.5]}}, "/y_proba/a"),
    (TWO | {"y_proba": {"a": [0.5, 1.5], "b": [0.5, 0.5]}}, "/y_proba/a/1"),
    (TWO | {"y_proba": {"a": [0.5, 0.5], "b": [[0.5], [0.5]]}}, "/y_proba/b"),
    (TWO | {"y_proba": {"a": [0.5, 0.5], "\n": [0.5, 0.5]}}, "/y_proba/\n"),
    (TWO | {"y_proba": {"a": [0.5, 0.5], "x" * 65: [0.5, 0.5]}}, "/y_proba/" + "x" * 65),
    (TWO | {"y_proba": {"a": [0.5, 0.5], "b": ["0.5", 0.5]}}, "/y_proba/b/0"),
    (TWO | {"y_proba": [0.5, 0.5]}, "/arm"),
    (TWO | {"arm": ["a", "b"]}, "/arm"),
    (TWO | {"metric": "base_rate"}, "/metric"),
    (TWO | {"metric": "auc"}, "/metric"),
    (TWO | {"control": "c"}, "/control"),
    (TWO | {"arms": ["a", "c"]}, "/y_proba/b"),
    (TWO | {"arms": ["a", "b", "c"]}, "/y_proba/c"),
    (TWO | {"arms": ["a"]}, "/arms"),
    (TWO | {"arms": ["a", "a"]}, "/arms/1"),
    (TWO | {"arms": {"a": 0.5, "b": 0.4}}, "/arms"),
    (TWO | {"arms": "a"}, "/arms"),
    (TWO | {"alpha": 0}, "/alpha"),
    (TWO | {"alpha": 0.6}, "/alpha"),
    (TWO | {"minimum_effect": 0}, "/minimum_effect"),
    (TWO | {"minimum_units": 1}, "/minimum_units"),
    (TWO | {"unit": ["ann"]}, "/unit"),
    (TWO | {"y_true": [1, 2]}, "/y_true/1"),
    (TWO | {"sample_weight": [1, -1]}, "/sample_weight/1"),
    (TWO | {"slice": {"country": ["DE"]}}, "/slice/country"),
    (TWO | {"propensity": [0.5, 0.5]}, "/target_propensity"),
    (TWO | {"propensity": [0.5, 0.0], "target_propensity": [0.5, 0.5]}, "/propensity/1"),
    (TWO | {"timestamp": [1, 2]}, "/timestamp"),
    (TWO | {"gradient": True}, "/gradient"),
    (TWO_APART | {"arm": ["a"]}, "/arm"),
    (TWO_APART | {"arm": ["a", "a"]}, "/arm"),
    (TWO_APART | {"arm": ["a", ""]}, "/arm/1"),
    (TWO_APART | {"arms": ["a", "c"]}, "/arm/1"),
    (TWO_APART | {"y_proba": [0.5]}, "/y_proba"),
    (TWO_APART | {"y_proba": [0.5, -0.5]}, "/y_proba/1"),
    ({"y_true": [1, 0]}, "/y_proba"),
]


@pytest.mark.parametrize(("fields", "place"), REFUSED)
async def test_what_cannot_be_compared_is_refused_by_its_place(
    client: AsyncClient, fields: Document, place: str
) -> None:
    assert await refused(client, "compare", **fields) == place


async def test_the_arms_of_more_than_twenty_rows_are_too_many(client: AsyncClient) -> None:
    rows = {"y_true": [1] * 21, "y_proba": [0.5] * 21, "arm": list(range(21))}
    assert await refused(client, "compare", **rows) == "/arm"
    answer = await client.post("/v1/scores/compare", json=rows, headers=typed(JSON))
    assert "21 arms" in answer.json()["detail"]


async def test_rows_of_other_arms_are_left_out_and_counted(client: AsyncClient) -> None:
    rows = sent(split(paired(n=600)))
    plan = {"arms": ["a", "b"], "minimum_effect": 0.02}
    arm = ["holdout", *rows["arm"][1:]]
    answer = await client.post("/v1/scores/compare", json=rows | plan | {"arm": arm})
    assert answer.status_code == 422
    ignored = await client.post(
        "/v1/scores/compare", json=rows | plan | {"arm": arm, "other_arms": "ignore"}
    )
    rest = {name: column[1:] for name, column in rows.items()}
    found, alone = (
        ignored.json(),
        (await client.post("/v1/scores/compare", json=rest | plan)).json(),
    )
    assert (found["n"], found["diagnostics"]["dropped"]) == (599, 1)
    assert found["details"] == alone["details"]
