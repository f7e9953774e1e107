"""Monitors that stand in every state, made of rows of the last two days."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from kullback.moments import DAY, HOUR
from tests.judgement.worlds import drawn
from tests.monitoring.service import Document, Service

ROWS = 150  # of an hour


@dataclass(frozen=True, slots=True)
class World:
    """What rows of two days of a monitor are like.

    Attributes:
        state: what the monitor's state comes to.
        check: the check that says so; "" where none does.
        factor: times what is right, predictions of the last day are this.
        country: of which alone that holds; of all rows where it is "".
        is_shuffled: whether labels of the last day are those of other rows.
        hours: how many hours there were rows in, from two days ago on.
        labelled_hours: of how many of them labels came, an hour late; None where rows have theirs.
        is_live: whether rows came by the hour, and not all at once.
        settings: of its checks.
    """

    state: str
    check: str = ""
    factor: float = 1.0
    country: str = ""
    is_shuffled: bool = False
    hours: int = 48
    labelled_hours: int | None = None
    is_live: bool = False
    settings: Document = field(default_factory=dict)


_CALIBRATION_ALONE: Document = {
    name: {"enabled": False} for name in ("log_loss", "score_drift", "slice")
}
WORLDS: Mapping[str, World] = {
    "sound": World("ok"),
    "empty": World("unknown", hours=0),
    "few": World("unknown", hours=1),
    "optimistic": World(
        "warning",
        "calibration",
        factor=1.8,
        settings=_CALIBRATION_ALONE | {"calibration": {"critical": 3.0}},
    ),
    "scaled": World("critical", "calibration", factor=2.0),
    "shuffled": World("critical", "no_skill", is_shuffled=True),
    "abroad": World("critical", "slice", factor=3.0, country="FR"),
    "silent": World("critical", "silence", hours=40, is_live=True),
    "unlabelled": World("critical", "maturity", labelled_hours=42, is_live=True),
}


async def make(service: Service, name: str, world: World) -> None:
    """Make the monitor of a world, and send its rows."""
    path, rng = f"/v1/monitors/{name}", np.random.default_rng(5)
    now = service.clock.now
    began = now // HOUR * HOUR - 2 * DAY
    await service.put(path, slices=["country"], window_seconds=HOUR, checks=world.settings)
    n = ROWS * world.hours
    if not n:
        return
    y, p = drawn(rng, n, rate=0.2)
    hour = np.arange(n) // ROWS
    country = rng.choice(["DE", "FR"], n, p=[0.7, 0.3])
    is_late = hour >= 24
    is_hit = is_late & ((country == world.country) | (not world.country))
    if world.is_shuffled:
        y[is_late] = rng.permutation(y[is_late])
    rows: Document = {
        "y_proba": np.where(is_hit, np.minimum(p * world.factor, 0.99), p).tolist(),
        "timestamp": (began + hour * HOUR).tolist(),
        "slice": {"country": country.tolist()},
    }
    outcomes = y.astype(int).tolist()
    if world.is_live:
        await _send_hourly(service, path, world, rows | {"y_true": outcomes})
    else:
        await service.post("observations", path, y_true=outcomes, **rows)


async def _send_hourly(service: Service, path: str, world: World, rows: Document) -> None:
    """Send rows as they come, or predictions, and labels an hour later; look before the end."""
    now, began = service.clock.now, rows["timestamp"][0]
    for hour in range(world.hours):
        some = slice(hour * ROWS, hour * ROWS + ROWS)
        service.clock.now = began + hour * HOUR + 1
        sent: Document = {name: rows[name][some] for name in ("y_proba", "timestamp")}
        sent["slice"] = {"country": rows["slice"]["country"][some]}
        if world.labelled_hours is None:
            await service.post("observations", path, y_true=rows["y_true"][some], **sent)
            continue
        await service.post("predictions", path, id=_ids(hour), **sent)
        if hour < world.labelled_hours:
            service.clock.now += HOUR
            await service.post("labels", path, id=_ids(hour), y_true=rows["y_true"][some])
    service.clock.now = now - 61  # labels that are late at two looks, a minute apart, are late
    await service.get(f"{path}/checks")
    service.clock.now = now


def _ids(hour: int) -> list[str]:
    return [f"{hour}-{row}" for row in range(ROWS)]
