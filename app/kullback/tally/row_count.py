"""How many rows a stored tally has, without reading the rest of it."""

from kullback.errors import DamagedTally
from kullback.tally.exact import DIGIT
from kullback.tally.tally import sums_start

_PLACE = 2  # bytes of the number of a bin


def stored_rows(content: bytes) -> int:
    """The number of rows of a tally, from its bytes.

    Raises:
        DamagedTally: they are not what they were.
    """
    try:
        at = sums_start(content)
        count = content[at]
        if not count or content[at + 1]:  # the scalars come first, if any is not 0
            return 0
        return _first_of(content, at + 1 + count)
    except (ArithmeticError, LookupError, ValueError) as error:
        raise DamagedTally("a stored tally is damaged: it cannot be read") from error


def _first_of(content: bytes, at: int) -> int:
    """The first of sums that begin at a place, which is that of rows; see exact.decoded."""
    size, count = content[at] | content[at + 1] << 8, content[at + 2]
    first, at = content[at + 3 : at + 3 + _PLACE], at + 3 + size * _PLACE
    if any(first):
        return 0
    rows = 0
    for _ in range(count):
        step, width = content[at] - 128, content[at + 1]
        if step >= 0:  # below stand parts of 1, and this is a count
            rows += int.from_bytes(content[at + 2 : at + 2 + width], "little") << DIGIT * step
        at += 2 + size * width
    return rows
