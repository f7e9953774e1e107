"""Columns of a file: the role of each in an experiment, and its type."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kullback.errors import InvalidInput, hint

_TYPES = pa.types


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a file is what.

    Attributes:
        y_true: labels.
        y_proba: P(1) by the name of the arm where every arm has scored every row; else one, by "".
        arm: the arm of each row, where each row is of one.
        unit: whom each row is about; None where rows are independent of each other.
        weight, propensity, target_propensity: of each row.
        by: what segments are told apart by.
        pos_label: the positive one of two labels, where they are names.
        ignores_others: whether rows of arms that are not named are left out.
    """

    y_true: str
    y_proba: Mapping[str, str]
    arm: str | None = None
    unit: str | None = None
    weight: str | None = None
    propensity: str | None = None
    target_propensity: str | None = None
    by: Sequence[str] = ()
    pos_label: str | None = None
    ignores_others: bool = False

    def needed(self) -> dict[str, str]:
        """What no row can do without: columns by the name of what they are."""
        forecasts = {
            f"y_proba.{arm}" if arm else "y_proba": column for arm, column in self.y_proba.items()
        }
        others = {
            "arm": self.arm,
            "unit": self.unit,
            "weight": self.weight,
            "propensity": self.propensity,
            "target_propensity": self.target_propensity,
        }
        given = {name: column for name, column in others.items() if column is not None}
        return {"y_true": self.y_true, **forecasts, **given}

    def names(self) -> list[str]:
        """Every column that is read, once."""
        return list(dict.fromkeys((*self.needed().values(), *self.by)))

    def check(self, file: str, schema: pa.Schema) -> None:
        """Refuse a file that cannot hold what is asked for.

        Raises:
            InvalidInput: a column is not there, or is there twice, or is of another type.
        """
        for column in self.names():
            _check_there(file, schema.names, column)
        for name, column in self.needed().items():
            field = name.partition(".")[0]
            expected, fits = self._kind(field)
            _check_type(file, schema, column, f"{field} is {expected}", fits=fits)
        for column in self.by:
            _check_type(file, schema, column, f"segments are by {_A_NAME[0]}", fits=_A_NAME[1])

    def unit_kind(self, schema: pa.Schema) -> str | None:
        """What the units of a file are; None where it has none. 7 and "7" are two units."""
        kind = None if self.unit is None else plain(schema.field(self.unit).type)
        if kind is None or _TYPES.is_null(kind):
            return None
        return "strings" if is_text(kind) or _is_uuid(kind) else "integers"

    def text_types(self, column: str) -> list[pa.DataType]:
        """What the cells of a column may be where they are written as text, the first that fits."""
        if column == self.unit:
            return [pa.int64(), pa.string()]
        if column == self.y_true and self.pos_label is None:
            return [pa.bool_(), pa.float64(), pa.string()]
        numbers = (*self.y_proba.values(), self.weight, self.propensity, self.target_propensity)
        return [pa.float64() if column in numbers else pa.string()]

    def _kind(self, field: str) -> "_Fits":
        if field == "y_true" and self.pos_label is not None:
            return _A_NAMED_LABEL
        return _FITS.get(field, _A_NUMBER)


def numpy_of(cells: pa.Array) -> npt.NDArray[Any]:
    """Numbers or flags without nulls, (n,); Array.to_numpy would import pandas, of 40 MB."""
    if not len(cells):
        return np.zeros(0)
    flags = _TYPES.is_boolean(cells.type)
    values: npt.NDArray[Any] = np.from_dlpack(cells.cast(pa.uint8()) if flags else cells)
    return values


def plain(kind: pa.DataType) -> pa.DataType:
    """The type of the values, also where they are kept as a dictionary."""
    return kind.value_type if _TYPES.is_dictionary(kind) else kind


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this type are strings."""
    return bool(
        _TYPES.is_string(kind) or _TYPES.is_large_string(kind) or _TYPES.is_string_view(kind)
    )


def _is_uuid(kind: pa.DataType) -> bool:
    return bool(kind == pa.uuid())


def _is_number(kind: pa.DataType) -> bool:
    return bool(_TYPES.is_integer(kind) or _TYPES.is_floating(kind) or _TYPES.is_decimal(kind))


def _is_label(kind: pa.DataType) -> bool:
    return _is_number(kind) or bool(_TYPES.is_boolean(kind))


def _is_unit(kind: pa.DataType) -> bool:
    return is_text(kind) or _is_uuid(kind) or _is_number(kind)


def _is_name(kind: pa.DataType) -> bool:
    of_few = _TYPES.is_integer(kind) or _TYPES.is_boolean(kind) or _TYPES.is_date(kind)
    return is_text(kind) or _is_uuid(kind) or bool(of_few)


def _is_named_label(kind: pa.DataType) -> bool:
    return _is_label(kind) or is_text(kind)


_Fits = tuple[str, Callable[[pa.DataType], bool]]
_A_NUMBER: _Fits = ("a number", _is_number)
_A_NAME: _Fits = ("a string, an integer, a boolean or a date", _is_name)
_A_NAMED_LABEL: _Fits = ("a string, a number or a boolean", _is_named_label)
_FITS: dict[str, _Fits] = {
    "y_true": ("a number or a boolean; --pos-label names the positive of two names", _is_label),
    "unit": ("an integer, a string or a UUID", _is_unit),
    "arm": _A_NAME,
}


def _check_there(file: str, names: Sequence[str], column: str) -> None:
    if column not in names:
        detail = f"{file}: there is no column {column}; {hint(column, names)}"
        raise InvalidInput.at(detail, column)
    if names.count(column) > 1:
        raise InvalidInput.at(f"{file}: two columns are named {column}", column)


def _check_type(
    file: str, schema: pa.Schema, column: str, expected: str, *, fits: Callable[[pa.DataType], bool]
) -> None:
    kind = schema.field(column).type
    if not (fits(plain(kind)) or _TYPES.is_null(kind)):  # nothing but nulls is of no type
        detail = f"{file}: the column {column} is of type {kind}, where {expected}"
        raise InvalidInput.at(detail, column)
