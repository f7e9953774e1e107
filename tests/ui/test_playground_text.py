"""The script of the playground reads requests and tables, and says where what is wrong stands."""

import ast
import json
import shlex
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest

from kullback.scoring.catalog import METRICS
from kullback.ui.playground import content
from tests.monitoring.service import Document
from tests.ui.test_playground import HOSTILE

SCRIPT = (
    Path(__file__).parent.parent.parent
    / "app"
    / "kullback"
    / "ui"
    / "static"
    / "playground-text.js"
)
KNOWN = {
    "columns": {
        "y_true": {"kind": "label", "axes": 2, "keys": False},
        "y_proba": {"kind": "number", "axes": 2, "keys": False},
        "logits": {"kind": "logit", "axes": 2, "keys": False},
        "slice": {"kind": "value", "axes": 1, "keys": True},
        "unit": {"kind": "id", "axes": 1, "keys": False},
        "mask": {"kind": "flag", "axes": 2, "keys": False},
    },
    "labels": True,
    "words": ["base"],
}


def ran(expression: str, **given: object) -> object:
    """What this is, of the functions in playground-text.js."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: NO SCRIPT IS RUN (apt: nodejs)")
    module = b64encode(SCRIPT.read_bytes()).decode()
    program = f"""
        const text = await import("data:text/javascript;base64,{module}");
        const {{ check, find, place, named, fromTable, query, calls }} = text;
        const given = JSON.parse(process.argv[1]);
        let found;
        try {{ found = {expression}; }} catch (error) {{
          if (!(error instanceof text.Unreadable)) throw error;
          found = {{ refused: error.message, at: error.at }};
        }}
        console.log(JSON.stringify(found ?? null));"""
    run = subprocess.run(  # noqa: S603 - our own script
        [node, "--input-type=module", "--eval", program, json.dumps(given)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: object = json.loads(run.stdout)
    return found


def table(csv: str, before: str = "{}") -> Document:
    found = ran(
        "fromTable(given.csv, given.known, given.before)", csv=csv, known=KNOWN, before=before
    )
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ('{"p": [1, 2,]}', 12, "not ]"),
        ('{"p": [1 2]}', 9, "a comma or ]"),
        ('{"p": NaN}', 6, "not NaN"),
        ("{'p': 1}", 1, "double quotes"),
        ('{"p": 1} x', 9, "goes on"),
        ('{"p":', 5, "ends"),
        ('{"p": 01}', 6, "not 01"),
        ("[" * 100_000, 200, "deeply"),
    ],
)
def test_what_is_not_json_is_refused_where_it_is_wrong(text: str, at: int, message: str) -> None:
    found = ran("check(given.text)", text=text)
    assert isinstance(found, dict)
    assert found["at"] == at
    assert message in found["refused"]


def test_every_example_is_read_as_json() -> None:
    texts = [content(metric, "http://kullback/")["text"] for metric in METRICS.values()]
    assert ran("given.texts.map(check).every((found) => found === undefined)", texts=texts) is True


@pytest.mark.parametrize(
    ("pointer", "stands", "exact"),
    [
        ("/p/1/0", "-1", True),
        ("/p/1", '[-1, "]"]', True),
        ("/y_proba/a~1b~0/1", "true", True),
        ("/q", "{", False),
        ("/p/9", "[", False),
    ],
)
def test_a_pointer_finds_its_place_in_the_text(pointer: str, stands: str, *, exact: bool) -> None:
    text = '{"p": [[0.5, 1e-3],\n  [-1, "]"]], "y_proba": {"a/b~": ["\\"", true]}}'
    found = ran("find(given.text, given.pointer)", text=text, pointer=pointer)
    assert isinstance(found, dict)
    assert text[found["from"] : found["to"]] == stands
    assert found["exact"] == exact


def test_a_place_is_told_by_line_and_column() -> None:
    assert ran("place('{\\n  1', 4)") == {"line": 2, "column": 3}
    assert ran("named('/y_proba/a~1b/3')") == "y_proba.a/b[3]"


def test_a_table_becomes_the_request_that_its_head_names() -> None:
    csv = (
        '\ufeffy_true;y_proba.dog;y_proba.cat;note\r\n"a ""dog""";.5;0.50;1\r\ncat;1.;+0;2\r\n\r\n'
    )
    found = table(csv, before='{"base": "2", "p": [1], "y_true": 1}')
    assert json.loads(str(found["text"])) == {
        "y_true": ['a "dog"', "cat"],
        "y_proba": [[0.5, 0.5], [1, 0]],
        "labels": ["dog", "cat"],
        "base": "2",
    }
    assert found["unused"] == ["note"]
    assert found["rows"] == 2


@pytest.mark.parametrize(
    ("head", "labels"),
    [
        ("y_true.b,y_true.a,y_proba.a,y_proba.b", {"labels": ["a", "b"]}),
        ("y_true.1,y_true.0,y_proba.0,y_proba.1", {}),
        ("y_true.2,y_true.1,y_proba.p_0,y_proba.p_1", {}),
    ],
)
def test_columns_of_rows_stand_in_one_order_in_every_field(head: str, labels: Document) -> None:
    found = table(f"{head}\n1,0,0.25,0.75\n")
    assert (
        json.loads(str(found["text"])) == {"y_true": [[0, 1]], "y_proba": [[0.25, 0.75]]} | labels
    )


def test_ten_columns_are_in_the_order_of_their_numbers() -> None:
    names = sorted(f"logits.{number}" for number in range(11))
    found = table(",".join(names) + "\n" + ",".join(name[7:] for name in names) + "\n")
    assert json.loads(str(found["text"])) == {"logits": [list(range(11))]}


def test_numbers_of_a_table_keep_every_digit() -> None:
    found = table("y_true,unit,y_proba\n123456789012345678,007,0.12345678901234567891\n1,8,1e-3\n")
    assert "123456789012345678," in str(found["text"])
    assert '["007", "8"]' in str(found["text"])
    assert "[0.12345678901234567891, 1e-3]" in str(found["text"])


def test_columns_with_dots_are_objects_where_a_field_has_names() -> None:
    found = table("slice.country\tslice.a.b\tlogits.0\tlogits.1\tmask\nDE\t1\t-inf\t2\ttrue\n")
    assert json.loads(str(found["text"])) == {
        "slice": {"country": ["DE"], "a.b": [1]},
        "logits": [["-Infinity", 2]],
        "mask": [True],
    }


@pytest.mark.parametrize(
    ("csv", "message"),
    [
        ("a,b\n1,2", "No column"),
        ("y_true\n", "a line for each row"),
        ("y_true,y_proba\n1,0.5\n1,x", "Row 2 of the file has x under y_proba"),
        ("y_true,y_proba\n1,", "nothing under y_proba"),
        ("y_true,y_proba\n1", "1 cells"),
        ("y_true,y_true\n1,2", "Two columns"),
        ("unit.a,unit.b\n1,2", "Only one column"),
        ('y_true\n"x', "a quote"),
    ],
)
def test_a_table_that_cannot_be_read_says_where(csv: str, message: str) -> None:
    assert message in str(table(csv)["refused"])


def test_the_options_of_a_file_are_the_query() -> None:
    text = '{"base": "2", "per_row": true, "labels": ["a b"], "pos_label": "1"}'
    found = ran("query(given.text, ['base'])", text=text)
    assert found == "?base=2&per_row=true&labels=%5B%22a+b%22%5D&pos_label=%221%22"


@pytest.mark.parametrize(
    "name", [*HOSTILE, "it's", "back\\slash/", "\U0001f600\ud83d", "$(id) `id`"]
)
def test_calls_carry_any_name_as_it_is(name: str) -> None:
    request = {name: [True, None, "true", name], "n": 1.5}
    found = ran("calls('http://k/', 'application/json', given.text)", text=json.dumps(request))
    assert isinstance(found, dict)
    assert json.loads(shlex.split(found["curl"])[-1]) == request
    line = next(line for line in found["python"].splitlines() if line.startswith("request = "))
    assert ast.literal_eval(line.removeprefix("request = ")) == request


def test_a_file_is_sent_by_its_name() -> None:
    found = ran("calls('http://k/?base=2', 'x/y', '{}', given.name)", name="my 'log'.parquet")
    assert isinstance(found, dict)
    assert shlex.split(found["curl"])[-2:] == ["--data-binary", "@my 'log'.parquet"]
    assert "Path(\"my 'log'.parquet\").read_bytes()" in found["python"]


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (0.536479, 0.156668, "0.54"),
        (0.156668, 0.156668, "0.16"),
        (0.223144, None, "0.2231"),
        (-0.5, None, "−0.5"),
        (9.988e56, None, "9.988 × 10⁵⁶"),
        (3e-9, None, "3 × 10⁻⁹"),
        (12345, None, "12,345"),
        (None, None, "—"),
    ],
)
def test_numbers_are_told_to_the_digits_that_are_known(
    value: float | None, error: float | None, words: str
) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: NO SCRIPT IS RUN (apt: nodejs)")
    source = SCRIPT.with_name("playground-pictures.js").read_text()
    module = b64encode(source.replace('import { plot } from "./playground-plot.js";', "").encode())
    program = f"""
        const {{ shown }} = await import("data:text/javascript;base64,{module.decode()}");
        console.log(shown(...JSON.parse(process.argv[1])));"""
    run = subprocess.run(  # noqa: S603 - our own script
        [node, "--input-type=module", "--eval", program, json.dumps([value, error])],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert run.stdout.strip() == words
