"""Bytes to a server and its answers, without a client in between that means well."""

import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from typing import NamedTuple, cast

import httpx

SECONDS = 60.0  # within which everything ends; nothing is that slow that goes right


class Answer(NamedTuple):
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class _Stream(io.BytesIO):
    """Bytes that the standard library's client takes for a socket, and does not close."""

    def makefile(self, _: str) -> "_Stream":
        return self

    def close(self) -> None:
        """The next answer is read from it too."""


@contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    """A connection to a server."""
    url = httpx.URL(address)
    with socket.create_connection((url.host, url.port or 80), SECONDS) as connection:
        yield connection


def rest(connection: socket.socket) -> bytes:
    """All that comes until the server ends the connection."""
    received = bytearray()
    try:
        while piece := connection.recv(1 << 16):
            received += piece
    except ConnectionResetError:
        pass
    return bytes(received)


def answers(received: bytes) -> list[Answer]:
    """The answers that some bytes are, whose requests were none of HEAD."""
    stream, read = _Stream(received), []
    while stream.tell() < len(received):
        response = HTTPResponse(cast("socket.socket", stream))
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        read.append(Answer(response.status, headers, response.read()))
    return read


def exchange(address: str, *pieces: bytes) -> list[Answer]:
    """The answers to all these pieces, of which the last ends the connection."""
    with connected(address) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return answers(rest(connection))
