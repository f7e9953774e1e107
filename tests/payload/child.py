"""Work in a process of its own, which may crash or grow without harm."""

import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import pyarrow as pa

from kullback.errors import BodyError, InvalidInput
from kullback.payload.arrow import parse_arrow, parse_parquet
from kullback.payload.columns import Column
from kullback.requests import REQUESTS
from kullback.requests.validation import array_fields
from tests.payload.bodies import as_arrow, as_arrow_file, as_parquet

Parse = Callable[[bytearray, dict[str, Column], int], dict[str, object]]
PARSE: dict[str, Parse] = {
    "arrow": parse_arrow,
    "arrow file": parse_arrow,
    "parquet": parse_parquet,
}
WRITE = {"arrow": as_arrow, "arrow file": as_arrow_file}
COLUMNS = {**array_fields(REQUESTS["log-loss"]), **array_fields(REQUESTS["recommender"])}
CAP = 1 << 20


def in_child(work: Callable[..., object], *arguments: object) -> object:
    """What `work` returns, from a new process; None if that process did not end well."""
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sending, work, arguments))
    process.start()
    sending.close()
    try:
        found: object = receiving.recv()
    except EOFError:
        found = None
    process.join()
    status = process.exitcode
    process.close()
    receiving.close()
    return found if status == 0 else None


def _send(sending: Connection, work: Callable[..., object], arguments: tuple[object, ...]) -> None:
    sending.send(work(*arguments))
    sending.close()


def outcome(kind: str, raw: bytes, cap: int = CAP) -> str:
    """The name of what a body is refused with, or `read`; any other exception passes."""
    try:
        PARSE[kind](bytearray(raw), COLUMNS, cap)
    except (BodyError, InvalidInput) as error:
        return type(error).__name__
    return "read"


def growth(kind: str, raw: bytes) -> tuple[str, int]:
    """The outcome, and by how many bytes the process grew at the most."""
    (found,), size = growths(kind, [raw], CAP)
    return found, size


def growths(kind: str, bodies: Sequence[bytes], cap: int) -> tuple[list[str], int]:
    """The outcome of each, and by how many bytes the process grew at the most."""
    outcome(kind, seeds(kind)[0])  # imports and pools
    before = high_water()
    found = [outcome(kind, raw, cap) for raw in bodies]
    return found, high_water() - before


def high_water() -> int:
    """The most memory that this process has had, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


def seeds(kind: str) -> list[bytes]:
    """Small bodies of every sort that is read."""
    numbers = pa.table({"y_true": [1, 0, 1], "y_proba": [0.2, 0.3, 0.9]})
    rows = pa.table(
        {
            "y_true": pa.array(["a", "b"]).dictionary_encode(),
            "y_proba": pa.FixedSizeListArray.from_arrays([0.5, 0.5, 0.25, 0.75], 2),
        }
    )
    lists = pa.table(
        {"y_true": [["a", "b"]], "y_proba": [[[0.5, 0.5], [0.2, 0.8]]], "class_weight": [[1.0, 2]]}
    )
    tables = (numbers, rows, lists)
    if kind in WRITE:
        write = WRITE[kind]
        packed = [write(table, compression=codec) for table in tables for codec in ("lz4", "zstd")]
        return [write(table) for table in tables] + packed
    return [
        as_parquet(table, compression=codec)
        for table in tables
        for codec in ("none", "zstd", "gzip")
    ]


def cut_everywhere(kind: str) -> set[str]:
    """What comes of every body cut at every byte."""
    return {
        outcome(kind, seed[:end])
        for seed in seeds(kind)
        for end in range(0, len(seed), _step(kind))
    }


def _step(kind: str) -> int:
    return 7 if kind == "parquet" else 1
