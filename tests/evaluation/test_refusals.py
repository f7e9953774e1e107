"""What cannot be read is refused by file, column and row; what is missing is counted."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kullback.errors import InvalidInput
from kullback.evaluation.batch import MAX_SEGMENTS
from kullback.evaluation.columns import Columns
from kullback.evaluation.files import Files, open_files, tasks
from kullback.evaluation.job import evaluation_report
from kullback.evaluation.locations import files_named
from kullback.evaluation.state import EvaluationState
from kullback.evaluation.work import evaluate_part
from kullback.experiments.arm_tallies import tally_arms
from kullback.experiments.comparison import compare
from kullback.experiments.plan import MAX_ARMS
from tests.evaluation.logs import (
    PAIRED,
    PAIRED_PLAN,
    PARALLEL,
    PARALLEL_PLAN,
    log,
    rows_of,
    state_of,
    work_of,
    written,
)

TABLE = log(60)
OFF_POLICY = replace(PAIRED, propensity="logged", target_propensity="target")


def with_cells(column: str, cells: dict[int, object], table: pa.Table = TABLE) -> pa.Table:
    """The table with other values in some rows of a column; a new column is of ones."""
    there = column in table.column_names
    values = table[column].to_pylist() if there else [1.0] * table.num_rows
    for row, value in cells.items():
        values[row] = value
    array = pa.array(values, table[column].type if there else pa.float64(), from_pandas=False)
    if not there:
        return table.append_column(column, array)
    return table.set_column(table.column_names.index(column), column, array)


def off_policy(column: str = "logged", cells: dict[int, object] | None = None) -> pa.Table:
    ones = with_cells("target", {}, with_cells("logged", {}))
    return with_cells(column, cells or {}, ones)


@pytest.mark.parametrize(
    ("columns", "table", "said"),
    [
        (PAIRED, with_cells("p_b", {41: 1.5}), "column p_b holds 1.5 in row 42"),
        (PAIRED, with_cells("p_b", {41: -0.1}), "column p_b holds -0.1 in row 42"),
        (PAIRED, with_cells("p_a", {59: 1.0000001}), "column p_a holds 1.0000001 in row 60"),
        (PAIRED, with_cells("p_a", {59: np.inf}), "column p_a holds inf in row 60"),
        (replace(PAIRED, unit="p_a"), TABLE, "column p_a holds 0.3246457"),
        (PAIRED, with_cells("click", {7: 2}), "column click holds 2 in row 8"),
        (PAIRED, with_cells("w", {30: -1.0}), "column w holds -1 in row 31"),
        (PAIRED, with_cells("w", {30: np.inf}), "column w holds inf in row 31"),
        (OFF_POLICY, off_policy("logged", {3: 0.0}), "column logged holds 0 in row 4"),
        (OFF_POLICY, off_policy("target", {3: 1.1}), "column target holds 1.1 in row 4"),
        (OFF_POLICY, off_policy("logged", {3: 1e-200}), "column logged holds 1e-200 in row 4"),
    ],
)
def test_an_impossible_value_is_refused_by_file_column_and_row(
    columns: Columns, table: pa.Table, said: str, tmp_path: Path
) -> None:
    names = written(tmp_path, table, group=25)
    with pytest.raises(InvalidInput) as refused:
        state_of(names, columns)
    assert str(refused.value).startswith(f"{names[0]}: the {said}")


def test_a_row_behind_excluded_ones_is_named_by_its_number_in_the_file(tmp_path: Path) -> None:
    table = with_cells("p_b", {41: 1.5}, with_cells("click", {2: None, 40: None}))
    with pytest.raises(InvalidInput, match="row 42"):
        state_of(written(tmp_path, table, group=7), PAIRED)


def test_a_row_far_into_a_large_file_is_named_by_its_number_in_it(tmp_path: Path) -> None:
    n = 1_100_000  # more than a task, and in tasks more than a batch
    p = np.full(n, 0.5)
    names = written(tmp_path, pa.table({"click": np.ones(n, np.int8), "p": p}), group=300_000)
    columns = Columns("click", {"a": "p", "b": "p"})
    assert [(task.parts[0].start, task.rows) for task in work_of(names, columns)] == [
        (0, 900_000),
        (900_000, 200_000),
    ]
    p[-1] = 2
    written(tmp_path, pa.table({"click": np.ones(n, np.int8), "p": p}), group=300_000)
    with pytest.raises(InvalidInput, match="column p holds 2 in row 1100000"):
        state_of(names, columns)


def test_an_arm_that_was_not_planned_is_refused_by_row(tmp_path: Path) -> None:
    names = written(tmp_path, with_cells("variant", {12: "c"}))
    (task,) = tasks(
        open_files(files_named(names), PARALLEL), PARALLEL, PARALLEL_PLAN.layout, ["a", "b"]
    )
    with pytest.raises(InvalidInput, match="variant holds 'c' in row 13: the arms are a, b"):
        evaluate_part(task)


@pytest.mark.parametrize("files", [[], [30]])
def test_more_arms_than_can_be_compared_are_refused(files: list[int], tmp_path: Path) -> None:
    table = with_cells("variant", {row: f"arm-{row}" for row in range(14, 14 + MAX_ARMS)})
    with pytest.raises(InvalidInput, match="column variant names more than 20 arms"):
        state_of(written(tmp_path, table, files, 25), PARALLEL)


@pytest.mark.parametrize("files", [[], [MAX_SEGMENTS]])
def test_more_segments_than_anybody_reads_are_refused(files: list[int], tmp_path: Path) -> None:
    table = log(MAX_SEGMENTS + 1).append_column("id", pa.array(range(MAX_SEGMENTS + 1)))
    with pytest.raises(InvalidInput, match="column id tells more than 1000 segments apart"):
        state_of(written(tmp_path, table, files), replace(PAIRED, by=("id",)))


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        (PAIRED, {"click": "y_true", "p_a": "y_proba.a", "p_b": "y_proba.b", "w": "weight"}),
        (PARALLEL, {"click": "y_true", "p_a": "y_proba", "variant": "arm", "user": "unit"}),
        (OFF_POLICY, {"logged": "propensity", "target": "target_propensity"}),
    ],
)
def test_rows_that_lack_something_are_counted_by_what_and_left_out(
    columns: Columns, missing: dict[str, str], tmp_path: Path
) -> None:
    lost: set[int] = set()
    table = off_policy() if columns is OFF_POLICY else TABLE
    for place, column in enumerate(missing):
        rows = {place: None, 10 + place: None, 20: None}
        table, lost = with_cells(column, dict(rows), table), lost | set(rows)
    state = state_of(written(tmp_path, table, [15], 12), columns)
    first, *others = missing.values()
    assert state.excluded == {first: 3, **dict.fromkeys(others, 2)}
    assert state.rows == 60
    kept = table.take(pa.array(sorted(set(range(60)) - lost)))
    plan = PARALLEL_PLAN if columns is PARALLEL else PAIRED_PLAN
    assert state.arm_tallies(plan) == tally_arms(plan, rows_of(kept, columns))


def test_a_row_of_no_segment_counts_in_the_whole_only(tmp_path: Path) -> None:
    table = with_cells("country", dict.fromkeys(range(0, 60, 2)))
    state = state_of(written(tmp_path, table), PAIRED)
    assert state.tallies["", "a"].scalar("rows") == 60
    inside = [state.tallies[key].scalar("rows") for key in state.tallies if key[0] and "a" in key]
    assert sum(inside) == 30
    assert state.excluded == {}


def test_files_without_a_single_row_say_nothing(tmp_path: Path) -> None:
    state = state_of(written(tmp_path, TABLE.slice(0, 0)), PAIRED)
    assert (state.rows, state.arms) == (0, [])


def test_files_in_which_every_row_lacks_something_say_nothing_else(tmp_path: Path) -> None:
    state = state_of(written(tmp_path, with_cells("p_b", dict.fromkeys(range(60)))), PAIRED)
    assert (state.rows, state.arms, state.excluded) == (60, [], {"y_proba.b": 60})


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (replace(PAIRED, y_true="clicks"), "there is no column clicks; did you mean click?"),
        (replace(PAIRED, unit="zzz"), "there is no column zzz; it has click, p_a"),
        (replace(PAIRED, y_true="user"), "column user is of type string, where y_true is a number"),
        (replace(PAIRED, weight="user"), "column user is of type string, where weight is a number"),
        (
            replace(PAIRED, unit="day"),
            "column day is of type date32[day], where unit is an integer",
        ),
        (replace(PARALLEL, arm="p_a"), "column p_a is of type double, where arm is a string"),
        (replace(PAIRED, by=("p_a",)), "column p_a is of type double, where segments are by"),
        (
            replace(PAIRED, y_proba={"a": "p_a", "b": "user"}),
            "column user is of type string, where y_proba is a number",
        ),
    ],
)
def test_a_column_that_is_not_there_or_of_another_type_is_refused_before_any_row(
    columns: Columns, said: str, tmp_path: Path
) -> None:
    day = pa.array([date(2026, 5, 1)] * TABLE.num_rows)
    names = written(tmp_path, TABLE.append_column("day", day))
    with pytest.raises(InvalidInput) as refused:
        open_files(files_named(names), columns)
    assert str(refused.value).startswith(f"{names[0]}: ")
    assert said in str(refused.value)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    names = written(tmp_path, TABLE.append_column("user", TABLE["user"]))
    with pytest.raises(InvalidInput, match="two columns are named user"):
        open_files(files_named(names), PAIRED)


def test_units_of_two_kinds_never_match_and_are_refused(tmp_path: Path) -> None:
    names = written(tmp_path, TABLE, [30])
    pq.write_table(TABLE.set_column(3, "user", pa.array(range(60))), names[1])
    with pytest.raises(InvalidInput, match=r"strings in .*000.parquet and integers in .*001"):
        open_files(files_named(names), PAIRED)


@pytest.mark.parametrize("name", ["log.parquet", "log", "log.arrow"])
def test_a_file_that_is_not_of_its_format_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text("click,p\n1,0.5\n")
    kind = "Arrow" if name.endswith("arrow") else "Parquet"
    with pytest.raises(InvalidInput, match=rf"{name}: not readable as {kind}: "):
        open_files(files_named([str(file)]), PAIRED)


def test_a_file_that_breaks_off_is_refused(tmp_path: Path) -> None:
    names = written(tmp_path, TABLE)
    (task,) = work_of(names, PAIRED)
    content = bytearray(Path(names[0]).read_bytes())
    content[8:1500] = bytes(1492)
    Path(names[0]).write_bytes(content)
    with pytest.raises(InvalidInput, match=r"000.parquet: "):
        evaluate_part(task)


def test_a_file_that_has_gone_is_refused(tmp_path: Path) -> None:
    names = written(tmp_path, TABLE)
    (task,) = work_of(names, PAIRED)
    Path(names[0]).unlink()
    with pytest.raises(InvalidInput, match=r"000.parquet: "):
        evaluate_part(task)


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    broken = pa.array([b"\xff"] * 60).view(pa.string())
    table = TABLE.set_column(3, "user", broken)
    with pytest.raises(InvalidInput, match="user holds a string that is not UTF-8"):
        state_of(written(tmp_path, table), PAIRED)


def names_of(patterns: list[str]) -> list[str]:
    return [file.name for file in files_named(patterns).stored]


def test_files_are_found_by_name_directory_and_pattern_in_a_fixed_order(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.parquet", "a.parquet", "deep/c.parquet", "note.txt"):
        (tmp_path / name).touch()
    names = [str(tmp_path / name) for name in ("a.parquet", "b.parquet", "deep/c.parquet")]
    assert names_of([str(tmp_path)]) == names
    assert names_of([str(tmp_path / "*.parquet")]) == names[:2]
    assert names_of([str(tmp_path / "**/*.parquet")]) == names
    assert names_of([names[1], names[0]]) == [names[1], names[0]]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["no.parquet"], "no.parquet: No such file or directory"),
        (["*.nothing"], r"\*.nothing: no file matches"),
        (["empty"], "there is no \\*.parquet, \\*.csv, "),
        (["a.parquet", "./a.parquet"], "./a.parquet: this file is named twice"),
    ],
)
def test_files_that_are_not_there_or_there_twice_are_refused(
    asked: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("a.parquet").touch()
    with pytest.raises(InvalidInput, match=said):
        files_named(asked)


def test_what_many_rows_lack_is_warned_of() -> None:
    findings = compare(PAIRED_PLAN, {})
    few, many = (
        evaluation_report(findings, EvaluationState(rows=1000, excluded={"arm": count}), Files([]))
        for count in (9, 10)
    )
    (warning,) = set(many.warnings) - set(few.warnings)
    assert warning.startswith("10 of 1,000 rows (1.0%) have no arm and are left out")
