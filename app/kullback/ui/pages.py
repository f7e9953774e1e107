"""The pages that people open: which there are, and what each is made from."""

from collections.abc import Callable, Sequence
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from kullback.api.gate import Gate, caller_of
from kullback.api.store_requests import StoreRequests
from kullback.errors import NotFound
from kullback.scoring.catalog import METRICS
from kullback.ui import playground
from kullback.ui.experiment import ExperimentPage
from kullback.ui.kept_rows import rows_of
from kullback.ui.log_in import add_log_in, page_route
from kullback.ui.monitor import MonitorPage
from kullback.ui.overview import RATIO, Overview
from kullback.ui.overview_experiments import SHARE
from kullback.ui.overview_filter import OverviewFilter, chosen_rows
from kullback.ui.problem_pages import missing
from kullback.ui.render import POLICY, Pages

# The viewer's stylesheet holds its icons as data: addresses.
DOCS_POLICY = POLICY.replace("img-src 'self'", "img-src 'self' data:")
Names = Callable[[], Sequence[str]]


def router(
    store_requests: StoreRequests, gate: Gate, pages: Pages, overview: Overview
) -> APIRouter:
    """All pages."""
    routes = APIRouter(include_in_schema=False, route_class=page_route(pages))
    add_log_in(routes, pages, gate)
    _remembered(routes, store_requests, pages, overview)
    _tried(routes, pages)
    _documented(routes, pages)
    _meant(routes)
    return routes


def _remembered(
    routes: APIRouter, store_requests: StoreRequests, pages: Pages, overview: Overview
) -> None:
    """What the service remembers; what is asked of it stands in the address."""

    @routes.get("/")
    async def home(request: Request) -> Response:
        """How everything stands."""

        def work() -> Response:
            chosen = OverviewFilter.of(request.query_params)
            rows = overview.rows(store_requests.services, caller_of(request).sees)

            def content() -> dict[str, object]:
                monitors, experiments = rows_of(rows.monitors), rows_of(rows.experiments)
                scales = {"ratio": RATIO, "share": SHARE}
                return scales | chosen_rows(chosen, monitors, experiments)

            return pages.page_of(request, "overview.html", (rows.state, chosen), content)

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
            return sorted(store_requests.services.experiment_queries.present())

        return await store_requests.read(
            request, lambda: _page_or_names(pages, request, ("experiment", name), names, work)
        )


def _documented(routes: APIRouter, pages: Pages) -> None:
    """What the API is, in a viewer that is served from here."""

    @routes.get("/docs")
    async def docs(request: Request) -> Response:
        """Every operation, to be tried."""
        page = pages.page_of(request, "docs.html", "", lambda: {"here": "API docs"})
        page.headers["content-security-policy"] = DOCS_POLICY
        return page


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
            return missing(pages, request, ("metric", name), list(METRICS))
        return pages.page_of(
            request,
            "metric.html",
            name,
            lambda: {
                "here": "Playground",
                **playground.content(METRICS[name], pages.base_of(request)),
            },
        )


def _meant(routes: APIRouter) -> None:
    """Addresses that people type, each of which leads to the page that they mean."""

    async def without_slash(request: Request) -> Response:
        """The same page, without the slash at its end."""
        return _led(
            request, f"../{quote(request.scope['path'].rstrip('/').rpartition('/')[2], safe=':')}"
        )

    async def listed(request: Request) -> Response:
        """The part of the overview that lists them all."""
        path: str = request.scope["path"]
        kind = path.rstrip("/").rpartition("/")[2]
        return _led(request, "../" if path.endswith("/") else "./", f"#{kind}")

    for kind in ("monitors", "experiments"):
        routes.add_api_route(f"/{kind}", listed)
        routes.add_api_route(f"/{kind}/", listed)
        routes.add_api_route(f"/{kind}/{{name}}/", without_slash)
    for path in ("/playground/", "/playground/{name}/", "/docs/"):
        routes.add_api_route(path, without_slash)


def _led(request: Request, to: str, part: str = "") -> Response:
    query = quote(request.scope["query_string"], safe="&=%+:;,/?@!$()*~")
    location = to + (f"?{query}" if query else "") + part
    return Response(status_code=302, headers={"location": location})


def _page_or_names(
    pages: Pages,
    request: Request,
    place: tuple[str, str],
    names: Names,
    work: Callable[[], Response],
) -> Response:
    """A page, or one that lists the names there are for the caller where there is none of this."""
    _, name = place
    sees = caller_of(request).sees
    is_own = sees(name)
    try:
        if is_own:
            return work()
    except NotFound:
        pass
    own = [each for each in names() if sees(each)]
    return missing(pages, request, place, own, is_own=is_own)
