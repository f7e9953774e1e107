"""The routes under /v1/scores: a payload goes in, a score comes out."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from kullback.api.admission import Admission, LoopWorker
from kullback.api.authorization import AuthorizedRoute
from kullback.api.catalog import (
    MetricCatalog,
    MetricEntry,
    metric_catalog,
    metric_entry,
    no_such_metric,
)
from kullback.api.intake import BodyHeaders, Intake, while_connected
from kullback.api.openapi import request_body
from kullback.api.problems import problems
from kullback.api.score_answer import ScoreAnswer
from kullback.api.score_handlers import (
    MetricHandler,
    Scored,
    ScoreHandler,
    Sent,
    SeveralHandler,
)
from kullback.api.several_answer import SeveralAnswer
from kullback.api.workers import WorkerPool
from kullback.payload.body import Body
from kullback.payload.media import JSON, MEDIA_TYPES, check_media_type
from kullback.payload.read import Query
from kullback.requests import REQUESTS
from kullback.requests.several import SeveralRequest
from kullback.scoring.catalog import METRICS
from kullback.scoring.score import Score
from kullback.settings import Settings

PathMetric = Annotated[str, Path(description="Name of a metric in the catalog.")]
Observe = Callable[[Score], None]


class Scorer:
    """Scores bodies: small JSON that asks for little on the event loop, the rest in a worker.

    Who is refused is refused before the body is read; that the caller may ask was decided before.
    """

    def __init__(self, settings: Settings, workers: WorkerPool, observe: Observe) -> None:
        self._cap = settings.max_body_mb << 20
        self._inline = settings.inline_kb << 10
        self._intake = Intake(self._cap, settings.inflight_mb << 20)
        self._workers = workers
        self._admission = Admission(2 * settings.workers, settings.queue)
        self._loop_worker = LoopWorker()
        self._observe = observe

    async def answer(self, request: Request, handler: ScoreHandler[Sent]) -> Response:
        """The answer to a request for one metric."""
        head = BodyHeaders.of(request.scope)
        check_media_type(head.media_type)
        query = request.query_params.multi_items() if request.scope["query_string"] else []
        scored = await (self._small if self._is_small(head) else self._large)(
            request, head, query, handler
        )
        for score in scored[0]:
            self._observe(score)
        return Response(scored[1], media_type=JSON)

    def at_once(self, handler: ScoreHandler[Sent], body: Body) -> bytes | None:
        """The answer to a small body, where there is time for it now and nothing to refuse."""
        if len(body.raw) > self._inline or not self._loop_worker.has_time():
            return None
        try:
            _, scored = self._loop_worker.do(lambda: handler.cheap_score(body, [], self._cap))
        except Exception:  # noqa: BLE001 - whatever it is, the regular way comes to it again
            return None
        if scored is None:
            return None
        for score in scored[0]:
            self._observe(score)
        return scored[1]

    async def _small(
        self, request: Request, head: BodyHeaders, query: Query, handler: ScoreHandler[Sent]
    ) -> Scored:
        self._loop_worker.check()
        body = await self._intake.read(request, head)
        try:
            sent, scored = await self._loop_worker.run(
                lambda: handler.cheap_score(body, query, self._cap)
            )
            if scored is None:
                async with self._admission.turn() as turn:
                    turn.begin()
                    scored = await self._in_worker(
                        request, body, lambda: handler.score(sent, self._cap)
                    )
        finally:
            body.hold.release()
        return scored

    async def _large(
        self, request: Request, head: BodyHeaders, query: Query, handler: ScoreHandler[Sent]
    ) -> Scored:
        async with self._admission.turn() as turn:
            body = await self._intake.read(request, head)
            turn.begin()
            try:
                return await self._in_worker(
                    request,
                    body,
                    lambda: handler.score(handler.read(body, query, self._cap), self._cap),
                )
            finally:
                body.hold.release()

    async def _in_worker(self, request: Request, body: Body, work: Callable[[], Scored]) -> Scored:
        def held() -> Scored:
            with body.hold:
                return work()

        return await while_connected(request.receive, self._workers.run(held))

    def _is_small(self, head: BodyHeaders) -> bool:
        is_plain = head.media_type == JSON and head.encoding == "identity"
        return is_plain and 0 < head.length <= self._inline


class ScoreRoute(AuthorizedRoute):
    """A route whose path is compared, not searched, and whose request FastAPI leaves alone.

    For a small body the regular way would cost as much again as reading and scoring it.

    Attributes:
        at_once: the answer to a small body, or None where only the endpoint can give it.
    """

    at_once: Callable[[Body], bytes | None]

    def __init__(self, path: str, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - FastAPI's
        super().__init__(path, *arguments, **options)
        self.at_once = _never

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See starlette.routing.Route."""
        if not scope["path"].endswith(self.path):
            return Match.NONE, {}
        return super().matches(scope)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See AuthorizedRoute: what is raised, the application's handlers answer."""
        if scope["method"] == "POST":
            response = await self.endpoint(Request(scope, receive))
            await response(scope, receive, send)
        else:
            await super().serve(scope, receive, send)


def _never(_: Body) -> None:
    return None


def router(settings: Settings, workers: WorkerPool, observe: Observe) -> APIRouter:
    """The routes of all metrics."""
    routes = APIRouter(prefix="/v1/scores", tags=["scores"], route_class=AuthorizedRoute)
    scorer = Scorer(settings, workers, observe)

    @routes.get("", operation_id="list_scores")
    async def catalog() -> MetricCatalog:
        """Every metric with its unit, range and direction."""
        return metric_catalog()

    async def several(request: Request) -> Response:
        """Each metric takes the fields that it knows; one that none of them knows is refused.

        Refused is the request only where every metric is.
        """
        return await scorer.answer(request, SeveralHandler(request.state.request_id))

    routes.add_api_route(
        "",
        several,
        route_class_override=ScoreRoute,
        methods=["POST"],
        operation_id="score_several",
        summary="Several metrics of one body, which is read once.",
        response_model=SeveralAnswer,
        response_description="A score of each, or why it refuses",
        responses=problems(400, 413, 415, 422, 503),
        openapi_extra=request_body(SeveralRequest, MEDIA_TYPES),
    )
    for name, model in REQUESTS.items():
        _add(routes, name, MetricHandler(model), scorer)

    @routes.get("/{metric}", operation_id="get_score", responses=problems(404))
    async def read(metric: PathMetric) -> MetricEntry:
        """One metric: formula, unit, range, direction, and an example to post as it is."""
        return metric_entry(metric)

    @routes.post("/{metric}", include_in_schema=False)
    async def unknown(metric: str) -> Response:
        raise no_such_metric(metric)

    return routes


def _add(routes: APIRouter, name: str, handler: MetricHandler, scorer: Scorer) -> None:
    metric = METRICS[name]

    async def post(request: Request) -> Response:
        return await scorer.answer(request, handler)

    routes.add_api_route(
        f"/{name}",
        post,
        route_class_override=ScoreRoute,
        methods=["POST"],
        operation_id=f"score_{metric.key}",
        summary=metric.summary,
        description=f"    {metric.formula}\n\nIn {metric.range}; {metric.direction} is better.",
        response_model=ScoreAnswer,
        response_description="The score",
        responses=problems(400, 413, 415, 422, 503),
        openapi_extra=request_body(REQUESTS[name], MEDIA_TYPES),
    )
    route = routes.routes[-1]
    assert isinstance(route, ScoreRoute)
    route.at_once = partial(scorer.at_once, handler)
