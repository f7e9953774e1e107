"""Requests to the store: writes and reads that run in threads, off the event loop."""

import asyncio
import re
from collections.abc import Callable, Collection, Coroutine, Hashable
from concurrent.futures import Future
from hashlib import sha256
from time import perf_counter
from typing import Any, TypeVar

from fastapi import Request, Response

from kullback.api.admission import Admission
from kullback.api.gate import caller_of
from kullback.api.intake import BodyHeaders, Intake, while_connected
from kullback.api.shared_work import SharedWork
from kullback.api.workers import WorkerPool
from kullback.errors import DeadlineExceeded, InvalidInput, KullbackError, StoreUnavailable
from kullback.monitoring.writes import IdempotencyKey, Written
from kullback.payload.media import BATCH_TYPES, JSON, check_media_type
from kullback.requests.reading import read_batch
from kullback.requests.validation import Model
from kullback.services import Services
from kullback.settings import Settings

Result = TypeVar("Result")
Observed = Callable[[str, float], None]
QUEUE = 256
_IS_KEY = re.compile(r"[!-~]{1,255}").fullmatch


class StoreRequests:
    """Takes requests that need the store to a few threads, and answers once it is done on disk."""

    def __init__(self, settings: Settings, observe: Observed) -> None:
        self._cap = settings.max_body_mb << 20
        self._intake = Intake(self._cap, settings.inflight_mb << 20)
        self._readers = WorkerPool(settings.workers, QUEUE, "reader")
        self._writers = WorkerPool(settings.workers, QUEUE, "writer")
        self._admission = Admission(2 * settings.workers, QUEUE)
        self._shared = SharedWork()
        self._observe = observe
        self._services: Services | None = None

    def open(self, services: Services) -> None:
        """Begin to take requests."""
        self._services = services

    def close(self) -> None:
        """Take no more; what is being done may end."""
        self._services = None
        self._readers.close()
        self._writers.close()

    @property
    def services(self) -> Services:
        """What stands on the store.

        Raises:
            StoreUnavailable: it is not open.
        """
        if self._services is None:
            raise StoreUnavailable("the store is not open")
        return self._services

    async def read(self, request: Request, work: Callable[[], Result]) -> Result:
        """What `work` reads; it is not begun once its caller has left."""
        return await while_connected(request.receive, self._readers.run(work))

    async def read_once(
        self, request: Request, key: Hashable, work: Callable[[], Result]
    ) -> Result:
        """What `work` reads, once for all who wait for what has this key."""
        shared = self._shared.run(key, lambda: self._readers.run(work))
        return await while_connected(request.receive, shared)

    async def write(
        self,
        request: Request,
        model: type[Model],
        submit: Callable[[Model, IdempotencyKey | None], Future[Written]],
        accepted: tuple[str, ...] = BATCH_TYPES,
        own: Collection[str] = (),
    ) -> Response:
        """Take a body in, submit what it says, and answer when that is on disk.

        The route reads its `own` parameters itself: they are no options of the body.
        """
        head = BodyHeaders.of(request.scope)
        check_media_type(head.media_type, accepted)
        query = [each for each in request.query_params.multi_items() if each[0] not in own]

        async def submitted() -> Future[Written]:
            async with self._admission.turn() as turn:
                body = await self._intake.read(request, head)
                turn.begin()

                def work() -> Future[Written]:
                    with body.hold:
                        key = _idempotency_key(request, head.media_type, body.raw)
                        return submit(read_batch(body, query, model, self._cap), key)

                try:
                    return await self._writers.run(work)
                finally:
                    body.hold.release()

        return await self._answered(submitted())

    async def compute(
        self, request: Request, model: type[Model], work: Callable[[Model], Response]
    ) -> Response:
        """Take a body of JSON in, and answer what `work` makes of it; nothing is written."""
        head = BodyHeaders.of(request.scope)
        check_media_type(head.media_type, (JSON,))
        query = request.query_params.multi_items()
        async with self._admission.turn() as turn:
            body = await self._intake.read(request, head)
            turn.begin()

            def computed() -> Response:
                with body.hold:
                    return work(read_batch(body, query, model, self._cap))

            try:
                return await self._readers.run(computed)
            finally:
                body.hold.release()

    async def write_empty(
        self, request: Request, submit: Callable[[IdempotencyKey | None], Future[Written]]
    ) -> Response:
        """Submit a write that has no body."""
        work = self._writers.run(lambda: submit(_idempotency_key(request)))
        return await self._answered(work)

    async def _answered(self, submitted: Coroutine[Any, Any, Future[Written]]) -> Response:
        began = perf_counter()
        outcome = "failed"
        try:
            written = await asyncio.wrap_future(await submitted)
            outcome = "replayed" if written.replayed else "written"
        except DeadlineExceeded as error:  # it may have been submitted meanwhile
            raise StoreUnavailable(error.message) from error
        except KullbackError as error:
            outcome = "failed" if isinstance(error, StoreUnavailable) else "refused"
            raise
        finally:
            self._observe(outcome, perf_counter() - began)
        headers = {"idempotency-replayed": "true"} if written.replayed else {}
        reply = written.reply
        return Response(reply.body, reply.status, headers, JSON if reply.body else None)


def _idempotency_key(
    request: Request, media_type: str = "", raw: bytes | bytearray = b""
) -> IdempotencyKey | None:
    """What makes this request happen once, if its caller has asked for that.

    Raises:
        InvalidInput: the key is not one.
    """
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    if len(keys) > 1 or not _IS_KEY(keys[0]):
        detail = "Idempotency-Key is 1 to 255 printable ASCII characters without spaces, once"
        raise InvalidInput(detail)
    # keys of one caller are not those of another, even of the same request
    scope = f"{caller_of(request).key} {request.method} {request.scope['path']}".lstrip()
    digest = sha256(media_type.encode() + b"\n" + request.scope["query_string"] + b"\n")
    digest.update(raw)
    return IdempotencyKey(scope, keys[0], digest.digest())
