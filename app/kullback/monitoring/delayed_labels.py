"""Rows that are kept by id: what is packed of each, as it was counted, and what that is again."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from kullback.monitoring.cells import CheckedRows
from kullback.monitoring.monitor import Monitor
from kullback.numerics.types import Array, Indices
from kullback.storage.rows import Outcome, Row

_CLASSES = np.dtype("<u2")
_NUMBERS = np.dtype("<f8")


@cache
def _packed(classes: int) -> np.dtype[np.void]:
    """The bytes of a row, which say first how many probabilities there are."""
    proba = ("proba", "<f8", (classes,))
    return np.dtype([("classes", _CLASSES), ("unit", "<i2"), ("weight", "<f8"), proba])


@cache
def _packed_before(classes: int) -> np.dtype[np.void]:
    """The bytes of a row that an older release kept: as many probabilities as the monitor has."""
    proba = ("proba", "<f8", (classes,))
    return np.dtype([("time", "<f8"), ("weight", "<f8"), ("unit", "<i2"), proba])


def pack_rows(checked: CheckedRows) -> list[Row]:
    """What is kept of each row."""
    proba = checked.p.reshape(checked.time.size, -1)
    kind = _packed(proba.shape[1])
    rows = np.zeros(checked.time.size, kind)
    rows["classes"] = proba.shape[1]
    rows["weight"] = 1.0 if checked.w is None else checked.w
    rows["unit"] = -1 if checked.units is None else checked.units
    rows["proba"] = proba
    raw, size = rows.tobytes(), kind.itemsize
    contents = [raw[at : at + size] for at in range(0, len(raw), size)]
    if checked.slices:
        contents = list(map(bytes.__add__, contents, _slices(checked)))
    y = checked.y
    outcomes = [None] * len(contents) if y is None else _packed_outcomes(y)
    return list(map(Row, checked.time.tolist(), contents, outcomes))


def pack_outcomes(outcomes: Array | Indices) -> list[Row]:
    """What is kept of labels alone."""
    return [Row(None, b"", outcome) for outcome in _packed_outcomes(outcomes)]


def _packed_outcomes(outcomes: Array | Indices) -> list[Outcome]:
    """The outcome of each row: a number, or the bytes of as many as there are labels."""
    if outcomes.ndim == 1:
        return list(np.asarray(outcomes, np.float64).tolist())
    return [row.tobytes() for row in np.asarray(outcomes, _NUMBERS)]


def _outcomes(rows: Sequence[Row]) -> Array:
    """See _packed_outcomes."""
    packed = [row.outcome for row in rows if isinstance(row.outcome, bytes)]
    if packed:
        return np.frombuffer(b"".join(packed), _NUMBERS).reshape(len(packed), -1)
    return np.array([row.outcome for row in rows], np.float64)


def unpack_rows(monitor: Monitor, rows: Sequence[Row]) -> Iterator[tuple[Indices, CheckedRows]]:
    """Rows that were packed, and which of all they are, (n,), a few kinds of them one by one.

    Rows with a unit come apart from those without: what one says of its unit is not lost because
    it is read together with others that say nothing.
    """
    before = _packed_before(monitor.layout.classes if monitor.task != "binary" else 1)
    alike: dict[np.dtype[np.void], list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        is_old = row.time is None
        alike[before if is_old else _packed(int.from_bytes(row.content[:2], "little"))].append(at)
    for kind, some in alike.items():
        places = np.array(some)
        size = kind.itemsize
        values = np.frombuffer(b"".join(rows[at].content[:size] for at in some), kind)
        for has_unit in (True, False):
            chosen = np.flatnonzero((values["unit"] >= 0) == has_unit)
            if chosen.size:
                inside = [rows[at] for at in places[chosen].tolist()]
                yield places[chosen], _unpacked(monitor, inside, values[chosen])


def _unpacked(monitor: Monitor, rows: Sequence[Row], values: npt.NDArray[np.void]) -> CheckedRows:
    weight: Array = values["weight"].copy()
    unit = values["unit"].astype(np.int64)
    proba: Array = values["proba"].copy()
    if monitor.task == "multiclass":  # classes may have been added since
        proba = np.pad(proba, ((0, 0), (0, monitor.layout.classes - proba.shape[1])))
    read: dict[bytes, Mapping[str, str]] = {}
    size = values.itemsize
    slices = [read.setdefault(raw, _read(raw)) for raw in (row.content[size:] for row in rows)]
    names = {name for row in read.values() for name in row}
    is_old = rows[0].time is None
    return CheckedRows(
        y=_outcomes(rows),
        p=proba[:, 0] if monitor.task == "binary" else proba,
        time=values["time"].copy() if is_old else np.array([row.time for row in rows], np.float64),
        w=None if (weight == 1).all() else weight,
        units=unit if (unit >= 0).all() else None,
        slices={name: [row.get(name) for row in slices] for name in sorted(names)},
    )


def _slices(checked: CheckedRows) -> Iterator[bytes]:
    """The slice values of each row as JSON."""
    names = list(checked.slices)
    written: dict[tuple[str | None, ...], bytes] = {}
    for row in zip(*checked.slices.values(), strict=True):
        if row not in written:
            written[row] = json.dumps(dict(zip(names, row, strict=True))).encode()
        yield written[row]


def _read(raw: bytes) -> Mapping[str, str]:
    values: dict[str, str] = json.loads(raw) if raw else {}
    return values
