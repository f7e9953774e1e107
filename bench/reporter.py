"""What a reporter costs the code that reports a row, beside a queue of the standard library."""

from queue import Queue
from time import time

from bench.measure import Row, Rows, Target, WrongResult, interleaved
from kullback.client import Client

NOWHERE = "http://127.0.0.1:9"


def reporter(rows: int = 1_000, rounds: int = 50) -> Rows:
    """A row into the queue of a reporter, against the same row put into a `queue.Queue`."""
    room = rows * (rounds + 2)
    queue = Queue[tuple[str, dict[str, object]]](room)
    with Client(NOWHERE) as client:
        ours = client.monitor("clicks").reporter(
            flush_at=room, max_queue=room, flush_interval=3600, close_timeout=0
        )

        def report() -> None:
            for n in range(rows):
                ours.prediction(id=n, y_proba=0.5, country="DE")

        def put() -> None:
            for n in range(rows):
                row = {"id": n, "y_proba": 0.5, "country": "DE", "timestamp": time()}
                queue.put_nowait(("predictions", row))

        times = interleaved(report, put, rounds)
        if ours.stats.pending != queue.qsize():
            raise WrongResult("reporter: the queues do not hold the same rows")
        ours.close()
    each, rival = (seconds / rows * 1e6 for seconds in (times.ours, times.rival))
    name = "a row for a reporter, vs queue.Queue.put_nowait"
    yield Row(name, f"{each:.2f} µs", f"{rival:.2f} µs", each, Target("≤", 3.0, " µs"))
