"""Where a long JSON list is cut: at commas between its rows, about a piece from one another."""

import re

from kullback.payload.json_scan import MAX_AXES

PIECE = 1 << 16

_SPACE = rb"[ \t\n\r]*+"
_TEXT = rb'(?:null|"[^"\\]*+(?:\\[\x00-\xff][^"\\]*+)*+")' + _SPACE
_TEXTS = re.compile(rb"(?:" + _SPACE + _TEXT + rb",)*+")
_ROW = rb"(?:null|\[(?:" + _SPACE + _TEXT + rb",?+)*+" + _SPACE + rb"\])" + _SPACE
_TEXT_ROWS = re.compile(rb"(?:" + _SPACE + _ROW + rb",)*+")
_WITHIN = rb'(?:[^"\[\]{}]++|"[^"\\]*+(?:\\[\x00-\xff][^"\\]*+)*+")*+'
_OBJECT = rb"\{(?:" + _WITHIN + rb"(?:\{" + _WITHIN + rb"\}|\[" + _WITHIN + rb"\])?+)*+\}"
_SCALAR = rb'(?:"[^"\\]*+(?:\\[\x00-\xff][^"\\]*+)*+"|[^",\[\]{}]++)'
_ANY = rb"(?:" + _SCALAR + rb"|\[" + _WITHIN + rb"\]|" + _OBJECT + rb")" + _SPACE
_ANYTHING = re.compile(rb"(?:" + _SPACE + _ANY + rb",)*+")
_OPEN = re.compile(rb"\[" + _SPACE)
_MISSING = re.compile(rb'(?:(?:null|"NaN")' + _SPACE + rb"," + _SPACE + rb")*+")
_BRACKET = re.compile(rb"[\[\]]")


def first_entry(body: bytearray, start: int, end: int) -> tuple[int, int]:
    """How deep the first entry that is not missing lies in a list, and where it begins."""
    axes, at = 0, start
    while axes <= MAX_AXES and (opening := _OPEN.match(body, at, end)):
        axes, at = axes + 1, opening.end()
        while missing := _MISSING.match(body, at, min(at + PIECE, end)):
            if missing.end() == at:
                break
            at = missing.end()
    return axes, at


def between_numbers(body: bytearray, at: int, end: int) -> int:
    """The first comma between rows of numbers, a piece or more from `at`; or the end."""
    far = at + PIECE
    if far >= end:
        return end
    depth = body.count(b"[", at, far) - body.count(b"]", at, far)
    while True:
        far = _closed(body, far, end, depth)
        comma = body.find(b",", far, end)
        row = body.find(b"[", far, comma if comma >= 0 else end)
        if row < 0:
            return comma if comma >= 0 else end
        far, depth = row + 1, 1  # the comma stands within the next row


def _closed(body: bytearray, at: int, end: int, depth: int) -> int:
    """Where so many brackets are closed."""
    for bracket in _BRACKET.finditer(body, at, end) if depth > 0 else ():
        depth += 1 if bracket.group() == b"[" else -1
        if depth == 0:
            return bracket.end()
    return at


def between_texts(body: bytearray, at: int, end: int, *, in_rows: bool) -> int:
    """The last comma between texts, or rows of them, within a piece; further on if need be."""
    whole, size = _TEXT_ROWS if in_rows else _TEXTS, PIECE
    while at + size < end:
        match = whole.match(body, at, at + size)
        if match and match.end() > at:
            return match.end() - 1
        size *= 2
    return end


def between_any(body: bytearray, at: int, end: int) -> int:
    """The last comma between entries of any kind within a piece; further on if need be."""
    size = PIECE
    while at + size < end:
        match = _ANYTHING.match(body, at, at + size)
        if match and match.end() > at:
            return match.end() - 1
        size *= 2
    return end
