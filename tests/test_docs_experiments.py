"""What the documents say of experiments and of `kullback evaluate` is what these do."""

import inspect
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import typer
from httpx import AsyncClient

from kullback.cli import app as commands
from kullback.evaluation.batch import MAX_SEGMENTS
from kullback.experiments import comparison, verdict
from kullback.experiments.plan import MAX_ARMS
from kullback.experiments.selection import POINTS
from kullback.experiments.verdict import (
    LEAST_EFFECTIVE,
    LEAST_POSITIVES,
    MOST_CROSSED,
    WARN_CROSSED,
    VerdictWord,
)
from kullback.moments import FUTURE_SECONDS
from kullback.requests.arms import LONGEST_ARM
from kullback.requests.batch_columns import MAX_SLICES
from kullback.requests.experiments import ExperimentBatch, ExperimentSettings
from kullback.tally.confidence_sequence import MOST_OF_ONE
from kullback.tally.grouping import MAX_GROUPS
from kullback.tally.sample_ratio import ALARM
from kullback.tally.unit_set import UnitSet
from kullback.tally.units import BUCKETS, GROUPS
from kullback.telemetry.experiment_collector import MAX_SERIES
from tests.serving import serving
from tests.test_docs import EXPERIMENTS_PAGE, OPERATIONS_PAGE, blocks, names_within, section

ROOT = Path(__file__).parent.parent
STATISTICS_PAGE = (ROOT / "docs" / "statistics.md").read_text()
LIMITS: Mapping[str, int] = {
    "arms of an experiment": MAX_ARMS,
    "characters of the name of an arm": LONGEST_ARM,
    "slices of an experiment": MAX_SLICES,
    "hours and slice values that one request may touch, together": MAX_GROUPS,
    "seconds that a timestamp of a row may lie in the future": FUTURE_SECONDS,
    "points of a series": POINTS,
    "segments of a column of files": MAX_SEGMENTS,
    "series in Prometheus, of all experiments": MAX_SERIES,
}
ROWS = {
    "y_true": [1, 0, 1, 0],
    "unit": [1, 1, 2, 3],
    "slice": {"country": ["DE", "DE", "FR", "FR"]},
}
PAIRED = (
    {"design": "paired"},
    {"y_proba": {"old": [0.6, 0.4, 0.5, 0.3], "new": [0.9, 0.2, 0.6, 0.1]}},
)
PARALLEL = (
    {"design": "parallel"},
    {"y_proba": [0.6, 0.2, 0.5, 0.3], "arm": ["old", "new", "new", "old"]},
)
NAMED_BY_CALLERS = {"old", "new", "country", "1"}
SHELL = r"^```sh\n(kullback evaluate .*)\n```$"


def below(page: str, heading: str) -> str:
    """The text under a heading of the third rank."""
    return re.split(r"^#", page.split(f"### {heading}\n", 1)[1], flags=re.MULTILINE)[0]


def options() -> Iterator[tuple[str, str, str]]:
    """Each option of the command, what stands behind it, and what is said of it."""
    command = typer.main.get_command(commands)
    assert isinstance(command, typer.core.TyperGroup)
    evaluate = command.get_command(typer.Context(command), "evaluate")
    assert evaluate is not None
    for found in evaluate.params:
        if isinstance(found, typer.core.TyperOption):
            yield found.opts[0], str(found.metavar), str(found.help).replace("\\[", "[")


def run(*command: str, where: Path) -> str:
    """What a program prints."""
    result = subprocess.run(  # noqa: S603 - the examples of our own documents
        [sys.executable, *command],
        capture_output=True,
        text=True,
        check=True,
        cwd=where,
        env={"PYTHONPATH": str(ROOT)},
    )
    return result.stdout


def test_the_python_of_experiments_runs_and_prints_what_is_printed(tmp_path: Path) -> None:
    program = blocks(EXPERIMENTS_PAGE, "python")[0]
    assert "http://127.0.0.1:8000/" in program
    with serving() as (address, _, _):
        told = run("-c", program.replace("http://127.0.0.1:8000", address), where=tmp_path)
    assert told == blocks(EXPERIMENTS_PAGE, "text")[0] + "\n"


def test_the_files_of_the_page_are_evaluated_as_it_says(tmp_path: Path) -> None:
    run("-c", blocks(EXPERIMENTS_PAGE, "python")[1], where=tmp_path)
    command = shlex.split(re.findall(SHELL, EXPERIMENTS_PAGE, flags=re.MULTILINE)[0])
    told = run("-m", "kullback", *command[1:], where=tmp_path)
    assert told.startswith(blocks(EXPERIMENTS_PAGE, "text")[1] + "\n")
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_evaluations_of_the_page_have_options_that_exist() -> None:
    known = {name for name, _, _ in options()}
    found = re.findall(SHELL, EXPERIMENTS_PAGE, flags=re.MULTILINE)
    assert found
    for command in found:
        given = {word for word in shlex.split(command) if word.startswith("--")}
        assert given <= known, command


def test_every_option_of_evaluate_is_documented_as_its_help_says() -> None:
    text = section(EXPERIMENTS_PAGE, "Files: `kullback evaluate`")
    rows = re.findall(r"^\| `--.*$", text, flags=re.MULTILINE)
    escaped = [(name, metavar.replace("|", "\\|"), words) for name, metavar, words in options()]
    assert rows == [f"| `{name} {metavar}` | {words} |" for name, metavar, words in escaped]


def test_every_setting_of_an_experiment_is_documented_with_its_default() -> None:
    text = section(EXPERIMENTS_PAGE, "Setting up")
    for name, field in ExperimentSettings.model_fields.items():
        if field.is_required():
            assert f"| `{name}` | required |" in text
        else:
            default = "none" if field.default is None else f"`{json.dumps(field.default)}`"
            assert f"| `{name}` | {default} |" in text


def test_every_field_of_a_batch_of_an_experiment_is_documented() -> None:
    text = section(EXPERIMENTS_PAGE, "Rows")
    assert [name for name in ExperimentBatch.model_fields if f"`{name}`" not in text] == []


@pytest.mark.anyio
@pytest.mark.parametrize(("design", "forecasts"), [PAIRED, PARALLEL], ids=["paired", "parallel"])
async def test_every_name_in_an_answer_of_an_experiment_is_documented(
    design: Mapping[str, str], forecasts: Mapping[str, object], own_client: AsyncClient
) -> None:
    base = "/v1/experiments/ranker"
    plan = {"arms": ["old", "new"], "slices": ["country"], "minimum_effect": 0.1, **design}
    answers = [
        await own_client.put(base, json=plan),
        await own_client.post(f"{base}/observations", json={**ROWS, **forecasts}),
        await own_client.get(f"{base}/report", params={"by": "country"}),
        await own_client.get(f"{base}/series"),
        await own_client.get(base),
        await own_client.get("/v1/experiments"),
    ]
    assert all(answer.is_success for answer in answers)
    found = {name for answer in answers for name in names_within(answer.json())}
    assert {"accepted", "sample_ratio", "points", "epoch", "auc_difference", "observed"} <= found
    missing = found - NAMED_BY_CALLERS - {"base_rate_difference"}
    assert [name for name in sorted(missing) if f"`{name}`" not in EXPERIMENTS_PAGE] == []


def test_every_verdict_is_documented() -> None:
    text = below(EXPERIMENTS_PAGE, "Verdicts")
    first = text.split("| `reason_code` |")[0]
    rows = re.findall(r"^\| `(\w+)` \|", first, flags=re.MULTILINE)
    assert set(rows) == {"verdict", *VerdictWord}


def test_every_code_of_a_reason_is_documented_with_its_verdict() -> None:
    source = inspect.getsource(verdict) + inspect.getsource(comparison)
    given = re.findall(r'Verdict\(\s*VerdictWord\.(\w+),\s*"(\w+)"', source)
    codes = {(word.lower(), code) for word, code in given}
    sentences = inspect.getsource(verdict.undefined_effect).split("sentences = {")[1].split("}")[0]
    undefined = re.findall(r'^\s*"(\w+)":', sentences, flags=re.MULTILINE)
    codes |= {("invalid", code) for code in undefined}
    codes |= {("invalid", "beyond_doubles")}
    codes |= {("undecided", code) for code in re.findall(r'return "(\w+)", ', source)}
    assert {("undecided", "dominated"), ("invalid", "one_class")} < codes
    text = below(EXPERIMENTS_PAGE, "Verdicts").split("| `reason_code` |")[1]
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", text, flags=re.MULTILINE)
    assert {(word, code) for code, word in rows} == codes


@pytest.mark.parametrize(("what", "limit"), LIMITS.items())
def test_every_limit_of_an_experiment_is_documented(what: str, limit: int) -> None:
    assert f"| {what} | {limit:,} |" in section(EXPERIMENTS_PAGE, "Limits")


def test_guards_are_at_the_numbers_that_the_pages_say() -> None:
    page = re.sub(r"(?<!\n)\n(?!\n)", " ", STATISTICS_PAGE)
    guards = section(STATISTICS_PAGE, "Verdicts")
    assert f"e below {ALARM:,.0f}" in guards
    assert (
        f"less than {MOST_CROSSED:.0%} of all (a warning from {WARN_CROSSED:.0%})".replace(
            "%", " %"
        )
        in guards
    )
    assert f"| {LEAST_EFFECTIVE} in each arm" in guards
    assert f"| {LEAST_POSITIVES} in each arm" in guards
    assert f"Σ u²/{1 / MOST_OF_ONE:.0f}" in guards
    assert f"B = {BUCKETS:,} buckets" in page
    assert f"G = {GROUPS} groups" in page


def test_a_unit_takes_as_many_bytes_as_the_page_says() -> None:
    sizes = [len(UnitSet.of(list(map(str, range(n)))).encoded()) for n in (0, 1000)]
    assert sizes[1] - sizes[0] == 4 * 1000
    assert "its units, four bytes each" in OPERATIONS_PAGE


def test_sections_to_be_filled_with_measurements_are_there() -> None:
    names: Sequence[str] = re.findall(r"<!-- measured: ([\w ]+), begin -->", STATISTICS_PAGE)
    assert names == ["coverage", "ramps", "peeking", "power", "methods", "families", "sample ratio"]
    for name in names:
        assert f"<!-- measured: {name}, end -->" in STATISTICS_PAGE
