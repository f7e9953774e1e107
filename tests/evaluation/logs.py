"""Logs as Parquet files, and what this process makes of all their rows in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kullback.evaluation.columns import Columns
from kullback.evaluation.executors import serial
from kullback.evaluation.files import open_files, tasks
from kullback.evaluation.job import evaluate
from kullback.evaluation.locations import files_named
from kullback.evaluation.state import EvaluationState
from kullback.evaluation.work import Task
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.rows import ArmRows

PAIRED = Columns("click", {"a": "p_a", "b": "p_b"}, unit="user", weight="w", by=("country",))
PARALLEL = Columns("click", {"": "p_a"}, arm="variant", unit="user", by=("country",))
PAIRED_PLAN = Plan(
    (Arm("a", 0.5), Arm("b", 0.5)), "a", "paired", minimum_effect=0.01, slices=("country",)
)
PARALLEL_PLAN = replace(PAIRED_PLAN, design="parallel")


def log(n: int, seed: int = 0) -> pa.Table:
    """Rows of clicks: two predictions each, a user who is of one variant, a country, a weight."""
    draw = np.random.default_rng(seed)
    user = draw.integers(0, 300, n)
    p = draw.beta(1, 6, n)
    return pa.table(
        {
            "click": (draw.random(n) < p).astype(np.int8),
            "p_a": np.clip(p * 1.3, 0, 1),
            "p_b": p,
            "user": [f"user-{number}" for number in user.tolist()],
            "variant": np.where(user % 2, "b", "a"),
            "country": draw.choice(["DE", "FR", "PT"], n),
            "w": draw.integers(0, 4, n) / 2,
        }
    )


def written(
    directory: Path, table: pa.Table, files: Sequence[int] = (), group: int = 1 << 20
) -> list[str]:
    """The table in files of so many rows each, and what is left in one more."""
    names, at = [], 0
    for number, rows in enumerate([*files, table.num_rows - sum(files)]):
        name = directory / f"{number:03}.parquet"
        pq.write_table(table.slice(at, rows), name, row_group_size=group)
        names.append(str(name))
        at += rows
    return names


def work_of(names: Iterable[str], columns: Columns, most_rows: int = 1 << 20) -> list[Task]:
    """The tasks of these files."""
    files = open_files(files_named(names), columns)
    return list(tasks(files, columns, PAIRED_PLAN.layout, most_rows=most_rows))


def state_of(names: Iterable[str], columns: Columns) -> EvaluationState:
    """What these files say, read by this process."""
    return evaluate(work_of(names, columns), serial, lambda _: None)


def rows_of(table: pa.Table, columns: Columns) -> ArmRows:
    """The table as an experiment takes it in memory."""
    column = {name: table[name].to_pylist() for name in table.column_names}
    forecasts = {arm: np.array(column[name]) for arm, name in columns.y_proba.items()}
    return ArmRows(
        y_true=np.array(column[columns.y_true], np.float64),
        y_proba=forecasts[""] if columns.arm else forecasts,
        unit=column[columns.unit] if columns.unit else None,
        arm=column[columns.arm] if columns.arm else None,
        weight=np.array(column[columns.weight]) if columns.weight else None,
        slices={name: column[name] for name in columns.by},
    )
