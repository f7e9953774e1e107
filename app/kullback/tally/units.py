"""Units of independence, such as users: each id belongs to one of 1024 buckets.

The bucket of an id never changes: not with the process, the platform or the release, nor with
what else is in the batch. Integers and strings are hashed apart: 7 and "7" are two units.
"""

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from kullback.numerics.means import blocks
from kullback.numerics.types import Indices
from kullback.scoring.labels import Labels

BUCKETS = 1024
GROUPS = 64  # of buckets, where what is kept of each is large
_SALT = 0x9E3779B97F4A7C15
_STRINGS = 0xC2B2AE3D27D4EB4F
_UNSIGNED = 0x165667B19E3779F9
_LONG = 64  # bytes
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Utf8:
    """Strings as their UTF-8, one behind the other, `lengths` (n,) bytes each."""

    lengths: Indices
    content: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, strings: list[str]) -> "Utf8":
        """These strings."""
        raw = [text.encode(errors="surrogatepass") for text in strings]
        lengths = np.fromiter(map(len, raw), np.int64, len(raw))
        return cls(lengths, np.frombuffer(b"".join(raw), np.uint8))


Ids = Labels | Utf8


def bucket_of(units: Ids) -> Indices:
    """The bucket of each id, (n,), in [0, BUCKETS)."""
    return (hash_of(units) >> np.uint64(54)).astype(np.int64)


def group_of(buckets: Indices) -> Indices:
    """The group of each bucket, (n,), in [0, GROUPS)."""
    return buckets // (BUCKETS // GROUPS)


def hash_of(units: Ids, salt: int = 0) -> Hashes:
    """64 bits of each id, integers or strings, (n,); another salt, other bits.

    Source: Steele, Lea & Flood, Fast Splittable Pseudorandom Number Generators (2014), fig. 10,
        for the mixing of a word; of strings their length is mixed, then word after word of
        their UTF-8, or of its BLAKE2b where it is longer than 64 bytes.
    """
    if isinstance(units, Utf8):
        return _strings(units, salt)
    if isinstance(units, list):
        parts = [_strings(Utf8.of(units[block]), salt) for block in blocks(len(units))]
        return np.concatenate(parts) if parts else np.empty(0, np.uint64)
    words = units.astype(np.int64).view(np.uint64)
    hashes = _mixed(words ^ np.uint64((_SALT + salt) % 2**64))
    if units.dtype == np.uint64:  # 2⁶⁴ − 1 has the bits of −1
        hashes = np.where(units >= 2**63, _mixed(hashes ^ np.uint64(_UNSIGNED)), hashes)
    return hashes


def _strings(units: Utf8, salt: int) -> Hashes:
    ends = np.concatenate(([0], np.cumsum(units.lengths)))
    hashes = np.empty(units.lengths.size, np.uint64)
    for block in blocks(units.lengths.size):
        lengths = units.lengths[block]
        words = _words(lengths, units.content[ends[block.start] : ends[block.stop]])
        state = _mixed(lengths.view(np.uint64) ^ np.uint64((_STRINGS + salt) % 2**64))
        for place in range(words.shape[1]):
            inside = lengths > 8 * place  # words behind the end are not part of the id
            state = np.where(inside, _mixed(state ^ words[:, place]), state)
        hashes[block] = state
    return hashes


def _words(lengths: Indices, content: npt.NDArray[np.uint8]) -> Hashes:
    """Each string as words of 8 bytes, with zeros behind its end, (n, words)."""
    is_long = lengths > _LONG  # one long id must not make all as wide
    kept = np.where(is_long, 0, lengths)
    longest = _LONG if is_long.any() else int(kept.max())
    width = -(-longest // 8) * 8 or 8
    cells = np.zeros((lengths.size, width), np.uint8)
    inside = np.arange(width) < kept[:, None]
    cells[inside] = content[np.repeat(~is_long, lengths)] if is_long.any() else content
    ends = np.cumsum(lengths)
    for row in np.flatnonzero(is_long).tolist():
        raw = content[ends[row] - lengths[row] : ends[row]].tobytes()
        cells[row, :_LONG] = np.frombuffer(blake2b(raw).digest(), np.uint8)
    return cells.view("<u8").astype(np.uint64, copy=False)


def _mixed(words: Hashes) -> Hashes:
    """A bijection of 64 bits in which every bit depends on all."""
    with np.errstate(over="ignore"):
        words = words + np.uint64(_SALT)
        words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return words ^ (words >> np.uint64(31))
