"""Answers as tables: of pandas, polars or pyarrow, as Markdown, and as notebooks show them."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from importlib import import_module
from typing import Any

Row = dict[str, object]
MOST_SHOWN = 60  # rows that a notebook shows
_TEXTS = {"monitor", "experiment", "metric", "arm", "control", "verdict", "status", "reason"}
_TIMES = {"from", "to"}
_WHOLES = {"n", "predictions", "epoch"}
_TRUTHS = {"mature"}


class Table:
    """What can be had as a table of rows, which all have the same columns."""

    __slots__ = ()

    def rows(self) -> list[Row]:
        """The rows, each by the names of its columns."""
        raise NotImplementedError

    def to_pandas(self) -> Any:  # noqa: ANN401 - pandas is there or not
        """A `pandas.DataFrame`; a number that is not there is NaN."""
        pd = import_module("pandas")
        kinds = {"time": "datetime64[us, UTC]", "whole": "int64", "truth": "bool", "text": "object"}
        return pd.DataFrame(
            {
                name: pd.Series(entries, dtype=kinds.get(_kind(name), "float64"))
                for name, entries in self._columns().items()
            }
        )

    def to_polars(self) -> Any:  # noqa: ANN401 - polars is there or not
        """A `polars.DataFrame`."""
        pl = import_module("polars")
        kinds = {
            "text": pl.String,
            "time": pl.Datetime("us", "UTC"),
            "whole": pl.Int64,
            "truth": pl.Boolean,
            "number": pl.Float64,
        }
        columns = self._columns()
        return pl.DataFrame(columns, schema={name: kinds[_kind(name)] for name in columns})

    def to_arrow(self) -> Any:  # noqa: ANN401 - pyarrow is there or not
        """A `pyarrow.Table`."""
        pa = import_module("pyarrow")
        kinds = {
            "text": pa.string(),
            "time": pa.timestamp("us", "UTC"),
            "whole": pa.int64(),
            "truth": pa.bool_(),
            "number": pa.float64(),
        }
        columns = self._columns()
        return pa.table(columns, pa.schema([(name, kinds[_kind(name)]) for name in columns]))

    def to_markdown(self) -> str:
        """A table of GitHub's Markdown."""
        head, *rows = _texts(self.rows())
        lines = [head, ["---"] * len(head), *rows]
        return "\n".join(f"| {' | '.join(map(_marked, line))} |" for line in lines)

    def _columns(self) -> dict[str, list[object]]:
        rows = self.rows()
        return {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}

    def _repr_html_(self) -> str:
        head, *rows = _texts(self.rows()[:MOST_SHOWN])
        return (
            f"<table><thead><tr>{_cells('th', head)}</tr></thead><tbody>"
            + "".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
            + "</tbody></table>"
        )


def _kind(column: str) -> str:
    """What a column holds, by its name."""
    names = {"text": _TEXTS, "time": _TIMES, "whole": _WHOLES, "truth": _TRUTHS}
    if column.startswith("slice."):
        return "text"
    return next((kind for kind, of in names.items() if column in of), "number")


def _texts(rows: Sequence[Row]) -> list[list[str]]:
    """The head and the rows as they are shown, without columns in which nothing stands."""
    names = [
        name for name in (rows[0] if rows else ()) if any(row[name] is not None for row in rows)
    ]
    return [names, *([_text(row[name]) for name in names] for row in rows)]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)


def _marked(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _cells(tag: str, texts: Sequence[str]) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)
