"""Routes under /v1/keys: who may do what; of a key's secret, what is shown once is kept nowhere."""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from kullback.access.keys import NO_ADMIN
from kullback.access.replies import KeyList, NewKey
from kullback.api.authorization import AuthorizedRoute
from kullback.api.gate import Gate
from kullback.api.intake import BodyHeaders, Intake
from kullback.api.openapi import request_body
from kullback.api.problems import problems
from kullback.api.routes import WRITES, check_parameters
from kullback.documents import to_json
from kullback.errors import StoreUnavailable
from kullback.payload.media import JSON, check_media_type
from kullback.requests.keys import KeyRotation, KeySettings
from kullback.requests.reading import read_batch
from kullback.requests.validation import Model

CAP = 16 << 10
_log = logging.getLogger("kullback.audit")
KeyId = Annotated[str, Path(description="Id of a key: its second part.")]


def router(gate: Gate) -> APIRouter:
    """The routes of keys."""
    routes = APIRouter(
        prefix="/v1/keys",
        tags=["keys"],
        dependencies=[Depends(check_parameters)],
        route_class=AuthorizedRoute,
    )
    intake = Intake(CAP, 64 * CAP)

    async def sent(request: Request, model: type[Model], default: Model | None = None) -> Model:
        head = BodyHeaders.of(request.scope)
        body = await intake.read(request, head)
        try:
            if default is not None and not body.raw:
                return default
            check_media_type(head.media_type, (JSON,))
            return read_batch(body, request.query_params.multi_items(), model, CAP)
        finally:
            body.hold.release()

    @routes.get("", operation_id="list_keys", response_model=KeyList, responses=problems(503))
    async def all_keys(request: Request) -> Response:
        """Every key, revoked ones too, without secrets."""
        return await _answered(
            gate, request, "keys listed", lambda: ("", KeyList.of(gate.book.all()))
        )

    @routes.post(
        "",
        operation_id="create_key",
        status_code=201,
        response_model=NewKey,
        responses=WRITES,
        openapi_extra=request_body(KeySettings, (JSON,)),
    )
    async def create(request: Request) -> Response:
        """Create a key; its text is in the answer, and nowhere else."""
        grant = (await sent(request, KeySettings)).grant()

        def work() -> tuple[str, NewKey]:
            issued = gate.book.create(grant)
            return issued.key.id, NewKey.issued(issued)

        return await _answered(gate, request, "key created", work, 201)

    @routes.delete(
        "/{id}",
        operation_id="revoke_key",
        status_code=204,
        response_class=Response,
        responses=problems(404, 409, 422, 503),
    )
    async def revoke(id: KeyId, request: Request) -> Response:  # noqa: A002 - the name in the path
        """Let a key open nothing any more; replicas know within 5 seconds."""

        def work() -> tuple[str, None]:
            gate.book.revoke(id)
            _warn_without_admin(gate)
            return id, None

        await gate.work(request, "key revoked", work)
        return Response(status_code=204)

    @routes.post(
        "/{id}/rotate",
        operation_id="rotate_key",
        response_model=NewKey,
        responses=WRITES,
        openapi_extra=request_body(KeyRotation, (JSON,)),
    )
    async def rotate(id: KeyId, request: Request) -> Response:  # noqa: A002 - the name in the path
        """Give a key another secret; the one before stays valid for a while."""
        overlap = (await sent(request, KeyRotation, KeyRotation())).overlap_seconds

        def work() -> tuple[str, NewKey]:
            issued = gate.book.rotate(id, overlap)
            return id, NewKey.issued(issued)

        return await _answered(gate, request, "key rotated", work)

    return routes


def _warn_without_admin(gate: Gate) -> None:
    with suppress(StoreUnavailable):  # what was asked for is done all the same
        if gate.book.lacks_admin():
            _log.warning(NO_ADMIN, extra={"fields": {"event": "no admin is left"}})


async def _answered(
    gate: Gate,
    request: Request,
    event: str,
    work: Callable[[], tuple[str, object]],
    status: int = 200,
) -> Response:
    document = await gate.work(request, event, work)
    headers = {"cache-control": "no-store"}
    return Response(to_json(document), status, headers, JSON)
