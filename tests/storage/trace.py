"""What a real process asks of the disk, as `strace` records it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
STRACE = shutil.which("strace")
CALLS = "openat,close,pwrite64,write,ftruncate,fdatasync,fsync,unlink"
_DIRECTORY = 0
_CALL = re.compile(r"^(\d+) +(\w+)\((.*)$", re.DOTALL)
_RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$", re.DOTALL)
_BYTES = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


class Event(NamedTuple):
    """Something that happened to a file, or an answer that was given ("ack")."""

    what: str
    file: int = 0
    name: str = ""
    data: bytes = b""
    at: int = 0


def recorded(directory: Path, synchronous: str, writes: int) -> list[Event]:
    """What a process does that writes so often; its file is in a directory of its own."""
    assert STRACE is not None
    directory.mkdir()
    trace = directory.parent / f"{directory.name}.trace"
    url = f"sqlite:///{directory}/kullback.db"
    command = [STRACE, "-f", "-qq", "-xx", "-s", "1000000", "-e", f"trace={CALLS}"]
    command += ["-e", "signal=none", "-o", str(trace)]
    command += [sys.executable, "-m", "tests.storage.recorded", url, synchronous, str(writes)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=300)  # noqa: S603 - our own module
    reader = _Reader(directory)
    with trace.open(encoding="ascii") as lines:
        return [event for call in _calls(lines) for event in reader.events(*call)]


def _calls(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Calls by name, each with its arguments and its result, when it ended."""
    begun = dict[str, tuple[str, str]]()
    for line in lines:
        resumed = _RESUMED.match(line)
        if resumed is not None:
            process, name, rest = resumed.groups()
            yield name, begun.pop(process)[1] + rest
            continue
        call = _CALL.match(line)
        if call is None:
            continue
        process, name, rest = call.groups()
        if rest.rstrip().endswith("<unfinished ...>"):
            begun[process] = name, rest.rpartition("<unfinished")[0]
        else:
            yield name, rest


class _Reader:
    """Makes events of calls, as far as they are about the files of one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._numbers = dict[str, int]()  # of files, by their names now
        self._count = _DIRECTORY
        self._open = dict[str, int]()  # files by their descriptors

    def events(self, call: str, rest: str) -> Iterator[Event]:
        """What one call did."""
        arguments, _, result = rest.rpartition(" = ")
        handle = arguments.partition(",")[0].rstrip(") ")
        if result.startswith("-1"):
            return
        if call in {"openat", "unlink"}:
            yield from self._named(call, Path(os.fsdecode(_bytes(arguments))), result.split()[0])
        elif call == "close":
            self._open.pop(handle, None)
        elif call == "write" and handle == "1":
            numbers = re.findall(rb"written (\d+)", _bytes(arguments))
            yield from (Event("ack", at=int(number)) for number in numbers)
        elif handle in self._open:
            yield self._changed(call, self._open[handle], arguments, result)

    def _named(self, call: str, path: Path, handle: str) -> Iterator[Event]:
        if path == self._directory:
            self._open[handle] = _DIRECTORY
        if path.parent != self._directory or path.name.endswith((".lock", "-shm")):
            return
        if call == "unlink":
            yield Event("unlink", self._numbers.pop(path.name), path.name)
            return
        if path.name not in self._numbers:
            self._count += 1
            self._numbers[path.name] = self._count
            yield Event("link", self._count, path.name)
        self._open[handle] = self._numbers[path.name]

    @staticmethod
    def _changed(call: str, file: int, arguments: str, result: str) -> Event:
        last = arguments.rpartition(",")[2].strip(" )")
        if call in {"fsync", "fdatasync"}:
            return Event("sync" if file else "sync names", file)
        if call == "pwrite64":
            return Event("write", file, data=_bytes(arguments)[: int(result)], at=int(last))
        assert call == "ftruncate", f"a {call} of the store is not played again"
        return Event("truncate", file, at=int(last))


def _bytes(arguments: str) -> bytes:
    said = _BYTES.search(arguments)
    assert said is not None, arguments[:80]
    return bytes.fromhex(said.group(1).replace("\\x", ""))
