"""The body of a request: its bytes, its type, and what it inflates to."""

import sys
import zlib
from dataclasses import dataclass, field

from kullback.errors import MalformedBody, UnsupportedBody
from kullback.payload.budget import ByteBudget, Hold
from kullback.payload.room import inflates_too_much

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ENCODINGS = ("gzip", "zstd", "identity")
_CHUNK = 1 << 20
_FEED = 1 << 14  # what follows a member is copied: small bites keep many members linear
_MAX_MEMBERS = 1 << 16
_WINDOW_LOG = 27  # zstd frames may ask for 128 MiB of window at the most
_OWN = ByteBudget(sys.maxsize)  # of bodies that nobody counts


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of a request as they came, what its headers say they are, and what it occupies."""

    raw: bytearray
    media_type: str
    encoding: str
    hold: Hold = field(default_factory=lambda: Hold(_OWN), compare=False)


def content_encoding(headers: list[str]) -> str:
    """The encoding that these values of Content-Encoding name.

    Raises:
        UnsupportedBody: it is not read here.
    """
    encoding = ", ".join(headers).strip().lower() or "identity"
    if encoding not in ENCODINGS:
        detail = f"Content-Encoding is one of {', '.join(ENCODINGS)}"
        raise UnsupportedBody(detail, "Accept-Encoding", ENCODINGS)
    return encoding


def decompressed(body: Body, cap: int) -> bytearray:
    """The body's bytes after its Content-Encoding, counted while they come.

    Raises:
        MalformedBody: they are not of that encoding.
        BodyTooLarge: they are more than the cap.
        Overloaded: there is no room for them now.
    """
    if body.encoding == "identity":
        return body.raw
    inflate = _gunzip if body.encoding == "gzip" else _unzstd
    try:
        return inflate(body, cap)
    except (zlib.error, zstd.ZstdError) as error:
        raise MalformedBody(f"the body is not valid {body.encoding}") from error


def _gunzip(body: Body, cap: int) -> bytearray:
    grown, view, at = bytearray(), memoryview(body.raw), 0
    for _ in range(_MAX_MEMBERS):
        if at == len(view):
            return grown
        member = zlib.decompressobj(31)
        while not member.eof:
            fed = view[at : at + _FEED]
            if not fed:
                raise MalformedBody("the gzip body ends too early")
            _grow(grown, member.decompress(fed, _CHUNK), cap, body)
            at += len(fed) - len(member.unconsumed_tail) - len(member.unused_data)
    raise MalformedBody(f"the gzip body has more than {_MAX_MEMBERS} members")


def _unzstd(body: Body, cap: int) -> bytearray:
    grown, view, at = bytearray(), memoryview(body.raw), 0
    options = {int(zstd.DecompressionParameter.window_log_max): _WINDOW_LOG}
    for _ in range(_MAX_MEMBERS):
        if at == len(view):
            return grown
        frame = zstd.ZstdDecompressor(options=options)
        while not frame.eof:
            fed = view[at : at + _FEED] if frame.needs_input else view[:0]
            if frame.needs_input and not fed:
                raise MalformedBody("the zstd body ends too early")
            _grow(grown, frame.decompress(fed, _CHUNK), cap, body)
            at += len(fed)
        at -= len(frame.unused_data)
    raise MalformedBody(f"the zstd body has more than {_MAX_MEMBERS} frames")


def _grow(grown: bytearray, piece: bytes, cap: int, body: Body) -> None:
    if len(grown) + len(piece) > cap:
        raise inflates_too_much(len(body.raw), cap)
    body.hold.take(len(piece))
    grown += piece
