"""A class is added behind those of a monitor, and everything from before adds up."""

import pytest
from sklearn.metrics import log_loss

from tests.monitoring.service import MONITOR, NOON, Document, Service, done, refused

pytestmark = pytest.mark.anyio

THREE = ["a", "b", "c"]
FOUR = [*THREE, "d"]
OLD: Document = {"y_true": ["a", "c"], "y_proba": [[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]}
NEW: Document = {"y_true": ["d", "b"], "y_proba": [[0.1, 0.2, 0.3, 0.4], [0.1, 0.6, 0.2, 0.1]]}


def expected(*batches: Document) -> float:
    y = [FOUR.index(label) for batch in batches for label in batch["y_true"]]
    p = [[*row, 0.0][:4] for batch in batches for row in batch["y_proba"]]
    loss: float = log_loss(y, p, labels=range(4))
    return loss


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_rows_of_fewer_classes_add_to_those_of_more(service: Service, method: str) -> None:
    await service.put(task="multiclass", labels=THREE, slices=["country"])
    places = {"slice": {"country": ["DE", "FR"]}}
    await service.post("observations", **OLD, **places)
    await service.put(f"{MONITOR}/reference", **OLD)
    answer = await service.client.request(method, MONITOR, json={"labels": FOUR})
    assert done(answer)["labels"] == FOUR
    report = await service.report()
    assert report["n"] == 2
    assert report["metrics"]["log_loss"]["value"] == pytest.approx(expected(OLD), rel=1e-12)
    await service.post("observations", **NEW, **places)
    service.tidy()
    report = await service.report(by="country")
    assert report["metrics"]["log_loss"]["value"] == pytest.approx(expected(OLD, NEW), rel=1e-12)
    assert [group["n"] for group in report["groups"]] == [2, 2]
    drift = report["drift"]["label"]
    assert (drift["reason"], drift["kl"]) == ("positive_infinity", None)
    assert drift["js"] > 0
    assert (await service.client.get("/monitors/clicks")).status_code == 200


@pytest.mark.parametrize(
    "reference", [{"label_distribution": [0.5, 0.25, 0.25]}, {"from": NOON - 60, "to": NOON + 60}]
)
async def test_references_of_fewer_classes_stay(service: Service, reference: Document) -> None:
    await service.put(task="multiclass", labels=THREE)
    await service.post("observations", **OLD)
    await service.put(f"{MONITOR}/reference", **reference)
    await service.put(labels=FOUR)
    assert (await service.report())["drift"]["label"]["js"] is not None
    await service.post("observations", **NEW)
    assert (await service.report())["drift"]["label"]["js"] > 0


async def test_predictions_that_wait_are_of_the_classes_that_there_were(service: Service) -> None:
    await service.put(task="multiclass", labels=THREE)
    await service.post("predictions", id=["x", "y"], y_proba=OLD["y_proba"])
    await service.put(labels=FOUR)
    await service.post("labels", id=["x", "y"], y_true=["a", "d"])
    report = await service.report()
    batch = {"y_true": ["a", "d"], "y_proba": OLD["y_proba"]}
    assert report["metrics"]["log_loss"]["value"] == pytest.approx(expected(batch), rel=1e-12)
    again = await service.post("labels", id=["y"], y_true=["c"], on_duplicate="correct")
    assert again["corrected"] == 1
    report = await service.report()
    assert report["metrics"]["log_loss"]["value"] == pytest.approx(expected(OLD), rel=1e-12)


async def test_rows_of_the_old_classes_are_told_the_new_ones(service: Service) -> None:
    await service.put(task="multiclass", labels=THREE)
    await service.put(labels=FOUR)
    answer = await service.client.post(f"{MONITOR}/observations", json=OLD)
    assert refused(answer) == ("invalid-input", "/y_proba")
    assert "4 labels (a, b, c, d)" in answer.json()["detail"]


@pytest.mark.parametrize(
    "labels", [["a", "b"], ["b", "a", "c"], ["d", "a", "b", "c"], ["a", "b", "d"]]
)
async def test_classes_that_are_there_stay(service: Service, labels: list[str]) -> None:
    await service.put(task="multiclass", labels=THREE)
    await service.post("observations", **OLD)
    answer = await service.client.put(MONITOR, json={"labels": labels})
    assert refused(answer, 409) == ("conflict", "/labels")
    assert "2 rows" in answer.json()["detail"]
    changed = await service.client.put(f"{MONITOR}?forget=true", json={"labels": labels})
    assert done(changed)["forgotten"]["rows"] == 2
