"""Sets of units as sparse bitmaps: which units occurred, and how many."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt

from kullback.errors import DamagedTally, TallyMismatch
from kullback.tally.units import Ids, hash_of

_VERSION = b"\x56"  # a Tally begins with another byte
_UNCHECKED = b"\x55"  # the version before, which had no checksum
_CHECKSUM = 4
_SALT = 0xD1B54A32D192ED03
_FINGERPRINT = np.dtype("<u4")
_CELLS = 2.0**32
Fingerprints = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class UnitSet:
    """Which units there are: a commutative, idempotent monoid under |, whose zero is UnitSet().

    The union of the sets of two batches is the set of both; equal sets have equal bytes. A
    fingerprint is 32 bits of a hash that has nothing to do with the bucket: a cell of a bitmap of
    m = 2³² cells, of which only those in use are kept.

    Attributes:
        fingerprints: in ascending order, each once, as four bytes of which the lowest is first.
    """

    fingerprints: bytes = b""

    @classmethod
    def of(cls, units: Ids) -> "UnitSet":
        """The set of these ids, (n,), integers or strings."""
        return cls.holding(fingerprint_of(units))

    @classmethod
    def holding(cls, fingerprints: Fingerprints) -> "UnitSet":
        """The set of the units with these fingerprints, (n,), in any order."""
        return cls(_distinct(np.sort(fingerprints)))

    @classmethod
    def union(cls, sets: Sequence["UnitSet"]) -> "UnitSet":
        """The units of any of the sets; none of no sets."""
        joined = b"".join([units.fingerprints for units in sets])
        # A stable sort merges what is in order already, as each set is.
        return cls(_distinct(np.sort(np.frombuffer(joined, _FINGERPRINT), kind="stable")))

    @classmethod
    def shared(cls, sets: Sequence["UnitSet"]) -> "UnitSet":
        """The units of more than one of the sets."""
        joined = b"".join([units.fingerprints for units in sets])
        ordered = np.sort(np.frombuffer(joined, _FINGERPRINT), kind="stable")
        return cls(_distinct(ordered[1:][ordered[1:] == ordered[:-1]]))

    def __or__(self, other: "UnitSet") -> "UnitSet":
        return UnitSet.union([self, other])

    @property
    def count(self) -> float:
        """About how many units there are, by linear counting; exact but for shared fingerprints.

            n̂ = −m ln(1 − z/m)        z of m = 2³² cells are in use

        Its standard deviation is √(m(eᵗ − t − 1)), t = n/m: 0.01 of a thousand units, 11 of a
        million, 108 of ten millions.

        Source: Whang, Vander-Zanden & Taylor, ACM Transactions on Database Systems 15(2) (1990).
        """
        used = len(self.fingerprints) // _FINGERPRINT.itemsize
        return float(0.0 - _CELLS * np.log1p(-used / _CELLS))

    @property
    def whole(self) -> int:
        """The count, to the nearest unit."""
        return round(self.count)

    def encoded(self) -> bytes:
        """The bytes that `decoded` makes it from: a version, a checksum, the fingerprints."""
        return _VERSION + _checksum(self.fingerprints) + self.fingerprints

    @staticmethod
    def is_of(content: bytes) -> bool:
        """Whether bytes are those of a set."""
        return content.startswith((_VERSION, _UNCHECKED))

    @classmethod
    def decoded(cls, content: bytes) -> "UnitSet":
        """See encoded.

        Raises:
            TallyMismatch: the bytes are of a version that is not known here.
            DamagedTally: they are not what they were.
        """
        if not cls.is_of(content):
            raise TallyMismatch(f"a set of version {content[:1].hex()} is not known here")
        is_checked = content[:1] == _VERSION
        fingerprints = content[1 + _CHECKSUM if is_checked else 1 :]
        if is_checked and content[1 : 1 + _CHECKSUM] != _checksum(fingerprints):
            raise DamagedTally("a stored set of units is damaged: it fails its checksum")
        if len(fingerprints) % _FINGERPRINT.itemsize:
            raise DamagedTally("a stored set of units is damaged: it cannot be read")
        return cls(fingerprints)


def fingerprint_of(units: Ids) -> Fingerprints:
    """The fingerprint of each id, (n,)."""
    return (hash_of(units, _SALT) >> np.uint64(32)).astype(_FINGERPRINT)


def _checksum(fingerprints: bytes) -> bytes:
    return crc32(fingerprints).to_bytes(_CHECKSUM, "little")


def _distinct(ordered: Fingerprints) -> bytes:
    is_new = np.ones(ordered.size, np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    return ordered[is_new].tobytes()
