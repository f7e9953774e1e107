"""The bench compares like with like, and prints one table."""

from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
from httpx import ASGITransport, AsyncClient

from bench import load, monitors, requests
from bench.__main__ import BENCHMARKS, main, plain
from bench.decode import decode, pairs, pairs_json
from bench.features import features
from bench.kernels import cross_entropy, log_loss
from bench.measure import Row, Rows, Target, Times, WrongResult, agree, interleaved
from bench.ranking import grouped_auc
from bench.reporter import reporter
from bench.rivals import create_rival
from bench.servers import ARROW, JSON

METRICS = sorted(requests.small_bodies())


@pytest.fixture
async def rival() -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(create_rival())
    async with AsyncClient(transport=transport, base_url="http://rival") as client:
        yield client


async def value(client: AsyncClient, path: str, body: bytes, media_type: str) -> float:
    answer = await client.post(path, content=body, headers={"Content-Type": media_type})
    assert answer.status_code == 200, answer.text
    return float(answer.json()["value"])


@pytest.mark.parametrize(
    "rows",
    [
        lambda: log_loss(n=40, k=4, rounds=1),
        lambda: cross_entropy(n=40, k=4, rounds=1),
        lambda: decode(n=40, k=4, rounds=1),
        lambda: grouped_auc(n=90, groups=30, rounds=1),
        lambda: features(n=120, count=5, rounds=1),
    ],
    ids=["log-loss", "cross-entropy", "decode", "grouped-auc", "features"],
)
def test_both_sides_of_a_computation_agree_and_are_timed(rows: Callable[[], Rows]) -> None:
    assert all(row.value > 0 for row in rows())


@pytest.mark.parametrize(
    "rows",
    [
        lambda: monitors.tally(n=3_000),
        lambda: monitors.report(days=2, rows=3),
        lambda: monitors.ingest(n=300, bodies=2),
        lambda: monitors.identified(n=300, bodies=2),
        lambda: monitors.join(n=50, bodies=2),
        lambda: monitors.scrape(series=10, monitors=3),
    ],
    ids=["tally", "report", "ingest", "identified", "join", "scrape"],
)
def test_what_is_measured_of_monitors_was_kept_and_is_right(rows: Callable[[], Rows]) -> None:
    assert all(row.value > 0 for row in rows())


@pytest.mark.anyio
async def test_both_servers_answer_pairs_with_one_number(
    client: AsyncClient, rival: AsyncClient
) -> None:
    body = pairs_json(50)
    ours = await value(client, requests.LOG_LOSS, body, JSON)
    agree("pairs", ours, await value(rival, "/log-loss", body, JSON))


@pytest.mark.anyio
@pytest.mark.parametrize("metric", METRICS)
async def test_both_servers_answer_a_small_request_with_one_number(
    metric: str, client: AsyncClient, rival: AsyncClient
) -> None:
    path, rival_path, body = requests.small_bodies()[metric]
    ours = await value(client, path, body, JSON)
    agree(metric, ours, await value(rival, rival_path, body, JSON))


@pytest.mark.anyio
async def test_an_arrow_request_is_scored_by_us_and_counted_by_the_rival(
    client: AsyncClient, rival: AsyncClient
) -> None:
    body = requests.pairs_arrow(50)
    y, p = pairs(50)
    expected = float(np.mean(-np.log(np.where(y == 1, p, 1 - p))))
    agree("Arrow", await value(client, requests.LOG_LOSS, body, ARROW), expected)
    assert await value(rival, "/count", body, ARROW) == len(body)


@pytest.mark.anyio
async def test_every_large_body_can_be_scored(client: AsyncClient) -> None:
    for _, media_type, body in load.bodies(50_000):
        assert len(body) == pytest.approx(50_000, rel=0.1)
        assert await value(client, requests.LOG_LOSS, body, media_type) > 0


def test_a_row_for_a_reporter_is_measured() -> None:
    (row,) = reporter(rows=10, rounds=2)
    assert row.value > 0
    assert row.target == Target("≤", 3.0, " µs")


def test_different_results_are_not_compared() -> None:
    agree("same", 1.0, 1.0 + 1e-15)
    with pytest.raises(WrongResult, match="ours is"):
        agree("other", 1.0, 1.1)


def test_each_side_is_run_as_often_as_the_other() -> None:
    calls: list[str] = []
    interleaved(lambda: calls.append("ours"), lambda: calls.append("rival"), rounds=2)
    assert calls == ["ours", "rival"] * 3


@pytest.mark.parametrize(
    ("target", "value", "verdict"),
    [
        (Target("≥", 20), 20.0, "yes"),
        (Target("≥", 20), 19.9, "no"),
        (Target("≤", 1.6, stretch=1), 1.2, "yes"),
        (Target("≤", 1.6, stretch=1), 0.9, "yes, stretch"),
        (Target("≤", 100, " ms"), 101.0, "no"),
    ],
)
def test_a_target_is_met_or_not(target: Target, value: float, verdict: str) -> None:
    assert target.verdict(value) == verdict


def test_the_table_has_a_line_per_row_in_columns() -> None:
    times = Times(ours=0.002, rival=0.05)
    rows = [times.faster("kernel", Target("≥", 20)), Row("memory", "9 MB", "3 MB", 3.0)]
    assert plain(rows).splitlines() == [
        "row     ours     rival     ratio  target  met?",
        "kernel  2.00 ms  50.00 ms  25x    ≥ 20x   yes",
        "memory  9 MB     3 MB      3.00x  -       -",
    ]


def test_a_benchmark_nobody_knows_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["speed"]) == 2
    said = capsys.readouterr().err
    assert "'speed'" in said
    assert all(name in said for name in BENCHMARKS)
