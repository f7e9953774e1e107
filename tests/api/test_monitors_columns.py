"""Tables whose columns are named by the labels of a monitor are matched by those names."""

from itertools import permutations
from typing import Any

import httpx
import pyarrow as pa
import pytest

from kullback.payload.media import ARROW, PARQUET
from tests.monitoring.service import MONITOR, Document, Service, done, refused
from tests.payload.bodies import as_arrow, as_parquet

pytestmark = pytest.mark.anyio

PETS = ["cat", "dog", "owl"]
ROWS = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.25, 0.25, 0.5]]
TRUTH = ["cat", "owl", "owl"]


def table(names: list[str], **more: object) -> Any:  # noqa: ANN401 - pyarrow has no types
    """The rows with a column for each of these names; p_1 is of the second label."""
    places = [PETS.index(name) if name in PETS else int(name[-1]) for name in names]
    columns = {
        f"y_proba.{name}": [row[at] for row in ROWS] for name, at in zip(names, places, strict=True)
    }
    return pa.table({**more, **columns})


async def sent(
    service: Service,
    path: str,
    rows: Any,  # noqa: ANN401 - pyarrow has no types
    *,
    parquet: bool = False,
    method: str = "POST",
) -> httpx.Response:
    kind, body = (PARQUET, as_parquet(rows)) if parquet else (ARROW, as_arrow(rows))
    headers = {"content-type": kind}
    return await service.client.request(method, path, content=body, headers=headers)


async def metrics(service: Service, path: str = MONITOR) -> Document:
    report: Document = (await service.report(path))["metrics"]
    return report


@pytest.mark.parametrize("parquet", [False, True])
async def test_columns_may_come_in_any_order(service: Service, *, parquet: bool) -> None:
    expected: Document = {"y_true": TRUTH, "y_proba": ROWS}
    await service.put("/v1/monitors/plain", task="multiclass", labels=PETS)
    await service.post("observations", "/v1/monitors/plain", **expected)
    for names in (PETS, ["p_0", "p_1", "p_2"]):
        for at, order in enumerate(permutations(names)):
            path = f"/v1/monitors/{names[0]}{at}"
            await service.put(path, task="multiclass", labels=PETS)
            rows = table(list(order), y_true=TRUTH)
            done(await sent(service, f"{path}/observations", rows, parquet=parquet))
            assert await metrics(service, path) == await metrics(service, "/v1/monitors/plain")


async def test_predictions_and_references_are_matched_too(service: Service) -> None:
    for name, names in (("a", PETS), ("b", PETS[::-1])):
        path = f"/v1/monitors/{name}"
        await service.put(path, task="multiclass", labels=PETS)
        rows = table(names, id=["x", "y", "z"])
        done(await sent(service, f"{path}/predictions", rows))
        await service.post("labels", path, id=["x", "y", "z"], y_true=TRUTH)
        rows = table(names, y_true=["dog", "owl", "cat"])
        done(await sent(service, f"{path}/reference", rows, method="PUT"))
    first, second = [await service.report(f"/v1/monitors/{name}") for name in "ab"]
    assert first["n"] == 3
    assert first | {"monitor": ""} == second | {"monitor": ""}


async def test_a_column_that_names_no_label_is_named(service: Service) -> None:
    await service.put(task="multiclass", labels=PETS)
    rows = {"y_true": ["cat"], "y_proba.cat": [0.5], "y_proba.dog": [0.25], "y_proba.elk": [0.25]}
    answer = await sent(service, f"{MONITOR}/observations", pa.table(rows))
    assert refused(answer) == ("invalid-input", "/y_proba.elk")
    assert [(error["pointer"], error["detail"]) for error in answer.json()["errors"]] == [
        ("/y_proba.elk", "its name is not among the labels: cat, dog, owl"),
        ("/y_proba.owl", "the column of this label is missing"),
    ]
    await service.put("/v1/monitors/two")
    answer = await sent(service, "/v1/monitors/two/observations", pa.table(rows))
    assert refused(answer) == ("invalid-input", "/y_proba")
