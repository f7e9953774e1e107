"""A table of what the service answers to hostile bodies: `python -m tests.api.hostile [COUNT]`."""

import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import anyio

from kullback.main import create_app
from kullback.payload.media import ARROW, JSON, PARQUET
from kullback.requests import REQUESTS
from kullback.scoring.catalog import METRICS
from kullback.settings import Settings
from tests.api.hostile import BATCH_TYPES, EXPERIMENTS, MONITOR, TYPES, WRITES, bodies
from tests.api.hostile.caller import Caller
from tests.api.hostile.random_bodies import media_types, random_body
from tests.api.hostile.tables import documents, tables
from tests.costs import walk
from tests.payload.bodies import typed

BODIES = 1000
SEED = int(os.environ.get("TORTURE_SEED", "12"))
LARGE = 60_000  # entries: n = k = 30,000 is among their shapes
OF_MONITORS = ("sample_weight", "timestamp", "unit", "slice", "features")
OF_ROWS = ("sample_weight", "timestamp", "unit", "slice", "arm", "propensity", "target_propensity")
Table = Counter[tuple[str, int]]


class Route(NamedTuple):
    """Where a body goes, a right one, and the fields that it may have."""

    name: str
    method: str
    path: str
    request: Mapping[str, Any]
    fields: list[str]
    of_batches: bool = True


def routes() -> Iterator[Route]:
    """Every route that reads a body of rows."""
    for name, model in REQUESTS.items():
        request, fields = METRICS[name].example.request, [*model.model_fields]
        yield Route(name, "POST", f"/v1/scores/{name}", request, fields, of_batches=False)
    for name, request in WRITES.items():
        method = "PUT" if name == "reference" else "POST"
        yield Route(name, method, f"{MONITOR}/{name}", request, [*request, *OF_MONITORS])
    for name, request in EXPERIMENTS.items():
        path = f"/v1/experiments/{name}/observations"
        yield Route(name, "POST", path, request, [*request, *OF_ROWS])


async def hostile(caller: Caller, count: int, seed: int) -> AsyncIterator[tuple[str, int]]:
    """The type and the status of each answer; a body that no route answers as it should is raised.

    Raises:
        AssertionError: an answer is 500 or above.
    """
    for kind, name, method, path, body, media_type in everything(count, seed):
        answer = await caller.request(method, path, content=body, headers=typed(media_type))
        if answer.status_code >= 500:
            detail = f"{name}, {media_type}: {answer.status_code} to {body[:500]!r}"
            raise AssertionError(detail)
        yield kind, answer.status_code


def everything(count: int, seed: int) -> Iterator[tuple[str, str, str, str, bytes, str]]:
    """Each body, with its kind, what it is, its method, its path and its type."""
    corpus, random = [*bodies()], Random(seed)  # noqa: S311 - to be repeated
    for route in routes():
        sent = (route.name, route.method, route.path)
        for media_type in media_types(of_batches=route.of_batches):
            kind = BATCH_TYPES[media_type]
            for each in corpus:
                yield kind, *sent, each.body(route.name), media_type
            for _ in range(count):
                body = random_body(random, route.request, route.fields, media_type)
                yield kind, *sent, body, media_type
    for case in (*documents(), *tables(ARROW), *tables(PARQUET)):
        path = f"/v1/scores/{case.metric}{case.query}"
        yield TYPES[case.media_type], case.what, "POST", path, case.body, case.media_type
    for asked in walk(LARGE, plain=True):
        yield "large", asked.what, "POST", f"/v1/scores/{asked.metric}", asked.raw, JSON


async def table(count: int = BODIES, seed: int = SEED) -> Table:
    """How often each status was the answer to a body of each kind."""
    counts = Table()
    with TemporaryDirectory() as directory:
        app = create_app(Settings(database_url=f"sqlite:///{directory}/kullback.db"))
        async with app.router.lifespan_context(app):
            caller = Caller(app)
            for path, fields in (
                (MONITOR, b'{"slices":["country"],"features":{"country":"numeric"}}'),
                ("/v1/experiments/paired", b'{"arms":["a","b"],"design":"paired"}'),
                ("/v1/experiments/parallel", b'{"arms":["a","b"]}'),
            ):
                made = await caller.request("PUT", path, content=fields, headers=typed(JSON))
                assert made.status_code == 201, made.text
            async for kind, status in hostile(caller, count, seed):
                counts[kind, status] += 1
    return counts


async def main() -> None:
    """Send everything and print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else BODIES
    sys.stdout.write(report(await table(count), count, SEED))


def report(counts: Table, count: int, seed: int) -> str:
    """The table as text."""
    head = f"{counts.total()} hostile bodies, {count} random ones of each route and type, "
    lines = [f"{head}seed {seed}: no answer of 500 or above"]
    lines += [f"{kind:>8} {status} {times:>7}" for (kind, status), times in sorted(counts.items())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    anyio.run(main)
