"""Bad rows are refused with their batch, or left out of it, counted and named."""

import json
from typing import Any

import pyarrow as pa
import pytest

from kullback.payload.media import ARROW, JSON, LINES, PARQUET
from tests.monitoring.service import MONITOR, Document, Service, refused
from tests.payload.batch_bodies import bodies
from tests.payload.bodies import as_arrow, as_parquet, typed

pytestmark = pytest.mark.anyio

DROP = "?on_invalid=drop"


async def post(
    service: Service, what: str, body: bytes | Document, kind: str = JSON, query: str = DROP
) -> Document:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = f"{MONITOR}/{what}{query}"
    answer = await service.client.post(path, content=raw, headers=typed(kind))
    assert answer.status_code == 200, answer.text
    found: Document = answer.json()
    return found


async def test_bad_rows_are_left_out_counted_and_named(service: Service) -> None:
    await service.put(slices=["country"])
    now = service.clock.now
    sent: Document = {
        "y_true": [1, 0, 3, 1, 0, 1],
        "y_proba": [0.5, 2.0, 0.5, 0.25, 0.5, 0.5],
        "timestamp": [now, now, now, 1, now + 301, now],
        "sample_weight": [1, 1, 1, 1, 1, -1],
    }
    answer = await post(service, "observations", sent)
    assert (answer["accepted"], answer["rejected"]) == (1, 5)
    assert answer["rejections"] == [
        {"pointer": "/y_proba/1", "detail": "2 is not in [0, 1]"},
        {"pointer": "/y_true/2", "detail": "not among the labels: 0, 1, or a share between"},
        {"pointer": "/timestamp/3", "detail": "older than the 30 days that are kept"},
        {"pointer": "/timestamp/4", "detail": "more than 300 seconds in the future"},
        {"pointer": "/sample_weight/5", "detail": "-1 is not in [0, 1e+100]"},
    ]
    assert (await service.get())["counts"].items() >= {"observations": 1, "rejected": 5}.items()
    assert (await service.samples())['kullback_rejected_total{monitor="clicks"}'] == 5
    assert (await service.report())["n"] == 1


async def test_on_invalid_is_a_field_of_json_as_well(service: Service) -> None:
    await service.put()
    sent = {"y_true": [1, 0], "y_proba": [0.5, 2.0], "on_invalid": "drop"}
    assert (await post(service, "observations", sent, query=""))["rejected"] == 1
    for wrong, query, place in (
        (sent, DROP, "/on_invalid"),
        (sent | {"on_invalid": "skip"}, "", "/y_proba/1"),
        (sent | {"on_invalid": "skip", "y_proba": [0.5, 0.5]}, "", "/on_invalid"),
        ({"y_true": [1], "y_proba": [0.5]}, "?on_invalid=skip", "/query/on_invalid"),
        ({"y_true": [1], "y_proba": [0.5]}, "?on_invalid=drop&on_invalid=drop", "/on_invalid"),
    ):
        answer = await service.client.post(f"{MONITOR}/observations{query}", json=wrong)
        assert refused(answer) == ("invalid-input", place)


async def test_the_first_twenty_are_named_in_the_order_of_rows(service: Service) -> None:
    await service.put()
    n = 100
    p = [2.0 if row % 3 == 1 else 0.5 for row in range(n)]
    y = [7 if row % 3 == 2 else 1 for row in range(n)]
    answer = await post(service, "observations", {"y_true": y, "y_proba": p})
    assert (answer["accepted"], answer["rejected"]) == (34, 66)
    places = [each["pointer"] for each in answer["rejections"]]
    rows = [row for row in range(n) if row % 3][:20]
    assert places == [f"/y_{'proba' if row % 3 == 1 else 'true'}/{row}" for row in rows]


async def test_a_batch_of_bad_rows_alone_is_answered(service: Service) -> None:
    await service.put()
    for what, sent in (
        ("observations", {"y_true": [5, 6], "y_proba": [0.5, 0.5]}),
        ("predictions", {"id": ["a", "b"], "y_proba": [7, 8]}),
        ("labels", {"id": ["a", "b"], "y_true": [5, 6]}),
    ):
        answer = await post(service, what, sent)
        assert (answer["accepted"], answer["rejected"]) == (0, 2)
    assert (await service.get())["counts"]["rejected"] == 6
    assert (await service.report())["n"] == 0


async def test_what_is_wrong_with_all_of_a_batch_is_refused_all_the_same(service: Service) -> None:
    await service.put()
    for sent, place in (
        ({"y_true": [1, 0], "y_proba": [0.5]}, "/y_true"),
        ({"y_true": [1], "y_proba": [0.5], "other": [1]}, "/other"),
        ({"y_true": [1], "y_proba": "0.5"}, "/y_proba"),
        ({"y_true": [1]}, "/y_proba"),
        ({"y_true": [1], "y_proba": [[0.5, 0.5]]}, "/y_proba"),
        ({"y_true": [1], "y_proba": [0.5], "slice": {"country": ["DE"]}}, "/slice/country"),
    ):
        answer = await service.client.post(f"{MONITOR}/observations{DROP}", json=sent)
        assert refused(answer) == ("invalid-input", place)


async def test_the_retry_of_a_batch_with_bad_rows_gets_its_answer(service: Service) -> None:
    await service.put()
    sent = {"y_true": [1, 0], "y_proba": [0.5, 2.0]}
    headers = {"idempotency-key": "a"}
    path = f"{MONITOR}/observations{DROP}"
    first = await service.client.post(path, json=sent, headers=headers)
    service.clock.now += 40 * 86400
    again = await service.client.post(path, json=sent, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert first.json()["rejected"] == 1
    assert (await service.get())["counts"]["rejected"] == 1


@pytest.mark.parametrize("what", ["observations", "predictions", "labels"])
async def test_a_batch_without_rows_is_accepted(service: Service, what: str) -> None:
    await service.put()
    sent: Document = {"observations": {"y_true": [], "y_proba": []}}.get(what, {"id": []})
    sent |= {"predictions": {"y_proba": []}, "labels": {"y_true": []}}.get(what, {})
    kinds = {"id": pa.string(), "y_true": pa.int64(), "y_proba": pa.float64()}
    table = pa.table({name: pa.array([], kinds[name]) for name in sent})
    for kind, body in (
        (JSON, json.dumps(sent).encode()),
        (ARROW, as_arrow(table)),
        (PARQUET, as_parquet(table)),
        *((lines, blank) for lines in LINES for blank in (b"", b" \r\n\n")),
    ):
        answer = await post(service, what, body, kind, "")
        assert (answer["accepted"], answer["rejected"], answer["rejections"]) == (0, 0, [])
    assert (await service.get())["counts"]["observations"] == 0


async def test_no_value_of_a_slice_is_a_value_of_its_own(service: Service) -> None:
    await service.put(slices=["country"])
    columns: dict[str, Any] = {
        "y_true": [1, 0, 1, 0],
        "y_proba": [0.5, 0.25, 0.5, 0.5],
        "slice": {"country": ["DE", None, "", "(none)"]},
    }
    sent = 0
    for kind, body in bodies(columns):
        if kind not in LINES:
            await post(service, "observations", body, kind, "")
            sent += 1
    groups = (await service.report(by="country"))["groups"]
    assert {each["slice"]["country"]: each["n"] for each in groups} == {
        "(none)": 3 * sent,
        "DE": sent,
    }


async def test_the_refusal_of_an_unknown_class_says_which_there_are(service: Service) -> None:
    await service.put(task="multiclass", labels=["a", "b", "c"])
    sent = {"y_true": ["a", "d"], "y_proba": [[0.5, 0.25, 0.25]] * 2}
    answer = await service.client.post(f"{MONITOR}/observations", json=sent)
    assert refused(answer) == ("invalid-input", "/y_true/1")
    assert answer.json()["detail"] == "y_true: not among the labels: a, b, c"


@pytest.mark.parametrize("words", [["1", "0", "spam", "ham", "x"], ["true", "false", "spam"]])
async def test_words_among_texts_that_are_labels_are_bad_rows(
    service: Service, words: list[str]
) -> None:
    await service.put()
    sent = {"y_true": words, "y_proba": [0.5] * len(words)}
    answer = await post(service, "observations", sent)
    assert (answer["accepted"], answer["rejected"]) == (2, len(words) - 2)
    assert answer["rejections"][0] == {
        "pointer": "/y_true/2",
        "detail": "not among the labels: 0, 1",
    }


async def test_fractions_among_classes_are_bad_rows(service: Service) -> None:
    await service.put(task="multiclass", labels=[0, 1, 2])
    sent = {"y_true": [2.0, 0.5, 1.5, 1.0], "y_proba": [[0.5, 0.25, 0.25]] * 4}
    answer = await post(service, "observations", sent)
    assert [each["pointer"] for each in answer["rejections"]] == ["/y_true/1", "/y_true/2"]


async def test_probabilities_are_as_exact_as_their_type(service: Service) -> None:
    await service.put()
    for kind, off, taken in (
        (pa.float64(), 1e-7, True),
        (pa.float64(), 1e-5, False),
        (pa.float32(), 1e-4, True),
        (pa.float32(), 1e-3, False),
        (pa.float16(), 1e-2, True),
        (pa.float16(), 0.1, False),
    ):
        p = pa.array([0.5, 1 + off, -off], pa.float64()).cast(kind, safe=False)
        table = pa.table({"y_true": [1, 1, 0], "y_proba": p})
        answer = await post(service, "observations", as_parquet(table), PARQUET)
        assert answer["rejected"] == (0 if taken else 2)
    assert (await service.report())["metrics"]["mean_prediction"]["value"] <= 1
    await service.client.delete(MONITOR)
    await service.put(task="multiclass", labels=[0, 1, 2])
    third = pa.array([[1 / 3] * 3] * 2, pa.list_(pa.float16()))
    table = pa.table({"y_true": [1, 2], "y_proba": third})
    assert (await post(service, "observations", as_arrow(table), ARROW, ""))["accepted"] == 2


async def test_a_batch_of_an_experiment_may_be_empty_and_bad_rows_left_out_of_it(
    service: Service,
) -> None:
    path = "/v1/experiments/ranker"
    await service.put(path, arms=["a", "b"], slices=["country"])
    for kind, body in (
        (LINES[0], b""),
        (JSON, b"[]"),
        (JSON, b'{"y_true": [], "y_proba": [], "arm": [], "unit": []}'),
    ):
        answer = await service.client.post(
            f"{path}/observations", content=body, headers=typed(kind)
        )
        assert answer.status_code == 200, answer.text
        assert (answer.json()["accepted"], answer.json()["rejected"]) == (0, 0)
    sent = {
        "y_true": [1, 0, 1, 1, 0],
        "y_proba": [0.5, 0.25, 1.5, 0.5, 0.5],
        "arm": ["a", "b", "a", "c", "b"],
        "unit": [1, 2, 3, 4, None],
        "slice": {"country": ["DE", None, "DE", "DE", "DE"]},
    }
    answer = await service.client.post(f"{path}/observations{DROP}", json=sent)
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (2, 3)
    places = [each["pointer"] for each in answer.json()["rejections"]]
    assert places == ["/y_proba/2", "/arm/3", "/unit/4"]
