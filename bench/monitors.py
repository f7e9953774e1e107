"""Monitors: summing rows, storing them, and reading them back."""

import json
import sqlite3
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time
from uuid import uuid4

import numpy as np
import pyarrow as pa
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss as their_log_loss
from sklearn.metrics import roc_auc_score

from bench.decode import pairs_json
from bench.load import worst
from bench.measure import Row, Rows, Target, WrongResult, agree, interleaved, shown, timed
from bench.requests import pairs_arrow, stream
from bench.servers import ARROW, JSON, Client, Server, kullback
from kullback.clock import WatchedClock
from kullback.maintenance import MaintenanceThread
from kullback.moments import DAY, HOUR
from kullback.monitoring.counters import MonitorCounters
from kullback.monitoring.lifecycle import MonitorLifecycle
from kullback.monitoring.maintenance import MonitorMaintenance
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.queries import MonitorQueries
from kullback.monitoring.rows import ObservationRows as Batch
from kullback.monitoring.selection import MonitorQuery
from kullback.monitoring.writes import Monitors
from kullback.numerics.types import Array
from kullback.storage.sql import open_store
from kullback.tally import tally as tallies
from kullback.tally.binary import binary_terms
from kullback.tally.merge import merge
from kullback.tally.metrics import TallyMetrics
from kullback.timezones import Timestamps

MONITOR = "/v1/monitors/bench"
CHUNK = 1 << 17
_CONNECTIONS = 2


def tally(n: int = 1_000_000) -> Rows:
    """The tally of binary rows and all that is read from it, against scikit-learn."""
    generator = np.random.default_rng(4)
    p = 1 / (1 + np.exp(-generator.normal(-3, 1.2, n)))
    y = (generator.random(n) < p).astype(np.float64)
    layout = tallies.Layout("binary", 2, "sklearn")

    def ours() -> TallyMetrics:
        parts = [
            binary_terms(layout, y[at : at + CHUNK], p[at : at + CHUNK], None, None).tally()
            for at in range(0, n, CHUNK)
        ]
        reading = TallyMetrics(tallies.total(parts))
        reading.metrics()
        return reading

    def rival() -> tuple[float, float]:
        calibration_curve(y, p, n_bins=15)
        return float(their_log_loss(y, p)), float(roc_auc_score(y, p))

    mine, theirs = ours(), rival()
    agree("log loss", float(str(mine.metric("log_loss").value)), theirs[0])
    area, bound = mine.auc().value, mine.auc().error_bound or 0.0
    if not isinstance(area, float) or abs(area - theirs[1]) > bound:
        raise WrongResult(f"AUC: ours is {area} ± {bound} but the rival's is {theirs[1]}")
    times = interleaved(ours, rival, 5)
    name = f"tally of {n:,} binary rows, with all metrics, vs scikit-learn's three"
    yield times.faster(name, Target("≥", 10))


def ingest(n: int = 500_000, bodies: int = 12) -> Rows:
    """Observations on disk per second, against inserting the rows into SQLite."""
    rival = _insert_rate(n)
    for what, kind, body, target in (
        ("Arrow", ARROW, pairs_arrow(n), 1.0),
        ("JSON", JSON, pairs_json(n), 0.3),
    ):
        with kullback() as server:
            _create(server)
            posts = [(f"{MONITOR}/observations", body, kind)] * bodies
            seconds = timed(partial(_post_all, server, posts))
            found = json.loads(_once(server, lambda client: client.get(f"{MONITOR}/report")))
            agree("rows", found["n"], n * bodies)
        rate = n * bodies / seconds / 1e6
        name = f"observations on disk by {what}, {bodies} x {n:,} rows, vs sqlite3 row inserts"
        yield Row(name, f"{rate:.2f} M/s", f"{rival:.2f} M/s", rate, Target("≥", target, " M/s"))


def identified(n: int = 100_000, bodies: int = 5) -> Rows:
    """Observations with ids over the path of the store, against inserting them where they lack."""
    ids = [[str(uuid4()) for _ in range(n)] for _ in range(bodies)]
    rival = n * bodies / sum(_insert_absent(ids)) / 1e3
    rates: dict[bool, float] = {}
    for has_ids in (False, True):
        with TemporaryDirectory() as folder:
            store = open_store(f"sqlite:///{folder}/kullback.db", merge, on_fatal=sys.exit)
            MonitorLifecycle(store, WatchedClock(), MonitorCounters()).put(
                "bench", lambda _: Monitor(), None
            ).result()
            monitors = Monitors(store, WatchedClock(), MonitorCounters())
            generator, seconds = np.random.default_rng(8), 0.0
            for some in ids:
                p = generator.random(n)
                y, times = (generator.random(n) < p).astype(np.int64), np.full(n, time())
                batch = Batch(y, p, None, Timestamps(times), None, {}, some if has_ids else None)
                seconds += timed(partial(_observed, monitors, batch))
            rates[has_ids] = n * bodies / seconds / 1e3
            store.close()
            size = Path(folder, "kullback.db").stat().st_size / (n * bodies)
    name = f"observations with UUIDs as ids, {bodies} x {n:,}, vs sqlite3 INSERT OR IGNORE"
    target = Target("≥", 100, " k/s")
    yield Row(name, f"{rates[True]:.0f} k/s", f"{rival:.0f} k/s", rates[True], target)
    name = "the same without ids"
    yield Row(name, f"{rates[False]:.0f} k/s", "", rates[False], Target("≥", 1000, " k/s"))
    yield Row("bytes on disk for each id", f"{size:.0f}", "", size, Target("≤", 220, " B"))


def _observed(monitors: Monitors, batch: Batch) -> None:
    monitors.observe("bench", batch, None).result()


def _insert_absent(ids: Sequence[Sequence[str]]) -> list[float]:
    """Seconds in which SQLite takes each of these batches for good, without what is there."""
    with TemporaryDirectory() as folder:
        connection = sqlite3.connect(f"{folder}/rows.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE rows (id TEXT PRIMARY KEY, at REAL, y INTEGER, p REAL)")

        def insert(some: Sequence[str]) -> None:
            connection.execute("BEGIN")
            rows = [(each, 0.5, 1, 0.25) for each in some]
            connection.executemany("INSERT OR IGNORE INTO rows VALUES (?, ?, ?, ?)", rows)
            connection.execute("COMMIT")

        seconds = [timed(partial(insert, some)) for some in ids]
        connection.close()
    return seconds


def join(n: int = 20_000, bodies: int = 10) -> Rows:
    """Predictions and labels on disk per second, joined by id; each of them is a row."""
    rival = _insert_rate(n)
    halves: list[tuple[str, bytes, str]] = []
    generator = np.random.default_rng(5)
    for at in range(bodies):
        ids = pa.array([f"request-{at * n + row:012d}" for row in range(n)])
        p = generator.random(n)
        made = pa.record_batch({"id": ids, "y_proba": p})
        came = pa.record_batch({"id": ids, "y_true": (generator.random(n) < p).astype(np.int8)})
        halves.append((f"{MONITOR}/predictions", stream(made), ARROW))
        halves.append((f"{MONITOR}/labels", stream(came), ARROW))
    with kullback() as server:
        _create(server)
        seconds = timed(lambda: _post_all(server, halves))
        found = json.loads(_once(server, lambda client: client.get(MONITOR)))
        agree("matched", found["counts"]["matched"], n * bodies)
    rate = 2 * n * bodies / seconds / 1e3
    name = f"predictions and labels joined by id, {bodies} x {n:,} each by Arrow"
    target = Target("≥", 50, " k/s")
    yield Row(name, f"{rate:.0f} k/s", f"{rival * 1e3:.0f} k/s inserts", rate, target)


def scrape(series: int = 15_000, monitors: int = 400) -> Rows:
    """/metrics at its cap of series, and what a probe waits meanwhile."""
    registry = CollectorRegistry()
    gauge = Gauge("plain", "Plain.", ["at"], registry=registry)
    for at in range(series):
        gauge.labels(str(at)).set(at)
    rival = min(timed(lambda: generate_latest(registry)) for _ in range(5))
    with kullback() as server:
        client = server.connect()
        for at in range(monitors):
            client.put(f"/v1/monitors/bench-{at}", b"{}")
        client.get("/metrics")
        found = client.get("/metrics").count(b'monitor="')
        seconds = min(timed(lambda: client.get("/metrics")) for _ in range(5))
        client.close()
        probe = worst(server, lambda: _repeat(server, "/metrics"))
    name = f"/metrics with {found:,} series of monitors, vs as many plain gauges"
    yield Row(name, shown(seconds), shown(rival), seconds * 1e3, Target("≤", 400, " ms"))
    name = "worst /livez while /metrics is scraped, vs a scrape"
    yield Row(name, shown(probe), shown(seconds), probe * 1e3, Target("≤", 100, " ms"))


def report(days: int = 30, rows: int = 200) -> Rows:
    """A report of a month of minutes, rolled up as the service does, against all its rows."""
    with TemporaryDirectory() as folder:
        queries, y, p = _month(f"sqlite:///{folder}/kullback.db", days, rows)
        query = MonitorQuery(time() - days * DAY)
        agree("rows", queries.open("bench").select(query).report().n, y.size)
        seconds = min(timed(lambda: queries.open("bench").select(query).report()) for _ in range(5))
    rival = timed(lambda: (their_log_loss(y, p), roc_auc_score(y, p)))
    name = f"report of {days} days, {y.size:,} rows in minutes, vs scikit-learn on the rows"
    yield Row(name, shown(seconds), shown(rival), seconds * 1e3, Target("≤", 100, " ms"))


def _month(url: str, days: int, rows: int) -> tuple[MonitorQueries, Array, Array]:
    """A monitor that took `rows` rows a minute for so many days, and these rows."""
    generator, end = np.random.default_rng(7), int(time() // HOUR) * HOUR
    moment = float(end)
    store = open_store(url, merge, on_fatal=sys.exit)
    counters, clock = MonitorCounters(), WatchedClock(lambda: moment, lambda: moment)
    monitors = Monitors(store, clock, counters)
    settings = MonitorLifecycle(store, clock, counters)
    settings.put("bench", lambda _: Monitor(), None).result()
    labels, scores = [], []
    for start in range(end - days * DAY + HOUR, end, HOUR):
        moment = float(start + HOUR)
        p = 1 / (1 + np.exp(-generator.normal(-3, 1.2, 60 * rows)))
        y = (generator.random(p.size) < p).astype(np.float64)
        times = (start + np.arange(p.size) * (HOUR / p.size)).astype(np.float64)
        monitors.observe("bench", Batch(y, p, None, Timestamps(times), None, {}), None).result()
        labels.append(y)
        scores.append(p)
    queries = MonitorQueries(store, time)
    maintenance = MaintenanceThread(store, 1.0, time)
    MonitorMaintenance(store, queries, time, maintenance, counters).compact_all()
    return queries, np.concatenate(labels), np.concatenate(scores)


def _create(server: Server) -> None:
    _once(server, lambda client: client.put(MONITOR, b"{}"))


def _once(server: Server, ask: Callable[[Client], bytes]) -> bytes:
    client = server.connect()
    answer = ask(client)
    client.close()
    return answer


def _post_all(server: Server, posts: Sequence[tuple[str, bytes, str]]) -> None:
    """Post everything over a few connections at once."""
    shares = [posts[at::_CONNECTIONS] for at in range(_CONNECTIONS)]
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        list(pool.map(lambda share: _post_in_turn(server, share), shares))


def _post_in_turn(server: Server, posts: Sequence[tuple[str, bytes, str]]) -> None:
    client = server.connect()
    for path, body, kind in posts:
        client.post(path, body, kind)
    client.close()


def _repeat(server: Server, path: str, times: int = 5) -> None:
    client = server.connect()
    for _ in range(times):
        client.get(path)
    client.close()


def _insert_rate(n: int) -> float:
    """Millions of rows a second that SQLite takes for good, as plain rows."""
    generator = np.random.default_rng(6)
    rows = list(zip(range(n), generator.random(n).tolist(), strict=True))
    with TemporaryDirectory() as folder:
        connection = sqlite3.connect(f"{folder}/rows.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE rows (y INTEGER, p REAL)")

        def insert() -> None:
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO rows VALUES (?, ?)", rows)
            connection.execute("COMMIT")

        seconds = min(timed(insert) for _ in range(3))
        connection.close()
    return n / seconds / 1e6
