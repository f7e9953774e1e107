"""Whole numbers as they are kept: of 64 bits, with a sign or without."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

WRITTEN = r"^-?(0|[1-9][0-9]{0,19})$"  # in text: 007 is a name
BEYOND = "an integer of more than 64 bits"
BESIDE = "an integer of 2^63 or more beside one below 0: no column of integers holds both"


def packed(entries: Sequence[int]) -> npt.NDArray[Any]:
    """Integers of Python as int64, or as uint64 where one is too large for a sign.

    Raises:
        OverflowError: one has more bits, or a sign beside one that leaves none.
    """
    try:
        return np.array(entries, np.int64)
    except OverflowError:
        return np.array(entries, np.uint64)


def first_beyond(entries: Sequence[int]) -> tuple[int, str]:
    """The place of the first integer for which `packed` refuses these, and why."""
    flaws = are_beyond(entries)
    return next((at, flaw) for at, flaw in enumerate(flaws) if flaw)


def are_beyond(entries: Sequence[int]) -> list[str]:
    """What is wrong with each of the integers that `packed` refuses; nothing with most."""
    low, high = -(2**63), 2**64
    has_sign = any(low <= entry < 0 for entry in entries)
    large = BESIDE if has_sign else ""
    return [
        BEYOND if not low <= entry < high else large if entry >= 2**63 else "" for entry in entries
    ]


def signed(integers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Integers of any size as int64, if they are not too large for a sign."""
    is_large = integers.dtype == np.uint64 and integers.size and integers.max() >= 2**63
    return integers if is_large else integers.astype(np.int64, copy=False)


def joined(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Parts of one list.

    Raises:
        OverflowError: a part leaves no room for the sign that another one has.
    """
    if any(part.dtype == np.uint64 for part in parts):
        if any(part.dtype == np.int64 and part.min(initial=0) < 0 for part in parts):
            raise OverflowError
        return np.concatenate([part.astype(np.uint64, copy=False) for part in parts])
    return np.concatenate(parts)
