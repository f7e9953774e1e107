"""Ten times the rows are ten times the work, on every route that takes rows.

Work is counted, as calls of functions and as bytes that are allocated at once: no clock is read.
"""

import sys
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.costs import Asked, spent, walk
from tests.costs.forms import FORMS
from tests.experiments.service import EXPERIMENT, PAIRED, PARALLEL
from tests.monitoring.service import MONITOR, Document, Service
from tests.statements import watched

FEW, MANY = 1_000, 10_000
MOST = 1.6  # times as much for each byte sent: numbers have more digits where there are more
ROWS = 2_000

Send = Callable[[Service, int], Awaitable[None]]


@contextmanager
def counted() -> Iterator[list[int]]:
    """Calls of this thread, with those of builtins."""
    calls = [0]

    def count(*_: object) -> None:
        calls[0] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(before)


@contextmanager
def allocated() -> Iterator[list[int]]:
    """The most bytes that are allocated at once, by any thread."""
    peak = [0]
    tracemalloc.start()
    try:
        yield peak
        peak[0] = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def work(asked: Asked) -> tuple[int, int]:
    with counted() as calls:
        spent(asked)
    with allocated() as peak:
        spent(asked)
    return calls[0], peak[0]


@pytest.mark.parametrize("metric", sorted({metric for metric, _ in FORMS}))
def test_work_on_a_score_grows_as_its_body(metric: str) -> None:
    for few, many in zip(walk(FEW, plain=True), walk(MANY, plain=True), strict=True):
        if few.metric == metric:
            spent(few)  # what is made once is there
            more = len(many.raw) / len(few.raw)
            for before, after in zip(work(few), work(many), strict=True):
                assert after <= MOST * more * before, many.what


def labels(n: int) -> list[int]:
    return [1, 0] * (n // 2)


async def observations(service: Service, n: int) -> None:
    await service.post("observations", y_true=labels(n), y_proba=[0.75] * n)


async def sliced(service: Service, n: int) -> None:
    slices = {"country": ["BR", "DE"] * (n // 2)}
    features = {"age": list(range(n))}
    rows: Document = {"y_true": labels(n), "y_proba": [0.75] * n}
    await service.post("observations", **rows, slice=slices, features=features)


async def joined(service: Service, n: int) -> None:
    ids = [f"{n}-{at}" for at in range(n)]
    await service.post("predictions", id=ids, y_proba=[0.75] * n)
    await service.post("labels", id=ids, y_true=labels(n))


async def referred(service: Service, n: int) -> None:
    await service.put(f"{MONITOR}/reference", y_true=labels(n), y_proba=[0.75] * n)


async def paired(service: Service, n: int) -> None:
    rows = {"y_true": labels(n), "y_proba": {"a": [0.5] * n, "b": [0.75] * n}}
    await service.post("observations", EXPERIMENT, **rows, unit=list(range(n)))


async def parallel(service: Service, n: int) -> None:
    arms = {"arm": ["a", "b"] * (n // 2), "unit": [f"{at}" for at in range(n)]}
    await service.post("observations", EXPERIMENT, y_true=labels(n), y_proba=[0.75] * n, **arms)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("send", "plan"),
    [
        (observations, {}),
        (sliced, {}),
        (joined, {}),
        (referred, {}),
        (paired, PAIRED),
        (parallel, PARALLEL),
    ],
)
async def test_work_on_rows_that_are_kept_grows_as_they_do(
    service: Service, send: Send, plan: Document
) -> None:
    await service.put(slices=["country"], features={"age": "numeric"})
    if plan:
        await service.put(EXPERIMENT, **plan)
    await send(service, 2)  # what is made once is there
    found = []
    for n in (ROWS, 10 * ROWS):
        with watched() as statements, allocated() as peak:
            await send(service, n)
        found.append((peak[0], len(statements)))
    (few, asked), (many, asked_of_many) = found
    assert many <= 10 * MOST * few
    assert asked_of_many <= (10 * asked if send is joined else asked + 2)
