"""Features of a monitor's rows: checked, counted by window, and given their places."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from kullback.errors import InvalidInput
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.windows import width_at, window_starts
from kullback.numerics.types import Array, Indices
from kullback.scoring.label_types import texts_of
from kullback.scoring.nullable import Nullable
from kullback.scoring.refusals import refuse
from kullback.storage.base import Cell, Part, Transaction
from kullback.storage.slice_values import admit
from kullback.stored_sums import naming_damage
from kullback.tally.feature_counts import FeatureKind
from kullback.tally.feature_groups import FeatureColumn, tables_by_window
from kullback.tally.feature_table import FeatureTable

FEATURES = "features"  # the kind of their cells
ALL_FEATURES = "@features="  # the slice of their cells: none of a monitor may be named so
FEATURE_VALUES = "feature values"  # the attachment that says which categories stand apart
MAX_CATEGORIES_KEPT = 200  # of each feature; the others count as one
_TABLES_HELD = 64  # in memory at a time
_FLAGS = {"true": 1.0, "false": 0.0}

FeatureColumns = Mapping[str, FeatureColumn]
FeatureTables = dict[Cell, FeatureTable]


def feature_columns(monitor: Monitor, sent: Mapping[str, Nullable]) -> FeatureColumns:
    """The values of each feature as the monitor counts them.

    Raises:
        InvalidRows: a text stands where numbers are expected, or few rows have a feature that the
            monitor has not.
        InvalidInput: most rows have one.
    """
    for name, column in sent.items():
        _check_name(monitor, name, column)
    return {
        name: _numbers(name, column) if monitor.features[name] == "numeric" else _texts(column)
        for name, column in sent.items()
        if name in monitor.features
    }


def _check_name(monitor: Monitor, name: str, column: Nullable) -> None:
    try:
        monitor.check_feature(name, "features", name)
    except InvalidInput as error:
        present, detail = ~column.missing, error.offences[0].detail
        if 2 * np.count_nonzero(present) >= present.size:
            raise
        refuse(("features", name), present, lambda _: detail)


def _numbers(name: str, column: Nullable) -> Array:
    """Numbers, NaN where one is missing; true is 1, and false 0."""
    values = column.values
    if not isinstance(values, list):
        return np.where(column.missing, np.nan, values) if column.missing.any() else _wide(values)
    numbers = np.fromiter((_FLAGS.get(value, np.nan) for value in values), np.float64, len(values))
    numbers[column.missing] = np.nan
    odd = np.isnan(numbers) & ~column.missing
    refuse(("features", name), odd, lambda _: "a text, where the feature is numeric")
    return numbers


def _wide(values: "np.typing.NDArray[np.generic]") -> Array:
    return np.asarray(values, np.float64)


def _texts(column: Nullable) -> list[str | None]:
    """Categories, None where one is missing; a whole number is the text of an integer."""
    values, missing = column.values, column.missing
    if isinstance(values, list):
        texts: list[str] = values
    elif values.dtype.kind == "f":
        texts = [f"{number:.17g}" for number in values.tolist()]
    else:
        texts = list(map(str, values.tolist()))
    if not missing.any():
        return list(texts)
    return [None if gone else text for text, gone in zip(texts, missing.tolist(), strict=True)]


def taken_values(values: FeatureColumn, rows: Indices) -> FeatureColumn:
    """The values of some rows."""
    return values[rows] if isinstance(values, np.ndarray) else texts_of(values, rows)


def feature_tables(
    monitor: Monitor, columns: FeatureColumns, time: Array, now: float
) -> FeatureTables:
    """The counts of each window, as wide as it is kept by now; nothing of no features."""
    if not columns or not time.size:
        return {}
    tables = tables_by_window(columns, window_starts(monitor, time, now), MAX_CATEGORIES_KEPT)
    return {
        Cell(FEATURES, ALL_FEATURES, start, width_at(monitor, start, now)): table
        for start, table in tables.items()
    }


def whole_table(columns: FeatureColumns) -> FeatureTable:
    """The counts of all rows, whenever they were."""
    rows = len(next(iter(columns.values()), ()))
    tables = tables_by_window(columns, np.zeros(rows, np.int64), MAX_CATEGORIES_KEPT)
    return FeatureTable.total(tables.values())


def admitted_features(tx: Transaction, record: int, tables: FeatureTables) -> FeatureTables:
    """The same with the categories that have a place: the first so many that come."""
    moved = admit(tx, record, FEATURE_VALUES, _category_cells(tables), MAX_CATEGORIES_KEPT)
    if not moved:
        return tables
    others: dict[str, set[str]] = defaultdict(set)
    for text in moved:
        name, _, value = text.partition("=")
        others[name].add(value)
    return {
        cell: FeatureTable(
            {
                name: counts.moved(others[name]) if name in others else counts
                for name, counts in table.counts.items()
            }
        )
        for cell, table in tables.items()
    }


def _category_cells(tables: FeatureTables) -> Iterator[Cell]:
    """A cell for each category, those of most rows first."""
    ranked = [
        (0 - count, cell._replace(slice=f"{name}={value}"))
        for cell, table in tables.items()
        for name, counts in table.counts.items()
        if counts.kind == "categorical"
        for value, count in counts.pairs()
    ]
    return (cell for _, cell in sorted(ranked))


def total_features(parts: Iterable[Part], kinds: Mapping[str, FeatureKind]) -> FeatureTable:
    """The counts of all rows of some parts, of the features that there are now."""
    whole, held = FeatureTable(), list[Part]()
    for part in parts:
        held.append(part)
        if len(held) >= _TABLES_HELD:
            whole, held = _added(whole, held), []
    return _added(whole, held).of(kinds)


def _added(whole: FeatureTable, held: list[Part]) -> FeatureTable:
    with naming_damage(held):
        return FeatureTable.total([whole, *(FeatureTable.decoded(part) for _, part in held)])
