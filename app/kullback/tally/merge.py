"""Merging stored bytes: tallies, and sets of units."""

from collections.abc import Sequence

from kullback.tally.tally import decoded_total
from kullback.tally.unit_set import UnitSet


def merge(parts: Sequence[bytes]) -> bytes:
    """The bytes of the sum of one part or more, of tallies or of sets of units, from theirs.

    Raises:
        TallyMismatch: they are not all of one kind.
    """
    if UnitSet.is_of(parts[0]):
        return UnitSet.union([UnitSet.decoded(part) for part in parts]).encoded()
    return decoded_total(parts).encoded()
