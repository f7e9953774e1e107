"""The pages that people open: which there are, and what each is made from."""

from collections.abc import Callable, Sequence
from time import time

from fastapi import APIRouter, Request, Response

from kullback.api.gate import Gate, caller_of
from kullback.api.store_requests import StoreRequests
from kullback.errors import NotFound
from kullback.scoring.catalog import METRICS
from kullback.settings import Settings
from kullback.ui import playground
from kullback.ui.experiment import ExperimentPage
from kullback.ui.log_in import add_log_in, page_route
from kullback.ui.monitor import MonitorPage
from kullback.ui.notice import Notice
from kullback.ui.overview import Overview, in_state
from kullback.ui.render import Pages, base_of

Names = Callable[[], Sequence[str]]


def router(
    store_requests: StoreRequests, gate: Gate, settings: Settings, release: str
) -> APIRouter:
    """All pages."""
    pages = Pages(release, settings.documentation_url, Notice(settings.notice_file))
    routes = APIRouter(include_in_schema=False, route_class=page_route(pages))
    add_log_in(routes, pages, gate)
    _remembered(routes, store_requests, pages)
    _tried(routes, pages)
    return routes


def _remembered(routes: APIRouter, store_requests: StoreRequests, pages: Pages) -> None:
    """What the service remembers; what is asked of it stands in the address."""
    overview = Overview()

    @routes.get("/")
    async def home(request: Request) -> Response:
        """How everything stands."""

        def work() -> Response:
            services = store_requests.services
            rows = overview.monitors(services, caller_of(request).sees, time())
            content = {
                "here": "Overview",
                "live": True,
                **in_state(rows, request.query_params.get("state", "")),
                "experiments": overview.experiments(services, caller_of(request).sees, time()),
            }
            return pages.page(request, "overview.html", content)

        return await store_requests.read(request, work)

    @routes.get("/monitors/{name}")
    async def one_monitor(name: str, request: Request) -> Response:
        """One monitor."""

        def work() -> Response:
            page = MonitorPage.of(store_requests.services, name, request.query_params)
            return pages.page_of(request, "monitor.html", page.state, page.content)

        def names() -> list[str]:
            return sorted(store_requests.services.monitor_queries.present())

        return await store_requests.read(
            request, lambda: _page_or_names(pages, request, ("monitor", name), names, work)
        )

    @routes.get("/experiments/{name}")
    async def one_experiment(name: str, request: Request) -> Response:
        """One experiment."""

        def work() -> Response:
            page = ExperimentPage.of(store_requests.services, name, request.query_params)
            return pages.page_of(request, "experiment.html", page.state, page.content)

        def names() -> list[str]:
            return [
                stored.record.name for stored in store_requests.services.experiment_queries.stored()
            ]

        return await store_requests.read(
            request, lambda: _page_or_names(pages, request, ("experiment", name), names, work)
        )


def _tried(routes: APIRouter, pages: Pages) -> None:
    """What may be tried, and is not remembered."""

    @routes.get("/playground")
    async def all_metrics(request: Request) -> Response:
        """Every metric."""
        content = {"here": "Playground", "metrics": list(METRICS.values())}
        return pages.page_of(request, "playground.html", "", lambda: content)

    @routes.get("/playground/{name}")
    async def one_metric(name: str, request: Request) -> Response:
        """One metric, with its example to be edited."""
        if name not in METRICS:
            return _missing(pages, request, "metric", list(METRICS))
        return pages.page_of(
            request,
            "metric.html",
            name,
            lambda: {
                "here": "Playground",
                **playground.content(METRICS[name], base_of(request)),
            },
        )


def _page_or_names(
    pages: Pages,
    request: Request,
    place: tuple[str, str],
    names: Names,
    work: Callable[[], Response],
) -> Response:
    """A page, or one that lists the names there are for the caller where there is none of this."""
    kind, name = place
    sees = caller_of(request).sees
    try:
        if sees(name):
            return work()
    except NotFound:
        pass
    return _missing(pages, request, kind, [each for each in names() if sees(each)])


def _missing(pages: Pages, request: Request, kind: str, names: Sequence[str]) -> Response:
    return pages.page(request, "missing.html", {"kind": kind, "names": names}, 404)
