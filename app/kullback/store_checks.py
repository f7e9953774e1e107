"""Whether a database, or a backup, is sound: everything in it is read as a service reads it."""

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from kullback.access.book import KIND as KEY
from kullback.access.book import FileShelf, decoded_key
from kullback.errors import KullbackError, StoreUnavailable
from kullback.experiments.plan import Plan
from kullback.experiments.stored import KIND as EXPERIMENT
from kullback.experiments.stored import StoredExperiment
from kullback.monitoring.annotations import ANNOTATIONS, annotations_of
from kullback.monitoring.arrival_times import ARRIVALS, ArrivalTimes
from kullback.monitoring.delayed_labels import unpack_rows
from kullback.monitoring.features import FEATURE_VALUES
from kullback.monitoring.ingest import SLICE_VALUES
from kullback.monitoring.label_delays import DELAYS, LabelDelays
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.reference import Reference
from kullback.monitoring.stored import KIND as MONITOR
from kullback.monitoring.stored import REFERENCE, StoredMonitor
from kullback.storage.base import Record
from kullback.storage.contents import Contents, StoredPart, WaitingRow
from kullback.storage.slice_values import values_with_places
from kullback.stored_sums import naming_damage
from kullback.tally.merge import merge

Report = Callable[[str, int, int | None], None]
Reader = Callable[[bytes], object]
Level = Literal["file", "settings", "attachment", "rows", "sums"]
# What bytes that are not what they were may come to. Pydantic's and JSON's errors are ValueErrors.
_UNREADABLE = (KullbackError, ValueError, KeyError, IndexError, TypeError, struct.error)


@dataclass(frozen=True, slots=True)
class Damage:
    """What cannot be read as it was written: on which level, whose it is, and where."""

    level: Level
    owner: str | None  # as "monitor clicks"; None where it is nobody's
    detail: str

    def __str__(self) -> str:
        return self.detail if self.owner is None else f"{self.owner}: {self.detail}"


def damages(contents: Contents, report: Report) -> Iterator[Damage]:
    """All damage of the file, of settings and what stands beside them, of rows, and of sums."""
    report("file", 0, None)
    for flaw in contents.flaws():
        yield Damage("file", None, flaw)
    done, total = 0, sum(contents.stored().counts.values())
    for record in contents.records():
        for size, damage in _of_record(contents, record):
            done += size
            report("settings and rows", done, total)
            yield from damage
    for part in contents.parts():
        done += 1
        report("sums", done, total)
        yield from _of_part(part)


def keys_file_damage(path: Path) -> list[Damage]:
    """What is wrong with a file of keys, where there is something."""
    try:
        FileShelf(path).load()
    except StoreUnavailable as error:
        return [Damage("file", None, error.message)]
    return []


def _of_record(contents: Contents, record: Record) -> Iterator[tuple[int, list[Damage]]]:
    """What was read of a record, some at a time, and what is damaged of that."""
    owner = f"{record.kind} {record.name}"
    monitor, damage = None, list[Damage]()
    try:
        monitor = _settings(record)
    except _UNREADABLE as error:
        damage.append(Damage("settings", owner, _reason(error)))
    yield 1, damage
    for name, content in contents.attachments(record.id):
        yield 1, _of_attachment(owner, name, content)
    for rows in contents.rows(record.id):
        yield len(rows), [] if monitor is None else _of_rows(monitor, owner, rows)


def _settings(record: Record) -> Monitor | None:
    """The monitor of a record; None where it is another thing that can be read."""
    if record.kind == MONITOR:
        return StoredMonitor.of(record, record.name).monitor
    if record.kind == EXPERIMENT:
        StoredExperiment.of(record, record.name)
    elif record.kind == KEY:
        decoded_key(record.document)
    else:
        json.loads(record.document)
    return None


def reader_of(attachment: str) -> Reader | None:
    """What reads the bytes that stand beside a record under a name; None for what nobody knows."""
    kind, slash, _ = attachment.partition("/")
    return _READERS.get(kind + slash)


def _of_attachment(owner: str, name: str, content: bytes) -> list[Damage]:
    read = reader_of(name)
    try:
        if read is not None:
            read(content)
    except _UNREADABLE as error:
        return [Damage("attachment", owner, f"{name}: {_reason(error)}")]
    return []


def _read_reference(content: bytes) -> None:
    reference = Reference.decoded(content)
    for tallies in (reference.labelled, reference.scored):
        for _ in tallies.values():  # each is decoded when it is asked for
            continue


_READERS: Mapping[str, Reader] = {
    REFERENCE: _read_reference,
    DELAYS: LabelDelays.decoded,
    ANNOTATIONS: annotations_of,
    ARRIVALS: ArrivalTimes.decoded,
    SLICE_VALUES: values_with_places,
    FEATURE_VALUES: values_with_places,
    "plan/": Plan.decoded,  # behind the slash: an epoch
    "slice values/": values_with_places,
    "crossing/": json.loads,
}


def _of_rows(monitor: Monitor, owner: str, rows: list[WaitingRow]) -> list[Damage]:
    """What of rows that are kept by id cannot be read: all of them at once, if they can."""
    try:
        kept = [row.read().row for row in rows]
        predictions = [row for row, stored in zip(kept, rows, strict=True) if stored.has_prediction]
        for _ in unpack_rows(monitor, predictions):
            continue
    except _UNREADABLE as error:
        if len(rows) == 1:
            return [Damage("rows", owner, f"the row of id {rows[0].id}: {_reason(error)}")]
        return [damage for row in rows for damage in _of_rows(monitor, owner, [row])]
    return []


def _of_part(part: StoredPart) -> Iterator[Damage]:
    try:
        with naming_damage([(part.cell, part.content)]):
            merge([part.content])
    except KullbackError as error:
        yield Damage("sums", f"{part.kind} {part.name}", error.message)


def _reason(error: Exception) -> str:
    """Why something cannot be read, in one line that repeats nothing of it."""
    if isinstance(error, KullbackError):
        return error.message
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'/'.join(map(str, first['loc']))}: {first['msg']}"
    return f"it is not what was written ({type(error).__name__})"
