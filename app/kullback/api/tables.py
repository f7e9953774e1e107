"""Answers as tables: CSV, or a stream of Arrow, beside JSON, whichever the caller would have."""

import csv
import io
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, TypeVar

import pyarrow as pa
from fastapi import Query, Request, Response

from kullback.api.problems import problems
from kullback.api.routes import TAGGED, TaggedAnswer, as_json
from kullback.documents import entity_tag
from kullback.errors import NotAcceptable
from kullback.moments import moment
from kullback.monitoring.tables import Entry, Table, TableColumn
from kullback.payload.media import ARROW, CSV, JSON, media_type, weighted_names

Format = Literal["json", "csv", "arrow"]
FORMATS: dict[Format, str] = {"json": JSON, "csv": CSV, "arrow": ARROW}
SERVED = tuple(FORMATS.values())
AsFormat = Annotated[
    Format | None, Query(alias="format", description="Format of the answer, whatever Accept says.")
]
TABLES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            CSV: {"schema": {"type": "string"}},
            ARROW: {"schema": {"type": "string", "format": "binary"}},
        }
    },
    **TAGGED,
    **problems(NotAcceptable),
}
_ARROW_TYPES = {
    "text": pa.string(),
    "time": pa.timestamp("us", tz="UTC"),
    "count": pa.int64(),
    "number": pa.float64(),
    "flag": pa.bool_(),
}
_FORMULA = tuple("=+-@\t\r")  # what makes a cell a formula where a spreadsheet opens it
Document = TypeVar("Document")


def answer_type(request: Request, form: Format | None) -> str:
    """The media type to answer in.

    Raises:
        NotAcceptable: Accept rules out all that there are.
    """
    if form is not None:
        return FORMATS[form]
    chosen = accepted(",".join(request.headers.getlist("accept")), SERVED)
    if chosen is None:
        detail = f"Accept names nothing that is served here: {', '.join(SERVED)}; or ?format="
        raise NotAcceptable(f"{detail}{', '.join(FORMATS)}")
    return chosen


def accepted(accept: str, served: Sequence[str]) -> str | None:
    """Of what is served, what a header Accept likes best; None if it rules out all of it.

    Of two that it likes as much it is the one that it names more exactly, then first.

    Source: RFC 9110, §12.5.1.
    """
    if not accept.strip(" ,"):
        return served[0]
    ranges = [
        (media_type(name), 1.0 if weight is None else min(weight, 1.0))  # none may be more
        for name, weight in weighted_names(accept)
    ]
    best: tuple[float, int, int] = (0.0, 0, 0)
    chosen = None
    for kind in served:
        group = f"{kind.partition('/')[0]}/*"
        for exactness, named in ((2, kind), (1, group), (0, "*/*")):
            places = [at for at, (name, _) in enumerate(ranges) if name == named]
            if places:
                rank = (ranges[places[0]][1], exactness, -places[0])
                if rank[0] > 0 and (chosen is None or rank > best):
                    best, chosen = rank, kind
                break
    return chosen


def tagged_table(
    etag: str, kind: str, read: Callable[[], Document], table: Callable[[Document], Table]
) -> TaggedAnswer:
    """An answer in the media type `kind`, with an entity tag of its own."""
    if kind == JSON:
        return TaggedAnswer(etag, lambda: as_json(read()))
    write, named = (csv_bytes, f"{CSV}; charset=utf-8; header=present")
    if kind == ARROW:
        write, named = arrow_bytes, ARROW
    tag = entity_tag(f"{etag}{kind}".encode())
    return TaggedAnswer(tag, lambda: Response(write(table(read())), media_type=named))


def arrow_bytes(table: Table) -> bytes:
    """The table as a stream of Arrow: times are microseconds in UTC."""
    columns = {
        column.name: pa.array(_microseconds(column), _ARROW_TYPES[column.kind]) for column in table
    }
    content = pa.table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, content.schema) as writer:
        writer.write_table(content)
    return bytes(sink.getvalue())


def csv_bytes(table: Table) -> bytes:
    """The table as CSV with a header (RFC 4180), in UTF-8.

    Times are RFC 3339, numbers as short as is exact, and nothing stands where nothing is. A text
    that a spreadsheet would take for a formula has an apostrophe before it.
    """
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow([_cell(column.name) for column in table])
    writer.writerows(zip(*[_cells(column) for column in table], strict=True))
    return lines.getvalue().encode()


def _microseconds(column: TableColumn) -> Sequence[Entry]:
    if column.kind != "time":
        return column.entries
    return [None if at is None else round(float(at) * 1e6) for at in column.entries]


def _cells(column: TableColumn) -> Sequence[Entry]:
    if column.kind == "time":
        return [None if at is None else moment(float(at)) for at in column.entries]
    if column.kind == "flag":
        return [None if entry is None else str(entry).lower() for entry in column.entries]
    return [_cell(entry) if isinstance(entry, str) else entry for entry in column.entries]


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    return text[0] in "+-" and text[1:].isascii() and text[1:].isdigit()
