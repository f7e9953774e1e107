"""Rows of arms that nobody named are refused, or left out and counted."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.test_evaluate import PARALLEL, TABLE, document, evaluate

SHARES = ("--shares", "a=0.5,b=0.5")


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log with a fifth of its rows in a holdout, and one row without an arm."""
    file = tmp_path_factory.mktemp("held") / "log.parquet"
    arms = TABLE["variant"].to_pylist()
    names = [None, *("holdout" if at % 5 == 0 else arm for at, arm in enumerate(arms[1:], 1))]
    at = TABLE.column_names.index("variant")
    pq.write_table(TABLE.set_column(at, "variant", pa.array(names)), file)
    return file


def test_rows_of_other_arms_are_left_out_and_counted(held: Path, tmp_path: Path) -> None:
    found = document(held, *PARALLEL, *SHARES, "--other-arms", "ignore")
    assert found["excluded"] == {"arm": 1, "other_arms": 599}
    rest = tmp_path / "rest.parquet"
    table = pq.read_table(held)
    keep = [arm not in {"holdout", None} for arm in table["variant"].to_pylist()]
    pq.write_table(table.filter(pa.array(keep)), rest)
    alone = document(rest, *PARALLEL, *SHARES)
    for name in ("arms", "comparisons", "sample_ratio"):
        assert found[name] == alone[name]
    shown = evaluate(held, *PARALLEL, *SHARES, "--other-arms", "ignore")
    assert "1 without arm, 599 of other arms" in shown.stdout


def test_they_are_refused_where_nobody_says_so(held: Path) -> None:
    result = evaluate(held, *PARALLEL, *SHARES)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "holds 'holdout' in row 6" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("--other-arms", "ignore"), "needs --shares"), ((*SHARES, "--other-arms", "no"), "error or")],
)
def test_what_does_not_fit_is_said(held: Path, arguments: tuple[str, ...], words: str) -> None:
    result = evaluate(held, *PARALLEL, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
