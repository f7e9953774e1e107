"""Tallies of groups of rows: each window, as a whole and by slice."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.types import Indices
from kullback.tally.row_terms import RowTerms
from kullback.tally.tally import Tally, total

MAX_GROUPS = 10_000
_CHUNK = 1 << 17  # as many rows as fit a cache: the sums of any cut are the same
_ENTRIES = 1 << 19  # of rows of many columns: fewer at once are cut into too many groups

Slices = Mapping[str, Sequence[str | None]]
Group = tuple[str, int]


def group_ids(
    terms: Callable[[slice], RowTerms],
    window: Indices,
    slices: Slices,
    within: str = "",
    columns: int = 1,
) -> dict[Group, Tally]:
    """The tally of each window's rows, of all of them and of each value of each slice.

    Args:
        terms: the terms of some of the rows.
        window: of each row, (n,).
        slices: the value of each row by the name of the slice; None where a row has none.
        within: what else a refusal says that one may do.
        columns: of a row; the more there are the fewer rows are summed at once.

    Returns:
        By slice and window; the slice is "" for all rows, else "name=value".

    Raises:
        InvalidInput: the rows lie in more than MAX_GROUPS of them.
    """
    first = int(window.min())
    window = window - first
    windows = int(window.max()) + 1
    codes = [(np.zeros(window.size, dtype=np.int64), [""])]
    codes += [_coded(name, values) for name, values in slices.items()]
    _check_count(window, codes, within)
    by_group: dict[Group, list[Tally]] = defaultdict(list)
    chunk = max(min(_CHUNK, _ENTRIES // columns), 1)
    for start in range(0, window.size, chunk):
        rows = slice(start, start + chunk)
        part = terms(rows)
        for code, names in codes:
            inside = np.flatnonzero(code[rows] >= 0)
            some = part if inside.size == window[rows].size else part.taken(inside)
            index = code[rows][inside] * windows + window[rows][inside]
            for key, tally in some.groups(index):
                value, place = divmod(key, windows)
                by_group[names[value], first + place].append(tally)
    return {group: total(tallies) for group, tallies in by_group.items()}


def _coded(name: str, values: Sequence[str | None]) -> tuple[Indices, list[str]]:
    """Slice values as codes, −1 where there is none, and the full name of each code."""
    codes: dict[str | None, int] = {None: -1}
    code = np.fromiter(
        (codes.setdefault(value, len(codes) - 1) for value in values), np.int64, len(values)
    )
    return code, [f"{name}={value}" for value in codes if value is not None]


def _check_count(window: Indices, codes: Sequence[tuple[Indices, list[str]]], within: str) -> None:
    count = 0
    for code, names in codes:
        index = (window * len(names) + code)[code >= 0]
        count += 1 if index.size and (index == index[0]).all() else np.unique(index).size
    if count > MAX_GROUPS:
        detail = (
            f"the rows lie in {count} windows and values of slices, where one request may touch "
            f"{MAX_GROUPS}: send less time or fewer values of slices per request{within}"
        )
        raise InvalidInput.at(detail, "timestamp")
