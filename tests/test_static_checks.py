"""What must not stand in the service is refused by a check that is seen to refuse it."""

import ast
import json
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
APP = ROOT / "app" / "kullback"
RUFF = Path(sysconfig.get_path("scripts")) / "ruff"
STATEMENTS = {
    "exec_driver_sql",
    "execute",
    "executemany",
    "executescript",
    "scalar",
    "scalars",
    "text",
}
FORBIDDEN = {  # by ruff, in a file of the service
    "import pickle": "TID251",
    "import marshal": "TID251",
    "import shelve": "TID251",
    "eval(input())": "S307",
    "exec(input())": "S102",
    "import numpy as np\nnp.load('x')": "TID251",
    "from numpy import load": "TID251",
    "import pyarrow.json": "TID251",
    "from pyarrow import json": "TID251",
    "import yaml\nyaml.load('')": "S506",
    "import os\nos.system('ls')": "S605",
    "import subprocess\nsubprocess.run('ls', shell=True)": "S602",
    "import tempfile\ntempfile.mktemp()": "S306",
    "import random\nrandom.random()": "S311",
    "import hashlib\nhashlib.md5(b'')": "S324",
}


def files() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(APP.rglob("*.py")):
        yield str(file.relative_to(APP)), ast.parse(file.read_text("utf-8"))


def urls_of_requests(tree: ast.AST) -> list[int]:
    """Lines that take a path or a query from a URL, which a Host header can change."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"path", "query", "hostname", "netloc"}
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "url"
    ]


def statements_of_text(tree: ast.AST) -> list[int]:
    """Lines that run a statement which is put together from values."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and _name(node.func) in STATEMENTS
        and node.args
        and _is_put_together(node.args[0])
    ]


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_put_together(value: ast.expr) -> bool:
    match value:
        case ast.JoinedStr(values=parts):
            return any(isinstance(part, ast.FormattedValue) for part in parts)
        case ast.BinOp(op=ast.Add() | ast.Mod()):
            return True
        case ast.Call(func=ast.Attribute(attr="format" | "join")):
            return True
    return False


@pytest.mark.parametrize("source", FORBIDDEN)
def test_the_linter_refuses_what_is_dangerous(source: str) -> None:
    result = subprocess.run(  # noqa: S603 - the linter of our own environment
        [RUFF, "check", "--output-format=json", "--stdin-filename", APP / "new.py", "-"],
        input=source,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert FORBIDDEN[source] in {finding["code"] for finding in json.loads(result.stdout)}


def test_nothing_is_decided_by_the_url_of_a_request() -> None:
    assert [(name, line) for name, tree in files() for line in urls_of_requests(tree)] == []
    assert urls_of_requests(ast.parse("if request.url.path == '/admin': pass")) == [1]


def test_no_statement_is_put_together_from_text() -> None:
    seen = {(name, line) for name, tree in files() for line in statements_of_text(tree)}
    # Names of our own: pragmas of SQLite, and settings of PostgreSQL.
    assert {name for name, _ in seen} <= {
        "storage/sqlite_connections.py",
        "storage/postgresql.py",
    }, seen
    for source in ('c.execute(f"SELECT {x}")', 'text("a" + b)', 'c.execute("%s" % x)'):
        assert statements_of_text(ast.parse(source)) == [1]
