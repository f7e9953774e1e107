"""Whole numbers as they are kept: of 64 bits, with a sign or without."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

WRITTEN = r"^-?(0|[1-9][0-9]{0,19})$"  # in text: 007 is a name
BEYOND = "an integer of more than 64 bits"


def packed(entries: Sequence[int]) -> npt.NDArray[Any]:
    """Integers of Python as int64, or as uint64 where one is too large for a sign.

    Raises:
        OverflowError: one has more bits, or a sign beside one that leaves none.
    """
    try:
        return np.array(entries, np.int64)
    except OverflowError:
        return np.array(entries, np.uint64)


def first_beyond(entries: Sequence[int]) -> int:
    """The place of the first integer for which `packed` refuses these."""
    low, high = -(2**63), 2**63
    if all(low <= entry < 2 * high for entry in entries):
        return next(i for i, entry in enumerate(entries) if entry >= high)
    return next(i for i, entry in enumerate(entries) if not low <= entry < 2 * high)


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
