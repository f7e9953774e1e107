"""Merging: of stored bytes, and of maps whose values add up."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from kullback.tally.feature_table import FeatureTable
from kullback.tally.tally import decoded_total
from kullback.tally.unit_set import UnitSet

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Result = TypeVar("Result")


def merge(parts: Sequence[bytes]) -> bytes:
    """The bytes of the sum of one part or more: of tallies, sets of units or feature tables.

    Raises:
        TallyMismatch: they are not all of one kind.
    """
    if UnitSet.is_of(parts[0]):
        return UnitSet.union([UnitSet.decoded(part) for part in parts]).encoded()
    if FeatureTable.is_of(parts[0]):
        return FeatureTable.total([FeatureTable.decoded(part) for part in parts]).encoded()
    return decoded_total(parts).encoded()


def merged(
    maps: Sequence[Mapping[Key, Value]], merge_values: Callable[[list[Value]], Result]
) -> dict[Key, Result]:
    """One map in which the values of a key have become one, or whatever is made of them."""
    values_of: dict[Key, list[Value]] = defaultdict(list)
    for mapping in maps:
        for key, value in mapping.items():
            values_of[key].append(value)
    return {key: merge_values(values) for key, values in values_of.items()}
