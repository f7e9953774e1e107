"""A backfill is put at once into windows as wide as they are kept, and counts no differently."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.errors import InvalidInput
from kullback.monitoring.cells import OBSERVED, cells, checked_rows
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.rows import ObservationRows
from kullback.monitoring.windows import width_at, window_starts
from kullback.numerics.types import Array
from kullback.storage.base import Cell
from kullback.tally.grouping import MAX_GROUPS
from kullback.timezones import Timestamps
from tests.monitoring.service import NOON, Document, Service

pytestmark = pytest.mark.anyio

HOUR, DAY = 3600, 86_400
PATHS = [f"/v1/monitors/{name}" for name in ("once", "pieces")]


def month(n: int) -> Document:
    random = np.random.default_rng(11)
    return {
        "y_true": random.integers(0, 2, n).tolist(),
        "y_proba": random.random(n).tolist(),
        "timestamp": np.sort(random.uniform(NOON - 40 * DAY, NOON, n)).tolist(),
        "slice": {"country": random.choice(["DE", "FR"], n).tolist()},
    }


def kept(service: Service) -> list[set[Cell]]:
    """The windows that each monitor has in the store."""
    records = service.store.records("monitor")
    parts = [service.store.parts(record.id, 0, 1 << 40) for record in records]
    return [{cell for cell, _ in some} for some in parts]


def part(rows: Document, chosen: slice) -> Document:
    return {
        name: {key: values[chosen] for key, values in column.items()}
        if isinstance(column, dict)
        else column[chosen]
        for name, column in rows.items()
    }


@given(
    st.sampled_from([1, 60, 600, 1800, HOUR, 3 * HOUR, DAY]),
    st.lists(st.floats(0, 60 * DAY), min_size=1, max_size=20),
)
def test_windows_of_many_moments_are_those_of_each(window: int, ages: list[float]) -> None:
    monitor = Monitor("binary", window_seconds=window)
    moments = NOON - np.array(ages)
    starts = window_starts(monitor, moments, NOON)
    for moment, start in zip(moments.tolist(), starts.tolist(), strict=True):
        width = width_at(monitor, moment, NOON)
        assert start == moment // width * width
        assert width == width_at(monitor, start, NOON)


async def test_one_request_of_many_days_counts_as_many_requests_do(service: Service) -> None:
    rows, n = month(900), 900
    for path in PATHS:
        await service.put(path, retention_days=60, slices=["country"])
    await service.post("observations", PATHS[0], **rows)
    for start in range(0, n, 100):
        some = part(rows, slice(start, start + 100))
        service.clock.now = some["timestamp"][-1]
        await service.post("observations", PATHS[1], **some)
    service.clock.now = NOON + 30.5
    at_once = kept(service)
    service.tidy()
    later = kept(service)
    assert at_once[0] == later[0] == later[1] != at_once[1]
    everything: Document = {"from": NOON - 41 * DAY, "to": NOON + HOUR}
    reports = [await service.report(path, by="country", **everything) for path in PATHS]
    assert reports[0]["n"] == n
    assert reports[0] == reports[1] | {"monitor": "once"}
    for step in (DAY, HOUR, 60):
        once, pieces = [await service.points(path, step=step, **everything) for path in PATHS]
        assert once == pieces
        assert sum(point["n"] for point in once) == n


def observed(times: Array) -> ObservationRows:
    half = np.full(times.size, 0.5)
    return ObservationRows(half.round(), half, None, Timestamps(times), None, {})


def test_the_cap_is_of_windows_as_they_are_kept() -> None:
    monitor = Monitor("binary", retention_days=3650)
    minutes = NOON - 60.0 * np.arange(30.0 * 1440)  # a month of them
    checked = checked_rows(monitor, observed(minutes), NOON)
    assert 696 + 1440 <= len(cells(monitor, checked, OBSERVED, NOON)) <= 697 + 1500
    seconds = Monitor("binary", window_seconds=1)
    many = observed(NOON - np.arange(MAX_GROUPS + 1.0))
    with pytest.raises(InvalidInput, match="10001 windows and values of slices"):
        cells(seconds, checked_rows(seconds, many, NOON), OBSERVED, NOON)
