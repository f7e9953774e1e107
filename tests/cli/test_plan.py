"""`kullback plan` says from a log how long an experiment takes, or in a line why it cannot."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from kullback.cli import app
from tests.evaluation.logs import log

TABLE = log(3_000)
COLUMNS = ("--y-true", "click", "--unit", "user")
SINGLE = (*COLUMNS, "--y-proba", "p_a")


def plan(*arguments: str | Path) -> Result:
    runner = CliRunner(env={"NO_COLOR": "1", "TERM": "dumb"})
    return runner.invoke(app, ["plan", *map(str, arguments)])


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("pilot") / "clicks.parquet"
    pq.write_table(TABLE, file)
    return file


def document(*arguments: str | Path) -> dict[str, object]:
    result = plan(*arguments, "--json", "-")
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def test_it_says_units_days_and_what_days_find(pilot: Path) -> None:
    result = plan(pilot, *SINGLE, "--minimum-effect", "2%", "--units-per-day", "500")
    assert (result.exit_code, result.stderr) == (0, "")
    for words in (
        "Pilot: ",
        "3,000 rows, log loss",
        "treatment against control",
        "one planned look, 80% power: ",
        "any look, 95% power: ",
        " days",
        "28 days (14,000 units) find: ",
    ):
        assert words in result.stdout


def test_shares_are_those_that_are_planned(pilot: Path) -> None:
    halves = document(pilot, *SINGLE, "--minimum-effect", "0.005")
    tenth = document(pilot, *SINGLE, "--minimum-effect", "0.005", "--shares", "old=0.9,new=0.1")
    units = [units_of(each) for each in (halves, tenth)]
    assert units[1] / units[0] == pytest.approx((1 / 0.9 + 1 / 0.1) / 4, rel=1e-3)


def test_paired_arms_take_fewer_units(pilot: Path) -> None:
    both = document(pilot, *COLUMNS, "--paired", "a=p_a,b=p_b", "--minimum-effect", "0.05")
    assert both["design"] == "paired"
    assert units_of(both) < units_of(document(pilot, *SINGLE, "--minimum-effect", "0.05"))


def test_a_rate_needs_no_predictions(pilot: Path) -> None:
    found = document(pilot, *COLUMNS, "--metric", "base_rate", "--minimum-effect", "5%")
    assert found["metric"] == "base_rate"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*COLUMNS, "--minimum-effect", "0.1"), "name the predictions"),
        ((*SINGLE, "--paired", "p_a,p_b"), "name the predictions"),
        (SINGLE, "minimum_effect, or units_per_day"),
        ((*SINGLE, "--minimum-effect", "x"), "minimum_effect"),
        ((*SINGLE, "--units-per-day", "0"), "--units-per-day"),
        ((*SINGLE, "--units-per-day", "5", "--days", "a"), "--days a"),
        ((*SINGLE, "--units-per-day", "5", "--days", "0"), "above 0"),
        ((*SINGLE, "--shares", "a", "--minimum-effect", "1"), "--shares a"),
        (("--y-true", "none", "--y-proba", "p_a", "--minimum-effect", "1"), "none"),
    ],
)
def test_what_cannot_be_planned_is_said_in_a_line(
    pilot: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = plan(pilot, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def units_of(found: dict[str, object]) -> int:
    sizes = found["sizes"]
    assert isinstance(sizes, list)
    units = sizes[0]["units"]
    assert isinstance(units, int)
    return units
