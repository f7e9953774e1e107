"""Experiments: bucket sums of two arms, and logs larger than memory."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.measure import Row, Rows, Target, agree, interleaved
from kullback.experiments.arm_tallies import checked_arm_rows, tallies
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.rows import ArmRows as Observed
from kullback.numerics.types import Array, Indices
from kullback.scoring.conventions import CONVENTIONS
from kullback.scoring.losses import binary_losses
from kullback.tally.exact import real
from kullback.tally.units import BUCKETS, bucket_of

PAIRED = Plan((Arm("a", 0.5), Arm("b", 0.5)), "a", "paired")
_EPS = float(np.finfo(np.float64).eps)
_PLAIN = """
    WITH clipped AS (
      SELECT *, greatest($eps, least(1 - $eps, a)) AS ca,
        greatest($eps, least(1 - $eps, b)) AS cb
      FROM read_parquet($log)
    )
    SELECT hash(unit) % $buckets AS bucket, {by}, count(*) AS n, sum(y) AS y,
      sum(a) AS pa, sum(-y * ln(ca) - (1 - y) * ln(1 - ca)) AS la, sum((y - a) * (y - a)) AS ba,
      sum(b) AS pb, sum(-y * ln(cb) - (1 - y) * ln(1 - cb)) AS lb, sum((y - b) * (y - b)) AS bb
    FROM clipped GROUP BY ALL
"""


def clicks(
    generator: np.random.Generator, n: int, users: int
) -> tuple[Array, Array, Array, Indices]:
    """Outcomes, the predictions of two arms, and who each row is about."""
    logit = generator.normal(-3, 1.2, n)
    a, b = (1 / (1 + np.exp(-logit - generator.normal(0, 0.3, n))) for _ in range(2))
    y = (generator.random(n) < 1 / (1 + np.exp(-logit))).astype(np.float64)
    return y, a, b, generator.integers(0, users, n)


def bucket_sums(n: int = 1_000_000) -> Rows:
    """All sums of two paired arms, by bucket of units, against NumPy's bincount of the plain."""
    y, a, b, unit = clicks(np.random.default_rng(6), n, n // 20)
    window, rows = np.zeros(n, np.int64), Observed(y, {"a": a, "b": b}, unit)

    def ours() -> float:
        found = tallies(PAIRED, checked_arm_rows(PAIRED, rows), window)
        return real(found["b"]["", 0].scalar("wl"))

    def rival() -> float:
        buckets = bucket_of(unit)
        sums = [np.bincount(buckets, minlength=BUCKETS), np.bincount(buckets, y, BUCKETS)]
        for p in (a, b):
            loss, _ = binary_losses(y, p, CONVENTIONS["sklearn"])
            sums += [np.bincount(buckets, one, BUCKETS) for one in (p, loss, np.square(y - p))]
        return float(sums[-2].sum())

    agree("log loss of b", ours(), rival(), 1e-9)
    times = interleaved(ours, rival, 5)
    rate = n / times.ours / 1e6
    name = f"bucket sums of two paired arms, {n:,} rows, one core, vs NumPy bincount, rounded"
    theirs = f"{n / times.rival / 1e6:.2f} M/s"
    yield Row(name, f"{rate:.2f} M/s", theirs, rate, Target("≥", 5, " M/s"))


def evaluate(n: int = 20_000_000, group: int = 1_000_000) -> Rows:
    """The whole command on a log made on the spot, against DuckDB and its plain sums."""
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log.parquet"
        _write(log, n, group)
        command = evaluation(log, "--json", str(Path(folder) / "report.json"))
        peaks: list[float] = []
        times = interleaved(
            lambda: peaks.append(peak_memory(command)), lambda: plain_sums(log, n), 2
        )
        name = f"kullback evaluate, {n:,} rows of two paired arms, vs DuckDB's plain sums"
        yield times.share(name, Target("≤", 3))
        what = f"memory of it at its peak, all processes, {n:,} rows"
        size = f"{log.stat().st_size / 1e6:.0f} MB on disk"
        peak = max(peaks)
        yield Row(what, f"{peak:.0f} MB", size, peak, Target("≤", 350, " MB"))


def evaluation(log: Path, *more: str) -> list[str]:
    """The command that compares the arms of a log."""
    command = [sys.executable, "-m", "kullback", "evaluate", str(log), "--y-true", "y"]
    return [*command, "--paired", "a,b", "--unit", "unit", "--minimum-effect", "0.001", *more]


def _write(log: Path, n: int, group: int) -> None:
    generator = np.random.default_rng(7)
    names = ("y", "a", "b", "unit")
    schema = pa.schema(
        [("y", pa.int8()), ("a", pa.float64()), ("b", pa.float64()), ("unit", pa.int64())]
    )
    with pq.ParquetWriter(log, schema) as writer:
        for _ in range(0, n, group):
            columns = dict(zip(names, clicks(generator, group, n // 20), strict=True))
            writer.write_table(pa.table(columns, schema=schema), row_group_size=group)


def plain_sums(log: Path, n: int, by: str = "0") -> None:
    """DuckDB's plain sums of a log of n rows, by bucket of units and a column."""
    with duckdb.connect(config={"threads": os.cpu_count() or 1}) as connection:
        rows = connection.execute(
            _PLAIN.format(by=by), {"log": str(log), "eps": _EPS, "buckets": BUCKETS}
        ).fetchall()
    agree("rows", float(sum(row[2] for row in rows)), float(n))


def peak_memory(command: list[str]) -> float:
    """Run a command to its end; the most memory that it and its children held at once, MB."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - ours
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(_held(process.pid)))
        sleep(0.05)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return peak / 1e6


def _held(process: int) -> Iterator[int]:
    """Bytes that each process of a tree holds: pages that several share count in parts."""
    home = Path("/proc", str(process))
    try:
        found = re.search(r"^Pss:\s+(\d+) kB", (home / "smaps_rollup").read_text(), re.MULTILINE)
        children = (home / "task" / str(process) / "children").read_text().split()
    except OSError:  # it has ended
        return
    yield int(found[1]) << 10 if found else 0
    for child in children:
        yield from _held(int(child))
