"""What runs flows over HTTP: one that blocks, and one that awaits."""

import os
import time
from typing import TypeVar

import httpx

from .connection import Connection
from .exchange import Answer, Flow, Outcome, Pause, Request, Step

T = TypeVar("T")


class BlockingTransport:
    """Runs flows in the thread that calls it; connections are kept, and never shared by a fork."""

    def __init__(self, connection: Connection, http: httpx.Client | None = None) -> None:
        self.connection = connection
        self._http = http or httpx.Client()
        self._process = os.getpid()
        self._is_own = http is None

    def run(self, flow: Flow[T]) -> T:
        """What the flow returns.

        Raises:
            KullbackError: it is refused, or no answer came in time.
        """
        outcome: Outcome = None
        while True:
            try:
                step = flow.send(outcome)
            except StopIteration as end:
                value: T = end.value
                return value
            outcome = self._take(step)

    def _take(self, step: Step) -> Outcome:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        if self._process != os.getpid() and self._is_own:
            self._http, self._process = httpx.Client(), os.getpid()
        try:
            return _answer(
                self.connection, self._http.send(_request(self._http, self.connection, step))
            )
        except httpx.HTTPError as error:
            return self.connection.unreachable(error)

    def close(self) -> None:
        """Close its connections."""
        if self._is_own:
            self._http.close()


class AwaitingTransport:
    """Runs flows in the event loop that awaits it."""

    def __init__(self, connection: Connection, http: httpx.AsyncClient | None = None) -> None:
        self.connection = connection
        self._http = http or httpx.AsyncClient()
        self._is_own = http is None

    async def run(self, flow: Flow[T]) -> T:
        """See BlockingTransport."""
        outcome: Outcome = None
        while True:
            try:
                step = flow.send(outcome)
            except StopIteration as end:
                value: T = end.value
                return value
            outcome = await self._take(step)

    async def _take(self, step: Step) -> Outcome:
        if isinstance(step, Pause):
            import asyncio  # noqa: PLC0415 - half of the time that all else takes to import

            await asyncio.sleep(step.seconds)
            return None
        try:
            return _answer(
                self.connection,
                await self._http.send(_request(self._http, self.connection, step)),
            )
        except httpx.HTTPError as error:
            return self.connection.unreachable(error)

    async def close(self) -> None:
        """Close its connections."""
        if self._is_own:
            await self._http.aclose()


def _request(
    http: httpx.Client | httpx.AsyncClient, connection: Connection, request: Request
) -> httpx.Request:
    headers = {**connection.headers, "accept": request.accept}
    if request.content is not None:
        headers["content-type"] = request.media_type
    if request.key is not None:
        headers["idempotency-key"] = request.key
    return http.build_request(
        request.method,
        connection.address(request.path),
        params=request.query or None,
        content=request.content,
        headers=headers,
        timeout=connection.timeout,
    )


def _answer(connection: Connection, response: httpx.Response) -> Answer:
    return Answer(connection.url, response.status_code, response.headers, response.content)
