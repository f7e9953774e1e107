"""How many rows a stored tally has, without reading the rest of it."""

from kullback.errors import DamagedTally
from kullback.tally.exact import DIGIT, decoded
from kullback.tally.tally import SCALARS, Layout, sums_start

_ROWS = SCALARS.index("rows")


def rows_of(content: bytes) -> int:
    """The number of rows of a tally, from its bytes.

    Raises:
        TallyMismatch: the bytes are of a version that is not known here.
        DamagedTally: they are not what they were.
    """
    try:
        Layout.decoded(content)
        at = sums_start(content)
        numbers = content[at + 1 : at + 1 + content[at]]
        if 0 not in numbers:
            return 0
        sums, _ = decoded(content, at + 1 + len(numbers))  # the scalars, which come first
        bins = sums.indices().tolist()
        if _ROWS not in bins:
            return 0
        place = bins.index(_ROWS)
        return sum(
            int.from_bytes(plane.digits[place * plane.width :][: plane.width], "little")
            << DIGIT * plane.step
            for plane in sums.planes
            if plane.step >= 0  # below stand parts of 1, and this is a count
        )
    except (ArithmeticError, LookupError, ValueError) as error:
        raise DamagedTally("a stored tally is damaged: it cannot be read") from error
