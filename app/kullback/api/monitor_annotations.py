"""Routes of annotations: what happened to a monitor's model or its data, and when."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from kullback.api.monitor_lifecycle import REMOVES
from kullback.api.openapi import request_body
from kullback.api.routes import READS, WRITES, From, Name, To, as_json
from kullback.api.store_requests import StoreRequests
from kullback.monitoring.annotations import Annotation, AnnotationList
from kullback.payload.media import JSON
from kullback.payload.timestamps import parsed_time
from kullback.requests.annotations import MonitorAnnotation

Identifier = Annotated[str, Path(description="Id that it was given.")]


def add_annotations(routes: APIRouter, store_requests: StoreRequests) -> None:
    """Add these routes to those of all monitors."""

    @routes.post(
        "/{name}/annotations",
        operation_id="add_annotation",
        status_code=201,
        response_model=Annotation,
        responses=WRITES,
        openapi_extra=request_body(MonitorAnnotation, (JSON,)),
    )
    async def add(name: Name, request: Request) -> Response:
        """Write down what happened, such as a deploy: figures over time mark it."""
        return await store_requests.write(
            request,
            MonitorAnnotation,
            lambda sent, key: store_requests.services.monitor_annotations.add(
                name, sent.time, sent.text, sent.link, key
            ),
            (JSON,),
        )

    @routes.get(
        "/{name}/annotations",
        operation_id="list_annotations",
        response_model=AnnotationList,
        responses=READS,
    )
    async def listed(name: Name, request: Request, start: From = None, stop: To = None) -> Response:
        """What happened, by time: all that is written down, or what is of some time."""
        first = None if start is None else parsed_time("from", start)
        last = None if stop is None else parsed_time("to", stop)

        def work() -> AnnotationList:
            reader = store_requests.services.monitor_queries.open(name)
            return AnnotationList(reader.annotations(first, last))

        return as_json(await store_requests.read(request, work))

    @routes.delete(
        "/{name}/annotations/{identifier}",
        operation_id="delete_annotation",
        status_code=204,
        response_class=Response,
        responses=REMOVES,
    )
    async def remove(name: Name, identifier: Identifier, request: Request) -> Response:
        """Remove one."""
        return await store_requests.write_empty(
            request,
            lambda key: store_requests.services.monitor_annotations.remove(name, identifier, key),
        )
