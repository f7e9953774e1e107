"""Delayed labels: predictions wait for their labels, and labels for their predictions."""

import json
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from kullback.monitoring.cells import CheckedRows
from kullback.monitoring.monitor import Monitor
from kullback.numerics.types import Array, Indices

_OUTCOME = np.dtype("<f8")


def _prediction(monitor: Monitor) -> np.dtype[np.void]:
    width = 1 if monitor.task == "binary" else monitor.layout.classes
    fields = [("time", "<f8"), ("weight", "<f8"), ("unit", "<i2"), ("proba", "<f8", (width,))]
    return np.dtype(fields)


def pack_predictions(
    monitor: Monitor, ids: Sequence[str], checked: CheckedRows
) -> dict[str, bytes]:
    """The bytes of each prediction, by its id."""
    kind = _prediction(monitor)
    rows = np.zeros(len(ids), kind)
    rows["time"] = checked.time
    rows["weight"] = 1.0 if checked.w is None else checked.w
    rows["unit"] = -1 if checked.units is None else checked.units
    rows["proba"] = checked.p.reshape(len(ids), -1)
    raw, size = rows.tobytes(), kind.itemsize
    cut = (raw[at : at + size] for at in range(0, len(raw), size))
    slices = _slices(checked, len(ids))
    return {name: row + more for name, row, more in zip(ids, cut, slices, strict=True)}


def prediction_times(monitor: Monitor, packed: Sequence[bytes]) -> Array:
    """The times of packed predictions, (n,)."""
    kind = _prediction(monitor)
    rows = np.frombuffer(b"".join(raw[: kind.itemsize] for raw in packed), kind)
    return np.array(rows["time"], np.float64)


def unpack_predictions(
    monitor: Monitor, packed: Sequence[bytes], y: Array | Indices
) -> Iterator[CheckedRows]:
    """The rows of packed predictions, with the outcomes (n,) that they were matched with.

    Rows with a unit come apart from those without: what one says of its unit is not lost because
    it is matched together with others that say nothing.
    """
    kind = _prediction(monitor)
    rows = np.frombuffer(b"".join(raw[: kind.itemsize] for raw in packed), kind)
    for has_unit in (True, False):
        places = np.flatnonzero((rows["unit"] >= 0) == has_unit)
        if places.size:
            yield _unpacked(
                monitor, [packed[at] for at in places.tolist()], rows[places], y[places]
            )


def _unpacked(
    monitor: Monitor, packed: Sequence[bytes], rows: npt.NDArray[np.void], y: Array | Indices
) -> CheckedRows:
    weight: Array = rows["weight"].copy()
    unit = rows["unit"].astype(np.int64)
    proba: Array = rows["proba"].copy()
    read: dict[bytes, Mapping[str, str]] = {}
    size = rows.itemsize
    slices = [read.setdefault(raw, _read(raw)) for raw in (raw[size:] for raw in packed)]
    names = {name for row in read.values() for name in row}
    return CheckedRows(
        y=y,
        p=proba[:, 0] if monitor.task == "binary" else proba,
        time=rows["time"].copy(),
        w=None if (weight == 1).all() else weight,
        units=unit if (unit >= 0).all() else None,
        slices={name: [row.get(name) for row in slices] for name in sorted(names)},
    )


def pack_outcomes(ids: Sequence[str], outcomes: Array | Indices) -> dict[str, bytes]:
    """The bytes of each outcome, by its id."""
    raw, size = outcomes.astype(_OUTCOME).tobytes(), _OUTCOME.itemsize
    cut = (raw[at : at + size] for at in range(0, len(raw), size))
    return dict(zip(ids, cut, strict=True))


def unpack_outcomes(packed: Sequence[bytes]) -> Array:
    """The outcomes of packed ones, (n,)."""
    return np.frombuffer(b"".join(packed), _OUTCOME).astype(np.float64)


def _slices(checked: CheckedRows, n: int) -> Iterator[bytes]:
    """The slice values of each row as JSON, nothing where there are none."""
    if not checked.slices:
        yield from [b""] * n
        return
    names = list(checked.slices)
    written: dict[tuple[str | None, ...], bytes] = {}
    rows = zip(*checked.slices.values(), strict=True)
    for row in rows:
        if row not in written:
            written[row] = json.dumps(dict(zip(names, row, strict=True))).encode()
        yield written[row]


def _read(raw: bytes) -> Mapping[str, str]:
    values: dict[str, str] = json.loads(raw) if raw else {}
    return values
