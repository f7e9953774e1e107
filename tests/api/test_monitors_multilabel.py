"""Monitors of rows that may have any number of labels."""

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kullback.payload.media import ARROW, PARQUET
from tests.monitoring.service import MONITOR, NOON, Document, Service, done, refused

pytestmark = [pytest.mark.anyio, pytest.mark.untraced]

LABELS = ["spam", "toxic", "off-topic"]
SETTINGS: Document = {"task": "multilabel", "labels": LABELS, "slices": ["country"]}
P = [[0.9, 0.2, 0.4], [0.1, 0.1, 0.2], [0.7, 0.8, 0.6], [0.3, 0.2, 0.9]]
Y = [[1, 0, 1], [0, 0, 0], [1, 1, 0], [0, 1, 1]]
ROWS: Document = {
    "y_proba": P,
    "sample_weight": [1.0, 0.25, 3.0, 1.0],
    "timestamp": [NOON, NOON - 60, NOON - 7200, NOON],
    "slice": {"country": ["DE", "FR", "DE", "DE"]},
}
IDS: Document = {"id": ["a", "b", "c", "d"]}


async def seen(service: Service, path: str = MONITOR) -> list[Any]:
    report = await service.report(path, by="country")
    names = ("n", "weight", "metrics", "labels", "groups", "reliability", "decomposition")
    return [report[name] for name in names]


async def as_if_at_once(service: Service, y_true: list[list[int]]) -> list[Any]:
    path = "/v1/monitors/whole"
    await service.put(path, **SETTINGS)
    await service.post("observations", path, y_true=y_true, **ROWS)
    return await seen(service, path)


async def test_a_report_has_a_row_for_each_label(service: Service) -> None:
    await service.put(**SETTINGS)
    await service.post("observations", y_true=Y, **ROWS)
    report = await service.report()
    w = ROWS["sample_weight"]
    rates = np.average(Y, axis=0, weights=w)
    assert [each["label"] for each in report["labels"]] == LABELS
    assert [each["base_rate"] for each in report["labels"]] == pytest.approx(rates.tolist())
    assert report["metrics"]["base_rate"]["value"] == pytest.approx(rates.mean())
    assert report["metrics"]["log_loss"]["standard_error"] > 0
    entropy = report["metrics"]["normalized_entropy"]
    assert entropy["value"] > 0
    assert entropy["standard_error"] is None
    body = {"task": "multilabel", "y_true": Y, "y_proba": P, "sample_weight": w}
    score = done(await service.client.post("/v1/scores/log-loss", json=body))
    assert report["metrics"]["log_loss"]["value"] == pytest.approx(score["value"], rel=1e-13)
    service.tidy()
    assert (await service.report())["labels"] == report["labels"]


@pytest.mark.parametrize("way", ["predictions", "labels first", "observations"])
async def test_a_corrected_row_is_to_the_bit_as_if_it_had_come_so(
    service: Service, way: str
) -> None:
    await service.put(**SETTINGS)
    wrong = [[0, 0, 1], *Y[1:]]
    if way == "observations":
        await service.post("observations", **ROWS, **IDS, y_true=wrong)
    elif way == "predictions":
        await service.post("predictions", **ROWS, **IDS)
        await service.post("labels", **IDS, y_true=wrong)
    else:
        await service.post("labels", **IDS, y_true=wrong)
        await service.post("predictions", **ROWS, **IDS)
    again = await service.post("labels", id=["a"], y_true=[Y[0]])
    assert again["duplicates"] == 1
    answer = await service.post("labels", **IDS, y_true=Y, on_duplicate="correct")
    assert (answer["corrected"], answer["duplicates"]) == (1, 3)
    assert await seen(service) == await as_if_at_once(service, Y)


async def test_formats_are_read_alike(service: Service) -> None:
    flags = [[bool(came) for came in row] for row in Y]
    table = pa.table({"y_true": pa.array(flags), "y_proba": pa.array(P)})
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    parquet = io.BytesIO()
    pd.DataFrame({"y_true": Y, "y_proba": P}).to_parquet(parquet)
    lines = "\n".join(json.dumps({"y_true": y, "y_proba": p}) for y, p in zip(Y, P, strict=True))
    bodies = {
        "json": ("application/json", json.dumps({"y_true": flags, "y_proba": P}).encode()),
        "lines": ("application/x-ndjson", lines.encode()),
        "arrow": (ARROW, stream.getvalue()),
        "parquet": (PARQUET, parquet.getvalue()),
    }
    reports = []
    for name, (media_type, content) in bodies.items():
        path = f"/v1/monitors/{name}"
        await service.put(path, **SETTINGS)
        headers = {"content-type": media_type}
        done(await service.client.post(f"{path}/observations", content=content, headers=headers))
        reports.append(await seen(service, path))
    assert reports[0][0] == len(Y)
    assert reports[1:] == reports[:1] * 3


@pytest.mark.parametrize(
    ("rows", "place", "words"),
    [
        ({"y_true": [1, 0, 1, 1], "y_proba": P}, "/y_true", "[n][3], 0 or 1 per label and row"),
        ({"y_true": ["spam"] * 4, "y_proba": P}, "/y_true", "the monitor has 3 labels (spam, "),
        ({"y_true": [row[:2] for row in Y], "y_proba": P}, "/y_true", "[n][3]"),
        ({"y_true": [[1, 0, 2], *Y[1:]], "y_proba": P}, "/y_true/0/2", "not 0, 1, or a share"),
        ({"y_true": Y, "y_proba": [0.5] * 4}, "/y_proba", "one probability per label and row"),
        ({"y_true": Y, "y_proba": [[0.5, 0.5, 1.5], *P[1:]]}, "/y_proba/0/2", "not in [0, 1]"),
    ],
)
async def test_rows_of_another_kind_are_refused(
    service: Service, rows: Document, place: str, words: str
) -> None:
    await service.put(**SETTINGS)
    answer = await service.client.post(f"{MONITOR}/observations", json=rows)
    assert refused(answer)[1] == place
    assert words in answer.json()["errors"][0]["detail"]


async def test_bad_rows_are_dropped_and_the_rest_kept(service: Service) -> None:
    await service.put(**SETTINGS)
    rows = {"y_true": [Y[0], [0, 5, 0], Y[2], Y[3]], "y_proba": [*P[:3], [0.1, 2.0, 0.3]]}
    answer = await service.post("observations", **rows, on_invalid="drop")
    assert (answer["accepted"], answer["rejected"]) == (2, 2)
    assert [each["pointer"] for each in answer["rejections"]] == ["/y_true/1/1", "/y_proba/3/1"]
    assert (await service.report())["n"] == 2


@pytest.mark.parametrize(
    ("chosen", "place"),
    [
        ({"labels": None}, "/labels"),
        ({"pos_label": "spam"}, "/pos_label"),
        ({"default_label": "spam", "label_window": 60}, "/default_label"),
        ({"labels": ["spam"]}, "/labels"),
        ({"task": "regression"}, "/task"),
    ],
)
async def test_settings_that_it_has_not_are_refused(
    service: Service, chosen: Document, place: str
) -> None:
    answer = await service.client.put(MONITOR, json=SETTINGS | chosen)
    assert refused(answer)[1] == place


async def test_its_labels_stay_once_rows_have_come(service: Service) -> None:
    await service.put(**SETTINGS)
    await service.post("observations", y_true=Y, **ROWS)
    answer = await service.client.patch(MONITOR, json={"labels": [*LABELS, "other"]})
    assert answer.status_code in {409, 422}
    assert "labels" in answer.text


async def test_drift_of_labels_is_of_how_often_each_came(service: Service) -> None:
    await service.put(**SETTINGS)
    await service.put(f"{MONITOR}/reference", y_true=Y * 500, y_proba=P * 500)
    await service.post("observations", y_true=Y * 500, y_proba=P * 500)
    drift = (await service.report())["drift"]
    assert (drift["label"]["psi"], drift["score"]["psi"]) == (0.0, 0.0)
    await service.post("observations", y_true=[[1, 0, 0]] * 2000, y_proba=[[0.9, 0.1, 0.1]] * 2000)
    drift = (await service.report())["drift"]
    came = np.array([500 * np.sum(Y, axis=0) + [2000, 0, 0], np.sum(Y, axis=0)])
    now, then = came / came.sum(axis=1, keepdims=True)
    assert drift["label"]["kl"] == pytest.approx(np.sum(now * np.log(now / then)))
    assert drift["label"]["p_value"] < 1e-6
    assert drift["score"]["p_value"] < 1e-6
    await service.put(f"{MONITOR}/reference", label_distribution=[1, 1, 2])
    assert (await service.report())["drift"]["label"]["psi"] > 0


async def test_its_page_and_its_metrics_are_served(service: Service) -> None:
    await service.put(**SETTINGS)
    await service.post("observations", y_true=Y, **ROWS)
    page = await service.client.get("/monitors/clicks?by=country")
    assert page.status_code == 200
    assert "Labels that came" in page.text
    metrics = await service.client.get("/metrics")
    assert 'kullback_monitor_info{monitor="clicks",task="multilabel"}' in metrics.text
    for what in ("report", "series?step=3600&metric=normalized_entropy,auc"):
        table = await service.client.get(f"{MONITOR}/{what}", headers={"accept": "text/csv"})
        assert table.status_code == 200, table.text
