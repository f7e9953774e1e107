"""Names of columns: which label each column of a table is of, in whatever order they come."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kullback.errors import FieldError, InvalidInput, pointer
from kullback.numerics.types import Array, Indices
from kullback.scoring.label_types import not_among
from kullback.scoring.labels import Label
from kullback.scoring.refusals import ERRORS_NAMED

Names = tuple[str, ...]
_NUMBERED = re.compile(r"(.*?)([0-9]{1,9})", re.DOTALL)
_DIFFER = "the columns of {} have another order"


@dataclass(frozen=True, slots=True)
class NamedColumns:
    """Rows (n, k) of which each column came under a name of its own."""

    values: Array
    names: Names

    def __len__(self) -> int:
        return len(self.values)


def without_names(
    fields: Mapping[str, object],
) -> tuple[dict[str, object], dict[str, Names]]:
    """The fields with their rows alone, and the names that columns of some of them had."""
    named = {name: value for name, value in fields.items() if isinstance(value, NamedColumns)}
    rows = {name: value.values for name, value in named.items()}
    return {**fields, **rows}, {name: value.names for name, value in named.items()}


def label_order(field: str, names: Names, labels: Sequence[Label]) -> Indices:
    """The column of each label, by its name; by its number where the names number the columns.

    Names number k columns where they are one text, which may be empty, before 0..k−1 or 1..k, and
    none of them is a label.

    Args:
        field: that the columns are of.
        names: of the columns, without that of the field, in the order in which they came.
        labels: in the order in which the columns are meant to be.

    Returns:
        Indices into the columns, (k,).

    Raises:
        InvalidInput: a label has no column or two, or a column is of no label; each is named.
    """
    if all(isinstance(label, bool) for label in labels):
        names = tuple(name.lower() for name in names)
    texts = [str(label).lower() if isinstance(label, bool) else str(label) for label in labels]
    unknown = [name for name in names if name not in set(texts)]
    numbers = column_numbers(names) if len(unknown) == len(names) else None
    if numbers is not None:
        return np.argsort(numbers)
    twice = [name for name, count in Counter(names).items() if count > 1]
    gone = [] if len(unknown) == len(names) else [text for text in texts if text not in set(names)]
    wrong = {
        **dict.fromkeys(unknown, f"its name is {not_among(labels)}"),
        **dict.fromkeys(twice, "the column stands twice"),
        **dict.fromkeys(gone, "the column of this label is missing"),
    }
    _refuse(field, wrong)
    place = {name: at for at, name in enumerate(names)}
    return np.array([place[text] for text in texts], np.int64)


def column_numbers(names: Names) -> Indices | None:
    """The numbers of columns that are named by 0..k−1 or 1..k; None where they are not."""
    parts = [_NUMBERED.fullmatch(name) for name in names]
    numbers = [int(part[2]) for part in parts if part]
    if len({part and part[1] for part in parts}) != 1 or len(numbers) < len(names):
        return None
    first = min(numbers)
    if first > 1 or sorted(numbers) != list(range(first, first + len(numbers))):
        return None
    return np.array(numbers, np.int64)


def common_order(named: Mapping[str, Names]) -> dict[str, Indices]:
    """The order of columns that no labels speak of: that of their numbers, or as they came.

    Raises:
        InvalidInput: two fields have the same columns in another order, or some of the same.
    """
    orders: dict[str, Indices] = {}
    words: dict[str, Names] = {}
    for field, names in named.items():
        numbers = column_numbers(names)
        orders[field] = np.arange(len(names)) if numbers is None else np.argsort(numbers)
        if numbers is None:
            words[field] = names
    for field, names in words.items():
        for first, others in words.items():
            if first == field:
                break
            if names != others and sorted(names) == sorted(others):
                raise InvalidInput.at(_DIFFER.format(first), field)
            if not set(names).isdisjoint(others):
                detail = f"{first} has no column of this name"
                _refuse(field, {name: detail for name in names if name not in others})
                detail = f"the column is missing, and {first} has it"
                _refuse(field, {name: detail for name in others if name not in names})
    return orders


def _refuse(field: str, wrong: Mapping[str, str]) -> None:
    """Refuse columns of a field, each with what is wrong."""
    if not wrong:
        return
    offences = [FieldError(pointer(f"{field}.{name}"), detail) for name, detail in wrong.items()]
    message = f"{field}.{next(iter(wrong))[:80]}: {offences[0].detail}"
    raise InvalidInput(message, offences[:ERRORS_NAMED], len(offences))
