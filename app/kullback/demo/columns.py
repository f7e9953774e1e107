"""Columns of rows, and the Arrow stream that carries them."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Numbers = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Words = npt.NDArray[np.str_]
Columns = Mapping[str, Numbers | Whole | Words]

ARROW = "application/vnd.apache.arrow.stream"


def arrow_stream(columns: Columns) -> bytes:
    """The columns as an Arrow stream; a matrix becomes a column of lists."""
    table = pa.table({name: _column(values) for name, values in columns.items()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    stream: bytes = sink.getvalue().to_pybytes()
    return stream


def _column(values: Numbers | Whole | Words) -> pa.Array:
    if values.ndim == 1:
        return pa.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
