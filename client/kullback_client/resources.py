"""Monitors and experiments of a service: with methods that block, and with methods to await."""

from typing import Literal, Self, Unpack

from .binding import Awaiting, Blocking, awaiting, blocking
from .experiments import ExperimentCalls
from .monitors import MonitorCalls
from .reporter import Options, Reporter
from .schemas.settings import ExperimentSettings, MonitorSettings


class Monitor(Blocking[MonitorCalls]):
    """A monitor. See docs/monitors.md."""

    @property
    def name(self) -> str:
        """Its name."""
        return self._calls.name

    def ensure(self, *, forget: bool = False, **settings: Unpack[MonitorSettings]) -> Self:
        """Create it, or change what is named; it is returned itself. See `put`."""
        self.put(forget=forget, **settings)
        return self

    def reporter(self, **options: Unpack[Options]) -> Reporter:
        """What sends rows in the background, one by one as they come. See Reporter."""
        return Reporter(self._transport.connection, self._calls.path, **options)

    put = blocking(MonitorCalls.put)
    patch = blocking(MonitorCalls.patch)
    details = blocking(MonitorCalls.details)
    delete = blocking(MonitorCalls.delete)
    rename = blocking(MonitorCalls.rename)
    observations = blocking(MonitorCalls.observations)
    predictions = blocking(MonitorCalls.predictions)
    labels = blocking(MonitorCalls.labels)
    reference = blocking(MonitorCalls.reference)
    annotate = blocking(MonitorCalls.annotate)
    annotations = blocking(MonitorCalls.annotations)
    remove_annotation = blocking(MonitorCalls.remove_annotation)
    remove_reference = blocking(MonitorCalls.remove_reference)
    remove_windows = blocking(MonitorCalls.remove_windows)
    report = blocking(MonitorCalls.report)
    series = blocking(MonitorCalls.series)
    checks = blocking(MonitorCalls.checks)


class AsyncMonitor(Awaiting[MonitorCalls]):
    """A monitor. See docs/monitors.md."""

    @property
    def name(self) -> str:
        """Its name."""
        return self._calls.name

    async def ensure(self, *, forget: bool = False, **settings: Unpack[MonitorSettings]) -> Self:
        """Create it, or change what is named; it is returned itself. See `put`."""
        await self.put(forget=forget, **settings)
        return self

    def reporter(self, **options: Unpack[Options]) -> Reporter:
        """What sends rows from a thread, one by one as they come. See Reporter."""
        return Reporter(self._transport.connection, self._calls.path, **options)

    put = awaiting(MonitorCalls.put)
    patch = awaiting(MonitorCalls.patch)
    details = awaiting(MonitorCalls.details)
    delete = awaiting(MonitorCalls.delete)
    rename = awaiting(MonitorCalls.rename)
    observations = awaiting(MonitorCalls.observations)
    predictions = awaiting(MonitorCalls.predictions)
    labels = awaiting(MonitorCalls.labels)
    reference = awaiting(MonitorCalls.reference)
    annotate = awaiting(MonitorCalls.annotate)
    annotations = awaiting(MonitorCalls.annotations)
    remove_annotation = awaiting(MonitorCalls.remove_annotation)
    remove_reference = awaiting(MonitorCalls.remove_reference)
    remove_windows = awaiting(MonitorCalls.remove_windows)
    report = awaiting(MonitorCalls.report)
    series = awaiting(MonitorCalls.series)
    checks = awaiting(MonitorCalls.checks)


class Experiment(Blocking[ExperimentCalls]):
    """An experiment. See docs/experiments.md."""

    @property
    def name(self) -> str:
        """Its name."""
        return self._calls.name

    def ensure(
        self, *, epoch: Literal["new"] | None = None, **settings: Unpack[ExperimentSettings]
    ) -> Self:
        """Create it, or give it this plan; it is returned itself. See `put`."""
        self.put(epoch=epoch, **settings)
        return self

    put = blocking(ExperimentCalls.put)
    details = blocking(ExperimentCalls.details)
    stop = blocking(ExperimentCalls.stop)
    delete = blocking(ExperimentCalls.delete)
    observe = blocking(ExperimentCalls.observe)
    report = blocking(ExperimentCalls.report)
    markdown = blocking(ExperimentCalls.markdown)
    series = blocking(ExperimentCalls.series)


class AsyncExperiment(Awaiting[ExperimentCalls]):
    """An experiment. See docs/experiments.md."""

    @property
    def name(self) -> str:
        """Its name."""
        return self._calls.name

    async def ensure(
        self, *, epoch: Literal["new"] | None = None, **settings: Unpack[ExperimentSettings]
    ) -> Self:
        """Create it, or give it this plan; it is returned itself. See `put`."""
        await self.put(epoch=epoch, **settings)
        return self

    put = awaiting(ExperimentCalls.put)
    details = awaiting(ExperimentCalls.details)
    stop = awaiting(ExperimentCalls.stop)
    delete = awaiting(ExperimentCalls.delete)
    observe = awaiting(ExperimentCalls.observe)
    report = awaiting(ExperimentCalls.report)
    markdown = awaiting(ExperimentCalls.markdown)
    series = awaiting(ExperimentCalls.series)
