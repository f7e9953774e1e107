"""Load: what one large request does to other callers and to memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from threading import Event, Thread
from time import perf_counter

from bench.decode import pairs_json, rows_json
from bench.measure import Row, Rows, Target, shown
from bench.requests import LOG_LOSS, pairs_arrow, rows_arrow
from bench.servers import ARROW, JSON, Client, Server, kullback

MB = 1_000_000
CLASSES = 10
_SAMPLE = 1000


def bodies(size: int) -> Iterator[tuple[str, str, bytes]]:
    """Bodies of about `size` bytes: what they hold, their media types, and they."""
    makers: list[tuple[str, str, Callable[[int], bytes]]] = [
        ("JSON, pairs", JSON, pairs_json),
        ("JSON, [n][10]", JSON, lambda n: rows_json(n, CLASSES)),
        ("Arrow, pairs", ARROW, pairs_arrow),
        ("Arrow, [n][10]", ARROW, lambda n: rows_arrow(n, CLASSES)),
    ]
    for what, media_type, make in makers:
        per_row = (len(make(2 * _SAMPLE)) - len(make(_SAMPLE))) / _SAMPLE
        yield what, media_type, make(round(size / per_row))


def livez(megabytes: int = 40, turns: int = 5) -> Rows:
    """The longest that a probe waits while one large body is scored: the median of some turns."""
    for what, media_type, body in bodies(megabytes * MB):
        with kullback() as server:
            calm = worst(server, _nothing)
            post = _posting(server, body, media_type)
            busy = median(worst(server, post) for _ in range(turns))
        name = f"worst /livez during a {len(body) / MB:.0f} MB {what} request, vs an idle server"
        yield Row(name, shown(busy), shown(calm), busy * 1e3, Target("≤", 100, " ms"))


def memory(megabytes: int = 60) -> Rows:
    """The peak of resident memory while one large body is scored, as multiples of the body."""
    for what, media_type, body in bodies(megabytes * MB):
        with kullback() as server:
            server.reset_peak()
            idle = server.memory("VmRSS")
            client = server.connect()
            client.post(LOG_LOSS, body, media_type)
            client.close()
            peak = server.memory("VmHWM")
        name = f"RSS peak of a {len(body) / MB:.0f} MB {what} body, vs the body"
        grown = f"{peak / MB:.0f} MB, {(peak - idle) / len(body):.2f}x over idle"
        target = Target("≤", 5 if media_type == JSON else 3)
        yield Row(name, grown, f"{len(body) / MB:.0f} MB", peak / len(body), target)


def _nothing() -> None:
    Event().wait(1.0)


def _posting(server: Server, body: bytes, media_type: str) -> Callable[[], None]:
    def post() -> None:
        client = server.connect()
        client.post(LOG_LOSS, body, media_type)
        client.close()

    return post


def worst(server: Server, work: Callable[[], None]) -> float:
    """The longest answer of /livez while `work` runs, on a connection that was open before."""
    client = server.connect()
    client.get("/livez")
    worst = 0.0
    with _running(work) as thread:
        while thread.is_alive():
            worst = max(worst, _probe(client))
    client.close()
    return worst


def _probe(client: Client) -> float:
    began = perf_counter()
    client.get("/livez")
    return perf_counter() - began


@contextmanager
def _running(work: Callable[[], None]) -> Iterator[Thread]:
    thread = Thread(target=work)
    thread.start()
    yield thread
    thread.join()
