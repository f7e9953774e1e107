"""Batches without rows: accepted, once their columns are those of what they are sent to."""

import json

import pyarrow as pa
import pytest

from kullback.payload.media import ARROW, JSON, LINES
from tests.api.test_bad_rows import DROP, post
from tests.monitoring.service import MONITOR, Document, Service, refused
from tests.payload.bodies import as_arrow, typed

pytestmark = pytest.mark.anyio

EMPTY: list[Document] = [
    {"y_true": [], "y_proba": []},
    {"y_true": [], "y_proba": [], "slice": {"country": []}, "timestamp": [], "unit": []},
    {"y_true": [], "y_proba": [], "sample_weight": [], "id": []},
]


@pytest.mark.parametrize(
    "setup",
    [
        {},
        {"labels": ["no", "click"]},
        {"labels": [3, 7], "timezone": "Europe/Berlin"},
        {"task": "multiclass", "labels": ["a", "b", "c"]},
        {"task": "multiclass", "labels": [4, 5, 6]},
    ],
)
async def test_columns_of_no_rows_are_checked_as_those_of_some(
    service: Service, setup: Document
) -> None:
    await service.put(slices=["country", "country×device"], **setup)
    for sent in EMPTY:
        kinds = {"y_true": pa.int64(), "slice": pa.string(), "unit": pa.string(), "id": pa.string()}
        flat = {**sent, **{f"slice.{name}": [] for name in sent.get("slice", {})}}
        flat.pop("slice", None)
        table = pa.table(
            {name: pa.array([], kinds.get(name.partition(".")[0], pa.float64())) for name in flat}
        )
        for kind, body in ((JSON, json.dumps(sent).encode()), (ARROW, as_arrow(table))):
            found = await post(service, "observations", body, kind, "")
            assert (found["accepted"], found["rejected"]) == (0, 0)
        stray = sent | {"slice": {"colour": []}}
        for query in ("", DROP):
            answer = await service.client.post(f"{MONITOR}/observations{query}", json=stray)
            assert refused(answer) == ("invalid-input", "/slice/colour")
    for what in ("predictions", "labels"):
        sent = {"id": [], "y_proba" if what == "predictions" else "y_true": []}
        assert (await post(service, what, sent, JSON, ""))["accepted"] == 0
    sent = {"id": [], "y_proba": [], "slice": {"colour": []}}
    answer = await service.client.post(f"{MONITOR}/predictions", json=sent)
    assert refused(answer) == ("invalid-input", "/slice/colour")


async def test_arms_of_no_rows_are_those_of_the_experiment(service: Service) -> None:
    path = "/v1/experiments/ranker"
    await service.put(path, arms=["a", "b"], slices=["country"], design="paired")
    rest: Document = {"y_true": [], "unit": []}
    wrong: list[tuple[Document, str]] = [
        ({"y_proba": {"a": [], "c": []}}, "/y_proba/c"),
        ({"y_proba": {"a": []}}, "/y_proba/b"),
        ({"y_proba": {"a": [], "b": []}, "slice": {"colour": []}}, "/slice/colour"),
    ]
    for sent, place in wrong:
        answer = await service.client.post(f"{path}/observations", json=rest | sent)
        assert refused(answer) == ("invalid-input", place)
    for kind, body in (
        (JSON, json.dumps(rest | {"y_proba": {"a": [], "b": []}, "sample_weight": []}).encode()),
        (JSON, b"[]"),
        *((lines, b"") for lines in LINES),
    ):
        answer = await service.client.post(
            f"{path}/observations", content=body, headers=typed(kind)
        )
        assert (answer.status_code, answer.json().get("accepted")) == (200, 0), answer.text
