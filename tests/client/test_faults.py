"""Rows count once, whatever becomes of requests and answers on the way."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from threading import Event, Thread

import httpx
import pytest

from kullback_client import AsyncClient, Client, NotFound, Retry
from tests.client.conftest import Caller
from tests.client.faults import faulty, losing
from tests.serving import SERVE, Served, serving

pytestmark = pytest.mark.untraced  # the same lines many times
SEEDS = range(2)
ROWS, CHUNK = 120, 7


@contextmanager
def impatient(caller: Caller, address: str) -> Iterator[Client | AsyncClient]:
    """A client whose pauses are short, as a proxy of a test is soon well again."""
    client = type(caller.client)(address, timeout=20, retry=Retry(base=0.001, cap=0.02))
    yield client
    caller.get(client.close())


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_count_once_through_faults(
    seed: int, caller: Caller, kb: Client, served: Served, unused: Callable[[], str]
) -> None:
    rng = Random(seed)  # noqa: S311 - chance that can be repeated
    labels = [int(rng.random() < 0.3) for _ in range(ROWS)]
    shown = [round(rng.random(), 3) for _ in range(ROWS)]
    ids = [f"{seed}-{n}" for n in range(ROWS)]
    name, experiment = unused(), unused()
    with faulty(served.address, seed) as proxy, impatient(caller, proxy.address) as client:
        monitor = caller.get(client.monitor(name).ensure(slices=["country"]))
        taken = caller.get(monitor.predictions(id=ids, y_proba=shown, chunk_size=CHUNK))
        assert (taken.accepted, taken.duplicates) == (ROWS, 0)
        taken = caller.get(monitor.labels(id=ids, y_true=labels, chunk_size=CHUNK))
        assert (taken.accepted, taken.matched, taken.duplicates) == (ROWS, ROWS, 0)
        rows = caller.get(
            monitor.observations(
                y_true=labels, y_proba=shown, slice={"country": ["DE"] * ROWS}, chunk_size=CHUNK
            )
        )
        assert rows.accepted == ROWS
        trial = caller.get(
            client.experiment(experiment).ensure(arms=["old", "new"], design="paired")
        )
        proba = {"old": shown, "new": shown[::-1]}
        caller.get(trial.observe(y_true=labels, y_proba=proba, unit=ids, chunk_size=CHUNK))
        assert caller.get(monitor.report()).n == 2 * ROWS
    assert sum(proxy.faults.values()) > ROWS // CHUNK
    report = kb.monitor(name).report()
    counts = kb.monitor(name).details().counts
    assert (report.n, report.predictions) == (2 * ROWS, 2 * ROWS)
    assert (counts.observations, counts.matched, counts.duplicates) == (ROWS, ROWS, 0)
    assert kb.experiment(experiment).details().observations == {"1": ROWS}
    expected = kb.score("log-loss", y_true=labels, y_proba=shown, convention="sklearn")
    assert report.metrics["log_loss"].value == pytest.approx(expected.value, rel=1e-12)


def test_rows_count_once_while_the_service_is_killed(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/kullback.db"
    rows, is_sent = 2000, Event()
    with ExitStack() as services:
        first = services.enter_context(serving(KULLBACK_DATABASE_URL=database))
        port = first.address.rpartition(":")[2]
        command = [port if word == "0" else word for word in SERVE]
        kills = Counter[str]()

        def kill_again_and_again() -> None:
            rng, served = Random(1), first  # noqa: S311 - chance that can be repeated
            while kills["SIGKILL"] < 3 and not is_sent.wait(rng.uniform(0.1, 0.5)):
                served.process.kill()
                served.process.wait()
                kills["SIGKILL"] += 1
                served = services.enter_context(serving(*command, KULLBACK_DATABASE_URL=database))

        with Client(first.address, retry=Retry(base=0.01, cap=0.2)) as client:
            monitor = client.monitor("m").ensure()
            killer = Thread(target=kill_again_and_again)
            killer.start()
            ids = list(range(rows))
            monitor.predictions(id=ids, y_proba=[0.5] * rows, chunk_size=10)
            is_sent.set()
            killer.join()
            monitor.predictions(id=ids, y_proba=[0.5] * rows, chunk_size=10)  # the job runs twice
            counts = monitor.details().counts
    assert (counts.predictions, counts.duplicates) == (rows, 0)
    assert kills["SIGKILL"] > 0


def test_what_is_done_once_is_not_refused_when_its_answer_was_lost(
    caller: Caller, kb: Client, served: Served, unused: Callable[[], str]
) -> None:
    old, new = unused(), unused()
    with losing(served.address) as proxy, impatient(caller, proxy.address) as client:
        monitor = caller.get(client.monitor(old).ensure())
        caller.get(monitor.observations(y_true=[1], y_proba=[0.5]))
        caller.get(monitor.reference(y_proba=[0.5]))
        caller.get(monitor.remove_reference())
        assert caller.get(monitor.rename(new)).name == new
        caller.get(monitor.patch(owner="me"))
        assert kb.monitor(new).details().owner == "me"
        assert caller.get(monitor.report()).n == 1
        caller.get(monitor.delete())
        with pytest.raises(NotFound):
            kb.monitor(new).details()
        with pytest.raises(NotFound, match=old):
            caller.get(client.monitor(old).report())
        with pytest.raises(NotFound, match=old):
            caller.get(client.monitor(old).rename(new))


def test_a_proxy_of_these_tests_does_all_that_it_says(served: Served) -> None:
    faults = Counter[str]()
    for seed in range(6):
        with faulty(served.address, seed) as proxy:
            for _ in range(20):
                try:
                    httpx.get(f"{proxy.address}/livez", timeout=20)
                except httpx.TransportError:
                    continue
            faults += proxy.faults
    assert len(faults) == 9
