"""Identifiers that callers choose: ids, units and the values of slices."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

import numpy as np

from kullback.errors import InvalidInput, Step
from kullback.payload.columns import LONGEST_NAME
from kullback.scoring.labels import Labels
from kullback.scoring.refusals import refuse

# Names of monitors and experiments: they stand in paths, in labels of metrics and in pages.
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$"
A_NAME = (
    "1 to 128 letters a to z of either case, digits, `_`, `.`, `:` and `-`, of which the first is "
    "a letter or a digit"
)

_IS_NAME = re.compile(NAME.replace("$", r"\Z")).match
_BREAKS = str.maketrans("", "", "\n\r\t")
_UNSAFE = re.compile(r"""[\s<>"'`\\^{|}]""")
_BLOCK = 1 << 13
_NO_NAME = f"not 1 to {LONGEST_NAME} characters, or a control character among them"
A_CONTROL = "a control character in it"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def is_name(text: str) -> bool:
    """Whether a monitor or an experiment may have this name."""
    return _IS_NAME(text) is not None


def is_text(text: str) -> bool:
    """Whether this may be shown: it may have several lines, and no other control characters."""
    return _CONTROL.search(text.translate(_BREAKS)) is None


def is_web_address(text: str) -> bool:
    """Whether this is an address of a page that a browser may be led to."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    is_plain = text.isprintable() and text.isascii() and not _UNSAFE.search(text)
    return is_plain and parts.scheme in {"http", "https"} and bool(host)


def check_note(text: str, *place: Step) -> None:
    """Refuse what people could not read in one line.

    Raises:
        InvalidInput: it is blank, or has a control character.
    """
    if not are_names([text]):
        raise InvalidInput.at(A_CONTROL, *place)
    if not text.strip():
        raise InvalidInput.at("nothing but blanks", *place)


def check_web_address(text: str, *place: Step) -> None:
    """Refuse what leads a browser to no page.

    Raises:
        InvalidInput: it is no such address.
    """
    if not is_web_address(text):
        detail = "not an address that begins with http:// or https:// and names a host"
        raise InvalidInput.at(detail, *place)


def checked_identifiers(identifiers: Labels, *place: str) -> Labels:
    """Strings or integers, one per row, that may be kept and shown.

    Raises:
        InvalidRows: a string is empty, too long, or has control characters.
    """
    if not isinstance(identifiers, list):
        return identifiers
    odd: list[int] = []
    for start in range(0, len(identifiers), _BLOCK):
        block = identifiers[start : start + _BLOCK]
        if not are_names(block):
            odd += [start + at for at, name in enumerate(block) if not are_names([name])]
    if odd:
        bad = np.zeros(len(identifiers), np.bool_)
        bad[odd] = True
        refuse(place, bad, lambda _: _NO_NAME)
    return identifiers


def identifiers_as_text(identifiers: Labels, *place: str) -> list[str]:
    """The same, with integers as their decimal text."""
    identifiers = checked_identifiers(identifiers, *place)
    if isinstance(identifiers, list):
        return identifiers
    return [str(number) for number in identifiers.tolist()]


def are_names(block: list[str]) -> bool:
    """Whether all of these may be names."""
    sizes = set(map(len, block))
    if min(sizes) < 1 or max(sizes) > LONGEST_NAME:
        return False
    joined = "".join(block)
    return joined.isprintable() or not _CONTROL.search(joined)


def refuse_twice(field: str, values: Sequence[str | int]) -> None:
    """Refuse a list in which something stands twice.

    Raises:
        InvalidInput: it is named by its place.
    """
    seen: set[str | int] = set()
    for index, value in enumerate(values):
        if value in seen:
            raise InvalidInput.at("stands twice", field, index)
        seen.add(value)
