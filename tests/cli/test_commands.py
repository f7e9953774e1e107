"""The command line answers as the service does, from any file, and says in a line why it cannot."""

import gzip
import json
import platform
import re
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from kullback.cli import app
from kullback.cli.terminal import LARGE, waiting
from kullback.requests import REQUESTS
from kullback.requests.validation import array_fields, validated
from kullback.scoring.catalog import METRICS
from kullback.scoring.score_json import encode
from tests.payload.bodies import as_table
from tests.serving import serving

ROOT = Path(__file__).parents[2]
CLICKS = ROOT.parent / "shared" / "data" / "obd_paired.parquet"
PLAIN = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb", "NO_PROXY": "127.0.0.1"}

Columns = dict[str, list[str] | list[float]]

PETS: Columns = {
    "pet": ["dog", "cat", "dog", "eel"],
    "p_dog": [0.7, 0.1, 0.25, 1e-17],
    "p_cat": [0.2, 0.8, 0.25, 0.3],
    "p_eel": [0.1, 0.1, 0.5, 0.7],
    "w": [1.0, 2.0, 0.5, 3.25],
}
ASK_PETS = (
    *("--y-true", "pet", "--y-proba", "p_dog,p_cat,p_eel", "--labels", "dog,cat,eel"),
    *("--sample-weight", "w", "--per-row", "--gradient"),
)
PETS_REQUEST = {
    "y_true": PETS["pet"],
    "y_proba": [
        list(row) for row in zip(*[PETS[name] for name in ("p_dog", "p_cat", "p_eel")], strict=True)
    ],
    "labels": ["dog", "cat", "eel"],
    "sample_weight": PETS["w"],
    "per_row": True,
    "gradient": True,
}


def kullback(*arguments: str | Path, stdin: bytes = b"") -> Result:
    return CliRunner(env=PLAIN).invoke(app, [str(one) for one in arguments], input=stdin)


def score(*arguments: str | Path, stdin: bytes = b"") -> bytes:
    """What `kullback score` prints where it must succeed."""
    result = kullback("score", *arguments, stdin=stdin)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout_bytes


def delimited(table: Columns, sign: str = ",") -> bytes:
    rows = [list(table), *zip(*table.values(), strict=True)]
    return "".join(sign.join(map(str, row)) + "\n" for row in rows).encode()


def arrow(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """The same table in every form, as pets.csv, pets.tsv and so on."""
    table = pa.table({**PETS, "unread": [b"1", None, b"3", b"4"]})
    (tmp_path / "pets.csv").write_bytes(delimited(PETS))
    (tmp_path / "pets.tsv").write_bytes(delimited(PETS, "\t"))
    (tmp_path / "pets.csv.gz").write_bytes(gzip.compress(delimited(PETS)))
    (tmp_path / "pets.tsv.gz").write_bytes(gzip.compress(delimited(PETS, "\t")))
    pq.write_table(table, tmp_path / "pets.parquet")
    (tmp_path / "pets.arrow").write_bytes(arrow(table))
    (tmp_path / "pets.json").write_text(json.dumps(PETS_REQUEST))
    return tmp_path


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with serving() as (address, _, _):
        yield address


@contextmanager
def stranger(
    status: int, media_type: str, body: bytes, others: Mapping[str, str] | None = None
) -> Iterator[str]:
    """A server that is not Kullback and answers every request alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("content-type", media_type)
            self.send_header("content-length", str(len(body)))
            for name, value in (others or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("program", "left_out"),
    [
        ("import kullback", {"importlib.metadata", "numpy"}),
        (
            "from kullback.cli import app; app(['--version'], standalone_mode=False)",
            {"httpx", "numpy", "pydantic", "rich"},
        ),
        ("import kullback.cli.demo, kullback.demo.service", {"httpx", "numpy", "pydantic", "rich"}),
        ("import kullback.server", {"httpx", "rich", "sqlalchemy.dialects.postgresql"}),
    ],
)
def test_what_starts_often_imports_no_more_than_it_needs(program: str, left_out: set[str]) -> None:
    code = f"import sys; {program}; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(  # noqa: S603 - this very program
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert left_out.isdisjoint(done.stderr.split())


def test_a_command_that_is_mistyped_is_led_to_the_near_one() -> None:
    assert "Did you mean 'evaluate'?" in kullback("evalate").stderr


def test_the_version_is_printed() -> None:
    ours = f"kullback {version('kullback')}"
    libraries = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    assert kullback("--version").stdout == f"{ours} ({libraries})\n"


def test_every_metric_is_listed() -> None:
    lines = kullback("metrics").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(METRICS)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_explained_with_its_formula_and_an_example(name: str) -> None:
    text = kullback("metrics", name).stdout
    assert METRICS[name].formula in text
    assert METRICS[name].example.explanation in text


def test_an_unknown_metric_is_not_explained() -> None:
    result = kullback("metrics", "log-los")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "log-los: there is no such metric; did you mean log-loss?\n"


@pytest.mark.parametrize("name", METRICS)
def test_every_field_of_a_request_is_an_option(name: str) -> None:
    text = kullback("score", name, "--help").stdout
    for field in REQUESTS[name].model_fields:
        assert "--" + field.replace("_", "-") in text


@pytest.mark.parametrize("name", METRICS)
def test_a_request_from_standard_input_is_answered(name: str) -> None:
    request = json.dumps(METRICS[name].example.request).encode()
    answer = json.loads(score(name, "-", stdin=request))
    assert answer["value"] == pytest.approx(METRICS[name].example.value, rel=1e-14)


@pytest.mark.parametrize("name", METRICS)
def test_the_service_answers_with_the_same_bytes(name: str, service: str) -> None:
    request = json.dumps(METRICS[name].example.request).encode()
    asked = httpx.post(
        f"{service}/v1/scores/{name}",
        content=request,
        headers={"content-type": "application/json"},
    )
    here = score(name, "-", stdin=request)
    there = score(name, "-", "--url", service, stdin=request)
    assert here == there == asked.content + b"\n"


@pytest.mark.parametrize("kind", ["csv", "tsv", "csv.gz", "tsv.gz", "parquet", "arrow"])
def test_a_table_is_scored_as_the_same_json_request(kind: str, pets: Path) -> None:
    from_table = score("log-loss", pets / f"pets.{kind}", *ASK_PETS)
    assert from_table == score("log-loss", pets / "pets.json")


@pytest.mark.parametrize("name", METRICS)
def test_every_example_is_scored_alike_from_a_table(name: str, tmp_path: Path) -> None:
    request = METRICS[name].example.request
    table, others = as_table(name, request)
    pq.write_table(table, tmp_path / "t.parquet")
    options = [f"-o{field}={json.dumps(value)}" for field, value in others.items()]
    options = [option.replace('base="2"', "base=2") for option in options]
    from_json = score(name, "-", stdin=json.dumps(request).encode())
    assert score(name, tmp_path / "t.parquet", *options) == from_json


def test_a_table_is_sent_to_a_service_as_the_same_request(pets: Path, service: str) -> None:
    there = score("log-loss", pets / "pets.parquet", *ASK_PETS, "--url", service)
    assert there == score("log-loss", pets / "pets.json")


@pytest.mark.parametrize("kind", ["csv", "tsv", "csv.gz", "tsv.gz", "parquet", "arrow"])
def test_standard_input_holds_what_type_says(kind: str, pets: Path) -> None:
    content = (pets / f"pets.{kind}").read_bytes()
    answer = score("log-loss", "-", "--type", kind, *ASK_PETS, stdin=content)
    assert answer == score("log-loss", pets / "pets.json")


def test_an_arrow_file_in_the_random_access_format_is_read(pets: Path) -> None:
    file = pets / "file.arrow"
    with pa.ipc.new_file(file, pa.table(PETS).schema) as writer:
        writer.write_table(pa.table(PETS))
    assert score("log-loss", file, *ASK_PETS) == score("log-loss", pets / "pets.json")


def test_columns_may_be_named_one_by_one(pets: Path) -> None:
    one_by_one = [part for name in ("p_dog", "p_cat", "p_eel") for part in ("--y-proba", name)]
    request = ("--y-true", "pet", *one_by_one, "--labels", '["dog", "cat", "eel"]')
    answer = json.loads(score("log-loss", pets / "pets.csv", *request))
    assert answer["value"] == pytest.approx(np.mean(-np.log([0.7, 0.8, 0.25, 0.7])))


def test_the_order_of_columns_is_that_of_the_command(pets: Path) -> None:
    asked = ("--y-true", "pet", "--y-proba", "p_eel,p_dog,p_cat", "--labels", "eel,dog,cat")
    answer = json.loads(score("log-loss", pets / "pets.csv", *asked))
    assert answer["value"] == pytest.approx(np.mean(-np.log([0.7, 0.8, 0.25, 0.7])))


def test_a_column_whose_name_holds_a_comma_is_found(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a,b": [0.5, 0.5]}), tmp_path / "t.parquet")
    assert json.loads(score("entropy", tmp_path / "t.parquet", "--p", "a,b"))["n"] == 1


def test_columns_named_as_the_fields_need_no_options(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("y_true,y_proba,note\n1,0.5,a\n0,0.25,\n")
    request = b'{"y_true": [1, 0], "y_proba": [0.5, 0.25]}'
    assert score("log-loss", file) == score("log-loss", "-", stdin=request)


def test_with_column_options_only_named_columns_are_used(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("y_true,y_proba,sample_weight\n1,0.5,1\n0,0.25,9\n")
    answer = json.loads(score("log-loss", file, "--y-true", "y_true", "--y-proba", "y_proba"))
    assert answer["weight"] == 2.0


def test_rows_of_integers_are_labels(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("a,b,x,y\n1,0,0.5,0.25\n0,1,0.5,0.75\n")
    asked = ("--y-true", "a,b", "--y-proba", "x,y", "--task", "multilabel")
    request = {
        "y_true": [[1, 0], [0, 1]],
        "y_proba": [[0.5, 0.25], [0.5, 0.75]],
        "task": "multilabel",
    }
    assert score("log-loss", file, *asked) == score(
        "log-loss", "-", stdin=json.dumps(request).encode()
    )


def test_numbers_that_are_not_one_per_row_are_options(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("y_true,y_proba\n1,0.5\n0,0.25\n")
    request = {"y_true": [1, 0], "y_proba": [0.5, 0.25]}
    alpha = json.dumps({**request, "alpha": 0.25, "gamma": 1}).encode()
    assert score("focal-loss", file, "--alpha", "0.25", "--gamma", "1") == score(
        "focal-loss", "-", stdin=alpha
    )
    weighted = json.dumps({**request, "class_weight": [1, 3]}).encode()
    for asked in ("[1, 3]", "1,3"):
        found = score("log-loss", file, "--class-weight", asked)
        assert found == score("log-loss", "-", stdin=weighted)


def test_options_can_be_given_by_name(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("y_true,y_proba\n1,0.5\n0,0.25\n")
    named = score("log-loss", file, "--base", "2", "--convention", "sklearn", "--per-row")
    by_name = ("-o", "base=2", "-o", "convention=sklearn", "--option", "per-row=true")
    assert score("log-loss", file, *by_name) == named


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["1", "2", "2"], [1, 2]),
        (["-1", "0", "10"], [-1, 0, 10]),
        (["007", "7", "7"], ["007", "7"]),
        (["1", "b", "b"], ["1", "b"]),
        (["0xA", "10", "10"], ["0xA", "10"]),
        (["12345678901234567890", "1", "1"], [12345678901234567890, 1]),
        (["99345678901234567890", "1", "1"], ["99345678901234567890", "1"]),
        (["true", "false", "false"], [1, 0]),
        (["2020-01-01", "2020-01-02", "2020-01-02"], ["2020-01-01", "2020-01-02"]),
    ],
)
def test_text_is_an_integer_only_where_all_of_a_column_is_written_so(
    cells: list[str], names: list[str | int], tmp_path: Path
) -> None:
    file = tmp_path / "t.csv"
    file.write_text("g,y,p\n" + "".join(f"{cell},1,0.5\n" for cell in cells))
    asked = ("--group", "g", "--y-true", "y", "--y-proba", "p", "--per-group")
    groups = json.loads(score("recommender", file, *asked))["details"]["groups"]
    assert [group["group"] for group in groups] == names


def test_text_in_a_parquet_file_stays_text(tmp_path: Path) -> None:
    table = pa.table({"y_true": ["1", "0"], "y_proba": [0.5, 0.25]})
    pq.write_table(table, tmp_path / "t.parquet")
    request = b'{"y_true": ["1", "0"], "y_proba": [0.5, 0.25], "labels": ["0", "1"]}'
    answer = score("log-loss", tmp_path / "t.parquet", "--labels", '["0", "1"]')
    assert answer == score("log-loss", "-", stdin=request)


def test_soft_labels_are_read_from_text(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("y_true,y_proba\n0.5,0.5\n1, 0.25\n")
    request = b'{"y_true": [0.5, 1.0], "y_proba": [0.5, 0.25]}'
    assert score("log-loss", file) == score("log-loss", "-", stdin=request)


def test_doubles_survive_text_to_the_last_bit(tmp_path: Path) -> None:
    draws = np.random.default_rng(7).random(1000)
    file = tmp_path / "t.csv"
    file.write_text("y_true,y_proba\n" + "".join(f"1,{draw!r}\n" for draw in draws.tolist()))
    request = json.dumps({"y_true": [1] * 1000, "y_proba": draws.tolist()}).encode()
    assert score("log-loss", file) == score("log-loss", "-", stdin=request)


def test_categories_of_a_parquet_file_are_labels(tmp_path: Path) -> None:
    pet = pa.array(PETS["pet"]).dictionary_encode()
    pq.write_table(pa.table({**PETS, "pet": pet}), tmp_path / "t.parquet")
    from_csv = kullback("score", "log-loss", "-", "--type", "csv", *ASK_PETS, stdin=delimited(PETS))
    assert score("log-loss", tmp_path / "t.parquet", *ASK_PETS) == from_csv.stdout_bytes


def test_the_answer_can_be_indented() -> None:
    request = b'{"p": [0.5, 0.5]}'
    pretty = score("entropy", "-", "--pretty", stdin=request)
    assert pretty.count(b"\n") > 20
    assert json.loads(pretty) == json.loads(score("entropy", "-", stdin=request))


def test_an_infinite_score_is_an_answer() -> None:
    answer = score("log-loss", "-", stdin=b'{"y_true": [1], "y_proba": [0.0]}')
    assert json.loads(answer)["status"] == "infinite"


@pytest.mark.parametrize(
    ("request_", "places"),
    [
        (b'{"y_true": [0, 1], "y_proba": [1.5, -0.5]}', ["y_proba/0: 1.5 ", "y_proba/1: -0.5 "]),
        (b'{"y_true": [0], "y_proba": [[0.5, 0.6]]}', ["y_proba/0: "]),
        (b'{"y_true": [0]}', ["y_proba: "]),
        (b'{"y_true": [0], "y_proba": [true]}', ["y_proba/0: "]),
        (b"[]", ["the body "]),
        (b"", ["the body "]),
    ],
)
def test_a_refusal_names_each_place_here_and_by_a_service(
    request_: bytes, places: list[str], service: str
) -> None:
    here = kullback("score", "log-loss", "-", stdin=request_)
    there = kullback("score", "log-loss", "-", "--url", service, stdin=request_)
    assert (here.exit_code, here.stdout) == (there.exit_code, there.stdout) == (1, "")
    assert here.stderr == there.stderr
    lines = here.stderr.splitlines()
    assert all(map(str.startswith, lines, places))
    assert len(lines) == len(places)


def test_a_refusal_says_the_field_once() -> None:
    request = b'{"y_true": [0], "y_proba": [0.5], "convention": "sklearn", "epsilon": 0.1}'
    told = kullback("score", "log-loss", "-", stdin=request).stderr
    assert told == "epsilon: convention sklearn has its own: send one of the two\n"


def test_places_beyond_the_first_are_counted() -> None:
    request = json.dumps({"y_true": [0] * 50, "y_proba": [2.0] * 50}).encode()
    lines = kullback("score", "log-loss", "-", stdin=request).stderr.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 30 more"


def test_a_refusal_cannot_write_to_the_terminal() -> None:
    result = kullback("score", "entropy", "-", stdin=b'{"\\u001b[31mred": 1, "p": [1.0]}')
    assert result.exit_code == 1
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("y,p\n1,0.5\n,0.5\n", (), "y_true/1: null or NaN, as in 1 of 2 rows"),
        ("y,p\n1,0.5\n1,\n", (), "y_proba/1: null or NaN, as in 1 of 2 rows"),
        ("y,p\n1,0.5\n1,NA\n", (), "y_proba/1: null or NaN, as in 1 of 2 rows"),
        (
            "y,p\n1,0.5\n1,n.a.\n",
            (),
            "y_proba/1: the column p holds no number in row 2 of the table\n",
        ),
        ("y,p,q\n1,0.5,0.5\n1,0.5,\n", ("--y-proba", "q"), "y_proba/1/1: null or NaN, as in "),
        ("y,p\n1,nan\n", (), "y_proba/0: null or NaN, as in 1 of 1 rows"),
    ],
)
def test_a_cell_that_cannot_be_scored_is_named(
    text: str, arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text(text)
    asked = ("--y-true", "y", "--y-proba", "p", *arguments)
    result = kullback("score", "log-loss", tmp_path / "t.csv", *asked)
    assert result.exit_code == 1
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("cell", ["", "NA", "NaN", "nan", "null"])
def test_a_cell_says_that_nothing_is_there(cell: str, tmp_path: Path) -> None:
    table = f"y_true,y_proba,sample_weight\ncat,0.5,1\n{cell},0.5,1\ncat,{cell},1\ndog,0.5,{cell}\n"
    (tmp_path / "t.csv").write_text(table + "dog,0.5,1\n")
    asked = ("--pos-label", "cat", "--missing", "drop")
    found = json.loads(score("log-loss", tmp_path / "t.csv", *asked))
    assert (found["n"], found["diagnostics"]["dropped_rows"]) == (2, [1, 2, 3])
    rows = [[0.5, None], [0.25, 0.75]]
    (tmp_path / "rows.csv").write_text(f"y_true,p,q\n0,0.5,{cell}\n1,0.25,0.75\n")
    columns = ("--y-true", "y_true", "--y-proba", "p,q", "--missing", "drop")
    sent = {"y_true": [0, 1], "y_proba": rows, "missing": "drop"}
    assert score("log-loss", tmp_path / "rows.csv", *columns) == score(
        "log-loss", "-", stdin=json.dumps(sent).encode()
    )


def test_a_column_of_text_is_no_column_of_a_row(pets: Path) -> None:
    asked = ("--y-true", "pet", "--y-proba", "pet,p_dog")
    result = kullback("score", "log-loss", pets / "pets.parquet", *asked)
    assert result.exit_code == 1
    assert (
        result.stderr == "y_proba: the column pet of type string is no part of a row of numbers\n"
    )


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("y_true,y_proba\n")
    result = kullback("score", "log-loss", tmp_path / "t.csv")
    assert result.exit_code == 1
    assert re.fullmatch(r"y_(true|proba): .*empty.*\n", result.stderr)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("pets.json", "--base", "2"),
            "--base is for tables: a JSON request holds its own options",
        ),
        (("pets.json", "--y-true", "pet"), "--y-true is for tables: a JSON request holds its own"),
        (("missing.csv",), "missing.csv: No such file or directory"),
        ((".",), ".: say what it holds with --type: one of json, csv, tsv"),
        ((".", "--type", "csv"), ".: Is a directory"),
        (("pets.json", "--type", "parquet"), "pets.json: not readable as parquet: "),
        (("pets.json", "--type", "arrow"), "pets.json: not readable as arrow: "),
        (("pets.json", "--type", "csv.gz"), "pets.json: Not a gzipped file"),
        (("cut.csv.gz",), "cut.csv.gz: not readable as csv.gz: "),
        (("bent.csv.gz",), "bent.csv.gz: "),
        (("ragged.csv",), "ragged.csv: not readable as csv: row 2 of the table has 1 cells, where"),
        (("empty.csv",), "empty.csv: not readable as csv: "),
        (("twice.csv", "--y-true", "a"), "twice.csv: two columns are named a"),
        (
            ("pets.csv",),
            "pets.csv: no column is named y_true or y_proba or log_proba; name yours, as in --y-tr",
        ),
        (("pets.csv", "--y-true", "pets"), "pets.csv: there is no column pets; did you mean pet?"),
        (("pets.csv", "--y-true", "zzz"), "pets.csv: there is no column zzz; it has pet, p_dog,"),
        (("pets.csv", "-o", "base"), "--option base: NAME=VALUE is expected"),
        (("pets.json", "--url", "localhost"), "--url: localhost is not an http:// or https:// add"),
        (("pets.json", "--url", "http://[::1"), "--url: http://[::1 is not an address: "),
    ],
)
def test_what_cannot_be_used_is_said_in_a_line(
    arguments: tuple[str, ...], said: str, pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pets)
    gz = (pets / "pets.csv.gz").read_bytes()
    (pets / "cut.csv.gz").write_bytes(gz[:-9])
    (pets / "bent.csv.gz").write_bytes(gz[:12] + b"\xff\xff\xff" + gz[15:])
    (pets / "ragged.csv").write_text("y_true,y_proba\n1,0.5\n1\n")
    (pets / "empty.csv").write_text("")
    (pets / "twice.csv").write_text("a,a\n1,2\n")
    result = kullback("score", "log-loss", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1


SPOKEN = {"y_true": [1, 0, 1], "y_proba": [0.5, 0.25, 0.75]}


def spoken(*arguments: str, text: str | bytes, kind: str = "csv") -> bytes:
    content = text if isinstance(text, bytes) else text.encode()
    return score("log-loss", "-", "--type", kind, *arguments, stdin=content)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "y_true, y_proba\n1, 0.5\n0, 0.25\n1, 0.75\n"),
        ((), " y_true ,y_proba\t\n1,0.5\n0,0.25\n1,0.75"),
        ((), "\ufeffy_true,y_proba\r\n1,0.5\r\n0,0.25\r\n1,0.75\r\n"),
        ((), "\n\ny_true,y_proba\n1,0.5\n\n0,0.25\n1,0.75\n"),
        ((), '"y_true","y_proba"\n"1","0.5"\n"0","0.25"\n"1","0.75"\n'),
        ((), "y_true,y_proba\nTrue,0.5\nFalse,0.25\nTrue,0.75\n"),
        ((), "y_true,y_proba\nTRUE,0.5\nFALSE,0.25\nTRUE,0.75\n"),
        (("--pos-label", "True"), "y_true,y_proba\nTrue,0.5\nFalse,0.25\nTrue,0.75\n"),
        (("--labels", "no,yes"), "y_true, y_proba\nyes, 0.5\nno, 0.25\nyes, 0.75\n"),
        (("--delimiter", ";"), "y_true;y_proba\n1;0.5\n0;0.25\n1;0.75\n"),
        (("--delimiter", "\\t"), "y_true\ty_proba\n1\t0.5\n0\t0.25\n1\t0.75\n"),
        (
            ("--delimiter", ";", "--decimal", ","),
            "y_true;y_proba\n1;0,5\n0;0,25\n1;7,5E-1\n",
        ),
        (("--no-header", "--y-true", "1", "--y-proba", "2"), "1,0.5\n0,0.25\n1,0.75\n"),
        (
            ("--encoding", "latin-1", "--y-true", "übung"),
            "übung,y_proba\n1,0.5\n0,0.25\n1,0.75\n".encode("latin-1"),
        ),
        (
            ("--encoding", "utf-16"),
            "y_true,y_proba\n1,0.5\n0,0.25\n1,0.75\n".encode("utf-16"),
        ),
    ],
)
def test_every_dialect_is_scored_as_the_same_numbers(
    arguments: tuple[str, ...], text: str | bytes
) -> None:
    if "--y-true" in arguments and "--y-proba" not in arguments:
        arguments = (*arguments, "--y-proba", "y_proba")
    found = json.loads(spoken(*arguments, text=text))
    expected = json.loads(score("log-loss", "-", stdin=json.dumps(SPOKEN).encode()))
    assert found == expected


@pytest.mark.parametrize(
    ("arguments", "text", "status", "said"),
    [
        (
            (),
            "y_true;y_proba\n1;0.5\n",
            2,
            "\nthe header looks separated by ';': --delimiter ';'\n",
        ),
        ((), "y_true,y_proba\n1,0.5\n1,0,5\n", 2, "row 2 of the table has 3 cells, where there"),
        (
            ("--delimiter", ";"),
            "y_true;y_proba\n1;0,5\n",
            1,
            "in row 1 of the table: is the comma its decimal sign?",
        ),
        ((), b"y_true,y_proba\n1,\xff\n", 2, "its text is not utf-8: say which encoding it has"),
        ((), b"y_tr\xffe,y_proba\n1,1\n", 2, "its text is not utf-8: say which encoding it has"),
        (("--delimiter", ";;"), "a", 2, "--delimiter: one sign is expected"),
        (("--decimal", ","), "a", 2, "--decimal: the same as between cells"),
        (("--encoding", "zip"), "a", 2, "--encoding: no text is written so: try latin-1"),
        (("--encoding", "punycode"), "a", 2, "--encoding: no text is written so: try latin-1"),
        (("--y-true", "y*", "--y-proba", "q_*"), "y,p_1\n1,1\n", 2, "no column is named like q_*"),
    ],
)
def test_a_dialect_that_is_not_meant_is_said(
    arguments: tuple[str, ...], text: str | bytes, status: int, said: str
) -> None:
    content = text if isinstance(text, bytes) else text.encode()
    result = kullback("score", "log-loss", "-", "--type", "csv", *arguments, stdin=content)
    assert result.exit_code == status
    assert said in result.stderr


@pytest.mark.parametrize("option", [("--delimiter", ";"), ("--no-header",)])
def test_dialects_are_of_text(option: tuple[str, ...], pets: Path) -> None:
    result = kullback("score", "log-loss", pets / "pets.parquet", *ASK_PETS, *option)
    assert (result.exit_code, result.stderr) == (2, f"{option[0]} is for CSV and TSV files\n")


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow"])
def test_a_pattern_names_many_columns_in_the_order_of_the_file(kind: str, pets: Path) -> None:
    columns = ("--y-true", "pet", "--y-proba", "p_*", "--labels", "dog,cat,eel")
    more = ("--sample-weight", "w", "--per-row", "--gradient")
    assert score("log-loss", pets / f"pets.{kind}", *columns, *more) == score(
        "log-loss", pets / "pets.json"
    )
    several = ("--y-true", "pet", "--y-proba", "p_dog,p_c*,p_eel", "--labels", "dog,cat,eel")
    assert score("log-loss", pets / f"pets.{kind}", *several, *more) == score(
        "log-loss", pets / "pets.json"
    )


def test_thousands_of_columns_are_one_pattern(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).dirichlet(np.ones(5000), 3)
    table = pa.table({"y": [7, 0, 4999], **{f"p_{i}": rows[:, i] for i in range(5000)}})
    pq.write_table(table, tmp_path / "wide.parquet")
    answer = json.loads(
        score("log-loss", tmp_path / "wide.parquet", "--y-true", "y", "--y-proba", "p_*")
    )
    assert answer["value"] == pytest.approx(np.mean(-np.log(rows[[0, 1, 2], [7, 0, 4999]])))


def test_one_hot_columns_of_booleans_are_rows_of_labels(tmp_path: Path) -> None:
    hot = {"is_a": [True, False], "is_b": [False, True]}
    pq.write_table(
        pa.table({**hot, "p_a": [0.5, 0.25], "p_b": [0.5, 0.75]}), tmp_path / "t.parquet"
    )
    found = score("log-loss", tmp_path / "t.parquet", "--y-true", "is_*", "--y-proba", "p_*")
    request = {"y_true": [[1, 0], [0, 1]], "y_proba": [[0.5, 0.5], [0.25, 0.75]]}
    assert found == score("log-loss", "-", stdin=json.dumps(request).encode())


def test_units_of_a_table_of_text_may_be_names() -> None:
    text = "y_true,y_proba.a,y_proba.b,unit\n1,0.5,0.6,u1\n0,0.5,0.4,u2\n"
    named = ("--y-true", "y_true", "--unit", "unit", "--y-proba", "y_proba.a")
    result = kullback("score", "compare", "-", "--type", "csv", *named, stdin=text.encode())
    assert "holds no number" not in result.stderr


def test_several_metrics_of_a_file_are_one_answer(tmp_path: Path, service: str) -> None:
    file = tmp_path / "t.csv"
    file.write_text("y_true,y_proba,group\n1,0.5,a\n0,0.25,b\n1,0.75,a\n")
    names = ("log-loss", "calibration", "recommender")
    answer = score(",".join(names), file, "--bins", "3")
    scores = json.loads(answer)["scores"]
    assert [*scores] == [*names]
    plain = ("--y-true", "y_true", "--y-proba", "y_proba")
    assert scores["log-loss"] == json.loads(score("log-loss", file, *plain))
    assert scores["calibration"] == json.loads(score("calibration", file, *plain, "--bins", "3"))
    assert scores["recommender"] == json.loads(score("recommender", file))
    assert score(",".join(names), file, "--bins", "3", "--url", service) == answer


def test_several_metrics_of_a_json_request_are_named_beside_it(service: str) -> None:
    request = b'{"y_true": [1, 0], "y_proba": [0.5, 0.25]}'
    here = score("log_loss,entropy", "-", stdin=request)
    scores = json.loads(here)["scores"]
    assert scores["log-loss"] == json.loads(score("log-loss", "-", stdin=request))
    assert scores["entropy"]["errors"][0]["pointer"] == "/p"
    there = json.loads(score("log_loss,entropy", "-", "--url", service, stdin=request))["scores"]
    assert there["log-loss"] == scores["log-loss"]


@pytest.mark.parametrize(
    ("names", "status", "said"),
    [
        ("log-loss,log-los", 2, "log-loss,log-los: there is no such metric; did you mean log-loss"),
        ("log-loss,log-loss", 2, "log-loss,log-loss: stands twice"),
        ("entropy,js-divergence", 1, "p: entropy: p is missing"),
    ],
)
def test_several_metrics_that_cannot_be_are_said(names: str, status: int, said: str) -> None:
    result = kullback("score", names, "-", stdin=b'{"base": "2"}')
    assert result.exit_code == status
    assert result.stderr.startswith(said)


def test_an_unknown_metric_is_answered_with_the_nearest() -> None:
    result = kullback("score", "log-los", "-")
    assert result.exit_code == 2
    said = " ".join(re.sub("[│╭╮╰╯─]", " ", result.stderr).split())
    assert "No such command 'log-los'. Did you mean" in said
    assert "'log-loss'" in said.partition("Did you mean")[2]


def test_a_service_that_cannot_be_reached_is_one_clear_line() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        result = kullback("score", "entropy", "-", "--url", url, stdin=b"{}")
    assert result.exit_code == 3
    assert result.stderr.startswith(f"{url} cannot be reached: ")
    assert result.stderr.count("\n") == 1


def test_a_service_that_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        result = kullback("score", "entropy", "-", "--url", url, "--timeout", "0.05", stdin=b"{}")
    assert (result.exit_code, result.stderr) == (3, f"{url} did not answer within 0.05 s\n")


@pytest.mark.parametrize(
    ("status", "media_type", "body"),
    [
        (200, "text/html", b"<h1>Hello</h1>"),
        (404, "application/json", b'{"detail": "Not Found"}'),
        (400, "application/problem+json", b'{"title": "odd"}'),
    ],
)
def test_a_server_that_is_not_kullback_is_recognized(
    status: int, media_type: str, body: bytes
) -> None:
    with stranger(status, media_type, body) as url:
        result = kullback("score", "entropy", "-", "--url", url, stdin=b"{}")
    said = f"{url} answered {status}, and not as Kullback does\n"
    assert (result.exit_code, result.stderr) == (3, said)


def test_work_on_a_large_file_is_shown_where_somebody_looks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with waiting(LARGE + 1, "unseen"):
        pass
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("FORCE_COLOR", "1")
    with waiting(LARGE + 1, "log-loss of clicks.csv"):
        pass
    captured = capsys.readouterr()
    assert "log-loss of clicks.csv (52 MB)" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("options", "environment", "said"),
    [
        (("--port", "99999"), {}, "--port: Input should be less than or equal to 65535\n"),
        (("--port", "http"), {}, "--port: Input should be a valid integer"),
        (("--database-url", "mysql://x"), {}, "--database-url: String should match pattern"),
        ((), {"KULLBACK_WORKERS": "0"}, "KULLBACK_WORKERS: Input should be greater than or equal"),
        ((), {"WEB_CONCURRENCY": "4"}, "4 processes need PostgreSQL (KULLBACK_DATABASE_URL="),
        ((), {"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY: Input should be greater than or equal"),
        (("--workers", "many"), {}, "--workers: Input should be a valid integer"),
    ],
)
def test_a_setting_that_cannot_be_is_named_by_its_source(
    options: tuple[str, ...],
    environment: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    result = kullback("serve", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(said)


def test_serve_refuses_a_log_level_it_does_not_know() -> None:
    result = kullback("serve", "--log-level", "loud")
    assert result.exit_code == 2
    assert "--log-level" in result.stderr


def test_options_of_serve_override_the_environment() -> None:
    with serving(KULLBACK_PORT="1", KULLBACK_LOG_FORMAT="text") as (address, process, log):
        assert httpx.get(f"{address}/livez").json() == {"status": "alive"}
        process.terminate()
        process.wait()
        lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert lines[-1]["message"] == "stopping"


def test_a_taken_port_ends_serve_with_status_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "kullback", "serve", "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    assert "cannot listen on" in result.stderr


def test_the_command_runs_as_a_program_with_its_exit_status() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "kullback", "score", "entropy", "-"],
        cwd=ROOT,
        input=b'{"p": [0.5, 0.6]}',
        capture_output=True,
        check=False,
    )
    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr.startswith(b"p: the row sums to 1.1, not 1 within sum_tolerance 1e-06")


def test_real_clicks_are_scored_from_a_parquet_file() -> None:
    if not CLICKS.is_file():
        pytest.skip("the Open Bandit sample is not part of the repository")
    asked = ("--y-true", "click", "--y-proba", "p_a", "--group", "unit_id")
    answer = score("recommender", CLICKS, *asked)
    table = pq.read_table(CLICKS, columns=["click", "p_a", "unit_id"])
    model = REQUESTS["recommender"]
    assert {"y_true", "y_proba", "group"} <= array_fields(model).keys()
    request = validated(
        model,
        {
            "y_true": table["click"].to_numpy(),
            "y_proba": table["p_a"].to_numpy(),
            "group": table["unit_id"].to_pylist(),
        },
    )
    assert answer == encode(request.score()) + b"\n"
    details = json.loads(answer)["details"]
    assert details["normalized_entropy"] > 1
    assert details["auc"] == pytest.approx(0.5, abs=0.05)
    assert details["group_summary"]["groups"] == 269
    assert details["groups"] == []
