"""Composition root: builds every concrete part of the service."""

import logging
import os
from asyncio import create_task, to_thread
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from kullback.access import jwks
from kullback.access.book import FileShelf, KeyBook, KeyShelf, ReadOnlyShelf, StoreShelf
from kullback.access.ring import KeyRing
from kullback.access.sessions import Sessions
from kullback.access.tokens import TokenVerifier
from kullback.api import experiments, keys, monitors, openapi, problems, scores, system
from kullback.api.authorization import ManagementRoute, check_routes
from kullback.api.credentials import path_within
from kullback.api.gate import Gate
from kullback.api.store_requests import StoreRequests
from kullback.api.workers import WorkerPool
from kullback.clock import ClockRecord, WatchedClock
from kullback.experiments.maintenance import ExperimentMaintenance
from kullback.experiments.queries import ExperimentQueries
from kullback.experiments.writes import Experiments
from kullback.maintenance import FULL_ROUND_SECONDS, MaintenanceThread
from kullback.monitoring.annotations import MonitorAnnotations
from kullback.monitoring.counters import MonitorCounters
from kullback.monitoring.lifecycle import MonitorLifecycle
from kullback.monitoring.maintenance import MonitorMaintenance
from kullback.monitoring.queries import MonitorQueries
from kullback.monitoring.writes import Monitors
from kullback.scores_at_once import ScoresAtOnce
from kullback.scoring.catalog import METRICS
from kullback.services import Services
from kullback.settings import Settings
from kullback.storage.base import Store
from kullback.storage.sql import open_store
from kullback.tally.merge import merge
from kullback.telemetry.experiment_collector import ExperimentCollector
from kullback.telemetry.export import OFF, Export
from kullback.telemetry.metrics import Telemetry
from kullback.telemetry.middleware import RequestTelemetry
from kullback.telemetry.monitor_collector import MonitorCollector
from kullback.ui import pages
from kullback.ui.overview import Overview
from kullback.ui.problem_pages import SitePages
from kullback.ui.render import Pages

DESCRIPTION = """\
Send what a model predicted and what happened; the answer is cross-entropy, KL divergence, log loss
or one of their relatives: exact, with its unit, its conventions and what happened to the rows.

Bodies are JSON, CSV, Arrow or Parquet, plain or compressed with gzip or zstd. Infinite
and undefined scores are answers with a reason. Every refusal is a problem document (RFC 9457)
that names the first wrong places."""
TAGS = [
    {"name": "scores", "description": "Score forecasts; nothing is kept."},
    {"name": "monitors", "description": "Streams of predictions as metrics over time and drift."},
    {
        "name": "experiments",
        "description": "Which of several arms is better, at any time, and why.",
    },
    {"name": "keys", "description": "API keys: who may do what. Each needs the scope `admin`."},
    {"name": "system", "description": "Probes, metrics and what problems mean."},
]
MAINTENANCE_SECONDS = 5.0
UNTRACED = frozenset({"/livez", "/readyz", "/metrics"})  # asked every few seconds

_log = logging.getLogger("kullback.server")


def end_process(reason: str) -> None:
    """End at once: after a failed fsync nobody knows what is on disk until it is opened again."""
    _log.critical("the process ends: %s", reason)
    logging.shutdown()
    os._exit(1)


class Kullback(FastAPI):
    """The application, with all that its document leaves out."""

    def openapi(self) -> dict[str, Any]:
        """See FastAPI."""
        if self.openapi_schema is None:
            openapi.complete(super().openapi())
        return super().openapi()


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the service finds outside; `on_fatal` is told, by the writer, when the disk failed."""

    clock: WatchedClock = field(default_factory=WatchedClock)
    on_fatal: Callable[[str], None] = end_process
    maintenance_seconds: float = MAINTENANCE_SECONDS
    full_round_seconds: float = FULL_ROUND_SECONDS

    def store(self, settings: Settings) -> Store:
        """The store that the settings name.

        Raises:
            StoreUnavailable: it cannot be opened; the message says why.
        """
        return open_store(
            settings.database_url, merge, on_fatal=self.on_fatal, clock=self.clock.arrival
        )

    def key_shelf(self, settings: Settings, store: Store) -> KeyShelf:
        """Where the settings say that keys are."""
        if settings.keys_file is None:
            return StoreShelf(store)
        return ReadOnlyShelf(FileShelf(settings.keys_file))

    def tokens(self, settings: Settings) -> TokenVerifier | None:
        """What checks tokens of the provider that the settings name.

        Raises:
            ImportError: the extra `oidc` is not there.
        """
        if not settings.oidc_issuer:
            return None
        load = jwks.loader(settings.oidc_jwks)
        return TokenVerifier(settings.oidc_issuer, settings.oidc_audience, load)

    def services(self, store: Store) -> Services:
        """What stands on a store."""
        clock = self.clock
        believed_now = ClockRecord(store, clock).believed_now
        maintenance = MaintenanceThread(
            store, self.maintenance_seconds, believed_now, self.full_round_seconds
        )
        counters, queries = MonitorCounters(), MonitorQueries(store, clock)
        experiment_queries = ExperimentQueries(store, clock)
        return Services(
            monitors=Monitors(store, clock, counters),
            monitor_annotations=MonitorAnnotations(store, clock),
            monitor_lifecycle=MonitorLifecycle(store, clock, counters),
            monitor_queries=queries,
            monitor_counters=counters,
            monitor_maintenance=MonitorMaintenance(store, queries, clock, maintenance, counters),
            experiments=Experiments(store, clock),
            experiment_queries=experiment_queries,
            experiment_maintenance=ExperimentMaintenance(
                store, experiment_queries, clock, maintenance
            ),
            maintenance=maintenance,
        )


def create_app(
    settings: Settings | None = None,
    runtime: Runtime | None = None,
    store: Store | None = None,
    tokens: TokenVerifier | None = None,
) -> FastAPI:
    """The service as these settings want it; without settings, as the environment does.

    It opens its store when it starts, unless it is given one, and closes it when it stops; it
    makes what checks tokens, unless it is given that, too.
    """
    settings, runtime = settings or Settings(), runtime or Runtime()
    release = version("kullback")
    telemetry = Telemetry(METRICS, release)
    workers = WorkerPool(settings.workers, settings.queue)
    # Two: whoever floods the probes of one port is not in the way of those of the other.
    probes, managed_probes = system.probe_workers(), system.probe_workers()
    scrapes = system.scrape_workers()
    readiness = system.Readiness()
    store_requests = StoreRequests(settings, telemetry.wrote)
    has_management = settings.metrics_port is not None
    middleware = [
        Middleware(
            RequestTelemetry,
            telemetry=telemetry,
            failure=problems.failure,
            stopping=problems.stopping,
        )
    ]
    overview, site = Overview(), Pages.of(settings, release, runtime.clock)
    pepper, tokens = settings.pepper(), tokens or runtime.tokens(settings)
    gate = Gate(is_open=settings.insecure_no_auth, hosts=settings.hosts(), tokens=tokens)

    export = Export.of(
        os.environ, release, lambda scope: path_within(scope) in UNTRACED, telemetry.collect
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        export.start()
        opened = await to_thread(runtime.store, settings) if store is None else store
        services = runtime.services(opened)
        await to_thread(services.monitor_maintenance.expect_slices)
        monitors_seen = MonitorCollector(
            services.monitor_queries.present,
            services.monitor_counters,
            services.monitor_maintenance,
        )
        experiments_seen = ExperimentCollector(services.experiment_maintenance)
        with telemetry.showing(monitors_seen), telemetry.showing(experiments_seen):
            shelf = runtime.key_shelf(settings, opened)
            ring = KeyRing(shelf.load, pepper, runtime.clock)
            await to_thread(ring.refresh)
            sessions = Sessions(opened, runtime.clock)
            gate.open(ring, KeyBook(shelf, pepper, runtime.clock), sessions)
            store_requests.open(services)
            services.maintenance.start(
                [
                    services.monitor_maintenance.run_due,
                    services.experiment_maintenance.run_due,
                    lambda: overview.refresh(services, runtime.clock()),
                ]
            )
            readiness.check = opened.ping
            readiness.is_ready = True
            yield
            readiness.is_ready = False
            last_export = create_task(to_thread(export.stop))  # while it all can be collected
            store_requests.close()
            gate.close()
            for pool in (workers, probes, managed_probes, scrapes):
                pool.close()
            await to_thread(services.maintenance.stop)
            await last_export
        await to_thread(opened.close)

    app = Kullback(
        title="Kullback",
        summary="A scoring service for probability forecasts.",
        description=DESCRIPTION,
        version=release,
        license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        servers=[{"url": settings.root_path or "/"}],
        openapi_tags=TAGS,
        openapi_url=None,  # ours are in system.pages
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        exception_handlers=problems.handlers(),
        middleware=middleware,
        telemetry=export.config,
    )
    app.root_path = settings.root_path  # as an argument FastAPI warns of it at each start
    app.state.readiness, app.state.store_requests, app.state.gate = readiness, store_requests, gate
    app.state.telemetry, app.state.problem_pages = telemetry, SitePages(site)
    # Not include_router: it matches every request twice, which costs a small one half its time.
    for router in (
        scores.router(settings, workers, telemetry.observe),
        monitors.router(store_requests),
        experiments.router(store_requests),
        keys.router(gate),
        system.router(readiness, probes),
        *(
            [system.metrics_elsewhere()]
            if has_management
            else [system.metrics_router(telemetry.expose, scrapes)]
        ),
        problems.router(),
        system.pages(app.openapi),
        pages.router(store_requests, gate, site, overview),
    ):
        app.router.routes += router.routes
    check_routes(app.routes)
    app.state.overview, app.state.at_once = (
        overview,
        # What spans requests must see them.
        ScoresAtOnce(app.routes if export.config is OFF else (), gate, telemetry),
    )
    app.state.management = management = FastAPI(
        openapi_url=None,
        exception_handlers=problems.handlers(),
        middleware=middleware,
        telemetry=OFF,
    )
    for router in (
        system.router(readiness, managed_probes, ManagementRoute),
        system.metrics_router(telemetry.expose, scrapes, ManagementRoute),
    ):
        management.router.routes += router.routes
    return app
