"""This file is about units of independence, such as users: each id falls into one of 1024 buckets.

The bucket of an id never changes: not with the process, the platform or the release, nor with
what else is in the batch. Integers and strings are hashed apart: 7 and "7" are two units.
"""

from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from app.scoring.labels import Labels
from app.scoring.means import Indices, blocks

BUCKETS = 1024
_SALT = 0x9E3779B97F4A7C15
_STRINGS = 0xC2B2AE3D27D4EB4F
_LONG = 64  # bytes
_Hashes = npt.NDArray[np.uint64]


def bucket_of(units: Labels) -> Indices:
    """The bucket of each id, (n,), in [0, BUCKETS)."""
    return (hash_of(units) >> np.uint64(54)).astype(np.int64)


def hash_of(units: Labels, salt: int = 0) -> _Hashes:
    """64 bits of each id, integers or strings, (n,); another salt, other bits.

    Source: Steele, Lea & Flood, Fast Splittable Pseudorandom Number Generators (2014), fig. 10,
        for the mixing of a word; of strings their length is mixed, then word after word of
        their UTF-8, or of its BLAKE2b where it is longer than 64 bytes.
    """
    if isinstance(units, list):
        hashes = np.empty(len(units), np.uint64)
        for block in blocks(len(units)):
            hashes[block] = _strings(units[block], salt)
        return hashes
    words = units.astype(np.int64).view(np.uint64)
    return _mixed(words ^ np.uint64((_SALT + salt) % 2**64))


def _strings(units: list[str], salt: int) -> _Hashes:
    raw = [unit.encode(errors="surrogatepass") for unit in units]
    lengths = np.fromiter(map(len, raw), np.uint64, len(raw))
    # one long id must not make all as wide
    raw = [unit if len(unit) <= _LONG else blake2b(unit).digest() for unit in raw]
    width = -(-max(map(len, raw)) // 8) * 8 or 8
    words = np.array(raw, dtype=f"S{width}").view("<u8").reshape(len(raw), -1)
    state = _mixed(lengths ^ np.uint64((_STRINGS + salt) % 2**64))
    for place in range(words.shape[1]):
        inside = lengths > 8 * place  # words behind the end are not part of the id
        state = np.where(inside, _mixed(state ^ words[:, place].astype(np.uint64)), state)
    return state


def _mixed(words: _Hashes) -> _Hashes:
    """A bijection of 64 bits in which every bit depends on all."""
    with np.errstate(over="ignore"):
        words = words + np.uint64(_SALT)
        words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return words ^ (words >> np.uint64(31))
