"""Routes under /v1/experiments: settings, observations, reports and series of experiments."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from kullback.api.openapi import request_body
from kullback.api.problems import problems
from kullback.api.routes import (
    READS,
    TAGGED,
    WRITES,
    By,
    Name,
    NewName,
    TaggedAnswer,
    as_json,
    check_parameters,
    tagged,
)
from kullback.api.store_requests import StoreRequests
from kullback.experiments.answers import (
    AcceptedObservations,
    ExperimentDetail,
    ExperimentList,
    ExperimentSeries,
    ExperimentSetup,
)
from kullback.experiments.page import markdown
from kullback.experiments.queries import ExperimentQuery
from kullback.experiments.report import ExperimentReport
from kullback.moments import DAY
from kullback.payload.media import BATCH_TYPES, JSON
from kullback.requests.experiments import ExperimentBatch, ExperimentSettings

MARKDOWN = "text/markdown"
Epoch = Annotated[
    int | None, Query(ge=1, description="Epoch of the plan; default the present one.")
]
ArmName = Annotated[str | None, Query(description="Arm to show; default the first treatment.")]
Step = Annotated[int, Query(description="Seconds of a step, a multiple of 3600.")]


def router(desk: StoreRequests) -> APIRouter:
    """The routes of all experiments."""
    routes = APIRouter(
        prefix="/v1/experiments", tags=["experiments"], dependencies=[Depends(check_parameters)]
    )
    _setting_up(routes, desk)
    _writing(routes, desk)
    _reading(routes, desk)
    return routes


def _setting_up(routes: APIRouter, desk: StoreRequests) -> None:
    @routes.get(
        "",
        operation_id="list_experiments",
        response_model=ExperimentList,
        response_class=JSONResponse,
        responses=problems(503),
    )
    async def all_experiments() -> Response:
        """Every experiment, with its settings."""
        return as_json(await desk.read(desk.services.experiment_queries.list_all))

    @routes.put(
        "/{name}",
        operation_id="put_experiment",
        response_model=ExperimentSetup,
        response_class=JSONResponse,
        responses={201: {"description": "Created", "model": ExperimentSetup}, **WRITES},
        openapi_extra=request_body(ExperimentSettings, (JSON,)),
    )
    async def put(name: NewName, request: Request) -> Response:
        """Create an experiment, or change its plan: once it has rows, that opens a new epoch."""
        return await desk.write(
            request,
            ExperimentSettings,
            lambda sent, token: desk.services.experiments.put(name, sent.plan(), token),
            (JSON,),
        )

    @routes.get(
        "/{name}",
        operation_id="get_experiment",
        response_model=ExperimentDetail,
        response_class=JSONResponse,
        responses=READS,
    )
    async def one(name: Name) -> Response:
        """One experiment: its plan, its counts and its first decision."""
        return as_json(await desk.read(lambda: desk.services.experiment_queries.get(name)))

    @routes.delete(
        "/{name}",
        operation_id="delete_experiment",
        status_code=204,
        response_class=Response,
        responses=problems(404, 409, 422, 503),
    )
    async def delete(name: Name, request: Request) -> Response:
        """Remove an experiment and all that it holds."""
        return await desk.write_empty(
            request, lambda token: desk.services.experiments.delete(name, token)
        )


def _writing(routes: APIRouter, desk: StoreRequests) -> None:
    @routes.post(
        "/{name}/observations",
        operation_id="add_experiment_observations",
        response_model=AcceptedObservations,
        response_class=JSONResponse,
        responses=WRITES,
        openapi_extra=request_body(ExperimentBatch, BATCH_TYPES),
    )
    async def observations(name: Name, request: Request) -> Response:
        """Add predictions of the arms, with the outcomes."""
        return await desk.write(
            request,
            ExperimentBatch,
            lambda sent, token: desk.services.experiments.observe(name, sent.rows(), token),
        )


def _reading(routes: APIRouter, desk: StoreRequests) -> None:
    @routes.get(
        "/{name}/report",
        operation_id="get_experiment_report",
        response_model=ExperimentReport,
        response_class=JSONResponse,
        responses={200: {"content": {MARKDOWN: {"schema": {"type": "string"}}}}, **TAGGED},
    )
    async def report(name: Name, request: Request, by: By = None, epoch: Epoch = None) -> Response:
        """Which arm is better, by how much, how surely, and why; as JSON or as Markdown."""
        views, asked = desk.services.experiment_queries, ExperimentQuery(epoch, by)
        page = _wants_page(request)

        def read() -> Response:
            document = views.report(name, asked)
            if page:
                return Response(markdown(document), media_type=MARKDOWN)
            return as_json(document)

        return await tagged(
            desk,
            request,
            lambda: TaggedAnswer(views.etag(name, (asked, page)), read),
            vary="Accept",
        )

    @routes.get(
        "/{name}/series",
        operation_id="get_experiment_series",
        response_model=ExperimentSeries,
        response_class=JSONResponse,
        responses=TAGGED,
    )
    async def series(
        name: Name,
        request: Request,
        step: Step = DAY,
        arm: ArmName = None,
        epoch: Epoch = None,
    ) -> Response:
        """Effect, confidence sequence and e-value after each step, of all rows so far."""
        views, asked = desk.services.experiment_queries, ExperimentQuery(epoch, None, arm, step)
        return await tagged(
            desk,
            request,
            lambda: TaggedAnswer(
                views.etag(name, asked), lambda: as_json(views.series(name, asked))
            ),
        )


def _wants_page(request: Request) -> bool:
    """Whether the caller would rather have Markdown: whichever of the two it names first."""
    accepted = [
        part.partition(";")[0].strip().lower()
        for part in request.headers.get("accept", "").split(",")
    ]
    named = [kind for kind in accepted if kind in (JSON, MARKDOWN, "*/*")]
    return bool(named) and named[0] == MARKDOWN
