"""Refusals of what is not, or not yet, a request that the application sees."""

from collections.abc import Iterable
from http import HTTPStatus

from kullback.api.problem_document import MEDIA_TYPE, document
from kullback.api.problem_types import ProblemType

_RETRY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.SERVICE_UNAVAILABLE}


class Refusal(Exception):
    """A request that is answered where it came in, and its connection closed."""

    def __init__(self, kind: ProblemType, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail

    def answer(self, request_id: str, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """The bytes that say so: a problem document."""
        body = document(self.kind, self.detail, request_id)
        status = self.kind.status
        lines = [
            b"HTTP/1.1 %d %s" % (status, HTTPStatus(status).phrase.encode()),
            *(b"%s: %s" % header for header in headers),
            b"content-type: %s" % MEDIA_TYPE.encode(),
            b"content-length: %d" % len(body),
            b"x-request-id: %s" % request_id.encode(),
            b"x-content-type-options: nosniff",
            b"connection: close",
        ]
        if status in _RETRY:
            lines.append(b"retry-after: 1")
        return b"\r\n".join([*lines, b"", body])
