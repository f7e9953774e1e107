"""`kullback evaluate` answers whole or not at all, and says in a line why it cannot."""

import gzip
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyarrow import csv
from typer.testing import CliRunner, Result

from kullback.cli import app
from kullback.cli.outputs import write
from kullback.cli.terminal import Failure
from tests.evaluation.logs import log, written

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
PLAIN = {"NO_COLOR": "1", "TERM": "dumb"}
COLOURS = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
TABLE = log(3_000)
PAIRED = ("--y-true", "click", "--paired", "a=p_a,b=p_b", "--unit", "user")
PARALLEL = ("--y-true", "click", "--y-proba", "p_a", "--arm", "variant", "--unit", "user")
_SKIPPED = ("_SUCCESS", "a.txt", "b.txt", "c.txt")
EFFECT = ("--minimum-effect", "0.05")


def evaluate(*arguments: str | Path, **environment: str) -> Result:
    runner = CliRunner(env={**PLAIN, **environment})
    return runner.invoke(app, ["evaluate", *map(str, arguments), "--workers", "1"])


def document(*arguments: str | Path) -> dict[str, object]:
    """What `kullback evaluate --json -` prints where it must succeed."""
    result = evaluate(*arguments, "--json", "-")
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def comparison(found: dict[str, object]) -> dict[str, object]:
    comparisons = found["comparisons"]
    assert isinstance(comparisons, list)
    (one,) = comparisons
    assert isinstance(one, dict)
    return one


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("logs")
    missing = pa.array([None, *TABLE["click"].to_pylist()[1:]], pa.int8())
    written(directory, TABLE.set_column(0, "click", missing), [1_000, 700], 400)
    return directory


def test_the_terminal_shows_verdict_arms_segments_and_what_was_left_out(logs: Path) -> None:
    result = evaluate(logs, *PAIRED, *EFFECT, "--by", "country", "--by", "variant")
    assert (result.exit_code, result.stderr) == (0, "")
    for part in (
        "b and a are equivalent",
        "At every look between",
        "Against a",
        "country = DE",
        "variant = b",
        "Excluded of 3,000 rows: 1 without y_true.",
    ):
        assert part in result.stdout
    assert "\x1b" not in result.stdout


def test_in_parallel_the_arms_are_those_seen_and_their_units_are_counted(logs: Path) -> None:
    found = document(logs, *PARALLEL, *EFFECT, "--control", "b")
    assert found["control"] == "b"
    assert comparison(found)["arm"] == "a"
    ratio = found["sample_ratio"]
    assert isinstance(ratio, dict)
    assert set(ratio["units"]) == {"a", "b"}
    told = evaluate(logs, *PARALLEL).stdout
    assert "Sample ratio: as planned" in told
    assert "Note: On split traffic" in told
    assert "Note: Without a minimum effect" in told


def test_a_control_that_nobody_chose_is_said_with_how_to_choose_another(logs: Path) -> None:
    note = "Note: The control is a, the first arm by name: --control ARM chooses another."
    assert note in evaluate(logs, *PARALLEL).stdout
    for more in (("--control", "a"), ("--shares", "a=0.5,b=0.5")):
        assert "The control is" not in evaluate(logs, *PARALLEL, *more).stdout
    assert "The control is" not in evaluate(logs, *PAIRED).stdout


@pytest.mark.parametrize("options", [PAIRED, PARALLEL, (*PARALLEL, "--shares", "a=0.5,b=0.5")])
def test_the_control_comes_first(options: tuple[str, ...], logs: Path) -> None:
    arms = document(logs, *options, "--control", "b")["arms"]
    assert isinstance(arms, list)
    assert [arm["arm"] for arm in arms] == ["b", "a"]


def test_without_units_the_verdict_says_what_that_costs(logs: Path, tmp_path: Path) -> None:
    result = evaluate(logs, *PAIRED[:4], *EFFECT, "--html", tmp_path / "report.html")
    assert result.exit_code == 0, result.output
    claim, caution, arms = map(result.stdout.index, ("At every look", "No --unit is given", "Arms"))
    assert claim < caution < arms
    assert result.stdout.count("No --unit is given") == 1
    verdict, _, _ = (tmp_path / "report.html").read_text().partition("</section>")
    assert "No --unit is given" in verdict
    assert "No --unit" not in evaluate(logs, *PAIRED, *EFFECT).stdout


def test_what_was_read_and_what_was_not_is_said(tmp_path: Path) -> None:
    written(tmp_path, TABLE.slice(0, 1_000), [500])
    csv.write_csv(TABLE.slice(1_000), tmp_path / "more.csv")
    for name in _SKIPPED:
        (tmp_path / name).touch()
    shown = evaluate(tmp_path, *PAIRED).stdout
    assert "Read: 3,000 rows of 3 files (1 CSV, 2 Parquet). Not read, as neither name nor" in shown
    names = ", ".join(str(tmp_path / name) for name in ("_SUCCESS", "a.txt", "b.txt"))
    assert f"is that of a log: {names}, …." in " ".join(shown.split())
    found = document(tmp_path, *PAIRED)
    assert found["formats"] == {"CSV": 1, "Parquet": 2}
    assert found["skipped"] == [str(tmp_path / name) for name in _SKIPPED]


def test_the_positive_one_of_two_names_is_named(tmp_path: Path) -> None:
    names = pa.array([("no", "yes")[click] for click in TABLE["click"].to_pylist()])
    csv.write_csv(TABLE.set_column(0, "click", names), tmp_path / "log.csv")
    (tmp_path / "same").mkdir()
    written(tmp_path / "same", TABLE)
    found = document(tmp_path / "log.csv", *PAIRED, *EFFECT, "--pos-label", "yes")
    same = document(tmp_path / "same", *PAIRED, *EFFECT)
    assert comparison(found) == comparison(same)
    result = evaluate(tmp_path / "log.csv", *PAIRED, "--pos-label", "Yes")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "--pos-label Yes: the column click holds 'no' and 'yes'\n"


def test_shares_name_the_arms_and_what_was_planned_for_them(logs: Path) -> None:
    found = document(logs, *PARALLEL, *EFFECT, "--shares", "b=0.1,a=0.9")
    assert found["control"] == "b"
    assert comparison(found)["reason_code"] == "sample_ratio_mismatch"


def test_every_form_of_the_answer_is_written_whole(logs: Path, tmp_path: Path) -> None:
    targets = {name: tmp_path / f"report.{name}" for name in ("json", "html", "markdown")}
    targets["json"].write_text("an older report")
    asked = [part for name, file in targets.items() for part in (f"--{name}", str(file))]
    result = evaluate(logs, *PAIRED, *EFFECT, *asked)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "b and a are equivalent" in result.stdout
    found = json.loads(targets["json"].read_text())
    names = [str(logs / f"{number:03}.parquet") for number in range(3)]
    assert (found["files"], found["rows"], found["excluded"]) == (names, 3_000, {"y_true": 1})
    assert found["path"][-1]["n"] == 2_999
    assert targets["html"].read_text().startswith("<!DOCTYPE html>")
    assert targets["markdown"].read_text().startswith("# ")
    assert sorted(tmp_path.iterdir()) == sorted(targets.values())


def test_what_is_asked_for_on_stdout_is_all_that_is_there(logs: Path) -> None:
    assert evaluate(logs, *PAIRED, "--markdown", "-").stdout.startswith("# ")
    assert json.loads(evaluate(logs, *PAIRED, "--json", "-").stdout)["design"] == "paired"


def test_where_one_file_cannot_be_written_the_others_stay_as_they_were(tmp_path: Path) -> None:
    there, directory = tmp_path / "there", tmp_path / "gone"
    there.write_text("as it was")
    with pytest.raises(Failure, match="gone"):
        write({str(there): "new", str(directory / "file"): "new"})
    assert there.read_text() == "as it was"
    assert list(tmp_path.iterdir()) == [there]


def test_a_device_is_written_to_and_stays_a_device(logs: Path) -> None:
    assert evaluate(logs, *PAIRED, "--json", os.devnull).exit_code == 0
    assert Path(os.devnull).is_char_device()


def test_names_from_a_file_cannot_command_the_terminal(tmp_path: Path) -> None:
    country = pa.array(["[red]\x1b[2J"] * 3_000)
    written(tmp_path, TABLE.set_column(5, "country", country))
    result = evaluate(tmp_path, *PAIRED, *EFFECT, "--by", "country")
    assert "country = [red]\N{REPLACEMENT CHARACTER}[2J" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("no.parquet", *PAIRED), "no.parquet: No such file or directory"),
        ((".", *PAIRED, "--by", "nation"), "000.parquet: there is no column nation"),
        ((".", "--y-true", "user", "--paired", "p_a,p_b"), "the column user is of type string"),
        ((".", "--y-true", "click", "--paired", "p_a,w"), "column w holds 1.5 in row 3"),
        ((".", "--y-true", "click"), "name the predictions: --paired A,B, or --y-proba P and"),
        ((".", *PAIRED, "--arm", "variant"), "--arm says nothing beside --paired"),
        ((".", *PAIRED, "--shares", "a=0.5,b=0.5"), "--shares says nothing beside --paired"),
        ((".", "--y-true", "click", "--paired", "p_a"), "--paired p_a: two arms or more"),
        ((".", "--y-true", "click", "--paired", "a=,b"), "--paired a=,b: [NAME=]COL,[NAME=]COL"),
        ((".", *PAIRED, "--propensity", "w"), "--propensity and --target-propensity are needed"),
        ((".", *PAIRED, "--by", "a=b"), "--by a=b: a segment is named COL=VALUE"),
        ((".", *PAIRED, "--alpha", "2"), "alpha: is not in [1e-100, 0.5]"),
        ((".", *PAIRED, "--metric", "auc"), "metric: Input should be 'log_loss'"),
        ((".", *PAIRED, "--metric", "base_rate"), "metric: the labels of paired arms are the"),
        ((".", *PAIRED, "--convention", "mine"), "convention: Input should be 'exact'"),
        ((".", *PAIRED, "--control", "c"), "--control c: the arms are a, b"),
        ((".", *PARALLEL, "--control", "c"), "--control c: the arms are a, b"),
        ((".", *PARALLEL, "--shares", "a=1,b"), "--shares a=1,b: ARM=SHARE,ARM=SHARE is"),
        ((".", *PARALLEL, "--shares", "a=0.5,b=0.4"), "arms: the shares sum to 0.9, not 1"),
        ((".", *PARALLEL, "--shares", "a=0.5,c=0.5"), "variant holds 'b' in row 2: the arms are"),
        ((".", *PARALLEL[:4], "--arm", "one"), "two arms or more are needed in one: all"),
        ((".", *PAIRED, "--json", "."), "--json .: this is a directory"),
        ((".", *PAIRED, "--html", "no/a.html"), "--html no/a.html: there is no such directory"),
        ((".", *PAIRED, "--json", "-", "--markdown", "-"), "--markdown -: --json goes there"),
        ((".", *PAIRED, "--dask", "tcp://127.0.0.1:1"), "--workers says nothing beside --dask"),
        ((".", *PAIRED, "--workers", "0"), "'--workers'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_line(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variants = ["a", "b"] * 1_500
    table = TABLE.set_column(4, "variant", pa.array(variants))
    weights = [0.5, 1.0, 1.5] * 1_000
    table = table.set_column(6, "w", pa.array(weights)).append_column(
        "one", pa.array(["all"] * 3000)
    )
    written(tmp_path, table)
    monkeypatch.chdir(tmp_path)
    runner = CliRunner(env={**PLAIN, "COLUMNS": "200"})
    result = runner.invoke(app, ["evaluate", "--workers", "1", *arguments])
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["000.parquet"]


def test_work_that_stops_ends_with_another_status(
    logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    runner = CliRunner(env=PLAIN)
    result = runner.invoke(app, ["evaluate", str(logs), *PAIRED, "--dask", "tcp://127.0.0.1:1"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == 'Dask is not installed here: pip install "kullback[dask]"\n'


def test_several_processes_answer_as_one_does_and_say_nothing_in_a_pipe(logs: Path) -> None:
    asked = [str(logs), *PAIRED, *EFFECT, "--by", "country", "--json", "-"]
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "kullback", "evaluate", *asked, "--workers", "2"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    assert json.loads(done.stdout) == document(*asked[:-2])


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudoterminals")
def test_progress_is_shown_in_a_terminal_and_an_interrupt_leaves_no_file(tmp_path: Path) -> None:
    data, left = tmp_path / "data", tmp_path / "left"
    data.mkdir()
    left.mkdir()
    first = data / "0.parquet"
    pq.write_table(pa.concat_tables([TABLE] * 100), first)
    for number in range(1, 2_000):  # of minutes: the interrupt comes first on any machine
        (data / f"{number}.parquet").hardlink_to(first)
    asked = [str(data), *PAIRED, "--json", str(left / "a.json"), "--html", str(left / "a.html")]
    terminal, end = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "kullback", "evaluate", *asked, "--workers", "2"],
        cwd=ROOT,
        env={**os.environ, **COLOURS, "COLUMNS": "100"},
        stdout=subprocess.DEVNULL,
        stderr=end,
        start_new_session=True,
    )
    os.close(end)
    seen = b""
    while b"rows/s" not in seen:
        seen += os.read(terminal, 4096)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    seen += _rest(terminal)
    assert process.wait() == 130
    assert b"of 600,000,000 rows" in seen
    assert b"interrupted: nothing was written" in seen
    assert b"Traceback" not in seen
    assert list(left.iterdir()) == []


def _rest(terminal: int) -> bytes:
    """What is shown until the last process that may show something has ended."""
    seen = b""
    try:
        while more := os.read(terminal, 4096):
            seen += more
    except OSError:  # how Linux says that nobody is left
        pass
    os.close(terminal)
    return seen


def test_paired_models_of_real_logs_are_not_decided_yet() -> None:
    file = DATA / "obd_paired.parquet"
    if not file.is_file():
        pytest.skip("the Open Bandit sample is not part of the repository")
    asked = ("--paired", "p_a,p_b", "--y-true", "click", "--unit", "unit_id")
    found = comparison(document(file, *asked, "--minimum-effect", "0.0005"))
    assert found["verdict"] == "undecided"
    assert found["effect"] == pytest.approx(-0.00074, abs=1e-5)


def test_a_policy_of_which_a_few_real_rows_decide_everything_is_refused(tmp_path: Path) -> None:
    file = DATA / "obd_small_men_women.csv.gz"
    if not file.is_file():
        pytest.skip("the Open Bandit sample is not part of the repository")
    with gzip.open(file) as content:
        table = csv.read_csv(content)
    table = table.filter(pc.equal(table["policy"], "bts"))
    target = pc.divide(1.0, pc.cast(table["n_items"], pa.float64()))
    table = table.append_column("target", target)
    table = table.append_column("p_hat", pa.array([0.005] * table.num_rows))
    pq.write_table(table, tmp_path / "bts.parquet")
    asked = ("--y-true", "click", "--y-proba", "p_hat", "--arm", "campaign")
    weights = ("--propensity", "propensity_score", "--target-propensity", "target")
    found = document(tmp_path, *asked, *weights, "--minimum-effect", "0.001")
    one = comparison(found)
    assert (one["verdict"], one["reason_code"]) == ("invalid", "effective_sample_size")
    arms = found["arms"]
    assert isinstance(arms, list)
    size = {arm["arm"]: arm["effective_sample_size"] for arm in arms}
    assert size["men"] == pytest.approx(656, abs=1)
    assert size["women"] == pytest.approx(2.1, abs=0.05)
    assert "effective rows" in next(arm["refused"] for arm in arms if arm["arm"] == "women")
