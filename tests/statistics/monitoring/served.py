"""A world whole: its rows go into a service as they come, which is asked for its checks."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np

from kullback.moments import HOUR
from kullback.monitoring.rows import LabelRows, ObservationRows
from kullback.numerics.types import Array
from kullback.scoring.labels import Labels
from kullback.scoring.nullable import Nullable
from kullback.timezones import Timestamps
from tests.monitoring.service import Clock, Service, running
from tests.statistics.monitoring.alarms import AlarmLog, CheckSeen
from tests.statistics.monitoring.arrivals import Arrivals, Arrived, Seed
from tests.statistics.monitoring.simulated_features import KINDS, Texts
from tests.statistics.monitoring.simulated_rows import SimulatedRows
from tests.statistics.monitoring.streams import ORIGIN
from tests.statistics.monitoring.tallied import slice_text
from tests.statistics.monitoring.worlds import MonitoredWorld

PATH = "/v1/monitors/world"
SET_AFTER = 7 * 24  # hours of the stream that become its reference
Told = Callable[[], None]


@dataclass(slots=True)
class ServedWorld:
    """A world, the service that its rows go to, and how far it has come."""

    world: MonitoredWorld
    service: Service
    arrivals: Arrivals

    def advance(self, hour: float) -> None:
        """Let it be this hour since the origin, and send what has come by then."""
        now = ORIGIN + hour * HOUR
        self.service.clock.now = now
        monitors = self.service.inside.monitors
        for arrived in self.arrivals.until(now):
            if len(arrived.whole):
                monitors.observe("world", observations(self.world, arrived.whole), None).result()
            if len(arrived.predictions):
                monitors.observe("world", self._predictions(arrived), None).result()
            if len(arrived.labels):
                ids = list(map(str, arrived.label_ids.tolist()))
                labels = LabelRows(ids, _labels(self.world, arrived.labels))
                monitors.label("world", labels, None).result()

    async def checks(self) -> list[CheckSeen]:
        """What the service answers, after the upkeep that is due."""
        self.service.inside.monitor_maintenance.run_due()
        answer = await self.service.get(f"{PATH}/checks")
        return [
            CheckSeen(check["name"], check["state"], slice_text(check["slice"]), check["statement"])
            for check in answer["checks"]
        ]

    async def set_reference(self) -> None:
        """Set the reference of the world, once there is a week."""
        if self.world.reference == "moving":
            await self.service.put(f"{PATH}/reference", offset=7 * 86_400)
        elif self.world.reference:
            now = self.service.clock.now
            await self.service.put(
                f"{PATH}/reference", **{"from": now - SET_AFTER * HOUR, "to": now}
            )

    def _predictions(self, arrived: Arrived) -> ObservationRows:
        rows = observations(self.world, arrived.predictions)
        ids = list(map(str, arrived.prediction_ids.tolist()))
        return ObservationRows(
            None,
            rows.y_proba,
            rows.weight,
            rows.timestamp,
            rows.unit,
            rows.slices,
            ids,
            features=rows.features,
        )


@asynccontextmanager
async def served(world: MonitoredWorld, seed: Seed, url: str) -> AsyncIterator[ServedWorld]:
    """A world at its origin, on a database."""
    async with running(url, clock=Clock(float(ORIGIN))) as service:
        settings: dict[str, object] = {"slices": list(world.slices), **world.settings}
        if world.traffic.classes > 2:
            settings |= {"task": "multiclass", "labels": labels_of(world.traffic.classes)}
        if world.traffic.labels:
            settings |= {"task": "multilabel", "labels": labels_of(world.traffic.labels)}
        if world.traffic.sends_features:
            settings["features"] = KINDS
        await service.put(PATH, **settings)
        yield ServedWorld(world, service, Arrivals(world, seed, 0))


async def watched(
    world: MonitoredWorld, seed: Seed, url: str, looks: list[float], told: Told = lambda: None
) -> AlarmLog:
    """What is raised at looks, hours since the origin in order, of a world from its origin on."""
    log = AlarmLog()
    async with served(world, seed, url) as running_world:
        is_set = False
        for hour in looks:
            running_world.advance(hour)
            if hour >= SET_AFTER and not is_set:
                await running_world.set_reference()
                is_set = True
            log.look(ORIGIN + hour * HOUR, await running_world.checks())
            told()
    return log


def observations(world: MonitoredWorld, rows: SimulatedRows) -> ObservationRows:
    """Rows as a request has them."""
    return ObservationRows(
        _labels(world, rows),
        rows.p,
        None if (rows.weight == 1).all() else rows.weight,
        Timestamps(rows.time),
        rows.user if world.traffic.sends_unit else None,
        {name: rows.slices[name].tolist() for name in world.slices},
        features={name: _sent(values) for name, values in rows.features.items()},
    )


def _sent(values: Array | Texts) -> Nullable:
    if values.dtype.kind == "U":
        return Nullable.of_texts(values.tolist())
    numbers = np.asarray(values, np.float64)
    return Nullable(numbers, np.isnan(numbers))


def labels_of(classes: int) -> list[str]:
    """The names of so many classes."""
    return [chr(ord("a") + place) for place in range(classes)]


def _labels(world: MonitoredWorld, rows: SimulatedRows) -> Labels:
    if world.traffic.classes == 2:
        return rows.y
    names = np.array(labels_of(rows.truth.shape[1]))
    classes: list[str] = names[rows.y.astype(np.int64)].tolist()
    return classes
