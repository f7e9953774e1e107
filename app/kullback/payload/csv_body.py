"""Reader of CSV bodies: the columns of a small table of text."""

import re
from collections import Counter
from collections.abc import Mapping

import pyarrow as pa

from kullback.errors import BodyTooLarge, InvalidInput
from kullback.payload.arrow import columns_of, no_such_column
from kullback.payload.columns import Column
from kullback.payload.delimited import Delimited
from kullback.payload.delimited_cells import typed
from kullback.payload.dialect import Dialect
from kullback.payload.room import TEXT, Room

MAX_CSV = 16 << 20
_INDEX = re.compile(r"Unnamed: \d+")  # as pandas names its index, once it has read it


def parse_csv(
    body: bytearray, columns: Mapping[str, Column], cap: int, dialect: Dialect
) -> dict[str, object]:
    """The columns of a table of text, whose first row names them; one without a name is none.

    Args:
        body: as it is written.
        columns: which fields hold many entries, and of what kind.
        cap: bytes that the entries may occupy, twice.
        dialect: how it is written.

    Raises:
        MalformedBody: it is no such table.
        BodyTooLarge: it is larger than a table of text may be, or its entries are.
        InvalidInput: a column is unknown or stands twice, or a cell is not of its kind.
    """
    if len(body) > MAX_CSV:
        detail = f"a CSV body has at most {MAX_CSV >> 20} MiB: send Arrow or Parquet"
        raise BodyTooLarge(detail)
    table = Delimited(body, dialect)
    names = [name for name in table.names if name and not _INDEX.fullmatch(name)]
    for name in names:
        if name.partition(".")[0] not in columns:
            sign = table.other_delimiter()
            hint = f"the header looks separated by {sign!r}: send that as the option delimiter"
            raise InvalidInput.at(hint if sign else no_such_column(name, columns), name)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InvalidInput.at("the column stands twice", twice[0])
    rows = max(body.count(b"\n"), body.count(b"\r")) + 1
    Room(TEXT * cap).take_entries(rows * len(names))
    text = table.read(names)
    cells = {}
    for name in names:
        field = name.partition(".")[0]
        column = text.column(name).combine_chunks()
        kind = columns[field].entry
        cells[name] = typed(column, kind, field, name, decimal=dialect.decimal)
    return columns_of(pa.table(cells), columns, TEXT * cap)
