"""The power fails: what a real process wrote is played again up to any call, and then cut.

What it has not synchronized by then is lost, or there, or there in part, sector by sector; so are
the names of files that were made or removed. kill -9 is the same without a loss.
"""

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.storage.trace import Event

SECTOR = 512
PARTS = 2  # that each write adds: one of all rows, and one of a slice


@dataclass(slots=True)
class Disk:
    """What is on a disk for certain, and what may be."""

    files: dict[int, bytearray] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    writes: list[Event] = field(default_factory=list)
    renames: list[Event] = field(default_factory=list)

    def play(self, event: Event) -> None:
        """What a call does."""
        if event.what in {"write", "truncate"}:
            self.writes.append(event)
        elif event.what in {"link", "unlink"}:
            self.renames.append(event)
        elif event.what == "sync":
            for each in self.writes:
                if each.file == event.file:
                    _apply(self.files, each)
            self.writes = [each for each in self.writes if each.file != event.file]
            for place, each in enumerate(self.renames):
                if each.what == "link" and each.file == event.file:
                    self._rename(place + 1)  # names are made in order
                    break
        elif event.what == "sync names":
            self._rename(len(self.renames))

    def _rename(self, count: int) -> None:
        for each in self.renames[:count]:
            _name(self.names, each)
        del self.renames[:count]

    def cut(self, rng: Random | None) -> dict[str, bytes]:
        """What is there after the power failed; everything without chance, as after kill -9."""
        files = {number: bytearray(content) for number, content in self.files.items()}
        names = dict(self.names)
        share = 1.0 if rng is None else rng.choice((0.0, 0.5, 0.5, 1.0))
        for each in self.writes:
            if rng is None or rng.random() < share:
                _apply(files, each, rng if share < 1 else None)
        renamed = len(self.renames) if rng is None else rng.randrange(len(self.renames) + 1)
        for each in self.renames[:renamed]:
            _name(names, each)
        return {name: bytes(files.get(number, b"")) for name, number in names.items()}


def _name(names: dict[str, int], event: Event) -> None:
    if event.what == "link":
        names[event.name] = event.file
    else:
        names.pop(event.name, None)


def _apply(files: dict[int, bytearray], event: Event, rng: Random | None = None) -> None:
    """Do a write: as a whole, or, by chance, some of its sectors."""
    content = files.setdefault(event.file, bytearray())
    if event.what == "truncate":
        del content[event.at :]
        content.extend(bytes(max(0, event.at - len(content))))
        return
    is_torn = rng is not None and rng.random() < 1 / 3
    for start in range(0, len(event.data), SECTOR):
        if is_torn and rng is not None and rng.random() < 0.5:
            continue
        data = event.data[start : start + SECTOR]
        content.extend(bytes(max(0, event.at + start - len(content))))
        content[event.at + start : event.at + start + len(data)] = data


class Found(NamedTuple):
    """What a database holds: the keys of writes, and whether each is there as a whole."""

    keys: set[int]
    is_whole: bool


def looked_through(image: dict[str, bytes], directory: Path) -> Found:
    """What is in the files after a cut, whose log is played again by SQLite."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for name, content in image.items():
        (directory / name).write_bytes(content)
    with closing(sqlite3.connect(directory / "kullback.db")) as database:
        database.execute("PRAGMA synchronous=OFF")
        sound = database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'tokens'").fetchone():
            return Found(set(), sound)
        keys = {int(key) for (key,) in database.execute("SELECT key FROM tokens WHERE status > 0")}
        chosen = "SELECT total(CAST(CAST(content AS TEXT) AS INTEGER)) FROM parts"
        (parts,) = database.execute(chosen).fetchone()
        (rows,) = database.execute("SELECT total(amount) FROM counts").fetchone()
    return Found(keys, sound and parts == rows == PARTS * len(keys))


@dataclass(slots=True)
class Figures:
    """What came of many cuts."""

    seed: int
    cuts: int = 0
    acknowledged: int = 0  # the most that any cut had to keep
    lost: int = 0  # cuts that lost what was answered
    torn: int = 0  # cuts that left a write in part, or a file that is not sound


def cut_often(
    events: Sequence[Event], places: Sequence[int], seed: int, directory: Path, *, is_power: bool
) -> Figures:
    """Cut at each of these places in order, and count."""
    figures, disk, answered, at = Figures(seed), Disk(), set[int](), 0
    rng = Random(seed)  # noqa: S311 - chance that can be repeated
    for place in sorted(places):
        for event in events[at:place]:
            disk.play(event)
            if event.what == "ack":
                answered.add(event.at)
        at = place
        found = looked_through(disk.cut(rng if is_power else None), directory)
        figures.cuts += 1
        figures.lost += not answered <= found.keys
        figures.torn += not found.is_whole
        figures.acknowledged = len(answered)
    return figures


def chosen_places(events: Sequence[Event], count: int, seed: int) -> list[int]:
    """Places to cut at: any of them, from the first that is written."""
    rng = Random(seed)  # noqa: S311 - chance that can be repeated
    return [rng.randrange(1, len(events) + 1) for _ in range(count)]
