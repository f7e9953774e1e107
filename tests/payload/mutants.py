"""Mutants of Arrow and Parquet bodies: bits, numbers and pieces changed where it hurts."""

import random
import resource
import struct
from collections import Counter
from collections.abc import Callable

import pyarrow as pa

from kullback.errors import BodyError, InvalidInput
from kullback.payload.room import inflation_limit
from kullback.requests.batches import ObservationBatch
from kullback.requests.validation import array_fields
from tests.payload.bodies import as_parquet
from tests.payload.child import COLUMNS, PARSE, WRITE, high_water, in_child, seeds

CAP = 64 << 20
MOST = 1 << 30  # bytes that the process may grow by
AT_ONCE = {"arrow": 5_000, "arrow file": 5_000, "parquet": 1_000}  # in one process
_COLUMNS = {**COLUMNS, **array_fields(ObservationBatch)}
_NUMBERS = (0, 1, -1, 7, 8, 127, 255, 1 << 15, (1 << 31) - 1, -(1 << 31), 1 << 40, 1 << 62, -9)


def bodies(kind: str) -> list[bytes]:
    """Small bodies of every sort that is read: of scores, and rows of monitors."""
    names = pa.array(["ann", "bob", "ann", "cid"])
    rows = pa.table(
        {
            "y_true": pa.array([1, 0, 1, 1], pa.int8()),
            "y_proba": pa.array([0.5, 0.25, 0.125, 1.0], pa.float32()),
            "timestamp": pa.array([0, 1, 2, 3], pa.timestamp("ms", "UTC")),
            "unit": names.dictionary_encode(),
            "slice.country": names,
            "slice.mobile": pa.array([True, False, True, True]),
        }
    )
    struct_ = pa.StructArray.from_arrays([names, names.dictionary_encode()], ["a", "b"])
    nested = pa.table({"y_true": [1, 0, 1, 1], "y_proba": [0.5] * 4, "slice": struct_})
    if kind in WRITE:
        write = WRITE[kind]
        batches = [write(rows.to_batches(max_chunksize=2)), write(nested)]
        return [*seeds(kind), write(rows), write(rows, compression="zstd"), *batches]
    differences = {"unit": "DELTA_BYTE_ARRAY", "y_true": "DELTA_BINARY_PACKED"}
    return [
        *seeds(kind),
        as_parquet(rows, compression="none", row_group_size=2),
        as_parquet(rows, data_page_version="2.0"),
        as_parquet(rows, use_dictionary=False, column_encoding=differences, store_schema=False),
        as_parquet(nested, compression="none", store_schema=False),
    ]


def mutant(draw: random.Random, kept: list[bytes]) -> bytes:
    """One of these bodies, changed in one to four places."""
    raw = bytearray(draw.choice(kept))
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        _CHANGES[draw.choices(range(len(_CHANGES)), _OFTEN)[0]](draw, raw, kept)
    return bytes(raw)


def _bit(draw: random.Random, raw: bytearray, _: list[bytes]) -> None:
    if raw:
        raw[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)


def _byte(draw: random.Random, raw: bytearray, _: list[bytes]) -> None:
    if raw:
        raw[draw.randrange(len(raw))] = draw.choice((0, 1, 0x7F, 0x80, 0xFF))


def _number(draw: random.Random, raw: bytearray, _: list[bytes]) -> None:
    """A number of four or eight bytes, where streams have them."""
    form, size = draw.choice((("<i", 4), ("<q", 8)))
    if len(raw) >= 2 * size:
        at = draw.randrange(len(raw) // size - 1) * size
        number = draw.choice(_NUMBERS)
        struct.pack_into(form, raw, at, number if size == 8 else (number + 2**31) % 2**32 - 2**31)


def _varint(draw: random.Random, raw: bytearray, _: list[bytes]) -> None:
    """A number of Thrift's that became longer, in the footer more often than elsewhere."""
    at = draw.randrange(max(1, len(raw) - 400), len(raw)) if len(raw) > 1 else 0
    raw[at : at + 1] = bytes([draw.choice((0x80, 0xFF, 0xFE))] * draw.randint(1, 9) + [1])


def _piece(draw: random.Random, raw: bytearray, kept: list[bytes]) -> None:
    """A piece of another body, in place of one of this."""
    other = draw.choice(kept)
    at, size = draw.randrange(len(raw) + 1), draw.randint(1, 64)
    start = draw.randrange(len(other))
    raw[at : at + draw.choice((0, size))] = other[start : start + size]


def _cut(draw: random.Random, raw: bytearray, _: list[bytes]) -> None:
    at = draw.randrange(len(raw) + 1)
    del raw[at : at + draw.randint(1, 40)]


_CHANGES: tuple[Callable[[random.Random, bytearray, list[bytes]], None], ...] = (
    *(_bit, _byte, _number, _varint, _piece, _cut),
)
_OFTEN = (8, 4, 6, 1, 1, 1)


def read(kind: str, number: int, count: int) -> tuple[dict[str, int], int]:
    """How often each outcome came of mutants, and by how much the process grew at the most."""
    draw, kept = random.Random(number), bodies(kind)  # noqa: S311 - the same in every run
    outcomes = Counter(outcome(kind, body) for body in kept)
    before = high_water()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_virtual() + MOST, most))
    outcomes += Counter(outcome(kind, mutant(draw, kept)) for _ in range(count))
    return dict(outcomes), high_water() - before


def outcome(kind: str, raw: bytes) -> str:
    """The name of what a body is refused with, or `read`; any other exception passes."""
    try:
        PARSE[kind](bytearray(raw), _COLUMNS, inflation_limit(len(raw), CAP))
    except (BodyError, InvalidInput) as error:
        if isinstance(error.__cause__, MemoryError):
            raise error.__cause__ from None
        return type(error).__name__
    return "read"


def _virtual() -> int:
    with open("/proc/self/statm", encoding="ascii") as sizes:  # noqa: PTH123 - a file of the kernel
        return int(sizes.read().split()[0]) * resource.getpagesize()


def fuzzed(
    kind: str, count: int, number: int, told: Callable[[int], None] = lambda _: None
) -> dict[str, object]:
    """So many mutants, in processes of which none may crash, or grow by a gigabyte."""
    total, grown, done = Counter[str](), 0, 0
    while done < count:
        size = min(AT_ONCE[kind], count - done)
        found = in_child(read, kind, number + done, size)
        assert isinstance(found, tuple), f"{kind}: one of {size} mutants of seed {number + done}"
        outcomes, growth = found
        assert growth < MOST
        total, grown, done = total + Counter(outcomes), max(grown, growth), done + size
        told(done)
    return {"seed": number, "mutants": done, **total, "MiB grown": grown >> 20}
