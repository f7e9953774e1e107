"""This file is about taking a request's body in: counted, bounded, decompressed as it is needed."""

import sys
import zlib
from dataclasses import dataclass
from typing import NamedTuple

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope

from kullback.errors import BodyTooLarge, MalformedBody, Overloaded, UnsupportedBody

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ENCODINGS = ("gzip", "zstd", "identity")
_CHUNK = 1 << 20
_FEED = 1 << 14  # what follows a member is copied: small bites keep many members linear
_MAX_MEMBERS = 1 << 16
_WINDOW_LOG = 27  # zstd frames may ask for 128 MiB of window at the most


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of a request as they came, and what its headers say they are."""

    raw: bytearray
    media_type: str
    encoding: str


class Head(NamedTuple):
    """What the headers of a request say of its body."""

    media_type: str
    encoding: str
    length: int

    @classmethod
    def of(cls, scope: Scope) -> "Head":
        """Read them in one pass.

        Raises:
            UnsupportedBody: the encoding is not read here.
        """
        media_type, encodings, length = "", [], 0
        for name, value in scope["headers"]:
            if name == b"content-type":
                media_type = value.decode("latin-1").partition(";")[0].strip().lower()
            elif name == b"content-length":
                length = int(value) if value.isdigit() and len(value) < 19 else 0
            elif name == b"content-encoding":
                encodings.append(value.decode("latin-1"))
        return cls(media_type, _encoding(encodings), length)


class Intake:
    """The bytes of all bodies that are held at once; more is refused for the moment."""

    def __init__(self, cap: int, room: int) -> None:
        self.cap = cap
        self._room = max(room, cap)
        self._held = 0

    async def read(self, request: Request, head: Head | None = None) -> Body:
        """The body of a request; `release` it when it is done with.

        Raises:
            UnsupportedBody: its encoding is not read here.
            BodyTooLarge: it is longer than the cap.
            Overloaded: there is no room for it now.
        """
        head = head or Head.of(request.scope)
        declared = head.length
        self._hold(declared, declared)
        raw, size, held = bytearray(declared), 0, declared
        try:
            more = True
            while more:
                chunk, more = await _next_chunk(request.receive)
                end = size + len(chunk)
                if end > held:
                    self._hold(end - held, end)
                    held = end
                raw[size:end] = chunk
                size = end
        except BaseException:
            self._held -= held
            raise
        del raw[size:]
        self._held -= held - size
        return Body(raw, head.media_type, head.encoding)

    def release(self, size: int) -> None:
        """Make room again for as many bytes."""
        self._held -= size

    def _hold(self, size: int, of: int) -> None:
        """Take room for `size` more bytes of a body that is then `of` bytes long."""
        if of > self.cap:
            raise BodyTooLarge(f"the body is larger than {self.cap} bytes")
        if self._held + size > self._room:
            raise Overloaded("too many bytes are being worked on; try again in a moment")
        self._held += size


async def _next_chunk(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)


def _encoding(headers: list[str]) -> str:
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
    """
    if body.encoding == "identity":
        return body.raw
    inflate = _gunzip if body.encoding == "gzip" else _unzstd
    try:
        return inflate(body.raw, cap)
    except (zlib.error, zstd.ZstdError) as error:
        raise MalformedBody(f"the body is not valid {body.encoding}") from error


def _gunzip(raw: bytearray, cap: int) -> bytearray:
    grown, view, at = bytearray(), memoryview(raw), 0
    for _ in range(_MAX_MEMBERS):
        if at == len(view):
            return grown
        member = zlib.decompressobj(31)
        while not member.eof:
            fed = view[at : at + _FEED]
            if not fed:
                raise MalformedBody("the gzip body ends too early")
            _grow(grown, member.decompress(fed, _CHUNK), cap)
            at += len(fed) - len(member.unconsumed_tail) - len(member.unused_data)
    raise MalformedBody(f"the gzip body has more than {_MAX_MEMBERS} members")


def _unzstd(raw: bytearray, cap: int) -> bytearray:
    grown, view, at = bytearray(), memoryview(raw), 0
    options = {int(zstd.DecompressionParameter.window_log_max): _WINDOW_LOG}
    for _ in range(_MAX_MEMBERS):
        if at == len(view):
            return grown
        frame = zstd.ZstdDecompressor(options=options)
        while not frame.eof:
            fed = view[at : at + _FEED] if frame.needs_input else view[:0]
            if frame.needs_input and not fed:
                raise MalformedBody("the zstd body ends too early")
            _grow(grown, frame.decompress(fed, _CHUNK), cap)
            at += len(fed)
        at -= len(frame.unused_data)
    raise MalformedBody(f"the zstd body has more than {_MAX_MEMBERS} frames")


def _grow(grown: bytearray, piece: bytes, cap: int) -> None:
    if len(grown) + len(piece) > cap:
        raise BodyTooLarge(f"the body inflates to more than {cap} bytes")
    grown += piece
