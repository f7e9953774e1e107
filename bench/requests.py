"""Whole requests over the loopback, against servers that do less."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from threading import Thread
from time import perf_counter

import numpy as np
import pyarrow as pa

from bench.decode import pairs, pairs_json, rows
from bench.measure import Row, Rows, Target, WrongResult, agree, interleaved
from bench.servers import ARROW, JSON, Client, Server, kullback, rival

CONNECTIONS = 8
LOG_LOSS = "/v1/scores/log-loss"
CROSS_ENTROPY = "/v1/scores/cross-entropy"


def pairs_arrow(n: int) -> bytes:
    """A log-loss request of n pairs as an uncompressed Arrow stream of two float64 columns."""
    y, p = pairs(n)
    return stream(pa.record_batch({"y_true": y.astype(np.float64), "y_proba": p}))


def rows_arrow(n: int, k: int) -> bytes:
    """A log-loss request of n rows of k probabilities as an uncompressed Arrow stream."""
    y, p = rows(n, k)
    lists = pa.FixedSizeListArray.from_arrays(p.ravel(), k)
    return stream(pa.record_batch({"y_true": y, "y_proba": lists}))


def stream(batch: pa.RecordBatch) -> bytes:
    """An uncompressed Arrow stream of one batch."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def json_request(n: int = 200_000, rounds: int = 9) -> Rows:
    """A JSON request from its first byte to its answer's last, against plain FastAPI."""
    body = pairs_json(n)
    with _both() as (ours, theirs):
        mine = _value(ours.post(LOG_LOSS, body, JSON))
        agree("JSON request", mine, _value(theirs.post("/log-loss", body, JSON)))
        times = interleaved(
            lambda: ours.post(LOG_LOSS, body, JSON),
            lambda: theirs.post("/log-loss", body, JSON),
            rounds,
        )
    name = f"JSON request, {n:,} pairs, vs plain FastAPI"
    yield times.faster(name, Target("≥", 1.5, stretch=2))


def arrow_request(n: int = 1_000_000, rounds: int = 15) -> Rows:
    """An Arrow request against the same bytes sent to a route that only counts them."""
    body = pairs_arrow(n)
    with _both() as (ours, theirs):
        y, p = pairs(n)
        expected = float(np.mean(-np.log(np.where(y == 1, p, 1 - p))))
        agree("Arrow request", _value(ours.post(LOG_LOSS, body, ARROW)), expected, 1e-9)
        if _value(theirs.post("/count", body, ARROW)) != len(body):
            raise WrongResult("Arrow request: the rival lost bytes")
        times = interleaved(
            lambda: ours.post(LOG_LOSS, body, ARROW),
            lambda: theirs.post("/count", body, ARROW),
            rounds,
        )
    yield times.share(f"Arrow request, {n:,} rows x 2, vs counting its bytes", Target("≤", 2))


def several_request(n: int = 1_000_000, rounds: int = 9) -> Rows:
    """Three metrics of one body against the same body sent for each of them."""
    body, names = pairs_json(n), ("log-loss", "calibration", "recommender")
    query = f"/v1/scores?metrics={','.join(names)}"
    with kullback() as server, closing(server.connect()) as ours:
        for kind, content in ((JSON, body), (ARROW, pairs_arrow(n))):
            scores = json.loads(ours.post(query, content, kind))["scores"]
            for name in names:
                one = _value(ours.post(f"/v1/scores/{name}", content, kind))
                agree(f"three metrics: {name}", scores[name]["value"], one)
            times = interleaved(
                partial(ours.post, query, content, kind),
                partial(_each, ours, names, content, kind),
                rounds,
            )
            what = "JSON" if kind == JSON else "Arrow"
            yield times.share(f"three metrics, {what}, {n:,} rows, vs three bodies")


def _each(client: Client, names: Sequence[str], body: bytes, kind: str) -> None:
    for name in names:
        client.post(f"/v1/scores/{name}", body, kind)


def small_bodies(k: int = 10) -> dict[str, tuple[str, str, bytes]]:
    """One row of k classes: for each metric our path, the rival's, and the body of both."""
    p, q = np.random.default_rng(7).dirichlet(np.ones(k), 2).tolist()
    row = json.dumps({"y_true": [k // 3], "y_proba": [p]}).encode()
    pair = json.dumps({"p": p, "q": q}).encode()
    return {
        "log loss": (LOG_LOSS, "/log-loss-rows", row),
        "cross-entropy": (CROSS_ENTROPY, "/cross-entropy", pair),
    }


def small_requests(seconds: float = 4, turns: int = 3) -> Rows:
    """Requests per second of small bodies, the two servers taking turns."""
    whole, effort = Target("≥", 0.9), (seconds, turns)
    for metric, body in small_bodies().items():
        yield _small(metric, body, "warning", whole, effort)
        path, rival_path, content = body
        alone = path, rival_path, json.dumps(json.loads(content) | {"details": False}).encode()
        yield _small(f"{metric} value only", alone, "warning", Target("≥", 1.3), effort)
    path, rival_path, content = small_bodies()["log loss"]
    logged = path, f"{rival_path}-logged", content
    yield _small("log loss", logged, "info", Target("≥", 0.85), effort)


def _small(
    metric: str,
    body: tuple[str, str, bytes],
    log_level: str,
    target: Target | None,
    effort: tuple[float, int],
) -> Row:
    path, rival_path, content = body
    seconds, turns = effort
    with kullback(log_level) as ours, rival() as theirs:
        _agree_small(ours, theirs, body)
        rates = [
            (
                rate(ours, path, content, seconds),
                rate(theirs, rival_path, content, seconds),
            )
            for _ in range(turns)
        ]
    mine, other = (median(rate) for rate in zip(*rates, strict=True))
    ratio = median(a / b for a, b in rates)
    by = "wrk" if shutil.which("wrk") else "Python, wrk is not installed"
    log = "no log" if log_level == "warning" else "both log a line of JSON each"
    name = f"small {metric} requests (10 classes, {log}) by {by}, vs bare FastAPI"
    return Row(name, f"{mine:,.0f}/s", f"{other:,.0f}/s", ratio, target)


@contextmanager
def _both() -> Iterator[tuple[Client, Client]]:
    with kullback() as ours, rival() as theirs:
        clients = ours.connect(), theirs.connect()
        yield clients
        for client in clients:
            client.close()


def _value(answer: bytes) -> float:
    return float(json.loads(answer)["value"])


def _agree_small(ours: Server, theirs: Server, body: tuple[str, str, bytes]) -> None:
    path, rival_path, content = body
    mine, other = ours.connect(), theirs.connect()
    value = _value(mine.post(path, content, JSON))
    agree("small request", value, _value(other.post(rival_path, content, JSON)))
    mine.close()
    other.close()


def rate(server: Server, path: str, body: bytes, seconds: float) -> float:
    """Requests per second that a server answers."""
    wrk = shutil.which("wrk")
    if wrk is None:
        return _python_rate(server, path, body, seconds)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "post.lua")
        script.write_text(
            f'wrk.method = "POST"\nwrk.body = {json.dumps(body.decode())}\n'
            f'wrk.headers["Content-Type"] = "{JSON}"\n'
        )
        url = f"http://127.0.0.1:{server.port}{path}"
        done = subprocess.run(  # noqa: S603 - wrk on our own server
            [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "-s", script, url],
            capture_output=True,
            text=True,
            check=True,
        )
    found = re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
    if found is None or "Non-2xx" in done.stdout:
        raise WrongResult(f"small requests: wrk says {done.stdout[-300:]}")
    return float(found.group(1))


def _python_rate(server: Server, path: str, body: bytes, seconds: float) -> float:
    """The same with threads of this process: slower than wrk, but to both sides alike."""
    counts = [0] * CONNECTIONS
    began = perf_counter()

    def post(place: int) -> None:
        client = server.connect()
        while perf_counter() - began < seconds:
            client.post(path, body, JSON)
            counts[place] += 1
        client.close()

    threads = [Thread(target=post, args=(place,)) for place in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (perf_counter() - began)
