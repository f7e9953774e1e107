"""Reports and series as CSV, as Arrow and as JSON are the same numbers."""

import csv
import io
import math
from collections.abc import Mapping
from typing import Any

import httpx
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.api.tables import SERVED, accepted, arrow_bytes, csv_bytes
from kullback.monitoring.tables import TableColumn
from kullback.payload.media import ARROW, CSV, JSON
from tests.api.test_monitors_slices import frame, sent
from tests.monitoring.service import MONITOR, Document, Service, refused

pytestmark = pytest.mark.anyio

HOUR = 3600
QUERIES: list[tuple[str, Mapping[str, str | int]]] = [
    ("report", {}),
    ("report", {"by": "country,version"}),
    ("report", {"slice": "country=DE"}),
    ("report", {"from": 0, "to": 86400}),
    ("series", {"step": HOUR}),
    ("series", {"step": HOUR, "metric": "log_loss,auc", "by": "country"}),
    ("series", {"step": HOUR, "slice": "country=a=b", "metric": "auc"}),
    ("series", {"from": 0, "to": 86400}),
]


async def asked(
    service: Service, what: str, query: Mapping[str, str | int], kind: str
) -> httpx.Response:
    answer = await service.client.get(
        f"{MONITOR}/{what}", params=dict(query), headers={"accept": kind}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == kind
    assert answer.headers["vary"] == "Accept"
    return answer


def of_report(report: Document) -> list[Document]:
    """What the table of a report says."""
    return [
        {
            "monitor": report["monitor"],
            "from": report["from"],
            "to": report["to"],
            **{f"slice.{name}": value for name, value in row.get("slice", {}).items()},
            **{name: row[name] for name in ("n", "weight", "predictions", "labelled_share")},
            **{
                name if key == "value" else f"{name}_{key}": number(value, key)
                for name, value in row["metrics"].items()
                for key in value.keys() - {"status", "reason"}
            },
            **{
                f"drift_{side}_{key}": row["drift"][side][key]
                for side in ("score", "label")
                for key in ("psi", "p_value")
            },
        }
        for row in (report, *report["groups"])
    ]


def of_series(series: Document) -> list[Document]:
    """What the table of a series says."""
    rows = []
    for point in series["points"]:
        values = point.get("slice", series.get("slice", {}))
        rest = {key: value for key, value in point.items() if key not in {"slice", "value"}}
        rows.append(
            {"monitor": series["monitor"], "metric": series.get("metric"), **rest}
            | {f"slice.{name}": value for name, value in values.items()}
            | {"value": number(point, "value")}
        )
    return rows


def number(metric: Document, key: str) -> float | None:
    """A number as a table has it: what is infinite is so."""
    infinite = {"positive_infinity": math.inf, "negative_infinity": -math.inf}
    found: float | None = (
        infinite.get(metric["reason"], metric[key]) if key == "value" else metric[key]
    )
    return found


def same(found: Any, expected: Any) -> bool:  # noqa: ANN401 - an entry of any column
    if pd.isna(found):
        return expected is None
    if isinstance(found, pd.Timestamp):
        return bool(found == pd.Timestamp(expected))
    return bool(found == expected)


def check(table: pd.DataFrame, rows: list[Document]) -> None:
    assert len(table) == len(rows)
    names = {name for row in rows for name in row}
    assert names <= set(table.columns) or not rows
    for place, row in enumerate(rows):
        for name in table.columns:
            assert same(table[name].iloc[place], row.get(name)), (place, name)


@pytest.mark.parametrize(("what", "query"), QUERIES)
async def test_every_format_has_the_same_numbers_to_the_bit(
    service: Service, what: str, query: Mapping[str, str | int]
) -> None:
    await service.put(slices=["country", "version"], convention="exact")
    batch = sent(frame(200))
    batch["y_proba"][7], batch["y_true"][7] = 0.0, 1
    await service.post("observations", **batch)
    document = (await asked(service, what, query, JSON)).json()
    rows = of_report(document) if what == "report" else of_series(document)
    arrow = (await asked(service, what, query, ARROW)).content
    table = pa.ipc.open_stream(arrow).read_all()
    kinds = {"from": pa.timestamp("us", tz="UTC"), "to": pa.timestamp("us", tz="UTC")}
    kinds |= {"n": pa.int64(), "monitor": pa.string()}
    assert {name: table.schema.field(name).type for name in kinds} == kinds
    check(table.to_pandas(), rows)
    assert pl.read_ipc_stream(arrow).height == len(rows)
    text = (await asked(service, what, query, CSV)).content
    texts = {name: str for name in table.column_names if name.startswith("slice.")}
    read = pd.read_csv(io.BytesIO(text), dtype=texts, parse_dates=["from", "to"])
    check(read, rows)
    frame_ = pl.read_csv(io.BytesIO(text), infer_schema=False)
    assert (frame_.height, frame_.columns) == (len(rows), table.column_names)
    assert text.count(b"\r\n") == text.count(b"\n") == len(rows) + 1


async def test_a_table_of_a_report_has_all_rows_first_then_its_groups(service: Service) -> None:
    await service.put(slices=["country"])
    rows = {"y_true": [1, 0, 1], "y_proba": [0.5, 0.25, 0.75], "timestamp": [1772712000] * 3}
    await service.post("observations", **rows, slice={"country": ["DE", "DE", "=1+1"]})
    answer = await asked(service, "report", {"by": "country"}, CSV)
    found = list(csv.reader(io.StringIO(answer.text)))
    head, first, *groups = found
    assert head[:7] == ["monitor", "from", "to", "slice.country", "n", "weight", "predictions"]
    start, stop = "2026-03-04T12:00:00Z", "2026-03-05T12:01:00Z"
    assert first[:7] == ["clicks", start, stop, "", "3", "3.0", "3"]
    assert [group[3] for group in groups] == ["'=1+1", "DE"]  # no formula
    assert groups[0][head.index("auc")] == ""
    arrow = await asked(service, "report", {"by": "country"}, ARROW)
    table = pa.ipc.open_stream(arrow.content).read_all()
    assert table["slice.country"].to_pylist() == [None, "=1+1", "DE"]


async def test_the_format_may_stand_in_the_address(service: Service) -> None:
    await service.put()
    for name, kind in (("csv", CSV), ("arrow", ARROW), ("json", JSON)):
        for what in ("report", "series"):
            found = await service.client.get(
                f"{MONITOR}/{what}", params={"format": name}, headers={"accept": "text/html"}
            )
            assert found.headers["content-type"].partition(";")[0] == kind
    odd = await service.client.get(f"{MONITOR}/report", params={"format": "xlsx"})
    assert refused(odd)[1].endswith("/format")


async def test_what_is_not_served_is_refused_with_what_is(service: Service) -> None:
    await service.put()
    for accept in ("application/vnd.apache.parquet", "*/*;q=0", "text/csv;q=0"):
        answer = await service.client.get(f"{MONITOR}/report", headers={"accept": accept})
        assert refused(answer, 406) == ("not-acceptable", "")
        assert all(kind in answer.json()["detail"] for kind in SERVED)
    page = await service.client.get(f"{MONITOR}/report", headers={"accept": "text/html"})
    assert (page.status_code, page.headers["content-type"][:9]) == (406, "text/html")
    assert all(kind in page.text for kind in SERVED)


async def test_each_format_has_an_entity_tag_of_its_own(service: Service) -> None:
    await service.put()
    await service.post("observations", y_true=[1, 0], y_proba=[0.5, 0.25])
    tags = {kind: (await asked(service, "report", {}, kind)).headers["etag"] for kind in SERVED}
    assert len(set(tags.values())) == len(SERVED)
    for kind, tag in tags.items():
        for known in tags.values():
            answer = await service.client.get(
                f"{MONITOR}/report", headers={"accept": kind, "if-none-match": known}
            )
            assert answer.status_code == (304 if known == tag else 200)
            assert answer.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/*", CSV),
        ("text/csv", CSV),
        ("TEXT/CSV; charset=utf-8; header=present", CSV),
        ("text/csv, */*", CSV),
        ("text/csv;q=0.5, */*", JSON),
        ("text/csv;q=0.5, application/json;q=0.4", CSV),
        ("application/json, text/csv", JSON),
        ("text/csv, application/json", CSV),
        ("application/vnd.apache.arrow.stream, application/json;q=0.9", ARROW),
        ("application/x-arrow", ARROW),
        ("application/json;q=0, */*", CSV),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON),
        ("application/json, application/problem+json", JSON),
        ("text/csv;q=high", CSV),
        (", ,text/csv", CSV),
        ("image/png", None),
        ("*/*;q=0", None),
        ("*/*;q=nan", None),
    ],
)
def test_the_caller_gets_what_it_likes_best(accept: str, kind: str | None) -> None:
    assert accepted(accept, SERVED) == kind


@given(st.text(max_size=60))
def test_any_accept_is_answered_or_refused(accept: str) -> None:
    assert accepted(accept, SERVED) in {*SERVED, None}


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1),
            st.floats(allow_nan=False) | st.none(),
        ),
        max_size=5,
    )
)
def test_a_table_reads_as_what_was_written(rows: list[tuple[str, float | None]]) -> None:
    table = [
        TableColumn("slice.a", "text", [text for text, _ in rows]),
        TableColumn("value", "number", [value for _, value in rows]),
    ]
    arrow = pa.ipc.open_stream(arrow_bytes(table)).read_all()
    assert list(zip(*arrow.to_pydict().values(), strict=True)) == rows
    _, *found = csv.reader(io.StringIO(csv_bytes(table).decode(), newline=""))
    for (text, value), (name, number) in zip(rows, found, strict=True):
        assert name.removeprefix("'" * (name != text)) == text
        assert not name.startswith(tuple("=@\t\r"))
        assert (float(number) if number else None) == value


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("-1", "-1"),
        ("+49", "+49"),
        ("-", "'-"),
        ("=1", "'=1"),
        ("@7", "'@7"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("a=b", "a=b"),
        ('say "x", y', 'say "x", y'),
        ("two\nlines", "two\nlines"),
    ],
)
def test_a_cell_is_no_formula(text: str, cell: str) -> None:
    content = csv_bytes([TableColumn("name", "text", [text])]).decode()
    assert list(csv.reader(io.StringIO(content, newline="")))[1] == [cell]


def test_times_are_instants_of_microseconds() -> None:
    column = TableColumn("from", "time", [1772712000.25, None])
    found = pa.ipc.open_stream(arrow_bytes([column])).read_all()["from"]
    assert found.cast(pa.int64()).to_pylist() == [1772712000250000, None]
    assert csv_bytes([column]) == b'from\r\n2026-03-05T12:00:00.250000Z\r\n""\r\n'
