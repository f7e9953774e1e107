"""This file is about putting the service together: every concrete thing is built here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from app.api import problems, scores, system
from app.api.workers import Workers
from app.scoring.catalog import METRICS
from app.settings import Settings
from app.telemetry.metrics import Telemetry
from app.telemetry.middleware import RequestTelemetry

DESCRIPTION = """\
Send what a model predicted and what happened; the answer is cross-entropy, KL divergence, log loss
or one of their relatives: exact, with its unit, its conventions and what happened to the rows.

Bodies are JSON, Arrow streams or Parquet files, plain or compressed with gzip or zstd. Infinite
and undefined scores are answers with a reason. Every refusal is a problem document (RFC 9457)
that names the first wrong places."""
TAGS = [
    {"name": "scores", "description": "Score forecasts; nothing is kept."},
    {"name": "system", "description": "Probes, metrics and what problems mean."},
]


class Kullback(FastAPI):
    """The application, with `Problem` as its one error schema."""

    def openapi(self) -> dict[str, Any]:
        """See FastAPI."""
        if self.openapi_schema is None:
            problems.describe(super().openapi())
        return super().openapi()


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service as these settings want it; without settings, as the environment does."""
    settings = settings or Settings()
    release = version("kullback")
    telemetry = Telemetry(METRICS, release)
    workers = Workers(settings.workers, settings.queue)
    readiness = system.Readiness()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        readiness.is_ready = True
        yield
        readiness.is_ready = False
        workers.close()

    app = Kullback(
        title="Kullback",
        summary="A scoring service for probability forecasts.",
        description=DESCRIPTION,
        version=release,
        license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        servers=[{"url": "/"}],
        openapi_tags=TAGS,
        openapi_url=None,  # ours are in system.pages
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        exception_handlers=problems.handlers(),
        middleware=[Middleware(RequestTelemetry, telemetry=telemetry, failure=problems.failure)],
        telemetry={"tracing": False, "metrics": False, "logs": False},  # ours counts and logs
    )
    app.state.readiness = readiness
    # Not include_router: it matches every request twice, which costs a small one half its time.
    for router in (
        scores.router(settings, workers, telemetry.observe),
        system.router(readiness, telemetry.expose),
        problems.router(),
        system.pages(app.openapi),
    ):
        app.router.routes += router.routes
    return app
