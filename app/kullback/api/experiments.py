"""Routes under /v1/experiments: settings, observations, reports and series of experiments."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from kullback.api.authorization import AuthorizedRoute
from kullback.api.experiment_plans import add_plans
from kullback.api.gate import caller_of
from kullback.api.openapi import request_body
from kullback.api.problems import problems
from kullback.api.routes import (
    READS,
    SCREENED,
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
from kullback.experiments.page import markdown
from kullback.experiments.replies import (
    AcceptedObservations,
    ChangedExperiment,
    ExperimentDetail,
    ExperimentList,
    ExperimentSeries,
    ExperimentSetup,
)
from kullback.experiments.report import ExperimentReport
from kullback.experiments.selection import ExperimentQuery, ExperimentSelection
from kullback.moments import DAY
from kullback.payload.media import BATCH_TYPES, JSON
from kullback.requests.experiments import ExperimentBatch, ExperimentSettings, StopNote

MARKDOWN = "text/markdown"
Epoch = Annotated[
    int | None, Query(ge=1, description="Epoch of the plan; default the present one.")
]
NewEpoch = Annotated[
    Literal["new"] | None,
    Query(description="new: rows that the change would leave behind may stay in their epoch."),
]
DryRun = Annotated[bool, Query(description="Whether to say only what the change would do.")]
ArmName = Annotated[str | None, Query(description="Arm to show; default the first treatment.")]
Step = Annotated[int, Query(description="Seconds of a step, a multiple of 3600.")]


def router(store_requests: StoreRequests) -> APIRouter:
    """The routes of all experiments."""
    routes = APIRouter(
        prefix="/v1/experiments",
        tags=["experiments"],
        dependencies=[Depends(check_parameters)],
        route_class=AuthorizedRoute,
    )
    add_plans(routes, store_requests)
    _setting_up(routes, store_requests)
    _writing(routes, store_requests)
    _reading(routes, store_requests)
    return routes


def _setting_up(routes: APIRouter, store_requests: StoreRequests) -> None:
    @routes.get(
        "", operation_id="list_experiments", response_model=ExperimentList, responses=problems(503)
    )
    async def all_experiments(request: Request) -> Response:
        """Every experiment that the key is for, with its settings."""
        list_all, sees = (
            store_requests.services.experiment_queries.list_all,
            caller_of(request).sees,
        )
        return as_json(await store_requests.read(request, lambda: list_all(sees)))

    @routes.put(
        "/{name}",
        operation_id="put_experiment",
        response_model=ChangedExperiment,
        responses={201: {"description": "Created", "model": ChangedExperiment}, **WRITES},
        openapi_extra=request_body(ExperimentSettings, (JSON,)),
    )
    async def put(
        name: NewName,
        request: Request,
        epoch: NewEpoch = None,
        dry_run: DryRun = False,  # noqa: FBT002 - a parameter of the query
    ) -> Response:
        """Create an experiment, or change its plan; rows are left behind only where that is said.

        Rows count on where slices are added, arms are described or `minimum_units` changes. Any
        other change leaves them in their epoch, and needs `?epoch=new`; the plan of an earlier
        epoch returns to it.
        """
        return await store_requests.write(
            request,
            ExperimentSettings,
            lambda sent, key: store_requests.services.experiments.put(
                name, sent.plan(), key, new_epoch=epoch == "new", dry_run=dry_run
            ),
            (JSON,),
            own={"epoch", "dry_run"},
        )

    @routes.get(
        "/{name}", operation_id="get_experiment", response_model=ExperimentDetail, responses=READS
    )
    async def details(name: Name, request: Request) -> Response:
        """One experiment: its plan, its counts and its first decision."""

        def work() -> Response:
            return as_json(store_requests.services.experiment_queries.select(name).details())

        return await store_requests.read(request, work)

    @routes.post(
        "/{name}/stop",
        operation_id="stop_experiment",
        response_model=ExperimentSetup,
        responses=WRITES,
        openapi_extra=request_body(StopNote, (JSON,)),
    )
    async def stop(name: Name, request: Request) -> Response:
        """Take no more rows in the present epoch, for good, and keep the note that says why."""
        return await store_requests.write(
            request,
            StopNote,
            lambda sent, key: store_requests.services.experiments.stop(name, sent.note, key),
            (JSON,),
        )

    @routes.delete(
        "/{name}",
        operation_id="delete_experiment",
        status_code=204,
        response_class=Response,
        responses=problems(404, 409, 422, 503),
    )
    async def delete(name: Name, request: Request) -> Response:
        """Remove an experiment and all that it holds."""
        return await store_requests.write_empty(
            request, lambda key: store_requests.services.experiments.delete(name, key)
        )


def _writing(routes: APIRouter, store_requests: StoreRequests) -> None:
    @routes.post(
        "/{name}/observations",
        operation_id="add_experiment_observations",
        response_model=AcceptedObservations,
        responses=WRITES,
        openapi_extra=request_body(ExperimentBatch, BATCH_TYPES),
        dependencies=SCREENED,
    )
    async def observations(name: Name, request: Request) -> Response:
        """Add predictions of the arms, with the outcomes."""
        return await store_requests.write(
            request,
            ExperimentBatch,
            lambda sent, key: store_requests.services.experiments.observe(name, sent.rows(), key),
        )


def _reading(routes: APIRouter, store_requests: StoreRequests) -> None:
    @routes.get(
        "/{name}/report",
        operation_id="get_experiment_report",
        response_model=ExperimentReport,
        responses={200: {"content": {MARKDOWN: {"schema": {"type": "string"}}}}, **TAGGED},
    )
    async def report(name: Name, request: Request, by: By = None, epoch: Epoch = None) -> Response:
        """Which arm is better, by how much, how surely, and why; as JSON or as Markdown."""
        query = ExperimentQuery(epoch, by, form="page" if _wants_page(request) else "report")

        def select() -> TaggedAnswer:
            selection = store_requests.services.experiment_queries.select(name, query)
            return TaggedAnswer(selection.etag, lambda: _answer(selection))

        return await tagged(store_requests, request, select, vary="Accept")

    @routes.get(
        "/{name}/series",
        operation_id="get_experiment_series",
        response_model=ExperimentSeries,
        responses=TAGGED,
    )
    async def series(
        name: Name, request: Request, step: Step = DAY, arm: ArmName = None, epoch: Epoch = None
    ) -> Response:
        """Effect, confidence sequence and e-value after each step, of all rows so far."""
        query = ExperimentQuery(epoch, None, arm, step, "series")

        def select() -> TaggedAnswer:
            selection = store_requests.services.experiment_queries.select(name, query)
            return TaggedAnswer(selection.etag, lambda: as_json(selection.series()))

        return await tagged(store_requests, request, select)


def _answer(selection: ExperimentSelection) -> Response:
    report = selection.report()
    if selection.query.form == "page":
        return Response(markdown(report), media_type=MARKDOWN)
    return as_json(report)


def _wants_page(request: Request) -> bool:
    """Whether the caller would rather have Markdown: whichever of the two it names first."""
    accepted = [
        part.partition(";")[0].strip().lower()
        for part in request.headers.get("accept", "").split(",")
    ]
    named = [kind for kind in accepted if kind in (JSON, MARKDOWN, "*/*")]
    return bool(named) and named[0] == MARKDOWN
