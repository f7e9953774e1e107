"""Room that a body may take: what its bytes inflate to, and what is read of them."""

import sys
from collections.abc import Iterable

from kullback.errors import BodyTooLarge

LARGEST_RATIO = 100  # bytes that a byte sent may become: columns that people keep become ten
ALWAYS = 1 << 20  # bytes that any body may become
ENTRY = 8  # bytes of a number or of the place of a text
TEXT = 2  # of text, entries may take so many times the cap: a label of two bytes takes eight


def inflation_limit(sent: int, cap: int) -> int:
    """How many bytes a body may become by decompression, so that work is in proportion to it."""
    return min(cap, max(ALWAYS, LARGEST_RATIO * sent))


def inflates_too_much(sent: int, cap: int) -> BodyTooLarge:
    """The refusal of a body that became more than inflation_limit says."""
    if cap == max(ALWAYS, LARGEST_RATIO * sent):
        detail = f"{LARGEST_RATIO} times what was sent ({cap} bytes): send it uncompressed"
    else:
        detail = f"{size_text(cap)}: send it in parts"
    return BodyTooLarge(f"the body inflates to more than {detail}")


def size_text(cap: int) -> str:
    """A limit of bytes, with the setting that it is of, if it is."""
    return f"{cap} bytes" + (" (KULLBACK_MAX_BODY_MB)" if cap >= ALWAYS else "")


class Room:
    """The bytes that the entries of a body may occupy in memory, counted as they are read."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.left = size

    def take(self, size: int) -> None:
        """Take room for so many bytes.

        Raises:
            BodyTooLarge: there is none.
        """
        self.left -= size
        if self.left < 0:
            detail = (
                f"what the body holds takes more than {self._size} bytes when it is read, "
                "8 for each entry: send fewer rows at a time"
            )
            raise BodyTooLarge(detail)

    def take_entries(self, count: int) -> None:
        """Take room for numbers, or for texts that are there already."""
        self.take(ENTRY * count)

    def take_texts(self, texts: Iterable[str]) -> None:
        """Take room for texts that have just been made."""
        self.take(sum(map(sys.getsizeof, texts)))
