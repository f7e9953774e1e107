"""The rules of the house: who may import whom, names that stand once, the length of files."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
APP = ROOT / "app" / "kullback"
MAX_LINES = 300

PURE = ("errors",)
FORMULAS = (*PURE, "numerics", "scoring")
SERVICES = (
    *FORMULAS,
    "documents",
    "moments",
    "timezones",
    "clock",
    "tally",
    "judgement",
    "storage.base",
    "storage.rows",
    "storage.prepared",
    "storage.records",
    "storage.slice_values",
    "stored_sums",
    "maintenance",
)
EDGE = (
    *(*FORMULAS, "settings", "moments", "timezones", "documents", "payload", "requests", "access"),
    *("services", "monitoring", "experiments", "figures"),
)
REPORTS = (
    *("monitoring.report", "monitoring.drift_report", "monitoring.replies"),
    *(f"experiments.{name}" for name in ("plan", "measured", "report", "evaluation_report")),
    "experiments.replies",
    "experiments.verdict_words",
    "experiments.wording",
)
ALLOWED: dict[str, tuple[str, ...]] = {
    "errors": (),
    "moments": (),
    "timezones": (*FORMULAS, "moments"),
    "clock": ("errors", "moments", "storage.base"),
    "stored_sums": ("errors", "moments", "storage.base", "tally"),
    "maintenance": ("errors", "storage.base"),
    "setting_types": (),
    "settings": ("setting_types", "connections.limits"),
    "documents": (),
    "process_limits": (),
    "numerics": PURE,
    "scoring": (*PURE, "numerics"),
    "tally": FORMULAS,
    "judgement": (*FORMULAS, "moments", "tally"),
    "storage": (*PURE, "documents", "moments"),  # of a tally it knows the bytes
    "monitoring": SERVICES,
    "experiments": SERVICES,
    "figures": ("moments", "numerics.digits", "tally.bins", "tally.report_types", *REPORTS),
    "evaluation": (*FORMULAS, "documents", "moments", "tally", "experiments", "figures"),
    "access": ("errors", "documents", "moments", "storage.base"),
    "demo": (),  # a caller like any other: it knows no more than HTTP
    "telemetry": (
        *FORMULAS,
        "judgement.findings",
        "judgement.settings",
        "monitoring",
        "experiments",
    ),
    "payload": (*FORMULAS, "moments", "timezones"),
    "requests": (
        *FORMULAS,
        "access.keys",
        "timezones",
        "moments",
        "payload",
        "judgement.settings",
        "monitoring",
        "experiments",
    ),
    "connections": ("errors", "api.problem_document", "api.problem_types"),
    "library": (*FORMULAS, "payload", "requests"),
    "services": ("monitoring", "experiments", "maintenance"),
    "api": EDGE,
    "ui": (*EDGE, "tally", "judgement.findings", "judgement.settings", "api"),
    "cli": (
        *EDGE,
        "tally",
        "evaluation",
        "client",
        "demo",
        "server_processes",
        "key_checks",
        "store_checks",
        "storage.backup",
        "storage.backup_file",
        "storage.contents",
        "api.catalog",
        "api.several_answer",
    ),
}
# the rest of a service is pure
OF_THE_STORE = ("writes", "queries", "selection", "maintenance", "windows")
FORBIDDEN = {  # although what it stands in is allowed
    "evaluation": tuple(f"experiments.{module}" for module in OF_THE_STORE),
    "telemetry": ("monitoring.writes", "experiments.writes"),
    "requests": tuple(
        f"{service}.{module}"
        for service in ("monitoring", "experiments")
        for module in OF_THE_STORE
    ),
}
ROOTS = {
    "__init__",
    "__main__",
    "key_checks",
    "listeners",
    "main",
    "scores_at_once",
    "server",
    "server_processes",
    "store_checks",
}  # they put the rest together
WEB_ROOMS = {"api", "ui", "telemetry", "main", "scores_at_once", "server"}
LIBRARIES = {  # what each is, and the rooms that may import it
    "fastapi": ("the web", WEB_ROOMS),
    "starlette": ("the web", WEB_ROOMS),
    "uvicorn": ("the web", {"connections", "main", "server"}),
    "httptools": ("the web", {"connections"}),
    "httpx": ("the web", {"access", "cli", "demo"}),
    "prometheus_client": ("the web", {"telemetry"}),
    "opentelemetry": ("the web", {"telemetry"}),
    "jinja2": ("a maker of pages", {"evaluation", "ui"}),
    "jwt": ("a reader of tokens", {"access"}),
    "sqlalchemy": ("a database", {"storage"}),
    "psycopg": ("a database", {"storage"}),
    "typer": ("the terminal", {"cli"}),
    "rich": ("the terminal", {"cli"}),
}
WORLD = {"asyncio", "datetime", "logging", "os", "pathlib", "random", "secrets", "socket", "time"}
KNOW_NO_WORLD = {"errors", "documents", "numerics", "scoring", "tally", "judgement", "requests"}

SAY_NOTHING = {"found", "told", "asked", "one", "known"}  # a noun of the field says what it is


def imported(file: Path) -> Iterator[str]:
    """The full name of everything a module imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from (f"{base}.{alias.name}" for alias in node.names)


def is_within(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def complaint(package: str, name: str) -> str | None:
    """Why this package may not import that, if it may not."""
    top, _, within = name.partition(".")
    if name.startswith("."):
        return "imports by a relative name"
    if top == "kullback" and package not in ROOTS:
        if not is_within(within, (*ALLOWED[package], package)):
            return "is not among those it may import"
        if is_within(within, FORBIDDEN.get(package, ())):
            return "is of the store"
    what, rooms = LIBRARIES.get(top, ("", {package}))
    if package not in rooms:
        return f"is {what}"
    if top in WORLD and package in KNOW_NO_WORLD:
        return "is the world outside"
    return None


def violations(app: Path) -> list[str]:
    """Every import that breaks the rule, and every package the rule does not know."""
    found = []
    for file in sorted(app.rglob("*.py")):
        place = file.relative_to(app)
        package = place.parts[0].removesuffix(".py")
        if package not in ALLOWED and package not in ROOTS:
            found.append(f"{place}: the rule does not know {package}")
            continue
        wrong = ((name, complaint(package, name)) for name in imported(file))
        found += [f"{place}: {name} {why}" for name, why in wrong if why]
    return found


def standing_twice(app: Path) -> set[str]:
    """Public names of classes that more than one module has."""
    places = defaultdict(set)
    for file in app.rglob("*.py"):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].add(file)
    return {name for name, files in places.items() if len(files) > 1}


def saying_nothing(app: Path) -> list[str]:
    """Where names of Python say nothing: variables, attributes, parameters, keywords, imports."""
    return [
        f"{file.relative_to(app)}: {name}"
        for file in sorted(app.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        for kind in ("id", "attr", "arg", "name", "asname")
        if isinstance(name := getattr(node, kind, None), str)
        and name.strip("_").lower() in SAY_NOTHING
    ]


def hesitating(root: Path) -> list[str]:
    """Modules whose first line puts words before what they hold."""
    return [
        str(file.relative_to(root))
        for room in ("app", "bench", "client", "tests")
        for file in sorted((root / room).rglob("*.py"))
        if "node_modules" not in file.parts
        and (ast.get_docstring(ast.parse(file.read_text())) or "").startswith("This file is")
    ]


def test_every_package_imports_only_what_it_may() -> None:
    assert violations(APP) == []


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {file: len(file.read_text().splitlines()) for file in APP.rglob("*.py")}
    assert {str(file): n for file, n in lengths.items() if n > MAX_LINES} == {}


def test_a_public_class_has_a_name_of_its_own() -> None:
    assert standing_twice(APP) == set()


def test_a_module_begins_with_what_it_holds() -> None:
    assert hesitating(ROOT) == []


def test_every_name_says_what_it_is() -> None:
    assert saying_nothing(APP) == []


@pytest.mark.parametrize(
    ("place", "line", "reported"),
    [
        ("scoring/a.py", "from kullback.api import problems", "kullback.api.problems is not among"),
        ("scoring/a.py", "import kullback.settings", "kullback.settings is not among"),
        ("scoring/a.py", "import fastapi", "fastapi is the web"),
        ("scoring/deep/a.py", "from time import monotonic", "time.monotonic is the world"),
        ("tally/a.py", "def f():\n    import os", "os is the world"),
        (
            "errors.py",
            "from kullback.scoring.score import Score",
            "kullback.scoring.score.Score is not",
        ),
        (
            "monitoring/a.py",
            "from kullback import experiments",
            "kullback.experiments is not among",
        ),
        (
            "monitoring/a.py",
            "from kullback.storage.sql import Store",
            "kullback.storage.sql.Store is not",
        ),
        ("api/a.py", "from kullback.storage import base", "kullback.storage.base is not among"),
        (
            "demo/a.py",
            "from kullback.main import create_app",
            "kullback.main.create_app is not among",
        ),
        (
            "api/a.py",
            "from .problems import problems",
            ".problems.problems imports by a relative name",
        ),
        ("payload/a.py", "from starlette.types import Scope", "starlette.types.Scope is the web"),
        ("requests/a.py", "from kullback.api import problems", "api.problems is not among"),
        ("requests/a.py", "from kullback.monitoring import writes", "writes is of the store"),
        ("requests/a.py", "import time", "time is the world"),
        ("evaluation/a.py", "import kullback.experiments.queries", "queries is of the store"),
        ("evaluation/a.py", "from kullback.storage.base import Store", "Store is not among"),
        ("telemetry/a.py", "from kullback.monitoring.writes import Monitors", "is of the store"),
        ("figures/a.py", "from kullback.experiments.queries import ExperimentQuery", "not among"),
        ("figures/a.py", "import jinja2", "jinja2 is a maker of pages"),
        ("storage/a.py", "from kullback.tally.merge import merge", "merge.merge is not among"),
        ("cli/a.py", "from kullback.storage.sql import open_store", "open_store is not among"),
        ("cli/a.py", "from kullback.api.problems import problems", "problems is not among"),
        ("cli/a.py", "import fastapi", "fastapi is the web"),
        ("api/a.py", "import uvicorn", "uvicorn is the web"),
        ("experiments/a.py", "import jinja2", "jinja2 is a maker of pages"),
        ("monitoring/a.py", "from sqlalchemy import select", "sqlalchemy.select is a database"),
        ("evaluation/a.py", "import rich", "rich is the terminal"),
        ("api/a.py", "from kullback import scoringly", "kullback.scoringly is not among"),
        ("helpers/a.py", "", "the rule does not know helpers"),
    ],
)
def test_a_planted_violation_is_reported(
    place: str, line: str, reported: str, tmp_path: Path
) -> None:
    file = tmp_path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(line)
    (found,) = violations(tmp_path)
    assert found.startswith(f"{place}: ")
    assert reported in found


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("monitoring/a.py", "from kullback.storage.base import Store"),
        ("evaluation/a.py", "from kullback.experiments.comparison import compare"),
        ("api/a.py", "from kullback.api.problems import problems\nimport fastapi"),
        ("main.py", "from kullback.storage.sql import Store\nimport uvicorn"),
    ],
)
def test_what_is_allowed_is_not_reported(place: str, line: str, tmp_path: Path) -> None:
    file = tmp_path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(line)
    assert violations(tmp_path) == []


def test_a_planted_second_class_is_reported(tmp_path: Path) -> None:
    for place, text in {
        "a.py": "class Arm: ...",
        "b.py": "class Arm: ...\nclass _Own: ...",
    }.items():
        (tmp_path / place).write_text(text)
    (tmp_path / "c.py").write_text("class _Own: ...\nclass Alone: ...")
    assert standing_twice(tmp_path) == {"Arm"}


@pytest.mark.parametrize(
    "line",
    [
        "found = 1",
        "def f(asked): ...",
        "record.known",
        "f(told=1)",
        "for _one in (): ...",
        "import record as found",
        "class Asked: ...",
    ],
)
def test_a_planted_name_that_says_nothing_is_reported(line: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(line)
    assert len(saying_nothing(tmp_path)) == 1


def test_words_in_texts_and_within_names_are_not_counted(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("not_found = 'one is found'  # as asked")
    assert saying_nothing(tmp_path) == []


def test_a_planted_hesitation_is_reported(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "a.py").write_text('"""This file is about drift."""')
    (tmp_path / "app" / "b.py").write_text('"""Drift: this file is short."""')
    assert hesitating(tmp_path) == ["app/a.py"]
