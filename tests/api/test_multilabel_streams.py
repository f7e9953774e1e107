"""Streams of multilabel rows: labels that come later, in every body, on both stores."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from kullback.numerics.types import Array
from kullback.payload.media import ARROW, JSON, LINES, PARQUET
from kullback.settings import Settings
from tests.monitoring.service import MONITOR, NOON, Document, Service, done, refused, running
from tests.payload.batch_bodies import bodies
from tests.payload.bodies import as_arrow, as_parquet, typed

pytestmark = [pytest.mark.anyio, pytest.mark.untraced]

HOUR = 3600
LABELS = ["spam", "toxic", "off-topic", "ad"]
SETTINGS: Document = {
    "task": "multilabel",
    "labels": LABELS,
    "slices": ["country", "device", "country×device"],
}
ONE: Document = {"y_true": [[1, 0, 0, 1]], "y_proba": [[0.5, 0.1, 0.2, 0.9]]}


@pytest.fixture(params=["sqlite", "postgresql"])
async def stored(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[Service]:
    """A service on each kind of store."""
    if request.param == "sqlite":
        async with running(settings.database_url) as service:
            yield service
        return
    server = request.getfixturevalue("postgresql")
    with server.database() as name:
        async with running(server.url(name)) as service:
            yield service


def drawn(n: int, seed: int = 3) -> Document:
    """Rows of which each has any number of labels, as they were predicted to have."""
    random = np.random.default_rng(seed)
    p = random.beta(0.7, 2.5, (n, len(LABELS))).round(6)
    return {
        "id": [f"row {number}" for number in range(n)],
        "y_true": (random.random(p.shape) < p).astype(int).tolist(),
        "y_proba": p.tolist(),
        "sample_weight": random.choice([0.5, 1.0, 4.0], n).tolist(),
        "timestamp": (NOON - random.integers(0, 2 * HOUR, n)).tolist(),
        "unit": random.integers(0, 40, n).tolist(),
        "slice": {
            "country": random.choice(["DE", "FR", "US"], n).tolist(),
            "device": random.choice(["mobile", "desktop"], n).tolist(),
        },
    }


def without(rows: Document, *names: str) -> Document:
    return {name: values for name, values in rows.items() if name not in names}


async def seen(service: Service, path: str = MONITOR) -> list[Any]:
    """What can be read of labelled rows."""
    report = await service.report(path, by="country,country×device")
    kept = without(report, "monitor", "predictions", "labelled_share", "mature_until", "drift")
    points = [await service.points(path, metric=metric) for metric in ("log_loss", "auc")]
    return [kept, *points]


async def test_labels_that_come_later_make_the_sums_of_rows_that_came_whole(
    stored: Service,
) -> None:
    rows = drawn(60)
    for name in ("whole", "joined"):
        await stored.put(f"/v1/monitors/{name}", **SETTINGS)
    await stored.post("observations", "/v1/monitors/whole", **without(rows, "id"))
    turned = {name: list(reversed(rows[name])) for name in ("id", "y_true")}
    wrong = turned | {"y_true": [[1 - came for came in row] for row in turned["y_true"]]}
    early = {name: values[:20] for name, values in turned.items()}
    late = {name: values[20:] for name, values in wrong.items()}
    joined = "/v1/monitors/joined"
    assert (await stored.post("labels", joined, **early))["pending"] == 20
    assert (await stored.post("predictions", joined, **without(rows, "y_true")))["matched"] == 20
    assert (await stored.post("labels", joined, **late))["matched"] == 40
    assert await seen(stored, joined) != await seen(stored, "/v1/monitors/whole")
    stored.tidy()
    again = await stored.post("labels", joined, **turned, on_duplicate="correct")
    assert (again["corrected"], again["duplicates"]) == (40, 20)
    assert await seen(stored, joined) == await seen(stored, "/v1/monitors/whole")
    once = await stored.post("observations", joined, **rows)
    assert (once["accepted"], once["duplicates"]) == (0, 60)
    counts = (await stored.get(joined))["counts"]
    assert counts.items() >= {"predictions": 60, "labels": 60, "matched": 60}.items()
    assert counts["pending"] == {"predictions": 0, "labels": 0}


async def test_the_lag_of_its_labels_is_learned_and_young_time_is_not_mature(
    stored: Service,
) -> None:
    await stored.put(**SETTINGS)
    rows = drawn(400)
    start = stored.clock.now
    for at in range(4):
        part = {name: rows[name][100 * at : 100 * at + 100] for name in ("id", "y_proba")}
        stored.clock.now = start + at * HOUR
        await stored.post("predictions", **part)
    for at in range(3):
        part = {name: rows[name][100 * at : 100 * at + 100] for name in ("id", "y_true")}
        stored.clock.now = start + (at + 3) * HOUR
        await stored.post("labels", **part)
    assert 2.8 * HOUR < (await stored.get())["learned_label_lag"] < 3.5 * HOUR
    report = await stored.report(last="24h")
    assert (report["n"], report["predictions"], report["labelled_share"]) == (300, 400, 0.75)
    assert report["mature_until"] is not None
    stored.inside.monitor_maintenance.refresh_recent()
    samples = await stored.samples(monitor="clicks")
    assert samples['kullback_recent_examples{monitor="clicks"}'] == 100
    assert samples['kullback_recent_log_loss_nats{monitor="clicks"}'] > 0


def oracle(rows: Document, inside: Array) -> dict[str, float]:
    """The numbers of scikit-learn, of some of the rows."""
    y, p, w = (np.array(rows[name])[inside] for name in ("y_true", "y_proba", "sample_weight"))
    columns = range(len(LABELS))
    losses = [log_loss(y[:, k], p[:, k], labels=[0, 1], sample_weight=w) for k in columns]
    briers = [brier_score_loss(y[:, k], p[:, k], sample_weight=w) for k in columns]
    rates = np.average(y, axis=0, weights=w)
    entropies = -rates * np.log(rates) - (1 - rates) * np.log1p(-rates)
    return {
        "log_loss": float(np.mean(losses)),
        "brier": float(np.mean(briers)),
        "base_rate": float(rates.mean()),
        "mean_prediction": float(np.average(p, axis=0, weights=w).mean()),
        "normalized_entropy": float(np.mean(losses) / entropies.mean()),
        "auc": roc_auc_score(
            y.ravel(), p.ravel(), sample_weight=np.repeat(w, len(LABELS)), average="micro"
        ),
    }


@pytest.mark.parametrize("seed", range(3))
async def test_reports_of_all_and_of_slices_have_the_numbers_of_scikit_learn(
    service: Service, seed: int
) -> None:
    await service.put(**SETTINGS)
    rows = drawn(2000, seed)
    await service.post("observations", **without(rows, "id"))
    report = await service.report(by="country,country×device")
    country, device = (np.array(rows["slice"][name]) for name in ("country", "device"))
    parts: list[tuple[Document, Any, Document]] = [({}, np.ones(2000, bool), report)]
    for group in report["groups"]:
        value = group["slice"]
        inside = country == value["country"]
        parts.append((value, inside & (device == value.get("device", device)), group))
    assert len(parts) == 1 + 3 + 6
    for value, inside, part in parts:
        assert part["n"] == inside.sum(), value
        for name, number in oracle(rows, inside).items():
            bound = part["metrics"][name].get("error_bound") or 0.0
            found = part["metrics"][name]["value"]
            assert abs(found - number) <= bound + 1e-12 * abs(number), (value, name)


async def test_drift_is_from_a_batch_and_from_a_period_alike(stored: Service) -> None:
    await stored.put(**SETTINGS)
    then, now = drawn(1000, 1), drawn(500, 2)
    now["y_true"] = [[1, *row[1:]] for row in now["y_true"]]
    kept = without(then, "id", "timestamp", "unit")
    early = [NOON - 30 * HOUR] * 1000
    await stored.post("observations", **kept, timestamp=early)
    await stored.post("observations", **without(now, "id"))
    found = []
    for reference in (kept, {"from": NOON - 40 * HOUR, "to": NOON - 20 * HOUR}):
        await stored.put(f"{MONITOR}/reference", **reference)
        report = await stored.report(by="country")
        found.append([report["drift"], *(group["drift"] for group in report["groups"])])
    assert found[0] == found[1]
    came = []
    for rows in (now, then):
        masses = np.array(rows["sample_weight"]) @ np.array(rows["y_true"])
        came.append(masses / masses.sum())
    kl = float(np.sum(came[0] * np.log(came[0] / came[1])))
    drift = found[0][0]["label"]
    assert drift["kl"] == pytest.approx(kl, rel=1e-12)
    assert drift["degrees_of_freedom"] == len(LABELS) - 1
    assert drift["p_value"] < 1e-6


async def test_where_no_label_ever_came_there_is_no_drift_of_labels(service: Service) -> None:
    await service.put(**SETTINGS)
    none = {"y_true": [[0, 0, 0, 0]] * 3, "y_proba": [[0.1, 0.2, 0.0, 1e-9]] * 3}
    await service.put(f"{MONITOR}/reference", **none)
    await service.post("observations", **none)
    report = await service.report()
    assert report["drift"]["label"]["kl"] is None
    assert report["drift"]["score"]["kl"] == 0.0
    for name, reason in (("normalized_entropy", "one_class"), ("auc", "one_class")):
        metric = report["metrics"][name]
        assert (metric["status"], metric["reason"]) == ("undefined", reason)
    for path in ("/", "/monitors/clicks"):
        assert (await service.client.get(path)).status_code == 200


def sent(rows: Document) -> Iterator[tuple[str, bytes]]:
    """The rows in every form that a table may have."""
    yield from bodies(rows)
    objects = pd.DataFrame(rows).to_json(orient="records")
    yield JSON, objects.encode()
    y, p = np.array(rows["y_true"]), np.array(rows["y_proba"])
    rest = {name: pa.array(rows[name]) for name in rows if name not in {"y_true", "y_proba"}}
    k = len(LABELS)
    fixed = {
        "y_true": pa.FixedSizeListArray.from_arrays(pa.array(y.ravel() > 0), k),
        "y_proba": pa.FixedSizeListArray.from_arrays(pa.array(p.ravel()), k),
    }
    columns = {
        f"{name}.{label}": pa.array(values[:, at])
        for name, values in (("y_true", y), ("y_proba", p))
        for at, label in enumerate(LABELS)
    }
    for table in (pa.table(rest | fixed), pa.table(rest | columns)):
        yield ARROW, as_arrow(table)
        yield PARQUET, as_parquet(table)


async def test_every_form_of_body_brings_the_same_rows(service: Service) -> None:
    rows = without(drawn(40), "slice", "timestamp", "unit")
    found = []
    for way, some in (("observations", rows), ("labels", without(rows, "y_proba"))):
        forms = sent(some) if way == "observations" else bodies(without(some, "sample_weight"))
        for kind, body in forms:
            await service.client.delete(MONITOR)
            await service.put(**SETTINGS)
            if way == "labels":
                await service.post("predictions", **without(rows, "y_true"))
            path = f"{MONITOR}/{way}"
            answer = done(await service.client.post(path, content=body, headers=typed(kind)))
            assert answer["accepted"] == 40
            found.append(await seen(service))
    assert len(found) > 20
    assert all(each == found[0] for each in found)


@pytest.mark.parametrize("name", ["y_true", "y_proba"])
async def test_columns_are_matched_with_labels_by_their_names(service: Service, name: str) -> None:
    await service.put(**SETTINGS)
    rows = without(drawn(40), "slice", "unit", "timestamp", "sample_weight")
    await service.post("observations", **rows)
    expected = await seen(service)
    values = np.array(rows[name])
    columns = {f"{name}.{label}": pa.array(values[:, at]) for at, label in enumerate(LABELS)}
    rest = {other: pa.array(rows[other]) for other in rows if other != name}
    for turned in (dict(reversed(columns.items())), columns):
        await service.client.delete(MONITOR)
        await service.put(**SETTINGS)
        body = as_arrow(pa.table(rest | turned))
        path, headers = f"{MONITOR}/observations", typed(ARROW)
        done(await service.client.post(path, content=body, headers=headers))
        assert await seen(service) == expected
    if name == "y_true":
        await service.client.delete(MONITOR)
        await service.put(**SETTINGS)
        await service.post("predictions", **without(rows, "y_true"))
        label = pa.table({"id": rest["id"]} | dict(reversed(columns.items())))
        path = f"{MONITOR}/labels"
        done(await service.client.post(path, content=as_arrow(label), headers=headers))
        assert await seen(service) == expected
    wrong = {f"{name}.other" if part.endswith("ad") else part: columns[part] for part in columns}
    path, body = f"{MONITOR}/observations", as_arrow(pa.table(rest | wrong))
    answer = await service.client.post(path, content=body, headers=headers)
    assert refused(answer)[1] == f"/{name}.other"


async def test_its_checks_are_of_rows_and_find_labels_that_come_more_often(
    service: Service,
) -> None:
    await service.put(task="multilabel", labels=LABELS, label_lag=0)
    rows = without(drawn(3000), "id", "slice", "unit", "sample_weight", "timestamp")
    for hours in (8, 7, 6, 5, 4, 3, 2):
        times = (NOON - hours * HOUR + np.arange(3000)).tolist()
        if hours == 2:
            rows["y_true"] = [[1, 1, *row[2:]] for row in rows["y_true"]]
        await service.post("observations", **rows, timestamp=times)
        if hours == 3:
            before = await service.get(f"{MONITOR}/checks")
    after = await service.get(f"{MONITOR}/checks")
    states = [{each["name"]: each["state"] for each in all_["checks"]} for all_ in (before, after)]
    judged = {name for name in states[0] if name != "silence"}
    assert {states[0][name] for name in judged} <= {"ok", "unknown"}, before
    assert states[1]["calibration"] == "critical", after


BAD: list[tuple[list[float | None] | None, list[float] | None, str]] = [
    ([1, 0, 2, 0], None, "y_true/2"),
    ([1, 0, -0.5, 0], None, "y_true/2"),
    (None, [0.5, 0.5, 0.5, 1.5], "y_proba/3"),
    (None, [0.5, 0.5, 0.5, -1e-3], "y_proba/3"),
    ([1, None, 0, 0], None, "y_true/1"),
    ([1, 0, 0], None, "y_true"),
    ([], None, "y_true"),
]


@pytest.mark.parametrize(("y", "p", "place"), BAD)
async def test_a_bad_row_is_named_and_may_be_left_out_of_every_body(
    service: Service,
    y: list[float | None] | None,
    p: list[float] | None,
    place: str,
) -> None:
    rows = without(drawn(9), "slice", "timestamp", "unit", "id")
    good = {name: values[:4] + values[5:] for name, values in rows.items()}
    await service.put(**SETTINGS)
    await service.post("observations", **good)
    expected = await seen(service)
    rows["y_true"][4] = rows["y_true"][4] if y is None else y
    rows["y_proba"][4] = rows["y_proba"][4] if p is None else p
    field, *within = place.split("/")
    for kind, body in bodies(rows):
        await service.client.delete(MONITOR)
        await service.put(**SETTINGS)
        path, headers = f"{MONITOR}/observations", typed(kind)
        answer = await service.client.post(path, content=body, headers=headers)
        row = f"/4/{field}" if kind in LINES else f"/{field}/4"
        assert refused(answer)[1] == "/".join([row, *within]), kind
        query = "?on_invalid=drop"
        kept = done(await service.client.post(path + query, content=body, headers=headers))
        assert (kept["accepted"], kept["rejected"]) == (8, 1), kind
        assert kept["rejections"][0]["pointer"] == refused(answer)[1]
        assert await seen(service) == expected


@pytest.mark.parametrize(
    "y_true", [["spam"], [["spam"]], [["spam", "ad"]], [["", "b", "c", "d"]], [1], ["spam,ad"]]
)
async def test_names_of_labels_are_refused_with_what_is_read(
    service: Service, y_true: list[Any]
) -> None:
    await service.put(**SETTINGS)
    rows = {"y_true": y_true * 3, "y_proba": ONE["y_proba"] * 3}
    for kind, body in bodies(rows):
        for what in ("observations", "reference"):
            method = "POST" if what == "observations" else "PUT"
            answer = await service.client.request(
                method, f"{MONITOR}/{what}", content=body, headers=typed(kind)
            )
            assert "y_true" in refused(answer)[1], kind
            assert "0 or 1" in answer.json()["errors"][0]["detail"], kind
        await service.put(f"{MONITOR}-binary")
        wrong = await service.client.post(
            f"{MONITOR}-binary/observations", content=body, headers=typed(kind)
        )
        refused(wrong)


async def test_sums_of_rows_are_checked_where_they_must_be_one(service: Service) -> None:
    await service.put(task="multiclass", labels=["a", "b"])
    lines = [json.dumps({"y_true": "a", "y_proba": [0.5, p]}) for p in (0.5, 0.6, 0.5)]
    for method, what in (("POST", "observations"), ("PUT", "reference")):
        answer = await service.client.request(
            method,
            f"{MONITOR}/{what}",
            content="\n\n".join(lines),
            headers=typed(LINES[0]),
        )
        assert refused(answer)[1] == "/1/y_proba"
        detail = answer.json()["detail"]
        assert detail == "line 3: y_proba: the row sums to 1.1, not 1 within 1e-06"


@pytest.mark.parametrize("task", ["binary", "multiclass"])
async def test_rows_of_several_labels_are_refused_where_a_row_has_one(
    service: Service, task: str
) -> None:
    labels = {"labels": ["a", "b"]} if task == "multiclass" else {}
    await service.put(task=task, **labels)
    proba = [[0.5, 0.5]] * 2 if task == "multiclass" else [0.5] * 2
    for y_true in ([[1, 0], [0, 1]], [[1], [0]], [[True, False], [False, True]]):
        for kind, body in bodies({"y_true": y_true, "y_proba": proba}):
            for query in ("", "?on_invalid=drop"):
                path = f"{MONITOR}/observations{query}"
                answer = await service.client.post(path, content=body, headers=typed(kind))
                assert refused(answer)[1] == "/y_true", kind
                assert f"the monitor is {task}: [n], one label per row" in answer.text


async def test_a_monitor_becomes_one_of_labels_only_where_nothing_would_be_lost(
    service: Service,
) -> None:
    await service.put(labels=["no", "yes"])
    await service.post("labels", id=["a"], y_true=["yes"])  # it waits for its prediction
    change = {"task": "multilabel", "labels": LABELS}
    answer = await service.client.patch(MONITOR, json=change)
    assert refused(answer, 409)[1] == "/task"
    done(await service.client.patch(f"{MONITOR}?forget=true", json=change))
    await service.post("predictions", id=["a"], y_proba=ONE["y_proba"])
    await service.post("labels", id=["a"], y_true=ONE["y_true"])
    assert (await service.report())["n"] == 1
    again = await service.client.patch(MONITOR, json={"labels": [*LABELS, "more"]})
    assert refused(again, 409)[1] == "/labels"


@pytest.mark.parametrize("kept", [{}, {"default_label": "yes", "label_window": 60}])
async def test_a_default_is_refused_with_what_is_sent_instead(
    service: Service, kept: Document
) -> None:
    await service.put(labels=["no", "yes"], **kept)
    change = {"task": "multilabel", "labels": ["no", "yes"]}
    default = {} if kept else {"default_label": "yes", "label_window": 60}
    answer = await service.client.patch(MONITOR, json=change | default)
    assert refused(answer)[1] == "/default_label"
    assert "for which nothing came as 0" in answer.text
    done(await service.client.patch(MONITOR, json=change | dict.fromkeys(kept)))
