"""Routes of monitors themselves: they are listed, set up, changed, renamed and removed."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from kullback.api.gate import caller_of
from kullback.api.openapi import request_body
from kullback.api.problems import problems
from kullback.api.routes import MOMENT, READS, WRITES, Name, NewName, as_json
from kullback.api.store_requests import StoreRequests
from kullback.monitoring.replies import (
    ChangedMonitor,
    MonitorDetails,
    MonitorList,
    MonitorSetup,
    RemovedWindows,
)
from kullback.payload.media import JSON
from kullback.payload.timestamps import parsed_time
from kullback.requests.monitors import MonitorRename, MonitorSettings

REMOVES = problems(404, 409, 422, 503)
Forget = Annotated[
    bool, Query(description="Whether rows that the change would forget may be forgotten.")
]
Start = Annotated[str, Query(alias="from", description=f"Start: {MOMENT}")]
Stop = Annotated[str, Query(alias="to", description=f"End, exclusive: {MOMENT}")]
Tag = Annotated[str | None, Query(description="Tag that the monitors have.")]
Limit = Annotated[int | None, Query(ge=1, le=1000, description="How many at most.")]
After = Annotated[str | None, Query(description="Name behind which to begin: `next` of a list.")]


def add_lifecycle(routes: APIRouter, store_requests: StoreRequests) -> None:
    """Add these routes to those of all monitors."""
    _looking(routes, store_requests)
    _changing(routes, store_requests)
    _removing(routes, store_requests)


def _looking(routes: APIRouter, store_requests: StoreRequests) -> None:
    @routes.get(
        "",
        operation_id="list_monitors",
        response_model=MonitorList,
        responses=problems(422, 503),
    )
    async def all_monitors(
        request: Request, tag: Tag = None, limit: Limit = None, after: After = None
    ) -> Response:
        """Every monitor that the key is for, its settings and state; or some of them, by name."""
        sees = caller_of(request).sees

        def work() -> MonitorList:
            services = store_requests.services
            queries, checks = services.monitor_queries, services.monitor_maintenance.checks
            if limit is None:
                return queries.list_all(checks, sees, tag, after)
            return queries.list_part(checks, sees, limit, tag, after)

        return as_json(await store_requests.read(request, work))

    @routes.get(
        "/{name}", operation_id="get_monitor", response_model=MonitorDetails, responses=READS
    )
    async def details(name: Name, request: Request) -> Response:
        """One monitor: its settings, its counts, its waiting rows and its reference."""

        def work() -> MonitorDetails:
            services = store_requests.services
            checks = services.monitor_maintenance.looks.checks_of(name)
            return services.monitor_queries.open(name).details(checks)

        return as_json(await store_requests.read(request, work))


def _changing(routes: APIRouter, store_requests: StoreRequests) -> None:
    @routes.put(
        "/{name}",
        operation_id="put_monitor",
        response_model=ChangedMonitor,
        responses={201: {"description": "Created", "model": MonitorSetup}, **WRITES},
        openapi_extra=request_body(MonitorSettings, (JSON,)),
    )
    async def put(name: NewName, request: Request, forget: Forget = False) -> Response:  # noqa: FBT002 - a parameter of the query
        """Create a monitor, or change what the body names of it; the rest stays as it is."""
        return await store_requests.write(
            request,
            MonitorSettings,
            lambda sent, key: store_requests.services.monitor_lifecycle.put(
                name, sent.monitor, key, forget=forget
            ),
            (JSON,),
            own={"forget"},
        )

    @routes.patch(
        "/{name}",
        operation_id="patch_monitor",
        response_model=ChangedMonitor,
        responses=WRITES,
        openapi_extra=request_body(MonitorSettings, (JSON,)),
    )
    async def patch(name: Name, request: Request, forget: Forget = False) -> Response:  # noqa: FBT002 - a parameter of the query
        """Change what the body names of a monitor that is there; the rest stays as it is."""
        return await store_requests.write(
            request,
            MonitorSettings,
            lambda sent, key: store_requests.services.monitor_lifecycle.patch(
                name, sent.monitor, key, forget=forget
            ),
            (JSON,),
            own={"forget"},
        )

    @routes.post(
        "/{name}/rename",
        operation_id="rename_monitor",
        response_model=MonitorSetup,
        responses=WRITES,
        openapi_extra=request_body(MonitorRename, (JSON,)),
    )
    async def rename(name: Name, request: Request) -> Response:
        """Give a monitor another name: all that it holds moves along, and the old one is free."""
        caller = caller_of(request)
        return await store_requests.write(
            request,
            MonitorRename,
            lambda sent, key: store_requests.services.monitor_lifecycle.rename(
                name, sent.for_caller(caller.may_create), key
            ),
            (JSON,),
        )


def _removing(routes: APIRouter, store_requests: StoreRequests) -> None:
    @routes.delete(
        "/{name}",
        operation_id="delete_monitor",
        status_code=204,
        response_class=Response,
        responses=REMOVES,
    )
    async def delete(name: Name, request: Request) -> Response:
        """Remove a monitor and all that it holds."""
        return await store_requests.write_empty(
            request, lambda key: store_requests.services.monitor_lifecycle.delete(name, key)
        )

    @routes.delete(
        "/{name}/reference",
        operation_id="delete_reference",
        status_code=204,
        response_class=Response,
        responses=REMOVES,
    )
    async def reference(name: Name, request: Request) -> Response:
        """Remove what drift is measured against."""
        return await store_requests.write_empty(
            request,
            lambda key: store_requests.services.monitor_lifecycle.remove_reference(name, key),
        )

    @routes.delete(
        "/{name}/windows",
        operation_id="delete_windows",
        response_model=RemovedWindows,
        responses=REMOVES,
    )
    async def windows(name: Name, request: Request, start: Start, stop: Stop) -> Response:
        """Remove all rows of some time, in whole windows; they can be sent again, and count."""
        span = parsed_time("from", start), parsed_time("to", stop)
        return await store_requests.write_empty(
            request,
            lambda key: store_requests.services.monitor_lifecycle.remove_windows(name, *span, key),
        )
