"""Processes: what a second core is worth, and what several services share of one PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from statistics import median
from time import perf_counter

from bench.decode import pairs_json
from bench.measure import Row, Rows, Target
from bench.requests import LOG_LOSS, pairs_arrow, rate
from bench.servers import ARROW, Server, ServerFailed, kullback
from tests.postgresql import Server as PostgreSQL
from tests.postgresql import programs, running

_WAIT_MS = 10
_STATEMENTS = "CREATE EXTENSION IF NOT EXISTS pg_stat_statements"
_OPTIONS = (
    "-c shared_preload_libraries=pg_stat_statements -c log_lock_waits=on "
    f"-c deadlock_timeout={_WAIT_MS}ms -c max_connections=400"
)
_COUNT = """
    SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements s JOIN pg_database d
    ON d.oid = s.dbid WHERE datname = %s AND query !~* '^(begin|commit|rollback|set|show)'
"""
_COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = %s"


def workers(pairs: int = 2_000, seconds: float = 5, turns: int = 3) -> Rows:
    """Scores per second on one port by two processes, against one, both on PostgreSQL."""
    body = pairs_json(pairs)
    with _postgresql() as database, ExitStack() as opened, database.database() as name:
        two, one = (
            opened.enter_context(
                kullback(KULLBACK_DATABASE_URL=database.url(name), WEB_CONCURRENCY=str(count))
            )
            for count in (2, 1)
        )
        rates = [
            (rate(two, LOG_LOSS, body, seconds), rate(one, LOG_LOSS, body, seconds))
            for _ in range(turns)
        ]
        opened.close()
    both, alone = (median(each) for each in zip(*rates, strict=True))
    ratio = median(a / b for a, b in rates)
    what = f"log loss of {pairs:,} pairs, {len(body) / 1e3:.0f} kB of JSON, by two processes"
    yield Row(f"{what}, vs one", f"{both:,.0f}/s", f"{alone:,.0f}/s", ratio, Target("≥", 1.8))


def replicas(rows: int = 1_000, seconds: float = 8, senders: int = 8) -> Rows:
    """Batches of one monitor through one, two and four services on one PostgreSQL."""
    alone = 0.0
    for count in (1, 2, 4):
        with _postgresql() as database, database.database() as name, ExitStack() as opened:
            url = database.url(name)
            services = [
                opened.enter_context(kullback(KULLBACK_DATABASE_URL=url)) for _ in range(count)
            ]
            client = services[0].connect()
            client.put("/v1/monitors/bench", b"{}")
            client.close()
            before = _counts(database, name)
            sent = _send(services, pairs_arrow(rows), seconds, senders)
            queries, commits = (b - a for a, b in zip(before, _counts(database, name), strict=True))
            opened.close()
            waits = database.log.read_text().count("still waiting for")
        alone = alone or sent / seconds
        what = f"batches of {rows:,} rows of one monitor by {senders} senders, {count} services"
        yield Row(
            f"{what} on one PostgreSQL, vs one service",
            f"{sent / seconds:,.0f}/s, {commits / seconds:,.0f} commits/s, "
            f"{queries / sent:.1f} statements each",
            f"{alone:,.0f}/s",
            sent / seconds / alone,
        )
        waited = 100 * waits / sent
        name = f"waits for a lock beyond {_WAIT_MS} ms, in 100 batches, {count} services"
        yield Row(name, f"{waits}", f"{sent} batches", waited, Target("≤", 1, ""))


def _counts(database: PostgreSQL, name: str) -> tuple[int, int]:
    with database.connect() as connection:
        found = []
        for query in (_COUNT, _COMMITS):
            row = connection.execute(query, (name,)).fetchone()
            assert row is not None
            found.append(int(str(row[0])))
    return found[0], found[1]


def _send(services: list[Server], body: bytes, seconds: float, senders: int) -> int:
    """How many batches were answered 200 in this time, from senders that wait for answers."""
    until = perf_counter() + seconds

    def send(place: int) -> int:
        client, sent = services[place % len(services)].connect(), 0
        while perf_counter() < until:
            client.post("/v1/monitors/bench/observations", body, ARROW)
            sent += 1
        client.close()
        return sent

    with ThreadPoolExecutor(senders) as pool:
        return sum(pool.map(send, range(senders)))


@contextmanager
def _postgresql() -> Iterator[PostgreSQL]:
    where = programs()
    if where is None:
        raise ServerFailed("PostgreSQL is not installed")
    with running(where, _OPTIONS) as server:
        with server.connect() as connection:
            connection.execute(_STATEMENTS)
        yield server
