"""Types of labels: integers, booleans and strings that say the same are brought into one type."""

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import TypeVar

import numpy as np

from kullback.numerics.numerals import numeral
from kullback.numerics.types import Array, Indices
from kullback.scoring.refusals import refuse

Text = TypeVar("Text", bound=str | None)

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_BOOLEANS = {"true": 1, "false": 0}
_SHOWN = 5
_NAMED = 20
_LOOKED_AT = 100_000
_LONGEST = 20


def in_one_type(
    y: Array | Indices | list[str], names: Sequence[str | int]
) -> tuple[Array | Indices | list[str], list[str | int]]:
    """Labels and the names that speak of them, in one type where their texts leave no doubt.

    Strings are read as integers where none of the names is a string, and either each is the text
    of an integer or each is true or false, in one spelling. So are names beside numbers.

    Returns:
        The labels and the names, converted or as they are.
    """
    if isinstance(y, list):
        if not any(isinstance(name, str) for name in names):
            numbers = _numbers(dict.fromkeys(y))
            if numbers is not None:
                return np.fromiter((numbers[text] for text in y), np.int64, len(y)), list(names)
        return y, list(names)
    words = [name for name in names if isinstance(name, str)]
    if len(words) == len(names):
        numbers = _numbers(dict.fromkeys(words))
        if numbers is not None:
            return y, [numbers[word] for word in words]
    return y, list(names)


def _numbers(texts: Collection[str]) -> dict[str, int] | None:
    """The integer that each text is of, or None where one is of none, or two are of the same."""
    if all(_INTEGER.fullmatch(text) for text in texts):
        return {text: int(text) for text in texts}
    words = {text.lower() for text in texts} if len(texts) <= len(_BOOLEANS) else set()
    if len(words) == len(texts) and words <= _BOOLEANS.keys():
        return {text: _BOOLEANS[text.lower()] for text in texts}
    return None


def refuse_odd(name: str, y: Array | Indices | list[str]) -> None:
    """Refuse texts that are no integers among more that are: one of them makes words of all.

    Raises:
        InvalidInput: there are such texts; each is named.
    """
    if not isinstance(y, list):
        return
    odd = np.fromiter((not _INTEGER.fullmatch(text) for text in y), np.bool_, len(y))
    if 2 * np.count_nonzero(odd) < len(y):
        refuse(name, odd, lambda _: "no integer, as most labels are")


def refuse_words(name: str, y: Sequence[str], detail: str) -> None:
    """Refuse texts of which `in_one_type` makes no integers, read as most of them can be.

    Raises:
        InvalidRows: there are such texts; each is named.
    """
    integers = np.fromiter((bool(_INTEGER.fullmatch(text)) for text in y), np.bool_, len(y))
    booleans = np.fromiter((text.lower() in _BOOLEANS for text in y), np.bool_, len(y))
    readable = integers if integers.sum() >= booleans.sum() else booleans
    refuse(name, ~readable, lambda _: detail)


def not_among(names: Sequence[str | int]) -> str:
    """That a label is none of these."""
    first = [str(each)[:_LONGEST] for each in names[:_NAMED]]
    more = ", …" if len(names) > _NAMED else ""
    return f"not among the labels: {', '.join(first)}{more}"


def kind_of(y: Array | Indices | list[str]) -> str:
    """What the labels are."""
    return "strings" if isinstance(y, list) else "numbers"


def occurring(y: Array | Indices | list[str]) -> str:
    """What the labels are, and the first few of them: for who names one that does not occur."""
    if isinstance(y, list):
        texts = _first_few(f'"{text[:_LONGEST]}"' for text in y)
    else:
        texts = _first_few(numeral(value) for value in y.reshape(-1)[:_LOOKED_AT].tolist())
    more = ", …" if len(texts) > _SHOWN else ""
    return f"{kind_of(y)} ({', '.join(texts[:_SHOWN])}{more})"


def _first_few(texts: Iterable[str]) -> list[str]:
    seen: list[str] = []
    for text in islice(texts, _LOOKED_AT):
        if text not in seen:
            seen.append(text)
        if len(seen) > _SHOWN:
            break
    return seen


def texts_of(values: Sequence[Text], rows: Indices) -> list[Text]:
    """The texts of some rows."""
    return [values[row] for row in rows.tolist()]


def rows_of(y: Array | Indices | list[str], rows: Indices) -> Array | Indices | list[str]:
    """The labels of some rows."""
    return texts_of(y, rows) if isinstance(y, list) else y[rows]
