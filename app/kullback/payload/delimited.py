"""CSV and TSV: text whose first row names the columns."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from kullback.errors import InvalidInput, MalformedBody
from kullback.payload.dialect import Dialect

MAX_HEADER = 1 << 20
MAX_COLUMNS = 1 << 16
_BLOCK = 1 << 22  # of the file at once: a row is no longer
# as pandas, R, SQL, spreadsheets and JSON write that nothing is there
MISSING = ("", "NA", "NaN", "nan", "null", "NULL", "N/A", "n/a", "#N/A", "<NA>")
_SIGNS = (";", "\t", "|", ",")


@dataclass(slots=True)
class Delimited:
    """A table of text; blanks around the names of its columns are none of theirs.

    Attributes:
        names: of the columns, in their order; 1, 2, … where the table has no header.
    """

    content: bytes | bytearray
    dialect: Dialect = field(default_factory=Dialect)
    names: list[str] = field(init=False)
    _padded: list[bool] = field(init=False)
    _blank: int = 0  # lines before the header

    def __post_init__(self) -> None:
        """Read the header.

        Raises:
            InvalidInput: the dialect is none, or there are too many columns.
            MalformedBody: the bytes are not of its encoding, or there is no header.
        """
        self.dialect.check()
        if self.dialect.codec not in {"utf-8", "ascii"}:
            self.content = self._text(self.content, self.dialect.codec).encode()
        if not self.content.endswith((b"\n", b"\r")):
            self.content += b"\n"
        row = self._first_row()
        if len(row) > MAX_COLUMNS:
            raise InvalidInput(f"more than {MAX_COLUMNS} columns")
        self._padded = [cell != cell.strip() for cell in row]
        if self.dialect.header:
            self.names = [cell.strip() for cell in row]
        else:
            self.names = [str(number) for number, _ in enumerate(row, 1)]

    def read(self, names: Sequence[str]) -> pa.Table:
        """These columns, as text; a cell that is empty, or says that nothing is there, is null.

        Raises:
            MalformedBody: a row has more or fewer cells than the header, or is no text.
        """
        odd: list[arrow_csv.InvalidRow] = []

        def refuse(row: arrow_csv.InvalidRow) -> str:
            odd.append(row)
            return "error"

        wanted = set(names)
        places = {str(at): name for at, name in enumerate(self.names) if name in wanted}
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(pa.py_buffer(self.content)),
                arrow_csv.ReadOptions(
                    use_threads=False,
                    block_size=_BLOCK,
                    column_names=[str(place) for place in range(len(self.names))],
                    skip_rows=self._blank if self.dialect.header else 0,
                    skip_rows_after_names=int(self.dialect.header),
                ),
                arrow_csv.ParseOptions(
                    delimiter=self.dialect.delimiter,
                    newlines_in_values=True,
                    invalid_row_handler=refuse,
                ),
                arrow_csv.ConvertOptions(
                    include_columns=list(places),
                    column_types=dict.fromkeys(places, pa.string()),
                    strings_can_be_null=True,
                    null_values=MISSING,
                ),
            )
        except pa.ArrowException as error:
            raise MalformedBody(self._complaint(odd, str(error))) from error
        columns = [self._column(int(place), table.column(place)) for place in places]
        return pa.table(columns, [*places.values()]).select(list(names))

    def other_delimiter(self) -> str:
        """The sign by which the header looks separated, where its own separates nothing."""
        alone = self.names[0] if len(self.names) == 1 else ""
        return next((sign for sign in _SIGNS if sign in alone), "")

    def _first_row(self) -> list[str]:
        end = self.content.find(b"\n", 0, MAX_HEADER + 1)
        if end < 0 and len(self.content) > MAX_HEADER:
            raise MalformedBody(f"the header is longer than {MAX_HEADER} bytes")
        try:
            for row in csv.reader(self._lines(), delimiter=self.dialect.delimiter):
                if row:
                    return row
                self._blank += 1
        except csv.Error as error:
            raise MalformedBody("the header is not closed where it is quoted") from error
        raise MalformedBody("the table is empty")

    def _lines(self) -> Iterator[str]:
        """The first lines, of no more bytes than a header may have."""
        head = self.content[: MAX_HEADER + 1]
        for line in io.BytesIO(head):
            yield self._text(line, "utf-8").removeprefix("\ufeff")

    def _text(self, raw: bytes | bytearray, encoding: str) -> str:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError as error:
            raise MalformedBody(self._not_text()) from error

    def _not_text(self) -> str:
        return f"its text is not {self.dialect.encoding}: say which encoding it has, as in latin-1"

    def _complaint(self, odd: list[arrow_csv.InvalidRow], error: str) -> str:
        if odd:
            row = odd[0].number - self.dialect.header
            return (
                f"row {row} of the table has {odd[0].actual_columns} cells, "
                f"where there are {odd[0].expected_columns} columns"
            )
        if "UTF8" in error:
            return self._not_text()
        return f"a row of the table is longer than {_BLOCK} bytes, or a quote is not closed"

    def _column(self, place: int, cells: pa.ChunkedArray) -> pa.ChunkedArray:
        """Cells as they stand, but for blanks where the name has some too, as after a comma.

        Blanks around what says that nothing is there are never more than that.
        """
        trimmed = pc.utf8_trim_whitespace(cells)
        kept = trimmed if self._padded[place] else cells
        return pc.if_else(pc.is_in(trimmed, pa.array(MISSING)), None, kept)
