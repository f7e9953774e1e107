"""What files say does not depend on how the rows lie in them, and loses nothing on its way."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.documents import extended
from kullback.errors import TallyMismatch
from kullback.evaluation.columns import Columns
from kullback.evaluation.files import open_files
from kullback.evaluation.job import evaluation_report, path
from kullback.evaluation.locations import files_named
from kullback.evaluation.state import EvaluationState
from kullback.experiments.arm_tallies import tally_arms
from kullback.experiments.comparison import compare
from kullback.experiments.evaluation_report import EvaluationReport
from kullback.experiments.plan import Plan
from kullback.experiments.reporting import arms_report
from tests.evaluation.logs import (
    PAIRED,
    PAIRED_PLAN,
    PARALLEL,
    PARALLEL_PLAN,
    log,
    rows_of,
    state_of,
    written,
)

pytestmark = pytest.mark.untraced

TABLE = log(700)
DESIGNS = pytest.mark.parametrize(
    ("columns", "plan"), [(PAIRED, PAIRED_PLAN), (PARALLEL, PARALLEL_PLAN)]
)
FEW = log(150)
cuts = st.lists(st.integers(0, 50), max_size=3)


def once(table: pa.Table) -> tuple[EvaluationState, EvaluationState]:
    """What a table says, as paired and as parallel arms."""
    with TemporaryDirectory() as directory:
        names = written(Path(directory), table)
        return state_of(names, PAIRED), state_of(names, PARALLEL)


@DESIGNS
def test_files_say_what_their_rows_say_in_memory(
    columns: Columns, plan: Plan, tmp_path: Path
) -> None:
    state = state_of(written(tmp_path, TABLE, [200, 0, 77], 60), columns)
    assert state.arm_tallies(plan) == tally_arms(plan, rows_of(TABLE, columns))
    assert state.rows == 700


@settings(max_examples=8)
@given(cuts, st.integers(10, 150))
def test_no_cut_of_rows_into_files_and_row_groups_changes_a_bit(
    files: list[int], group: int
) -> None:
    for columns, known in zip((PAIRED, PARALLEL), once(FEW), strict=True):
        with TemporaryDirectory() as directory:
            assert state_of(written(Path(directory), FEW, files, group), columns) == known


@settings(max_examples=8)
@given(st.permutations(range(FEW.num_rows)))
def test_no_order_of_rows_changes_a_bit_but_of_the_way_there(order: list[int]) -> None:
    for found, known in zip(once(FEW.take(pa.array(order))), once(FEW), strict=True):
        same = (replace(state, steps={}).encoded().hex() for state in (found, known))
        assert next(same) == next(same)


@settings(max_examples=8)
@given(st.integers(0, 100), st.integers(0, 100))
def test_states_add_up_in_any_order_and_nothing_changes_nothing(n: int, m: int) -> None:
    one, other = (once(log(size, seed))[0] for seed, size in enumerate((n, m)))
    both = EvaluationState.total([one, other])
    assert both.encoded() == EvaluationState.total([other, one, EvaluationState()]).encoded()
    assert EvaluationState.decoded(both.encoded()).encoded() == both.encoded()


def test_a_state_of_an_unknown_version_is_refused() -> None:
    with pytest.raises(TallyMismatch, match="version 99"):
        EvaluationState.decoded(b"\x99" + EvaluationState().encoded()[1:])


def test_rows_without_units_count_each_for_itself_over_all_files(tmp_path: Path) -> None:
    columns = replace(PARALLEL, unit=None)
    state = state_of(written(tmp_path, TABLE, [100, 250], 90), columns)
    assert state.arm_tallies(PARALLEL_PLAN) == tally_arms(PARALLEL_PLAN, rows_of(TABLE, columns))
    assert state.units == {}


@pytest.mark.parametrize("kind", [pa.int32(), pa.uint64(), pa.int64()])
def test_whole_numbers_are_units_as_they_are_in_memory(kind: pa.DataType, tmp_path: Path) -> None:
    number = np.random.default_rng(3).integers(0, 90, 700)
    table = TABLE.set_column(3, "user", pa.array(number).cast(kind))
    for columns, plan in ((PAIRED, PAIRED_PLAN), (PARALLEL, PARALLEL_PLAN)):
        rows = replace(rows_of(table, columns), unit=number)
        found = state_of(written(tmp_path, table, [300]), columns)
        assert found.arm_tallies(plan) == tally_arms(plan, rows)


def test_it_is_all_the_same_whether_strings_are_kept_as_a_dictionary(tmp_path: Path) -> None:
    plain = state_of(written(tmp_path, TABLE), PARALLEL).encoded()
    for kind in (pa.large_string(), pa.dictionary(pa.int32(), pa.string())):
        table = TABLE
        for place, name in ((3, "user"), (4, "variant"), (5, "country")):
            table = table.set_column(place, name, TABLE[name].cast(kind))
        assert state_of(written(tmp_path, table), PARALLEL).encoded() == plain


@DESIGNS
def test_the_report_of_files_is_that_of_their_rows_with_what_was_read(
    columns: Columns, plan: Plan, tmp_path: Path
) -> None:
    names = written(tmp_path, TABLE, [400], 100)
    state = state_of(names, columns)
    findings = compare(plan, state.arm_tallies(plan))
    assert evaluation_report(findings, state, open_files(files_named(names), columns)) == extended(
        EvaluationReport,
        arms_report(compare(plan, tally_arms(plan, rows_of(TABLE, columns)))),
        files=tuple(names),
        formats={"Parquet": 2},
        skipped=(),
        rows=700,
        excluded={},
        path=path(plan, state),
    )


@DESIGNS
def test_the_path_ends_where_the_report_does_and_begins_before(
    columns: Columns, plan: Plan, tmp_path: Path
) -> None:
    state = state_of(written(tmp_path, TABLE, [333], 100), columns)
    points = path(plan, state)
    (last,) = points[-1].comparisons
    (whole,) = compare(plan, state.arm_tallies(plan)).comparisons[""]
    assert whole.confidence_sequence is not None
    assert last.sequence == (whole.confidence_sequence.low, whole.confidence_sequence.high)
    assert last.log_e_value == whole.confidence_sequence.log_e_value
    counts = [point.n for point in points]
    assert len(points) > 40
    assert counts == sorted(counts)
    assert counts[-1] == 700


def test_each_point_of_the_path_is_what_its_rows_say(tmp_path: Path) -> None:
    points = path(PAIRED_PLAN, state_of(written(tmp_path, TABLE), PAIRED))
    point = points[len(points) // 2]
    rows = rows_of(TABLE.slice(0, point.n), PAIRED)
    (known,) = compare(PAIRED_PLAN, tally_arms(PAIRED_PLAN, rows)).comparisons[""]
    (found,) = point.comparisons
    assert known.confidence_sequence is not None
    assert found.sequence == (known.confidence_sequence.low, known.confidence_sequence.high)
