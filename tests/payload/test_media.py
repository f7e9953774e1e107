"""Media types are known by the names in use, and a body by how it begins."""

import pyarrow as pa
import pytest
from httpx import AsyncClient

from kullback.errors import MalformedBody, UnsupportedBody
from kullback.payload.media import (
    ARROW,
    ARROW_FILE,
    CSV,
    JSON,
    LINES,
    PARQUET,
    check_media_type,
    media_type,
)
from tests.payload.answers import answer
from tests.payload.bodies import as_arrow, as_arrow_file, as_json, as_parquet, typed

FIELDS = {"y_true": [1, 0, 1], "y_proba": [0.5, 0.25, 0.75]}
TABLE = pa.table(FIELDS)
TEXT = b"y_true,y_proba\n1,0.5\n0,0.25\n1,0.75\n"
BODIES = {
    JSON: as_json(FIELDS),
    ARROW: as_arrow(TABLE),
    ARROW_FILE: as_arrow_file(TABLE),
    PARQUET: as_parquet(TABLE),
}


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("Application/JSON; charset=utf-8", JSON),
        ("text/json", JSON),
        ("application/x-parquet", PARQUET),
        (" application/parquet ;x=y", PARQUET),
        ("application/vnd.apache.arrow", ARROW),
        ("application/x-feather", ARROW_FILE),
        ("application/csv", CSV),
        ("application/x-jsonlines", LINES[1]),
        ("application/ndjson", LINES[0]),
        ("text/html", "text/html"),
        ("", ""),
    ],
)
def test_a_type_is_known_by_the_names_in_use(written: str, kind: str) -> None:
    assert media_type(written) == kind


def test_a_type_that_is_not_read_names_those_that_are() -> None:
    with pytest.raises(UnsupportedBody, match=r"text/csv"):
        check_media_type("text/html")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("application/x-parquet", BODIES[PARQUET]),
        ("application/vnd.apache.arrow.file", BODIES[ARROW_FILE]),
        ("application/x-apache-arrow-stream", BODIES[ARROW]),
        ("text/csv; charset=utf-8; header=present", TEXT),
    ],
)
async def test_the_service_reads_them_alike(client: AsyncClient, name: str, body: bytes) -> None:
    expected = await client.post("/v1/scores/log-loss", json=FIELDS)
    found = await client.post("/v1/scores/log-loss", content=body, headers=typed(name))
    assert (found.status_code, found.content) == (200, expected.content)


@pytest.mark.parametrize("sent", [JSON, ARROW, PARQUET, CSV])
@pytest.mark.parametrize("real", BODIES)
def test_a_body_of_another_type_is_told_by_how_it_begins(sent: str, real: str) -> None:
    if sent == real or (sent, real) == (ARROW, ARROW_FILE) or (sent, real) == (CSV, JSON):
        return  # which is read, or a header of a strange name
    with pytest.raises(MalformedBody, match=f"it begins as {real} does"):
        answer("log-loss", BODIES[real], sent, {})


def test_a_body_that_begins_as_it_should_is_told_nothing() -> None:
    with pytest.raises(MalformedBody) as refused:
        answer("log-loss", BODIES[PARQUET][:-9], PARQUET, {})
    assert "begins" not in refused.value.message
