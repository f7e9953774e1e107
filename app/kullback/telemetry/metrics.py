"""Prometheus metrics of requests and scores in this process."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from kullback.scoring.score import Score, Status
from kullback.telemetry.log_queue import dropped_lines
from kullback.telemetry.scrapes import Scraper, Scrapes

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BYTES = tuple(float(4**power) for power in range(4, 14))
_OPENMETRICS = "application/openmetrics-text"
OUTCOMES = ("written", "replayed", "refused", "failed")
REFUSED = "__refused__"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class MetricSeries:
    """The series of one method on one route, looked up once."""

    def __init__(self, requests: Counter, seconds: Histogram, sizes: Histogram, *at: str) -> None:
        self._requests = requests
        self._at = at
        self._seconds = seconds.labels(*at)
        self._sizes = sizes.labels(at[1])
        self._answers: dict[int, Counter] = {}

    def observe(
        self,
        status: int,
        seconds: float,
        body_bytes: int,
        exemplar: dict[str, str] | None = None,
    ) -> None:
        """Count one request; a body of no bytes is no body. `exemplar` names a trace of it."""
        answers = self._answers.get(status)
        if answers is None:
            answers = self._answers[status] = self._requests.labels(*self._at, str(status))
        answers.inc()
        self._seconds.observe(seconds, exemplar)
        if body_bytes:
            self._sizes.observe(body_bytes)


class _LogLines(Collector):
    """What became of log lines that nobody read in time."""

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client.registry.Collector."""
        yield CounterMetricFamily(
            "kullback_log_lines_dropped", "Log lines that were never written.", dropped_lines()
        )


class _Shown(Collector):
    """Metrics that were collected before."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        """See prometheus_client.registry.Collector."""
        return self._metrics


class Telemetry:
    """The counters of one application, in a registry of its own."""

    def __init__(self, metrics: Iterable[str], version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # it has no annotations
        self._registry = CollectorRegistry()
        self._scrapes = Scrapes()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        build = Info("kullback_build", "The version that runs.", registry=self._registry)
        build.info({"version": version})
        self._http(self._registry)
        self._scores(self._registry, metrics)
        self._store(self._registry)
        self._registry.register(_LogLines())

    def _http(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "http_requests", "Requests answered.", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Seconds from the head of a request to the end of its answer.",
            ["method", "route"],
            buckets=SECONDS,
            registry=registry,
        )
        self._sizes = Histogram(
            "http_request_body_bytes",
            "Bytes of request bodies as they came, where there was a body.",
            ["route"],
            buckets=BYTES,
            registry=registry,
        )
        self._series: dict[tuple[str, str], MetricSeries] = {}

    def _scores(self, registry: CollectorRegistry, metrics: Iterable[str]) -> None:
        rows = Counter("kullback_scores_rows", "Rows scored.", ["metric"], registry=registry)
        scores = Counter(
            "kullback_scores",
            "Scores by what came out: a finite number, an infinite one, or none.",
            ["metric", "status"],
            registry=registry,
        )
        # All series stand from the start: the first increment of a new one is lost to rate().
        names = [metric.replace("-", "_") for metric in metrics]
        self._rows = {name: rows.labels(name) for name in names}
        self._outcomes = {
            (name, status): scores.labels(name, status)
            for name in names
            for status in get_args(Status)
        }

    def _store(self, registry: CollectorRegistry) -> None:
        self._commits = Histogram(
            "kullback_store_commit_seconds",
            "Seconds from a write's arrival to its being on disk.",
            buckets=SECONDS,
            registry=registry,
        )
        writes = Counter(
            "kullback_store_writes", "Writes by what came of them.", ["outcome"], registry=registry
        )
        self._writes = {outcome: writes.labels(outcome) for outcome in OUTCOMES}

    def wrote(self, outcome: str, seconds: float) -> None:
        """Count a write, one of OUTCOMES."""
        self._writes[outcome].inc()
        if outcome == "written":
            self._commits.observe(seconds)

    @contextmanager
    def showing(self, collector: Collector) -> Iterator[None]:
        """Show what a collector collects, for a while."""
        self._registry.register(collector)
        try:
            yield
        finally:
            self._registry.unregister(collector)

    def series(self, method: str, route: str) -> MetricSeries:
        """The series of a route template; methods nobody knows share one."""
        method = method if method in METHODS else "other"
        series = self._series.get((method, route))
        if series is None:
            series = MetricSeries(self._requests, self._seconds, self._sizes, method, route)
            self._series[method, route] = series
        return series

    def collect(self) -> Iterable[Metric]:
        """Every family, as it stands now."""
        families: Iterable[Metric] = self._registry.collect()
        return families

    def count_refusal(self, status: int) -> None:
        """Count what was refused before the application saw a request."""
        self._requests.labels("other", REFUSED, str(status)).inc()

    def observe(self, score: Score) -> None:
        """Count a score and its rows."""
        self._rows[score.metric].inc(score.n)
        self._outcomes[score.metric, score.status].inc()

    def expose(
        self, headers: Mapping[str, str], peer: tuple[str, int] | None = None
    ) -> tuple[bytes, str]:
        """Every series as text, and its media type; OpenMetrics where `accept` asks for it.

        Args:
            headers: of the request, their names in small letters.
            peer: address and port of who sent it.
        """
        # Not the caller's own words: choose_encoder raises TypeError on `version=abc`.
        wanted = _OPENMETRICS if _OPENMETRICS in headers.get("accept", "") else ""
        encode, media_type = choose_encoder(wanted)
        scraper = Scraper.of(headers, peer)
        if scraper is None:
            return encode(self._registry), media_type
        return encode(_Shown(self._scrapes.shown(self._registry.collect(), scraper))), media_type
