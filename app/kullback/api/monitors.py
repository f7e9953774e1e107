"""Routes under /v1/monitors: streams of predictions, remembered."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from kullback.api.authorization import AuthorizedRoute
from kullback.api.monitor_annotations import add_annotations
from kullback.api.monitor_lifecycle import add_lifecycle
from kullback.api.openapi import request_body
from kullback.api.routes import (
    LABELS,
    READS,
    SCREENED,
    WRITES,
    From,
    Name,
    TaggedAnswer,
    To,
    as_json,
    check_parameters,
    tagged,
)
from kullback.api.store_requests import StoreRequests
from kullback.api.tables import TABLES, AsFormat, answer_type, tagged_table
from kullback.errors import InvalidInput
from kullback.monitoring.checks import MonitorChecks
from kullback.monitoring.replies import (
    JoinedRowsAccepted,
    ReferenceSummary,
    RowsAccepted,
)
from kullback.monitoring.report import MonitorReport
from kullback.monitoring.selection import MonitorQuery
from kullback.monitoring.series import MonitorSeries
from kullback.monitoring.tables import report_table, series_table
from kullback.payload.durations import parsed_duration
from kullback.payload.identifiers import is_text, refuse_twice
from kullback.payload.media import BATCH_TYPES
from kullback.payload.timestamps import parsed_time
from kullback.requests.batches import LabelBatch, ObservationBatch, PredictionBatch, ReferenceBatch

Last = Annotated[
    str | None,
    Query(description="In place of from and to: so long up to now, such as 30min, 24h or 7d."),
]
By = Annotated[str | None, Query(description="Slices to answer by, separated by commas.")]
Value = Annotated[
    str | None,
    Query(alias="slice", description="Rows to answer of: a slice and its value, country=DE."),
]
Metric = Annotated[str, Query(description="Metrics of the report, separated by commas.")]
Step = Annotated[
    str | None,
    Query(description="Length of a step, a multiple of the window: seconds, or such as 1h or day."),
]


def router(store_requests: StoreRequests) -> APIRouter:
    """The routes of all monitors."""
    routes = APIRouter(
        prefix="/v1/monitors",
        tags=["monitors"],
        dependencies=[Depends(check_parameters)],
        route_class=AuthorizedRoute,
    )
    add_lifecycle(routes, store_requests)
    add_annotations(routes, store_requests)
    _writing(routes, store_requests)
    _reading(routes, store_requests)
    return routes


def _writing(routes: APIRouter, store_requests: StoreRequests) -> None:
    @routes.post(
        "/{name}/observations",
        operation_id="add_observations",
        response_model=RowsAccepted,
        responses=WRITES,
        openapi_extra=request_body(ObservationBatch, BATCH_TYPES),
        dependencies=SCREENED,
    )
    async def observations(name: Name, request: Request) -> Response:
        """Add predictions with their labels."""
        return await store_requests.write(
            request,
            ObservationBatch,
            lambda sent, key: store_requests.services.monitors.observe(name, sent.rows(), key),
        )

    @routes.post(
        "/{name}/predictions",
        operation_id="add_predictions",
        response_model=JoinedRowsAccepted,
        responses=WRITES,
        openapi_extra=request_body(PredictionBatch, BATCH_TYPES),
        dependencies=SCREENED,
    )
    async def predictions(name: Name, request: Request) -> Response:
        """Add predictions; their labels arrive by id, before or after them."""
        return await store_requests.write(
            request,
            PredictionBatch,
            lambda sent, key: store_requests.services.monitors.observe(name, sent.rows(), key),
        )

    @routes.post(
        "/{name}/labels",
        operation_id="add_labels",
        response_model=JoinedRowsAccepted,
        responses=WRITES,
        openapi_extra=request_body(LabelBatch, BATCH_TYPES),
        dependencies=LABELS,
    )
    async def labels(name: Name, request: Request) -> Response:
        """Add labels; their predictions arrive by id, before or after them."""
        return await store_requests.write(
            request,
            LabelBatch,
            lambda sent, key: store_requests.services.monitors.label(name, sent.labels(), key),
        )

    @routes.put(
        "/{name}/reference",
        operation_id="put_reference",
        response_model=ReferenceSummary,
        responses=WRITES,
        openapi_extra=request_body(ReferenceBatch, BATCH_TYPES),
    )
    async def reference(name: Name, request: Request) -> Response:
        """Set the reference of drift: a batch, a stored period, an offset, or distributions."""
        return await store_requests.write(
            request,
            ReferenceBatch,
            lambda sent, key: store_requests.services.monitors.set_reference(
                name, sent.baseline(), key
            ),
        )


def _reading(routes: APIRouter, store_requests: StoreRequests) -> None:
    @routes.get(
        "/{name}/report", operation_id="get_report", response_model=MonitorReport, responses=TABLES
    )
    async def report(  # noqa: PLR0913, PLR0917 - one argument for each parameter of the query
        name: Name,
        request: Request,
        start: From = None,
        stop: To = None,
        last: Last = None,
        by: By = None,
        value: Value = None,
        form: AsFormat = None,
    ) -> Response:
        """Every metric with its standard error, drift, and the values of slices."""
        query = replace(_period(start, stop, last), by=_names("by", by), value=_value(value))
        kind = answer_type(request, form)

        def select() -> TaggedAnswer:
            selection = store_requests.services.monitor_queries.open(name).select(query)
            return tagged_table(selection.etag, kind, selection.report, report_table)

        return await tagged(store_requests, request, select, vary="Accept")

    @routes.get(
        "/{name}/series",
        operation_id="get_series",
        response_model=MonitorSeries,
        responses=TABLES,
    )
    async def series(  # noqa: PLR0913, PLR0917 - one argument for each parameter of the query
        name: Name,
        request: Request,
        start: From = None,
        stop: To = None,
        last: Last = None,
        metric: Metric = "log_loss",
        step: Step = None,
        by: By = None,
        value: Value = None,
        form: AsFormat = None,
    ) -> Response:
        """Metrics over time, of all rows or by slice: a point for each step that has rows."""
        query = replace(
            _period(start, stop, last),
            by=_names("by", by),
            value=_value(value),
            metrics=_names("metric", metric),
            step=None if step is None else parsed_duration("step", step),
        )
        kind = answer_type(request, form)

        def select() -> TaggedAnswer:
            selection = store_requests.services.monitor_queries.open(name).select(query)
            return tagged_table(selection.etag, kind, selection.series, series_table)

        return await tagged(store_requests, request, select, vary="Accept")

    @routes.get(
        "/{name}/checks",
        operation_id="get_checks",
        response_model=MonitorChecks,
        responses=READS,
    )
    async def checks(name: Name, request: Request) -> Response:
        """Whether the monitor is well: every check with its size, its evidence and a sentence."""
        return as_json(
            await store_requests.read(
                request, lambda: store_requests.services.monitor_queries.open(name).checks()
            )
        )


def _names(parameter: str, text: str | None) -> tuple[str, ...]:
    """The names in a parameter, separated by commas."""
    names = () if text is None else tuple(text.split(","))
    refuse_twice(parameter, names)
    return names


def _value(text: str | None) -> str | None:
    """A slice and its value, as "country=DE"."""
    value = "=" if text is None else text.partition("=")[2]
    if not value or not is_text(value):
        raise InvalidInput.at("a slice, = and one of its values, as in slice=country=DE", "slice")
    return text


def _period(start: str | None, stop: str | None, last: str | None) -> MonitorQuery:
    """The time that a query asks for.

    Raises:
        InvalidInput: it is said in two ways, or is no time.
    """
    if last is not None and (start is not None or stop is not None):
        raise InvalidInput.at("send either this, or from and to", "last")
    return MonitorQuery(
        None if start is None else parsed_time("from", start),
        None if stop is None else parsed_time("to", stop),
        last=None if last is None else parsed_duration("last", last),
    )
