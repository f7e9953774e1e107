"""Whoever logs never waits: lines that nobody reads are dropped, counted and told of."""

import errno
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import pytest

from kullback.telemetry import log_queue
from kullback.telemetry.log_queue import QUEUED_LINES, Output, QueuedLines, Sampling
from kullback.telemetry.logs import JsonLines

LOG = logging.getLogger("kullback.test")
SECOND = 1_700_000_000.0


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_queue, "FLUSH_SECONDS", 60.0)


class Gate:
    """An output that blocks until it is opened, as a pipe does that nobody reads."""

    def __init__(self) -> None:
        self.is_open = Event()
        self.written = bytearray()

    def write(self, data: memoryview) -> int:
        self.is_open.wait()
        self.written += data[:100]  # as a pipe may, not all at once
        return len(data[:100])

    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.written.splitlines()]


class Refusing(Gate):
    """An output on a disk that is full, after half a line of each write."""

    refuses = True

    def write(self, data: memoryview) -> int:
        if not self.refuses:
            return super().write(data)
        self.written += data[:10]
        raise OSError(errno.ENOSPC, "full")


@contextmanager
def logged_to(output: Output) -> Iterator[QueuedLines]:
    handler = QueuedLines(output, JsonLines())
    LOG.addHandler(handler)
    LOG.propagate = False
    try:
        yield handler
    finally:
        LOG.removeHandler(handler)
        LOG.propagate = True
        handler.close()


def test_whoever_logs_never_waits_and_what_was_dropped_is_counted_and_told_once() -> None:
    gate, extra = Gate(), 300
    with logged_to(gate) as handler:
        for number in range(QUEUED_LINES + 2 * log_queue.LINES_AT_ONCE + extra):
            LOG.warning("%d", number)
        dropped = handler.dropped
        assert dropped >= extra
        gate.is_open.set()
        handler.flush()
        LOG.warning("after")
    *_, report, after = gate.events()
    assert (report["message"], report["dropped"], report["level"]) == (
        "log lines were dropped",
        dropped,
        "warning",
    )
    assert after["message"] == "after"
    numbers = [event["message"] for event in gate.events()][:-2]
    assert numbers == [str(number) for number in range(len(numbers))]
    assert len(numbers) + dropped == QUEUED_LINES + 2 * log_queue.LINES_AT_ONCE + extra


def test_closing_waits_for_a_blocked_reader_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_queue, "FLUSH_SECONDS", 0.05)
    gate = Gate()
    with logged_to(gate) as handler:
        LOG.warning("nobody reads this")
    assert gate.written == b""
    LOG.addHandler(handler)
    LOG.warning("too late")
    LOG.removeHandler(handler)
    assert handler.dropped == 1
    gate.is_open.set()


def test_closing_writes_what_was_logged() -> None:
    gate = Gate()
    gate.is_open.set()
    with logged_to(gate):
        for number in range(1000):
            LOG.warning("%d", number)
    assert [event["message"] for event in gate.events()] == [str(number) for number in range(1000)]


def test_a_full_disk_loses_lines_counts_them_and_tears_none_that_follows() -> None:
    disk = Refusing()
    disk.is_open.set()
    with logged_to(disk) as handler:
        LOG.warning("lost")
        handler.flush()
        assert handler.dropped == 1
        disk.refuses = False
        LOG.warning("kept")
    torn, *lines = bytes(disk.written).splitlines()
    assert torn.startswith(b'{"ts": "20')
    assert [json.loads(line)["message"] for line in lines[-2:]] == [
        "kept",
        "log lines were dropped",
    ]
    assert json.loads(lines[-1])["dropped"] == 1


def test_a_record_that_cannot_be_formatted_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    gate = Gate()
    gate.is_open.set()
    with logged_to(gate) as handler:
        LOG.warning("%d", "no number")
        assert handler.dropped == 1
    assert capsys.readouterr().err == ""


def test_a_pipe_that_does_not_block_is_waited_for_and_written_in_order() -> None:
    (reader, writer) = os.pipe()
    os.set_blocking(writer, False)
    size, lines = 0, 2000
    with os.fdopen(writer, "wb", buffering=0) as output, os.fdopen(reader, "rb") as log:
        with logged_to(output) as handler:
            for number in range(lines):
                LOG.warning("%d", number)
            for number, line in zip(range(lines), log, strict=False):
                assert json.loads(line)["message"] == str(number)
                size += len(line)
        assert handler.dropped == 0
    assert size > 65536  # more than fits into the pipe at once


def event(status: int, level: int = logging.INFO, second: float = SECOND) -> logging.LogRecord:
    made = logging.LogRecord("kullback.access", level, "file", 1, "request", None, None)
    made.__dict__["fields"] = {"status": status}
    made.created = second
    return made


def passed(sampling: Sampling, *events: logging.LogRecord) -> list[logging.LogRecord]:
    return [event for event in events if sampling.filter(event)]


def test_beyond_so_many_a_second_one_in_a_hundred_is_written_and_says_so() -> None:
    kept = passed(Sampling(10), *(event(200) for _ in range(10 + 1000)))
    assert [record.__dict__["fields"].get("one_in", 1) for record in kept] == [1] * 10 + [100] * 10


def test_a_flood_of_one_status_hides_no_other() -> None:
    sampling = Sampling(10)
    passed(sampling, *(event(499) for _ in range(1000)))
    assert len(passed(sampling, *(event(200) for _ in range(10)))) == 10


def test_each_second_begins_anew() -> None:
    sampling = Sampling(10)
    floods = [event(200, second=SECOND + second) for second in range(3) for _ in range(50)]
    assert len(passed(sampling, *floods)) == 30


def test_changes_of_keys_are_always_written() -> None:
    changes = [event(200) for _ in range(50)]
    for change in changes:
        change.name = "kullback.audit"
    assert len(passed(Sampling(0), *changes)) == 50


@pytest.mark.parametrize(("status", "level"), [(500, logging.INFO), (200, logging.ERROR)])
def test_errors_are_always_written(status: int, level: int) -> None:
    assert len(passed(Sampling(0), *(event(status, level) for _ in range(50)))) == 50
