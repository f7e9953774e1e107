"""This file is about the routes under /v1/monitors: streams of predictions, remembered."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel
from pydantic_core import to_json

from app.api.desk import Desk
from app.api.payload import BATCH_TYPES, JSON
from app.api.problems import problems
from app.api.requests.batches import LabelBatch, ObservationBatch, PredictionBatch, ReferenceBatch
from app.api.requests.monitors import MonitorSettings
from app.api.times import moment
from app.errors import InvalidInput
from app.monitoring.report import Document
from app.monitoring.views import Question

NAME = r"^[a-z0-9][a-z0-9_.-]{0,62}$"
_WRITES = problems(400, 404, 409, 413, 415, 422, 503)
_READS = problems(404, 422, 503)

NewName = Annotated[str, Path(pattern=NAME, description="Its name, chosen by the caller.")]
From = Annotated[str | None, Query(alias="from", description="RFC 3339 or epoch seconds.")]
To = Annotated[str | None, Query(alias="to", description="RFC 3339 or epoch seconds, exclusive.")]
By = Annotated[str | None, Query(description="The slice to report by.")]
Metric = Annotated[str, Query(description="A metric of the report.")]
Step = Annotated[int | None, Query(description="Seconds, a multiple of the window.")]


def router(desk: Desk) -> APIRouter:
    """The routes of all monitors."""
    routes = APIRouter(
        prefix="/v1/monitors", tags=["monitors"], dependencies=[Depends(_check_parameters)]
    )
    _setting_up(routes, desk)
    _writing(routes, desk)
    _reading(routes, desk)
    return routes


def _setting_up(routes: APIRouter, desk: Desk) -> None:
    @routes.get("", operation_id="list_monitors", response_class=Response, responses=problems(503))
    async def all_monitors() -> Response:
        """Every monitor, as it was set up."""
        return _json(await desk.read(desk.services.views.all))

    @routes.put(
        "/{name}",
        operation_id="put_monitor",
        response_class=Response,
        responses={201: {"description": "Created"}, **_WRITES},
        openapi_extra=_body(MonitorSettings, (JSON,)),
    )
    async def put(name: NewName, request: Request) -> Response:
        """Create a monitor, or change it: once rows have come, only retention, slices and ttl."""
        return await desk.receive(
            request,
            MonitorSettings,
            lambda sent, token: desk.services.monitors.put(name, sent.monitor(), token),
            (JSON,),
        )

    @routes.get("/{name}", operation_id="get_monitor", response_class=Response, responses=_READS)
    async def one(name: str) -> Response:
        """One monitor: how it was set up, what came, what waits, its reference."""
        return _json(await desk.read(lambda: desk.services.views.one(name)))

    @routes.delete(
        "/{name}",
        operation_id="delete_monitor",
        status_code=204,
        response_class=Response,
        responses=problems(404, 409, 422, 503),
    )
    async def delete(name: str, request: Request) -> Response:
        """Remove a monitor and all that it holds."""
        return await desk.submit(request, lambda token: desk.services.monitors.delete(name, token))


def _writing(routes: APIRouter, desk: Desk) -> None:
    @routes.post(
        "/{name}/observations",
        operation_id="add_observations",
        response_class=Response,
        responses=_WRITES,
        openapi_extra=_body(ObservationBatch, BATCH_TYPES),
    )
    async def observations(name: str, request: Request) -> Response:
        """Add predictions with their labels."""
        return await desk.receive(
            request,
            ObservationBatch,
            lambda sent, token: desk.services.monitors.observe(name, sent.rows(), token),
        )

    @routes.post(
        "/{name}/predictions",
        operation_id="add_predictions",
        response_class=Response,
        responses=_WRITES,
        openapi_extra=_body(PredictionBatch, BATCH_TYPES),
    )
    async def predictions(name: str, request: Request) -> Response:
        """Add predictions; their labels come by id, before or after."""
        return await desk.receive(
            request,
            PredictionBatch,
            lambda sent, token: desk.services.monitors.predict(name, sent.predictions(), token),
        )

    @routes.post(
        "/{name}/labels",
        operation_id="add_labels",
        response_class=Response,
        responses=_WRITES,
        openapi_extra=_body(LabelBatch, BATCH_TYPES),
    )
    async def labels(name: str, request: Request) -> Response:
        """Add labels; their predictions come by id, before or after."""
        return await desk.receive(
            request,
            LabelBatch,
            lambda sent, token: desk.services.monitors.label(name, sent.labels(), token),
        )

    @routes.put(
        "/{name}/reference",
        operation_id="put_reference",
        response_class=Response,
        responses=_WRITES,
        openapi_extra=_body(ReferenceBatch, BATCH_TYPES),
    )
    async def reference(name: str, request: Request) -> Response:
        """Set what drift is measured against: a batch, a stored period, or distributions."""
        return await desk.receive(
            request,
            ReferenceBatch,
            lambda sent, token: desk.services.monitors.refer(name, sent.baseline(), token),
        )


def _reading(routes: APIRouter, desk: Desk) -> None:
    @routes.get(
        "/{name}/report",
        operation_id="get_report",
        response_class=Response,
        responses={304: {"description": "Nothing has changed"}, **_READS},
    )
    async def report(
        name: str, request: Request, start: From = None, stop: To = None, by: By = None
    ) -> Response:
        """Every metric with its standard error, drift, and the values of one slice."""
        asked = Question(_moment("from", start), _moment("to", stop), by)
        views = desk.services.views
        return await _tagged(desk, request, name, asked, lambda: views.report(name, asked))

    @routes.get(
        "/{name}/series",
        operation_id="get_series",
        response_class=Response,
        responses={304: {"description": "Nothing has changed"}, **_READS},
    )
    async def series(  # noqa: PLR0913, PLR0917 - one argument for each parameter of the query
        name: str,
        request: Request,
        start: From = None,
        stop: To = None,
        metric: Metric = "log_loss",
        step: Step = None,
    ) -> Response:
        """One metric over time: a point for each step in which rows came."""
        asked = Question(_moment("from", start), _moment("to", stop), None, metric, step)
        views = desk.services.views
        return await _tagged(desk, request, name, asked, lambda: views.series(name, asked))


async def _tagged(
    desk: Desk, request: Request, name: str, asked: Question, read: Callable[[], Document]
) -> Response:
    known = ",".join(request.headers.getlist("if-none-match"))

    def work() -> tuple[str, Document | None]:
        # The tag first: if something is added in between, the next one to ask gets it again.
        tag = desk.services.views.tag(name, asked)
        return tag, None if _matches(known, tag) else read()

    tag, document = await desk.read(work)
    headers = {"etag": tag, "cache-control": "no-cache"}
    if document is None:
        return Response(status_code=304, headers=headers)
    return _json(document, headers)


async def _check_parameters(request: Request) -> None:
    """Refuse parameters of the query that the route does not have, or that stand twice."""
    known = {field.alias for field in request.scope["route"].dependant.query_params}
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in known or name in seen:
            detail = "stands twice" if name in seen else "there is no such parameter"
            raise InvalidInput.at(detail, name)
        seen.add(name)


def _matches(known: str, tag: str) -> bool:
    tags = [one.strip().removeprefix("W/") for one in known.split(",")]
    return tag in tags or "*" in tags


def _moment(name: str, text: str | None) -> float | None:
    return None if text is None else moment(name, text)


def _json(document: Document, headers: dict[str, str] | None = None) -> Response:
    return Response(to_json(document), headers=headers, media_type=JSON)


def _body(model: type[BaseModel], accepted: tuple[str, ...]) -> dict[str, Any]:
    """The OpenAPI request body: JSON by its schema, the others as bytes."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    binary = {"schema": {"type": "string", "format": "binary"}}
    content = {kind: {"schema": schema} if kind == JSON else binary for kind in accepted}
    return {"requestBody": {"required": True, "content": content}}
