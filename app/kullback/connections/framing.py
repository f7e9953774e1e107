"""Framing of requests: what two readers of the same bytes could read differently is refused.

The parser is strict too; what stands here is what it lets pass, or would find too late.
"""

import re
from functools import lru_cache

from kullback.api.problem_types import (
    BODY_TOO_LARGE,
    HEAD_TOO_LARGE,
    HTTP_VERSION,
    MALFORMED_REQUEST,
    URL_TOO_LONG,
)
from kullback.connections.limits import ConnectionLimits
from kullback.connections.refusals import Refusal

END = b"\r\n\r\n"
CHUNKED = -1
FRAMING = frozenset({b"host", b"content-length", b"transfer-encoding"})
VERSIONS = frozenset({b"1.1", b"1.0"})
_MAX_DIGITS = 18

_first_line = re.compile(rb"[!-~]+ [!-~]+ HTTP/([0-9]\.[0-9])\r\n").match
_is_authority = lru_cache(256)(  # a caller sends the same again and again
    re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::[0-9]*)?").fullmatch
)
_absolute = re.compile(rb"(?i)https?://([^/?#]*)([^#]*)").fullmatch
_is_upgrade = re.compile(rb"(?i)\r\nupgrade:[^\r\n]*")
_endless_length = re.compile(
    rb"(?i)\r\ncontent-length:[ \t]*[0-9]{%d,}[ \t]*\r\n" % (_MAX_DIGITS + 1)
)


def malformed(detail: str) -> Refusal:
    """The refusal of bytes that are no request."""
    return Refusal(MALFORMED_REQUEST, detail)


def check_arriving(part: bytes, limits: ConnectionLimits) -> None:
    """Check a head of which more may come.

    Raises:
        Refusal: no end of it could be accepted.
    """
    lines = part.count(b"\r\n")
    if len(part) > limits.line_bytes and part.find(b"\r\n", 0, limits.line_bytes) < 0:
        raise Refusal(URL_TOO_LONG, f"the first line is longer than {limits.line_bytes} bytes")
    if len(part) > limits.head_bytes:
        raise Refusal(HEAD_TOO_LARGE, f"the head is longer than {limits.head_bytes} bytes")
    if lines > limits.fields + 2:
        raise Refusal(HEAD_TOO_LARGE, f"the head has more than {limits.fields} fields")
    if not part[:1].isalpha():
        raise malformed("the first byte is not that of a method; is this TLS?")
    if part.count(b"\n") != lines or part.count(b"\r") - part.endswith(b"\r") != lines:
        raise malformed("a line of the head does not end with CR LF")


def checked_head(head: bytes, limits: ConnectionLimits) -> tuple[bytes, bytes]:
    """A whole head as the parser shall see it, without an upgrade, and its version of HTTP.

    Raises:
        Refusal: it cannot be accepted, whatever its fields mean.
    """
    first = _first_line(head)
    if first is None or first.end() > limits.line_bytes or head.count(b"\n") > limits.fields + 2:
        check_arriving(head, limits)
        raise malformed("the first line is not METHOD TARGET HTTP/1.1")
    version = first[1]
    if version not in VERSIONS:
        raise Refusal(HTTP_VERSION, "only HTTP/1.1 and HTTP/1.0 are spoken here")
    return _is_upgrade.sub(b"", head) if b"\r\nupgrade:" in head.lower() else head, version


def length_of_body(version: bytes, fields: list[tuple[bytes, bytes]]) -> int:
    """The length that the fields of a head declare, or CHUNKED.

    Raises:
        Refusal: they contradict each other, or are not what they must be.
    """
    values: dict[bytes, bytes] = dict(fields)
    if len(values) < len(fields):
        raise malformed("Host, Content-Length and Transfer-Encoding may stand once")
    host = values.get(b"host")
    if host is None and version == b"1.1":
        raise malformed("HTTP/1.1 asks for a Host")
    if host is not None and not _is_authority(host):
        raise malformed("Host is a name or an address, and a port at most")
    coding, length = values.get(b"transfer-encoding"), values.get(b"content-length")
    if coding is None:
        return 0 if length is None else _declared(length)
    if length is not None:
        raise malformed("Content-Length and Transfer-Encoding may not stand together")
    if version == b"1.0":
        raise malformed("HTTP/1.0 has no Transfer-Encoding")
    if coding.lower() != b"chunked":
        raise malformed("the only Transfer-Encoding is chunked")
    return CHUNKED


def path_of(target: bytes, fields: list[tuple[bytes, bytes]]) -> bytes:
    """The path and query of a request target, which may be in absolute form.

    Raises:
        Refusal: it is none, or names another host than Host does.
    """
    if target.startswith(b"/") or target == b"*":
        if b"#" in target:
            raise malformed("the target of a request has no fragment")
        return target
    absolute = _absolute(target)
    if absolute is None:
        raise malformed("the target of a request begins with / or http://")
    if absolute[1].lower() != dict(fields).get(b"host", absolute[1]).lower():
        raise malformed("the target of the request and Host name different hosts")
    return absolute[2] if absolute[2].startswith(b"/") else b"/" + absolute[2]


def unreadable(reason: str, head: bytes) -> Refusal:
    """The refusal of what the parser cannot read."""
    if _endless_length.search(head):
        return _too_large()
    return malformed(f"this is not HTTP/1.1: {reason}")


def _declared(length: bytes) -> int:
    if not length.isdigit():
        raise malformed("Content-Length is a number of bytes")
    if len(length) > _MAX_DIGITS:
        raise _too_large()
    return int(length)


def _too_large() -> Refusal:
    return Refusal(BODY_TOO_LARGE, "Content-Length is beyond any limit of this service")
