"""Features come in every type of body, and each says of the same rows the same."""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.monitoring.service import MONITOR, Document, Service, done, refused

pytestmark = pytest.mark.anyio

FEATURES = {"age": "numeric", "device": "categorical", "new": "categorical", "zip": "categorical"}
AGES = [31.5, None, -2.0, 0.0, 31.5]
DEVICES = ["mobile", "desktop", None, "mobile", "é"]
NEW = [True, False, True, None, True]
ZIPS = [10115, 10115, 2**60 + 1, None, 0]
COLUMNS: dict[str, list[Any]] = {"age": AGES, "device": DEVICES, "new": NEW, "zip": ZIPS}
Y: dict[str, list[Any]] = {"y_true": [1, 0, 1, 0, 1], "y_proba": [0.5] * 5}


def as_json() -> tuple[str, bytes]:
    return "application/json", json.dumps({**Y, "features": COLUMNS}).encode()


def rows() -> list[Document]:
    names = [*Y, *COLUMNS]
    lists = zip(*Y.values(), *COLUMNS.values(), strict=True)
    made = [dict(zip(names, row, strict=True)) for row in lists]
    return [
        {name: row[name] for name in Y} | {"features": {name: row[name] for name in COLUMNS}}
        for row in made
    ]


def as_objects() -> tuple[str, bytes]:
    return "application/json", json.dumps(rows()).encode()


def as_lines() -> tuple[str, bytes]:
    sparse = [
        row | {"features": {k: v for k, v in row["features"].items() if v is not None}}
        for row in rows()
    ]
    return "application/x-ndjson", "\n".join(map(json.dumps, sparse)).encode()


def flat() -> pa.Table:
    return pa.table(Y | {f"features.{name}": values for name, values in COLUMNS.items()})


def stream(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def as_arrow() -> tuple[str, bytes]:
    return "application/vnd.apache.arrow.stream", stream(flat())


def as_struct() -> tuple[str, bytes]:
    kept = pa.table(COLUMNS)
    struct = pa.StructArray.from_arrays(
        [kept.column(name).combine_chunks() for name in COLUMNS], list(COLUMNS)
    )
    table = pa.table({**Y, "features": struct})
    return "application/vnd.apache.arrow.stream", stream(table)


def as_parquet() -> tuple[str, bytes]:
    sink = io.BytesIO()
    coded = flat().column("features.device").dictionary_encode()
    at = flat().schema.get_field_index("features.device")
    pq.write_table(flat().set_column(at, "features.device", coded), sink)
    return "application/vnd.apache.parquet", sink.getvalue()


def as_floats() -> tuple[str, bytes]:
    """As pandas writes whole numbers of which some are missing, but for those beyond 2⁵³."""
    table = flat()
    at = table.schema.get_field_index("features.age")
    ages = pa.array(np.array([31.5, np.nan, -2, 0, 31.5], np.float32))
    return "application/vnd.apache.arrow.stream", stream(table.set_column(at, "features.age", ages))


async def shares(service: Service) -> Mapping[str, dict[object, float]]:
    features = (await service.report())["drift"]["features"]
    return {
        name: {
            part.get("value", part.get("from", "missing")): part["share"] for part in each["bins"]
        }
        for name, each in features.items()
    }


@pytest.mark.parametrize(
    "body", [as_json, as_objects, as_lines, as_arrow, as_struct, as_parquet, as_floats]
)
@pytest.mark.parametrize("on_invalid", ["error", "drop"])
async def test_every_body_has_the_same_features(
    service: Service, body: Callable[[], tuple[str, bytes]], on_invalid: str
) -> None:
    await service.put(features=FEATURES)
    media, content = body()
    answer = await service.client.post(
        f"{MONITOR}/observations",
        content=content,
        params={"on_invalid": on_invalid},
        headers={"Content-Type": media},
    )
    assert done(answer)["accepted"] == 5
    found = await shares(service)
    device = {"mobile": 0.4, "desktop": 0.2, "é": 0.2, "missing": 0.2}
    assert found["device"] == device
    assert found["new"].items() >= {"true": 0.6, "false": 0.2}.items()
    assert found["zip"].items() >= {"10115": 0.4, str(2**60 + 1): 0.2, "0": 0.2}.items()
    assert all(each["missing"] == 0.2 for each in found.values())


INFINITE = [np.inf, -np.inf, 1e300, np.nan, 5e-324]
ODD: dict[str, tuple[pa.Array, int | str]] = {
    "infinite": (pa.array(INFINITE), 1),
    "large": (pa.array([2**64 - 1, 0, 1, 2, 3], pa.uint64()), 0),
    "bytes": (pa.array([1, 2, 3, 4, 127], pa.int8()), 0),
    "booleans": (pa.array([True, False, None, True, True]), 1),
    "nulls": (pa.nulls(5), 5),
    "half": (pa.array(np.array([1, 2, 65504, np.inf, np.nan], np.float16)), 1),
    "dictionary": (pa.array([1.5, None, 2.5, 1.5, 1.5]).dictionary_encode(), 1),
    "texts": (pa.array(["a", None, "b", "c", "d"]), "/features.age/0"),
    "lists": (pa.array([[1.0]] * 5), "/features/age"),
    "times": (pa.array([1] * 5, pa.timestamp("s")), "/features.age"),
    "decimals": (pa.array([1] * 5).cast(pa.decimal128(20, 0)), 0),
}


@pytest.mark.parametrize("kind", ODD)
async def test_columns_of_any_type_are_counted_or_refused(service: Service, kind: str) -> None:
    column, expected = ODD[kind]
    await service.put(features=FEATURES)
    table = pa.table({**Y, "features.age": column})
    answer = await service.client.post(
        f"{MONITOR}/observations",
        content=stream(table),
        headers={"Content-Type": "application/vnd.apache.arrow.stream"},
    )
    if isinstance(expected, str):
        assert refused(answer)[1].replace(".", "/") == expected.replace(".", "/")
        return
    assert done(answer)["accepted"] == 5
    age = (await service.report())["drift"]["features"]["age"]
    assert (age["n"], age["missing_share"]) == (5, expected / 5)
    assert sum(part["share"] for part in age["bins"]) == pytest.approx(1)


async def test_without_features_a_monitor_refuses_them_and_says_so(service: Service) -> None:
    await service.put()
    answer = await service.client.post(
        f"{MONITOR}/observations", json={**Y, "features": {"age": AGES}}
    )
    assert refused(answer)[1] == "/features/age"
    assert "which has none" in answer.json()["detail"]


async def test_rows_with_a_feature_that_few_have_are_left_out(service: Service) -> None:
    await service.put(features=FEATURES)
    sent = rows()
    sent[3]["features"]["size"] = 3
    body = "\n".join(map(json.dumps, sent)).encode()
    lines = {"Content-Type": "application/x-ndjson"}
    path = f"{MONITOR}/observations"
    answer = await service.client.post(path, content=body, headers=lines)
    assert refused(answer)[1] == "/3/features/size"
    dropped = await service.client.post(f"{path}?on_invalid=drop", content=body, headers=lines)
    assert (done(dropped)["accepted"], dropped.json()["rejected"]) == (4, 1)
    assert (await service.report())["drift"]["features"].keys() == FEATURES.keys()
