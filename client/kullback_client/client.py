"""Clients of a service: one that blocks, and one that awaits."""

from types import TracebackType
from typing import Self, overload

import httpx

from . import scores
from .binding import Awaiting, Blocking, awaiting, blocking
from .connection import Connection
from .exchange import Answer, Flow, Request, Retry, exchange
from .experiments import ExperimentCalls
from .monitors import MonitorCalls
from .queries import query, read
from .resources import AsyncExperiment, AsyncMonitor, Experiment, Monitor
from .schemas.experiments import ExperimentList, ListedExperiment
from .schemas.fields import Metric
from .schemas.monitors import ListedMonitor, MonitorList
from .schemas.scores import MetricCatalog, MetricEntry, MetricSummary
from .scores import Score, Scores
from .transport import AwaitingTransport, BlockingTransport

TIMEOUT = 30.0
RETRY = Retry()
PAGE = 1000  # monitors of an answer
Name = Metric | str
Several = list[Metric] | list[str] | tuple[str, ...]


class ClientCalls:
    """The routes of a service that are of no monitor and no experiment, as flows."""

    def __init__(self, retry: Retry) -> None:
        self.retry = retry

    def metrics(self) -> Flow[list[MetricSummary]]:
        """The catalog of metrics."""
        answer = yield from read(self.retry, "/v1/scores")
        return MetricCatalog(answer).scores

    def metric(self, name: Name) -> Flow[MetricEntry]:
        """What a metric is: its formula, its fields, and an example."""
        path = f"/v1/scores/{name.replace('_', '-')}"
        return MetricEntry((yield from read(self.retry, path)))

    def monitors(self, *, tag: str | None = None) -> Flow[list[ListedMonitor]]:
        """All monitors, by name, or those of a tag."""
        monitors: list[ListedMonitor] = []
        after: str | None = None
        while True:
            parameters = query(tag=tag, limit=PAGE, after=after)
            page = MonitorList((yield from read(self.retry, "/v1/monitors", parameters)))
            monitors += page.monitors
            after = page.next
            if after is None:
                return monitors

    def experiments(self) -> Flow[list[ListedExperiment]]:
        """All experiments, by name."""
        return ExperimentList((yield from read(self.retry, "/v1/experiments"))).experiments

    def ask(self, request: Request) -> Flow[Answer]:
        """The answer to a request that is made elsewhere."""
        return exchange(request, self.retry)


class Client(Blocking[ClientCalls]):
    """A service of Kullback, from code that waits for answers. Threads may share it.

    Args:
        url: where it is: `KULLBACK_URL`, or http://127.0.0.1:8000.
        api_key: the key that it asks for: `KULLBACK_API_KEY`.
        timeout: seconds to wait for an answer.
        retry: how long, and after which pauses, a request is tried again while the service is
            away, busy, or asks for patience: `Retry(seconds=0)` is never.
        http: an `httpx.Client` of your own, as where a proxy or a certificate needs one.

    Raises:
        ValueError: the address is none, or the key cannot be sent.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = TIMEOUT,
        retry: Retry = RETRY,
        http: httpx.Client | None = None,
    ) -> None:
        connection = Connection.of(url, api_key, timeout, retry)
        super().__init__(BlockingTransport(connection, http), ClientCalls(connection.retry))

    @overload
    def score(self, metric: Several, data: object = None, /, **fields: object) -> Scores: ...

    @overload
    def score(self, metric: Name, data: object = None, /, **fields: object) -> Score: ...

    def score(
        self, metric: Name | Several, data: object = None, /, **fields: object
    ) -> Score | Scores:
        """The score of a metric, or of several of the same columns, which are sent once.

        Args:
            metric: one name, or a list of them, as docs/metrics.md has them.
            data: a table of pandas, polars, pyarrow or NumPy, a mapping of columns, or rows; or
                None, and then the fields are the columns.
            fields: columns, or their names in `data` (a list of names is the columns of rows),
                and options of the metrics.

        Raises:
            InvalidInput: what was sent cannot be scored; of several metrics, by none of them.
        """
        if isinstance(metric, str):
            return self._transport.run(scores.score(self._calls.retry, metric, data, fields))
        return self._transport.run(scores.scores(self._calls.retry, metric, data, fields))

    def monitor(self, name: str) -> Monitor:
        """The monitor of this name, whether it is there or not."""
        return Monitor(self._transport, MonitorCalls(name, self._calls.retry))

    def experiment(self, name: str) -> Experiment:
        """The experiment of this name, whether it is there or not."""
        return Experiment(self._transport, ExperimentCalls(name, self._calls.retry))

    metrics = blocking(ClientCalls.metrics)
    metric = blocking(ClientCalls.metric)
    monitors = blocking(ClientCalls.monitors)
    experiments = blocking(ClientCalls.experiments)
    ask = blocking(ClientCalls.ask)

    def close(self) -> None:
        """Close its connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncClient(Awaiting[ClientCalls]):
    """A service of Kullback, from code that awaits answers. See Client."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = TIMEOUT,
        retry: Retry = RETRY,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        connection = Connection.of(url, api_key, timeout, retry)
        super().__init__(AwaitingTransport(connection, http), ClientCalls(connection.retry))

    @overload
    async def score(self, metric: Several, data: object = None, /, **fields: object) -> Scores: ...

    @overload
    async def score(self, metric: Name, data: object = None, /, **fields: object) -> Score: ...

    async def score(
        self, metric: Name | Several, data: object = None, /, **fields: object
    ) -> Score | Scores:
        """See Client."""
        if isinstance(metric, str):
            return await self._transport.run(scores.score(self._calls.retry, metric, data, fields))
        return await self._transport.run(scores.scores(self._calls.retry, metric, data, fields))

    def monitor(self, name: str) -> AsyncMonitor:
        """The monitor of this name, whether it is there or not."""
        return AsyncMonitor(self._transport, MonitorCalls(name, self._calls.retry))

    def experiment(self, name: str) -> AsyncExperiment:
        """The experiment of this name, whether it is there or not."""
        return AsyncExperiment(self._transport, ExperimentCalls(name, self._calls.retry))

    metrics = awaiting(ClientCalls.metrics)
    metric = awaiting(ClientCalls.metric)
    monitors = awaiting(ClientCalls.monitors)
    experiments = awaiting(ClientCalls.experiments)
    ask = awaiting(ClientCalls.ask)

    async def close(self) -> None:
        """Close its connections."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
