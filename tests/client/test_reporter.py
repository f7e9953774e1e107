"""A reporter: rows that it takes arrive once, whatever happens, and nobody is held up."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections import UserDict
from collections.abc import Callable, ItemsView, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from kullback_client import Client, Monitor, NotKullback, Reporter
from tests.cli.test_commands import stranger
from tests.client.faults import faulty
from tests.serving import ROOT, SERVE, Served, serving

SECONDS = 30.0


@contextmanager
def reporting(monitor: Monitor, flush_at: int = 20, max_queue: int = 50_000) -> Iterator[Reporter]:
    with monitor.reporter(
        flush_at=flush_at, flush_interval=0.05, max_queue=max_queue, close_timeout=SECONDS
    ) as reporter:
        yield reporter


def test_rows_of_all_kinds_arrive(monitor: Monitor) -> None:
    with reporting(monitor) as reporter:
        for n in range(50):
            reporter.prediction(id=n, y_proba=0.25, country="DE", features={"age": n})
            reporter.label(n, n % 2)
            reporter.observation(1, 0.5, slice={"country": "FR"}, sample_weight=2.0)
        assert reporter.flush(SECONDS)
        assert reporter.stats.pending == 0
    assert (reporter.stats.sent, reporter.stats.refused, reporter.stats.dropped) == (150, 0, 0)
    report = monitor.report(by="country")
    assert (report.n, report.predictions) == (100, 100)
    assert {group.slice["country"]: group.weight for group in report.groups} == {
        "DE": 50,
        "FR": 100,
    }
    assert monitor.details().counts.matched == 50


def test_a_row_is_of_the_moment_when_it_was_reported(monitor: Monitor) -> None:
    with reporting(monitor) as reporter:
        reporter.observation(1, 0.5, timestamp=time.time() - 86_400)
        reporter.observation(1, 0.5)
    assert monitor.report(last="2h").n == 1


def test_rows_that_are_wrong_cost_no_other_row(
    monitor: Monitor, caplog: pytest.LogCaptureFixture
) -> None:
    cycle: list[object] = []
    cycle.append(cycle)
    with caplog.at_level(logging.WARNING), reporting(monitor, flush_at=200) as reporter:
        for n in range(150):
            reporter.prediction(id=n, y_proba=0.5)
        for y_proba in (7.0, None, "half", object(), float("nan"), cycle, [0.5, 0.5], b"\xff"):
            reporter.prediction(id="bad", y_proba=y_proba)
        reporter.prediction(id="x" * 300_000, y_proba=0.5)
        reporter.prediction(id="\ud800", y_proba=0.5)
        reporter.prediction(id="slice", y_proba=0.5, nation="DE")
        reporter.prediction(y_proba=0.5)
    stats = reporter.stats
    assert (stats.sent, stats.refused, stats.dropped, stats.pending) == (150, 12, 0, 0)
    assert monitor.details().counts.predictions == 150
    assert stats.problem == "a value of type object cannot be sent"
    assert len(caplog.records) == 1
    assert stats.problem in caplog.text


def test_a_row_that_is_wrong_is_named_by_its_id(monitor: Monitor) -> None:
    with reporting(monitor) as reporter:
        reporter.prediction(id="a", y_proba=0.5)
        reporter.prediction(id="b", y_proba=7.0)
    assert reporter.stats.problem == "y_proba: 7 is not in [0, 1] (id b)"


def test_what_costs_rows_is_said_after_what_passed(
    kb: Client, unused: Callable[[], str], caplog: pytest.LogCaptureFixture
) -> None:
    monitor = kb.monitor(unused())
    with caplog.at_level(logging.WARNING), reporting(monitor) as reporter:
        reporter.prediction(id="b", y_proba=7.0)
        end = time.monotonic() + SECONDS
        while reporter.stats.problem is None and time.monotonic() < end:
            time.sleep(0.01)
        assert "no monitor is named" in str(reporter.stats.problem)
        monitor.ensure()
        assert reporter.flush(SECONDS)
    assert reporter.stats.refused == 1
    assert reporter.stats.problem == "y_proba: 7 is not in [0, 1] (id b)"
    assert [reporter.stats.problem in each.getMessage() for each in caplog.records] == [False, True]


def test_a_batch_of_which_all_is_wrong_is_refused_in_few_requests(
    monitor: Monitor, served: Served
) -> None:
    before = served.log.read_text().count('"POST')
    with reporting(monitor, flush_at=1000) as reporter:
        for n in range(1000):
            reporter.prediction(id=n, y_proba=0.5, nation="DE")
    assert reporter.stats.refused == 1000
    assert served.log.read_text().count('"POST') - before <= 60
    assert "nation" in str(reporter.stats.problem)


def test_a_batch_that_is_too_large_goes_in_parts() -> None:
    with serving(KULLBACK_MAX_BODY_MB="1") as served, Client(served.address) as client:
        monitor = client.monitor("m").ensure(slices=["page"])
        with reporting(monitor, flush_at=3000) as reporter:
            for n in range(3000):
                reporter.observation(1, 0.5, id=f"{n:0256}", unit="u" * 256, page="p" * 256)
        assert (reporter.stats.sent, reporter.stats.refused) == (3000, 0)
        assert monitor.report().n == 3000


def test_what_does_not_fit_into_the_queue_is_dropped_and_counted(unused: Callable[[], str]) -> None:
    with Client("http://127.0.0.1:9") as nobody:
        reporter = nobody.monitor(unused()).reporter(flush_at=10, max_queue=100, close_timeout=0.1)
        started = time.perf_counter()
        for n in range(1000):
            reporter.prediction(id=n, y_proba=0.5)
        assert time.perf_counter() - started < 1
        assert not reporter.flush(0.2)
        stats = reporter.stats
        assert stats.dropped + stats.pending == 1000
        assert 100 <= stats.pending <= 110
        assert "cannot be reached" in str(stats.problem)
        reporter.close()
    assert (reporter.stats.dropped, reporter.stats.pending) == (1000, 0)
    reporter.label(1, 1)
    assert reporter.stats.dropped == 1001


def test_options_that_cannot_be_are_refused(monitor: Monitor) -> None:
    with pytest.raises(ValueError, match="flush_at is from 1 to max_queue"):
        monitor.reporter(flush_at=100, max_queue=10)
    for seconds in (0.0, -1.0, float("nan"), float("inf"), 1e12):
        with pytest.raises(ValueError, match="flush_interval is above 0, and up to 86400"):
            monitor.reporter(flush_interval=seconds)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.untraced
def test_rows_count_once_through_faults(
    seed: int, kb: Client, served: Served, unused: Callable[[], str]
) -> None:
    monitor = kb.monitor(unused()).ensure()
    with (
        faulty(served.address, seed) as proxy,
        Client(proxy.address) as client,
        reporting(client.monitor(monitor.name)) as reporter,
    ):
        threads = [Thread(target=_report, args=(reporter, start)) for start in (0, 100, 200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert reporter.flush(SECONDS)
    assert (reporter.stats.sent, reporter.stats.dropped, reporter.stats.refused) == (300, 0, 0)
    assert monitor.report().n == 300
    assert monitor.details().counts.duplicates == 0


def _report(reporter: Reporter, start: int) -> None:
    for _ in range(start, start + 100):
        reporter.observation(1, 0.5)


def test_nothing_is_lost_while_the_service_is_away(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/kullback.db"
    with serving(KULLBACK_DATABASE_URL=database) as first, Client(first.address) as client:
        monitor = client.monitor("m").ensure()
        reporter = monitor.reporter(flush_at=50, flush_interval=0.01, close_timeout=SECONDS)
        for n in range(3000):
            reporter.observation(1, 0.5)
            if n == 1000:
                first.process.send_signal(signal.SIGKILL)
                first.process.wait()
        port = first.address.rpartition(":")[2]
        command = [port if word == "0" else word for word in SERVE]
        assert not reporter.flush(0.3)
        with serving(*command, KULLBACK_DATABASE_URL=database) as second:
            assert second.address == first.address
            assert reporter.flush(SECONDS)
            reporter.close()
            assert monitor.report().n == 3000
    assert (reporter.stats.sent, reporter.stats.dropped) == (3000, 0)


OF_A_PROCESS = """
import os, sys
from multiprocessing import get_context
from kullback_client import Client

def report(first, last):
    for n in range(first, last):
        reporter.prediction(id=n, y_proba=0.5)

reporter = Client(sys.argv[1]).monitor(sys.argv[2]).reporter(flush_at=7, flush_interval=0.01)
"""
FORKS = """
report(0, 50)
child = os.fork()
report(100, 150) if child else report(200, 250)
child and os.waitpid(child, 0)
"""
CHILDREN = """
report(0, 50)
start = get_context("fork").Process
children = [start(target=report, args=(n, n + 50)) for n in (100, 200, 300)]
[child.start() for child in children]
[child.join() for child in children]
"""


@pytest.mark.parametrize(
    ("program", "rows"),
    [
        ("report(0, 100)", 100),
        ("report(0, 100); sys.exit(3)", 100),
        ("reporter.close(); report(0, 100)", 0),
        (FORKS, 150),
        (CHILDREN, 200),
    ],
    ids=["ends", "exits", "closed", "forks", "children"],
)
def test_what_is_pending_is_sent_when_a_process_ends(
    program: str, rows: int, monitor: Monitor, served: Served
) -> None:
    ended = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", OF_A_PROCESS + program, served.address, monitor.name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        env={**os.environ, "PYTHONWARNINGS": "ignore::DeprecationWarning"},
    )
    assert ended.stderr == ""
    counts = monitor.details().counts
    assert (counts.predictions, counts.duplicates) == (rows, 0)


@pytest.mark.parametrize("content", [b"<h1>", b"[]", b'"ok"', b"{"])
def test_an_answer_that_is_not_kullbacks_keeps_the_rows(content: bytes) -> None:
    with stranger(200, "application/json", content) as url, Client(url) as client:
        with pytest.raises(NotKullback, match="an answer is no "):
            client.score("entropy", p=[0.5, 0.5])
        reporter = client.monitor("m").reporter(flush_interval=0.01, close_timeout=0.1)
        reporter.observation(1, 0.5)
        assert not reporter.flush(0.3)
        assert (reporter.stats.sent, reporter.stats.pending) == (0, 1)
        reporter.close()
    assert (reporter.stats.sent, reporter.stats.dropped) == (0, 1)


@pytest.mark.parametrize(
    ("status", "media_type", "content"),
    [
        (200, "application/json", b'{"accepted": 0, "rejected": 1, "rejections": []}'),
        (200, "application/json", b'{"accepted": 0, "rejected": 1, "rejections": ["no"]}'),
        (200, "application/json", b"[" * 100_000),
        (200, "application/json", b'{"status": "ok"}'),
        (204, "application/json", b""),
        (422, "application/problem+json", b'{"detail": "no", "total_errors": 1e400}'),
        (503, "text/plain", b""),
    ],
    ids=["no-place", "no-object", "deep", "another-product", "empty", "infinite", "busy"],
)
def test_no_answer_ends_the_thread(status: int, media_type: str, content: bytes) -> None:
    others = {"retry-after": "9" * 400}
    with stranger(status, media_type, content, others) as url, Client(url) as client:
        reporter = client.monitor("m").reporter(flush_interval=0.01, close_timeout=0.1)
        for _ in range(2):
            reporter.observation(1, 0.5)
            reporter.flush(0.3)
        reporter.close()
    stats = reporter.stats
    assert (stats.sent, stats.pending, stats.dropped + stats.refused) == (0, 0, 2)
    assert stats.problem


class _Changing(UserDict[str, object]):
    """Features that another thread changes while they are read."""

    def items(self) -> ItemsView[str, object]:
        raise RuntimeError("dictionary changed size during iteration")


def test_an_object_that_raises_costs_no_other_row(monitor: Monitor) -> None:
    with reporting(monitor) as reporter:
        reporter.observation(1, 0.5, features=_Changing(age=1))
        reporter.flush(1.0)
        reporter.observation(1, 0.5)
    assert (reporter.stats.sent, reporter.stats.refused, reporter.stats.pending) == (1, 1, 0)
