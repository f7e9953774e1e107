"""A caller of an application in this process, without the layers of a client.

Those take longer than most of the answers that are asked for here by the ten thousand.
"""

from collections.abc import Mapping

from anyio import Event
from fastapi import FastAPI
from httpx import Response
from starlette.types import Message

SERVER = ("kullback", 80)


class Caller:
    """Requests to an application that runs: what there is of httpx's client, for plain bodies."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def request(
        self, method: str, path: str, *, content: bytes = b"", headers: Mapping[str, str]
    ) -> Response:
        """The answer to one request; the path needs no escapes."""
        place, _, query = path.partition("?")
        sent = {"host": SERVER[0], "content-length": str(len(content))} | dict(headers)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": place,
            "raw_path": place.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "server": SERVER,
            "client": ("127.0.0.1", 1),
        }
        incoming: list[Message] = [{"type": "http.request", "body": content}]
        outgoing: list[Message] = []
        answered = Event()

        async def receive() -> Message:
            if incoming:
                return incoming.pop()
            await answered.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            outgoing.append(message)

        await self._app(scope, receive, send)
        answered.set()
        begin, *parts = outgoing
        body = b"".join(part.get("body", b"") for part in parts)
        return Response(begin["status"], headers=begin["headers"], content=body)

    async def post(self, path: str, *, content: bytes, headers: Mapping[str, str]) -> Response:
        """The answer to a POST."""
        return await self.request("POST", path, content=content, headers=headers)

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """The answer to a GET."""
        return await self.request("GET", path, headers=headers or {})
