"""Feature counts of groups of rows: each window's, of every feature that the rows came with."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from kullback.numerics.types import Array, Indices
from kullback.tally.feature_bins import OUTERMOST, feature_bins
from kullback.tally.feature_counts import OTHER_VALUES, FeatureCounts, runs
from kullback.tally.feature_table import FeatureTable

FeatureColumn = Array | Sequence[str | None]  # numbers, NaN where missing; or categories

_BITS = 16  # of a bin


def tables_by_window(
    columns: Mapping[str, FeatureColumn], window: Indices, most: int
) -> dict[int, FeatureTable]:
    """The counts of the rows of each window.

    Args:
        columns: the values of n rows, by the name of the feature.
        window: of each row, (n,).
        most: how many categories of a feature stand apart: those of most rows of all windows.
    """
    places, code = np.unique(window, return_inverse=True)
    counted: dict[int, dict[str, FeatureCounts]] = {place: {} for place in places.tolist()}
    for name, column in columns.items():
        each = _by_window(column, code, places.size, most)
        for here, counts in zip(counted.values(), each, strict=True):
            here[name] = counts
    return {place: FeatureTable(counts) for place, counts in counted.items()}


def _by_window(
    column: FeatureColumn, code: Indices, windows: int, most: int
) -> Iterator[FeatureCounts]:
    if isinstance(column, np.ndarray):
        if windows == 1:
            yield FeatureCounts.of_numbers(column)
        else:
            yield from _numbers_by_window(column, code, windows)
    elif windows == 1:
        yield FeatureCounts.of_categories(Counter(column).items()).largest(most)
    else:
        yield from _categories_by_window(column, code, windows, most)


def _numbers_by_window(values: Array, code: Indices, windows: int) -> Iterator[FeatureCounts]:
    is_missing = np.isnan(values)
    missing = np.bincount(code[is_missing], minlength=windows).tolist()
    present = ~is_missing
    key = code[present] << _BITS
    key += feature_bins(values[present]).astype(np.int64) + OUTERMOST
    if windows < 1 << (31 - _BITS):
        key = np.sort(key.astype(np.int32)).astype(np.int64)  # in half of the time
    else:
        key.sort()
    places, counts = runs(key)
    ends = np.searchsorted(places >> _BITS, np.arange(windows + 1)).tolist()
    bins = (places & ((1 << _BITS) - 1)) - OUTERMOST
    for at, gone in enumerate(missing):
        here = slice(ends[at], ends[at + 1])
        yield FeatureCounts("numeric", gone, bins[here], counts[here])


def _categories_by_window(
    values: Sequence[str | None], code: Indices, windows: int, most: int
) -> Iterator[FeatureCounts]:
    apart = {value for value, _ in Counter(filter(None, values)).most_common(most)}
    by_window: list[dict[str | None, int]] = [defaultdict(int) for _ in range(windows)]
    for (at, value), count in Counter(zip(code.tolist(), values, strict=True)).items():
        by_window[at][value if value is None or value in apart else OTHER_VALUES] += count
    yield from (FeatureCounts.of_categories(counts.items()) for counts in by_window)
