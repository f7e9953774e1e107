"""Values of slices: the first so many of each have cells of their own, the others share one.

Which they are is kept beside the record, with the last day of each, so that a value that is no
longer kept gives its place away. Who writes at the same moment may add one too many: no harm.
"""

import json
import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from kullback.moments import DAY
from kullback.storage.base import Cell, Transaction

OTHER = "(other)"
_LONGEST = 64  # letters of a value; of a longer one its digest is kept, behind a mark
_MARK = "#"
_DIGEST = re.compile("[0-9a-f]{16}").fullmatch  # as of more than 16 letters it was kept once

Days = dict[str, dict[str, int]]


def admit(
    tx: Transaction, record: int, name: str, cells: Iterable[Cell], cap: int
) -> Mapping[str, str]:
    """Give the values of these cells their places, as far as there are any.

    Args:
        tx: the write that adds the cells.
        record: whose they are.
        name: of the attachment that says which values have places.
        cells: those that are to be added.
        cap: how many values of each slice may have places.

    Returns:
        What the slices of cells without a place become: "country=FR" is "country=(other)".
    """
    latest: dict[str, int] = {}
    for cell in cells:
        if cell.slice:
            latest[cell.slice] = max(latest.get(cell.slice, 0), cell.start // DAY)
    days = _read(tx, record, name) if latest else {}
    moved: dict[str, str] = {}
    has_changed = False
    for text, day in latest.items():
        key, _, value = text.partition("=")
        places = days.setdefault(key, {})
        short = _shortened(value, places)
        if short not in places and (len(places) >= cap or value == OTHER):
            moved[text] = f"{key}={OTHER}"
        elif places.get(short, -1) < day:
            places[short] = day
            has_changed = True
    if has_changed:
        _write(tx, record, name, days)
    return moved


def release(tx: Transaction, record: int, name: str, before: float) -> None:
    """Take the places of values that were last seen on a day before."""
    days = _read(tx, record, name)
    last = int(before) // DAY
    kept = {
        key: {value: day for value, day in places.items() if day >= last}
        for key, places in days.items()
    }
    if kept != days:
        _write(tx, record, name, kept)


def release_all(tx: Transaction, record: int, name: str, keys: Iterable[str]) -> None:
    """Take the places of all values of some slices."""
    days = _read(tx, record, name)
    kept = {key: places for key, places in days.items() if key not in set(keys)}
    if kept != days:
        _write(tx, record, name, kept)


def values_with_places(content: bytes) -> list[str]:
    """The values that have places, as "country=DE", those of the latest days first.

    Args:
        content: of the attachment that says which they are; of long values it has digests alone.
    """
    days: Days = json.loads(content)
    latest = [
        (-day, f"{key}={value}")
        for key, places in days.items()
        for value, day in places.items()
        if not value.startswith(_MARK) and not _DIGEST(value)
    ]
    return [text for _, text in sorted(latest)]


def _read(tx: Transaction, record: int, name: str) -> Days:
    content = tx.attachment(record, name)
    days: Days = {} if content is None else json.loads(content)
    return days


def _write(tx: Transaction, record: int, name: str, days: Days) -> None:
    tx.attach(record, name, json.dumps(days).encode())


def _shortened(value: str, places: Mapping[str, int]) -> str:
    digest = blake2b(value.encode(), digest_size=8).hexdigest()
    if digest in places:
        return digest
    return value if len(value) <= _LONGEST else _MARK + digest
