"""What a monitor is compared with: a batch, a period of its past, or distributions."""

import math

import numpy as np
import pytest
from scipy import stats

from tests.monitoring.service import MONITOR, NOON, Document, Service, done, refused
from tests.payload.batch_bodies import bodies

pytestmark = pytest.mark.anyio

REFERENCE = f"{MONITOR}/reference"
NAMES = ("kl", "js", "psi", "g_statistic", "degrees_of_freedom", "p_value")
SAME = {"kl": 0.0, "js": 0.0, "psi": 0.0, "g_statistic": 0.0, "p_value": 1.0}


def rows(n: int, seed: int, shift: float = 0.0) -> Document:
    """Clicks of two countries; a shift moves scores, labels and shares."""
    random = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-(random.normal(size=n) - 1 + shift)))
    return {
        "y_true": (random.random(n) < p).astype(int).tolist(),
        "y_proba": p.tolist(),
        "slice": {"country": np.where(random.random(n) < 0.5 + shift / 4, "DE", "FR").tolist()},
    }


def significant(found: Document) -> bool:
    assert found.keys() >= set(NAMES)
    return bool(found["p_value"] < 1e-4)


async def test_a_shift_is_found_and_its_absence_too(service: Service) -> None:
    await service.put(slices=["country"])
    reference = await service.put(REFERENCE, **rows(4000, 1))
    assert reference == {
        "source": "batch",
        "n": 4000,
        "score_histogram": None,
        "label_distribution": None,
    }
    for seed, shift in ((2, 0.0), (3, 0.6)):
        service.clock.now += 3600
        await service.post("observations", **rows(3000, seed, shift))
        asked: Document = {"from": service.clock.now - 60, "by": "country"}
        report = await service.report(**asked)
        places = [report, *report["groups"]]
        drifts = [place["drift"][of] for place in places for of in ("score", "label")]
        drifts.append(report["drift"]["slices"]["country"])
        assert [significant(found) for found in drifts] == [shift > 0] * 7
        words = "A significant change" if shift else "No significant change"
        assert all(found["statement"].startswith(words) for found in drifts)


async def test_the_labels_drift_as_their_table_says(service: Service) -> None:
    await service.put()
    await service.put(REFERENCE, y_true=[1] * 25 + [0] * 75, y_proba=[0.5] * 100)
    await service.post("observations", y_true=[1, 0] * 50, y_proba=[0.5] * 100)
    found = (await service.report())["drift"]["label"]
    assert found["kl"] == pytest.approx(0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75))
    assert found["psi"] == pytest.approx(0.25 * math.log(2) - 0.25 * math.log(2 / 3))
    assert found["degrees_of_freedom"] == 1
    table = stats.chi2_contingency([[50, 50], [75, 25]], correction=False, lambda_=0)
    assert found["g_statistic"] == pytest.approx(table.statistic, rel=1e-9)
    assert found["p_value"] == pytest.approx(table.pvalue, rel=1e-9)


async def test_without_a_reference_there_is_no_drift_but_its_names(service: Service) -> None:
    await service.put(slices=["country"])
    await service.post("observations", **rows(10, 1))
    report = await service.report(by="country")
    for place in (report, *report["groups"]):
        for of in ("score", "label"):
            assert [place["drift"][of][name] for name in NAMES] == [None] * 6
            assert place["drift"][of]["reason"] == "no_reference"


async def test_a_batch_without_labels_tells_of_scores_and_slices_alone(service: Service) -> None:
    await service.put(slices=["country"])
    sent = rows(500, 1)
    y_true = sent.pop("y_true")
    assert (await service.put(REFERENCE, **sent))["n"] == 500
    await service.post("observations", y_true=y_true, **sent)
    drifts = (await service.report(by="country"))["drift"]
    assert drifts["score"].items() >= SAME.items()
    assert drifts["slices"]["country"].items() >= SAME.items()
    assert drifts["label"]["reason"] == "no_reference"


async def test_a_period_is_a_batch_of_what_came_then(service: Service) -> None:
    await service.put(slices=["country"])
    past, now = rows(300, 1), rows(200, 2, 0.5)
    await service.post("observations", **past, timestamp=[NOON - 7200] * 300)
    await service.post("observations", **now, timestamp=[NOON] * 200)
    asked: Document = {"from": NOON, "by": "country"}
    drifts = []
    for reference in (past, {"from": NOON - 7200, "to": "2026-03-05T10:01:00Z"}):
        assert (await service.put(REFERENCE, **reference))["n"] == 300
        report = await service.report(**asked)
        drifts.append([report["drift"], [group["drift"] for group in report["groups"]]])
    assert drifts[0] == drifts[1]
    assert (await service.get())["reference"]["source"] == "period"


async def test_a_period_of_predictions_is_compared_with_predictions(service: Service) -> None:
    await service.put()
    ids = [f"{number}" for number in range(100)]
    sent = {"y_proba": rows(100, 1)["y_proba"], "timestamp": [NOON - 7200] * 100}
    await service.post("predictions", id=ids, **sent)
    await service.post("labels", id=ids[:50], y_true=[1] * 50)
    found = await service.put(REFERENCE, **{"from": NOON - 7200, "to": NOON - 7140})
    assert found["n"] == 100
    report = await service.report(**{"from": NOON - 7200, "to": NOON - 7140})
    assert report["drift"]["score"].items() >= SAME.items()
    assert report["drift"]["label"].items() >= SAME.items()


async def test_a_period_in_which_nothing_came_is_refused(service: Service) -> None:
    await service.put()
    sent = {"from": NOON - 60, "to": NOON}
    assert refused(await service.client.put(REFERENCE, json=sent))[1] == "/from"
    assert (await service.get())["reference"] is None


async def test_distributions_may_be_given_outright(service: Service) -> None:
    await service.put()
    sent = {"score_histogram": [3, 1], "label_distribution": [1, 3]}
    found = await service.put(REFERENCE, **sent)
    assert (found["source"], found["n"]) == ("explicit", None)
    assert (found["score_histogram"], found["label_distribution"]) == ([3, 1], [1, 3])
    # 0.5 is in the lower of two bins (low, high]
    await service.post("observations", y_true=[1, 1, 1, 0], y_proba=[0.1, 0.5, 0.2, 0.9])
    drifts = (await service.report())["drift"]
    for of in ("score", "label"):
        assert drifts[of].items() >= (SAME | {"degrees_of_freedom": 1}).items()


async def test_given_label_shares_are_in_the_order_of_the_labels(service: Service) -> None:
    await service.put(labels=["click", "no"], pos_label="click")
    await service.put(REFERENCE, label_distribution=[1, 3])
    await service.post("observations", y_true=["no", "click", "no", "no"], y_proba=[0.5] * 4)
    drift = (await service.report())["drift"]["label"]
    assert drift.items() >= (SAME | {"degrees_of_freedom": 1}).items()


async def test_a_given_distribution_that_rules_out_what_occurs(service: Service) -> None:
    await service.put()
    await service.put(REFERENCE, label_distribution=[1, 0])
    await service.post("observations", y_true=[1, 0], y_proba=[0.5, 0.5])
    drifts = (await service.report())["drift"]
    assert drifts["score"]["reason"] == "no_reference"
    label = drifts["label"]
    assert (label["kl"], label["reason"], label["p_value"]) == (None, "positive_infinity", 0.0)
    assert label["js"] < math.log(2)
    assert label["psi"] > 0


async def test_a_constant_reference_is_compared_with_what_is_below_and_above(
    service: Service,
) -> None:
    await service.put()
    await service.put(REFERENCE, y_proba=[0.3] * 50)
    await service.post("observations", y_true=[1] * 50, y_proba=[0.3] * 50)
    assert (await service.report())["drift"]["score"].items() >= SAME.items()
    await service.post("observations", y_true=[1] * 50, y_proba=[0.2] * 25 + [0.9] * 25)
    found = (await service.report())["drift"]["score"]
    assert (found["degrees_of_freedom"], found["kl"]) == (2, None)
    assert significant(found)


async def test_scores_are_compared_in_tenths_of_the_reference(service: Service) -> None:
    await service.put()
    await service.put(
        REFERENCE, y_proba=[0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95]
    )
    await service.post("observations", y_true=[0, 1] * 100, y_proba=[0.05, 0.95] * 100)
    found = (await service.report())["drift"]["score"]
    assert (found["degrees_of_freedom"], found["kl"]) == (9, pytest.approx(math.log(5)))


async def test_a_multiclass_monitor_drifts_in_its_labels_and_top_scores(service: Service) -> None:
    await service.put(task="multiclass", labels=["a", "b", "c"])
    await service.put(REFERENCE, label_distribution=[2, 1, 1])
    proba = [[0.5, 0.25, 0.25]] * 4
    await service.post("observations", y_true=["a", "a", "b", "c"], y_proba=proba)
    label = (await service.report())["drift"]["label"]
    assert label.items() >= (SAME | {"degrees_of_freedom": 2}).items()
    await service.put(REFERENCE, y_true=["a"] * 4, y_proba=proba)
    drifts = (await service.report())["drift"]
    assert drifts["score"].items() >= SAME.items()
    assert (drifts["label"]["kl"], drifts["label"]["reason"]) == (None, "positive_infinity")


async def test_every_type_of_body_sets_the_same_reference(service: Service) -> None:
    sent, found = rows(50, 1), []
    await service.put(slices=["country"])
    await service.post("observations", **rows(40, 2))
    for media_type, body in bodies(sent):
        headers = {"content-type": media_type}
        done(await service.client.put(REFERENCE, content=body, headers=headers))
        found.append((await service.report(by="country"))["drift"])
    assert all(each == found[0] for each in found)


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ({}, "/y_proba"),
        ({"y_true": [1]}, "/y_proba"),
        ({"from": NOON}, "/to"),
        ({"from": NOON, "to": NOON - 60}, "/to"),
        ({"from": "noon", "to": NOON}, "/from"),
        ({"from": NOON - 60, "to": NOON, "y_proba": [0.5]}, "/from"),
        ({"score_histogram": [0, 0]}, "/score_histogram"),
        ({"score_histogram": [1, -1]}, "/score_histogram/1"),
        ({"score_histogram": [1] * 7}, "/score_histogram"),
        ({"label_distribution": [1, 2, 3]}, "/label_distribution"),
        ({"label_distribution": []}, "/label_distribution"),
        ({"y_proba": [0.5, 2]}, "/y_proba/1"),
        ({"y_proba": [[0.5, 0.5]]}, "/y_proba"),
        ({"y_proba": [0.5], "y_true": [2]}, "/y_true"),
        ({"y_proba": [0.5], "slice": {"city": ["B"]}}, "/slice/city"),
        ({"y_proba": [0.5], "timestamp": [1]}, "/timestamp"),
    ],
)
async def test_what_cannot_be_a_reference_is_named(
    service: Service, sent: Document, place: str
) -> None:
    await service.put()
    kind, found = refused(await service.client.put(REFERENCE, json=sent))
    assert (kind, found[: len(place)]) == ("invalid-input", place)
    assert (await service.get())["reference"] is None
