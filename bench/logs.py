"""Logs at rest: many segments, and many small files."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.experiments import clicks, evaluation, peak_memory, plain_sums
from bench.measure import Rows, Target, interleaved

SEGMENTS = 100


def segments(n: int = 5_000_000, group: int = 1_000_000, rounds: int = 2) -> Rows:
    """The whole command by 100 segments of Zipf sizes, against DuckDB's plain sums by them."""
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log.parquet"
        pq.write_table(_log(n), log, row_group_size=group)
        command = evaluation(log, "--by", "segment", "--json", str(Path(folder) / "report.json"))
        times = interleaved(
            lambda: peak_memory(command), lambda: plain_sums(log, n, "segment"), rounds
        )
        name = f"kullback evaluate, {n:,} rows in {SEGMENTS} segments, vs DuckDB's plain sums"
        yield times.share(name, Target("≤", 3))


def small_files(files: int = 1_000, rows: int = 200, rounds: int = 3) -> Rows:
    """The whole command on many small files, against one file of the same rows, and DuckDB."""
    with TemporaryDirectory() as folder:
        whole, parts = Path(folder) / "log.parquet", Path(folder) / "parts"
        parts.mkdir()
        table = _log(files * rows)
        pq.write_table(table, whole)
        for at in range(files):
            pq.write_table(table.slice(at * rows, rows), parts / f"{at:05}.parquet")
        report = ("--json", str(Path(folder) / "report.json"))
        many, single = evaluation(parts, *report), evaluation(whole, *report)
        times = interleaved(lambda: peak_memory(many), lambda: peak_memory(single), rounds)
        name = f"kullback evaluate, {files:,} files of {rows} rows, vs one file of them all"
        yield times.share(name, Target("≤", 2))
        times = interleaved(
            lambda: peak_memory(many),
            lambda: plain_sums(parts / "*.parquet", files * rows),
            rounds,
        )
        yield times.share(f"the same {files:,} files, vs DuckDB's plain sums of them")


def _log(n: int) -> pa.Table:
    generator = np.random.default_rng(8)
    y, a, b, unit = clicks(generator, n, max(n // 20, 1))
    size = 1 / np.arange(1, SEGMENTS + 1) ** 1.1
    segment = generator.choice(SEGMENTS, n, p=size / size.sum())
    names = pa.array([f"segment-{number}" for number in range(SEGMENTS)])
    return pa.table(
        {
            "y": y.astype(np.int8),
            "a": a,
            "b": b,
            "unit": unit,
            "segment": pa.DictionaryArray.from_arrays(pa.array(segment, pa.int32()), names),
        }
    )
