"""What is refused of monitors says what is wrong in one way, and leads on."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kullback.payload.media import ARROW, LINES, PARQUET
from tests.monitoring.service import MONITOR, Document, Service, refused
from tests.payload.bodies import as_arrow, as_parquet, typed
from tests.statements import watched

pytestmark = pytest.mark.anyio

PETS = ["cat", "dog", "owl"]
ROW = [0.5, 0.25, 0.25]


async def details(service: Service, **sent: Any) -> list[tuple[str, str]]:  # noqa: ANN401
    """The places that are refused of a table, the same in both of its types."""
    found = []
    for kind, write in ((ARROW, as_arrow), (PARQUET, as_parquet)):
        answer = await service.client.post(
            f"{MONITOR}/observations", content=write(pa.table(sent)), headers=typed(kind)
        )
        refused(answer)
        errors = answer.json()["errors"]
        found.append([(error["pointer"], error["detail"]) for error in errors])
    assert found[0] == found[1]
    return found[0]


async def test_too_many_windows_lead_to_less_time_or_longer_windows(service: Service) -> None:
    await service.put(window_seconds=1, retention_days=2)
    times = [service.clock.now - at for at in range(10_001)]
    sent = {"y_true": [1] * 10_001, "y_proba": [0.5] * 10_001, "timestamp": times}
    answer = await service.client.post(f"{MONITOR}/observations", json=sent)
    assert refused(answer) == ("invalid-input", "/timestamp")
    detail = answer.json()["detail"]
    assert "send less time or fewer values of slices per request" in detail
    assert detail.endswith("or make window_seconds, now 1, longer")


async def test_a_row_that_is_null_is_named_as_a_row_in_every_type(service: Service) -> None:
    await service.put(task="multiclass", labels=PETS)
    sent: Document = {"y_true": PETS, "y_proba": [ROW, ROW, None]}
    answer = await service.client.post(f"{MONITOR}/observations", json=sent)
    assert refused(answer) == ("invalid-input", "/y_proba/2")
    place = ("/y_proba/2", "null, where a value is expected")
    assert await details(service, **sent) == [place]
    sent["y_proba"][2] = [None, 0.5, 0.5]
    assert await details(service, **sent) == [(f"{place[0]}/0", place[1])]
    fixed = pa.array([ROW, None, ROW], pa.list_(pa.float64(), 3))
    body = as_arrow(pa.table({"y_true": PETS, "y_proba": fixed}))
    answer = await service.client.post(
        f"{MONITOR}/observations?on_invalid=drop", content=body, headers=typed(ARROW)
    )
    assert [each["pointer"] for each in answer.json()["rejections"]] == ["/y_proba/1"]


async def test_a_column_of_another_type_says_which_are_read(service: Service) -> None:
    await service.put(slices=["country"])
    rows: Document = {"y_true": [1, 0], "y_proba": [0.5, 0.5]}
    for more, kinds in (
        ({"id": [0.5, 1.5]}, "strings, integers and UUIDs are"),
        ({"unit": [True, False]}, "strings, integers and UUIDs are"),
        ({"slice.country": [0.5, 1.5]}, "strings, integers, booleans and UUIDs are"),
        ({"sample_weight": ["a", "b"]}, "numbers are"),
    ):
        ((place, detail),) = await details(service, **rows, **more)
        assert (place, detail.partition(": ")[2]) == (f"/{next(iter(more))}", kinds)


async def test_notes_of_nothing_but_blanks_are_refused(service: Service) -> None:
    for settings, place in (
        ({"owner": " "}, "/owner"),
        ({"owner": "\u3000"}, "/owner"),
        ({"tags": ["a", " "]}, "/tags/1"),
        ({"links": [{"title": "  ", "url": "https://a.example"}]}, "/links/0/title"),
    ):
        answer = await service.client.put(MONITOR, json=settings)
        assert refused(answer) == ("invalid-input", place)
        assert answer.json()["errors"][0]["detail"] == "nothing but blanks"


async def test_a_parameter_that_is_missing_is_named_as_fields_are(service: Service) -> None:
    await service.put()
    answer = await service.client.delete(f"{MONITOR}/windows", params={"from": "1"})
    assert refused(answer) == ("invalid-input", "/query/to")
    assert answer.json()["detail"] == "to: this parameter is missing"


async def test_no_weight_of_a_media_type_is_more_than_one(service: Service) -> None:
    await service.put()
    for weight in ("inf", "1e9", "x"):
        accept = {"accept": f"text/csv;q=0.9, application/json;q={weight}"}
        answer = await service.client.get(f"{MONITOR}/report", headers=accept)
        assert answer.headers["content-type"] == "application/json", weight
        accept = {"accept": f"text/csv;q=1, application/json;q={weight}"}
        answer = await service.client.get(f"{MONITOR}/report", headers=accept)
        assert answer.headers["content-type"].startswith("text/csv"), weight


async def test_a_part_of_the_list_reads_what_it_holds(service: Service, tmp_path: Path) -> None:
    for name in "abcdef":
        await service.put(f"/v1/monitors/{name}", tags=["x"] if name in "af" else [])
    with closing(sqlite3.connect(tmp_path / "kullback.db")) as file, file:
        file.execute("UPDATE records SET document = ? WHERE name = 'd'", [b'{"task":\x00'])

    async def part(**query: str | int) -> tuple[list[str], str | None]:
        found = await service.get("/v1/monitors", **query)
        return [each["name"] for each in found["monitors"]], found["next"]

    with watched() as statements:
        assert await part(limit=2) == (["a", "b"], "b")
    assert [text for text, _ in statements if re.search(r"records\.name > .* LIMIT", text)]
    assert await part(limit=1, after="b") == (["c"], "c")
    assert await part(limit=2, after="d") == (["e", "f"], None)
    assert await part(limit=1, tag="x") == (["a"], "a")
    answer = await service.client.get("/v1/monitors?limit=2&after=b")
    assert refused(answer, 503) == ("damaged-tally", "")
    assert "monitor d" in answer.json()["detail"]


async def test_bins_of_a_reference_lead_to_a_histogram(service: Service) -> None:
    await service.put()
    rows: Document = {"y_proba": [0.5, 0.25], "n_bins": 20}
    answer = await service.client.put(f"{MONITOR}/reference", json=rows)
    assert refused(answer) == ("invalid-input", "/n_bins")
    assert "send their masses as score_histogram" in answer.json()["detail"]
    lines = {"y_proba": 0.5, "n_bins": 20}
    answer = await service.client.put(
        f"{MONITOR}/reference", content=json.dumps(lines).encode(), headers=typed(LINES[0])
    )
    assert refused(answer) == ("invalid-input", "/0/n_bins")
    await service.put(f"{MONITOR}/reference", score_histogram=[1] * 20)
