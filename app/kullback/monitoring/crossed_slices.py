"""Crossed slices: rows counted by the values that they have of several slices together.

"country×device" is crossed of `country` and `device`; a row of DE and mobile has its value
"DE×mobile".
"""

from collections.abc import Mapping, Sequence

import numpy as np

from kullback.errors import InvalidInput
from kullback.scoring.refusals import refuse
from kullback.scoring.screening import NO_VALUE
from kullback.storage.slice_values import OTHER

CROSS = "×"
MAX_PARTS = 4
LONGEST_VALUE = 512  # letters of a crossed value: it is in an index of the store
_ESCAPE = "\\"

Columns = Mapping[str, Sequence[str | None]]


def slice_parts(name: str) -> tuple[str, ...]:
    """The slices that a slice is crossed of: itself alone where it is not."""
    return tuple(name.split(CROSS))


def crossed_value(parts: Sequence[str]) -> str:
    """The value of a row that has these values of the parts; distinct for distinct ones.

    A × or a backslash within a part stands behind a backslash. One part is its own value.
    """
    if len(parts) == 1:
        return parts[0]
    if set(parts) == {OTHER}:
        return OTHER
    escaped = (part.replace(_ESCAPE, _ESCAPE * 2).replace(CROSS, _ESCAPE + CROSS) for part in parts)
    return CROSS.join(escaped)


def value_parts(value: str, count: int) -> tuple[str, ...]:
    """The values of `count` parts that `crossed_value` makes this value of.

    Raises:
        InvalidInput: it is of another number of parts.
    """
    if count == 1:
        return (value,)
    if value == OTHER:
        return (OTHER,) * count
    parts, letters = [""], iter(value)
    for letter in letters:
        if letter == CROSS:
            parts.append("")
        else:
            parts[-1] += next(letters, _ESCAPE) if letter == _ESCAPE else letter
    if len(parts) != count:
        detail = f"{count} values with {CROSS} between them are expected"
        raise InvalidInput.at(detail, "slice")
    return tuple(parts)


def slice_values(name: str) -> Mapping[str, str]:
    """The values by the names of slices: of "country=DE" or "country×device=DE×mobile"."""
    key, sign, value = name.partition("=")
    if not sign:
        return {}
    names = slice_parts(key)
    return dict(zip(names, value_parts(value, len(names)), strict=True))


def slice_name(values: Mapping[str, str]) -> str:
    """The inverse of `slice_values`: "country=DE"; "" of no slice."""
    return f"{CROSS.join(values)}={crossed_value(list(values.values()))}" if values else ""


def declared(name: str, slices: Sequence[str]) -> str | None:
    """Of the slices that are declared the one of this name, whose parts may be in any order."""
    parts = sorted(slice_parts(name.replace("*", CROSS)))
    return next((each for each in slices if sorted(slice_parts(each)) == parts), None)


def counted_columns(slices: Sequence[str], sent: Columns) -> Columns:
    """The columns that rows are counted by: those sent that are declared, and crossed ones.

    Rows are counted by a crossed slice where one of its parts was sent at least.

    Raises:
        InvalidRows: a crossed value is longer than one may be.
    """
    columns = {name: values for name, values in sent.items() if name in slices}
    for name in slices:
        parts = slice_parts(name)
        if len(parts) > 1 and not sent.keys().isdisjoint(parts):
            columns[name] = _crossed(name, [sent.get(part) for part in parts])
    return columns


def _crossed(name: str, columns: Sequence[Sequence[str | None] | None]) -> list[str]:
    n = next(len(column) for column in columns if column is not None)
    filled = [[None] * n if column is None else column for column in columns]
    values: dict[tuple[str | None, ...], str] = {}
    crossed, is_long = list[str](), np.zeros(n, np.bool_)
    for row, parts in enumerate(zip(*filled, strict=True)):
        value = values.get(parts)
        if value is None:
            value = crossed_value([NO_VALUE if part is None else part for part in parts])
            values[parts] = value
        if len(value) > LONGEST_VALUE:
            is_long[row] = True
        crossed.append(value)
    detail = f"the values together have more than {LONGEST_VALUE} characters"
    refuse(("slice", name), is_long, lambda _: detail)
    return crossed
