"""Forgetting features: their counts leave the tables of all windows, and the reference."""

from collections.abc import Collection, Iterable

from kullback.errors import TallyMismatch
from kullback.monitoring.features import ALL_FEATURES, FEATURE_VALUES, FeatureTables
from kullback.monitoring.reference import Reference
from kullback.monitoring.stored import REFERENCE
from kullback.storage.base import Part, Transaction
from kullback.storage.slice_values import release_all
from kullback.tally.feature_table import FeatureTable

TABLES_AT_ONCE = 500


def counted_features(parts: Iterable[Part], names: Collection[str]) -> tuple[str, ...]:
    """Those of some features that were counted in any of the parts."""
    left = dict.fromkeys(names)
    for part in parts:
        for name in _read(part).counts:
            left.pop(name, None)
        if not left:
            break
    return tuple(name for name in names if name not in left)


def forget_reference_of(tx: Transaction, record: int, names: Collection[str]) -> None:
    """Take what is known of features beside the windows: what is counted apart, the reference's."""
    release_all(tx, record, FEATURE_VALUES, names)
    content = tx.attachment(record, REFERENCE)
    if content is not None:
        reference = Reference.decoded(content)
        if not reference.features.counts.keys().isdisjoint(names):
            tx.attach(record, REFERENCE, reference.without_features(names).encoded())


def forget_features(tx: Transaction, record: int, names: Collection[str], start: int) -> int | None:
    """Take features out of some tables from `start` on; where to go on, None at the end.

    A table that is damaged goes as a whole: nobody could read it.
    """
    if not names:
        return None
    parts = tx.withdraw(record, ALL_FEATURES, start, TABLES_AT_ONCE)
    tables: FeatureTables = {}
    for part in parts:
        rest = _read(part).without(names)
        if rest.counts:
            tables[part[0]] = FeatureTable.total([tables.get(part[0], FeatureTable()), rest])
    tx.add(record, {cell: table.encoded() for cell, table in tables.items()})
    return parts[-1][0].start if len(parts) == TABLES_AT_ONCE else None


def _read(part: Part) -> FeatureTable:
    try:
        return FeatureTable.decoded(part[1])
    except TallyMismatch:
        return FeatureTable()
