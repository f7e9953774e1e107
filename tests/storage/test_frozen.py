"""A PostgreSQL that does not answer is given up in time, and used again when it does."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic

import psycopg
import pytest
from sqlalchemy import make_url

from kullback.errors import StoreUnavailable
from kullback.storage import deadlines
from kullback.storage.base import IdempotencyKey, Reply, Store, Transaction
from tests.postgresql import Server, programs, running
from tests.storage.writes import Opening, add, adding, cell, made, sums
from tests.torture.disasters import restart

SECONDS = 60.0  # what hangs for ever does so for longer
KEY = IdempotencyKey("scope", "key", b"digest")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines that a test can wait for."""
    monkeypatch.setattr(deadlines, "PING_SECONDS", 0.5)
    monkeypatch.setattr(deadlines, "ANSWER_SECONDS", 2.0)
    monkeypatch.setattr(deadlines.DeadlineConnection, "patience", 2.0)
    monkeypatch.setitem(deadlines.NETWORK, "connect_timeout", 2)


def backends(server: Server, database: str | None) -> list[int]:
    """The processes that serve Kullback."""
    chosen = "SELECT pid FROM pg_stat_activity WHERE application_name = 'kullback' AND datname = %s"
    with server.connect() as connection:
        return [int(str(pid)) for (pid,) in connection.execute(chosen, [database])]


@contextmanager
def frozen(processes: list[int]) -> Iterator[None]:
    for process in processes:
        with suppress(ProcessLookupError):  # a worker of the server's own that has ended
            os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def in_time(ask: Callable[[], object]) -> str:
    """What is said instead of an answer, in time."""
    began = monotonic()
    with pytest.raises(StoreUnavailable) as caught:
        ask()
    assert monotonic() - began < SECONDS
    return str(caught.value)


@pytest.mark.usefixtures("impatient")
def test_frozen_backends_are_given_up_and_others_asked(
    postgresql: Server, postgresql_url: str, opening: Opening
) -> None:
    store = opening(postgresql_url)
    number = made(store)
    store.ping()
    with frozen(backends(postgresql, make_url(postgresql_url).database)):
        began = monotonic()
        add(store, number, {cell(0): 1}, KEY)  # by another backend
        store.ping()
        assert sums(store, number) == {cell(0): 1}
        assert monotonic() - began < SECONDS
    assert store.write(adding(number, {cell(0): 1}), KEY).result(SECONDS).replayed
    assert sums(store, number) == {cell(0): 1}


@pytest.mark.usefixtures("impatient")
def test_a_backend_that_freezes_in_a_write_is_given_up(
    postgresql: Server,
    postgresql_url: str,
    opening: Opening,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = opening(postgresql_url)
    number = made(store)
    with ExitStack() as until_the_end:

        def freezing(transaction: Transaction) -> Reply:
            pids = backends(postgresql, make_url(postgresql_url).database)
            until_the_end.enter_context(frozen(pids))
            return adding(number, {cell(0): 1})(transaction)

        in_time(lambda: store.write(freezing, KEY).result(SECONDS))
    assert "no answer in 2 seconds" in caplog.text
    assert not store.write(adding(number, {cell(0): 1}), KEY).result(SECONDS).replayed
    assert sums(store, number) == {cell(0): 1}


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_frozen_stopped_or_started_again_hangs_nobody(
    opening: Opening,
) -> None:
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL is not installed")
    with running(found) as server:
        store = opening(server.url("postgres"))
        number = made(store)
        every = "SELECT pid FROM pg_stat_activity"
        with server.connect() as connection:
            pids = [int(str(pid)) for (pid,) in connection.execute(every) if pid is not None]
            data = connection.execute("SHOW data_directory").fetchone()
        assert data is not None
        with open(f"{data[0]}/postmaster.pid") as file:  # noqa: PTH123 - a line of it
            pids.append(int(file.readline()))
        with frozen(pids):
            in_time(lambda: add(store, number, {cell(0): 1}, KEY))
            in_time(lambda: sums(store, number))
            in_time(store.ping)
        written = 0
        for _ in range(2):
            written += _kept(store, number)
            restart(server, found)
        assert written + _kept(store, number) > 0
        assert sums(store, number) == {cell(0): 1}


def _kept(store: Store, number: int) -> int:
    """Write until it is answered; whether it was new."""
    end = monotonic() + SECONDS
    while True:
        try:
            return not store.write(adding(number, {cell(0): 1}), KEY).result(SECONDS).replayed
        except StoreUnavailable:
            assert monotonic() < end


def test_a_read_behind_a_lock_is_given_up(
    postgresql: Server, postgresql_url: str, opening: Opening
) -> None:
    store = opening(postgresql_url)
    number = made(store)
    with postgresql.connect(str(make_url(postgresql_url).database)) as session:
        with session.transaction():
            session.execute("LOCK TABLE parts IN ACCESS EXCLUSIVE MODE")
            in_time(lambda: sums(store, number))
            in_time(lambda: add(store, number, {cell(0): 1}, KEY))
        assert not store.write(adding(number, {cell(0): 1}), KEY).result(SECONDS).replayed
    assert sums(store, number) == {cell(0): 1}


def test_an_answer_that_comes_is_waited_for(postgresql_url: str, opening: Opening) -> None:
    opening(postgresql_url).close()
    options = str(make_url(postgresql_url).render_as_string()).replace("+psycopg", "")
    with deadlines.DeadlineConnection.connect(options) as connection:
        connection.patience = 2.0  # with each answer, not with all
        for _ in range(25):
            assert connection.execute("SELECT pg_sleep(0.1)").fetchone() == ("",)
        connection.patience = 0.3
        with pytest.raises(psycopg.OperationalError, match="no answer in"):
            connection.execute("SELECT pg_sleep(30)")
        assert connection.closed
