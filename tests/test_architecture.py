"""Who may import whom, and how long a file may be."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = Path(__file__).parent.parent / "app" / "kullback"
MAX_LINES = 300

PURE = ("errors",)
FORMULAS = (*PURE, "numerics", "scoring")
SERVICES = (*FORMULAS, "documents", "moments", "tally", "storage.base", "maintenance")
EDGE = (
    *(*FORMULAS, "settings", "moments", "documents", "payload", "requests"),
    *("services", "monitoring", "experiments"),
)
ALLOWED: dict[str, tuple[str, ...]] = {
    "errors": (),
    "moments": (),
    "maintenance": ("errors", "storage.base"),
    "settings": (),
    "documents": (),
    "numerics": PURE,
    "scoring": (*PURE, "numerics"),
    "tally": FORMULAS,
    "storage": (*PURE, "documents", "tally"),
    "monitoring": SERVICES,
    "experiments": SERVICES,
    "evaluation": (*SERVICES, "experiments"),
    "demo": (),  # a caller like any other: it knows no more than HTTP
    "telemetry": (*FORMULAS, "monitoring", "experiments"),
    "payload": (*FORMULAS, "moments"),
    "requests": (*FORMULAS, "moments", "payload", "monitoring", "experiments"),
    "services": ("monitoring", "experiments", "maintenance"),
    "api": EDGE,
    "ui": (*EDGE, "tally", "api"),
}
ROOTS = {"__init__", "__main__", "cli", "main", "server"}
WEB = {"fastapi", "starlette", "uvicorn", "httpx", "prometheus_client"}
MAY_KNOW_THE_WEB = {"api", "demo", "ui", "telemetry"}
MAY_MAKE_PAGES = {"evaluation", "ui"}
WORLD = {"asyncio", "datetime", "logging", "os", "pathlib", "random", "secrets", "socket", "time"}
KNOW_NO_WORLD = {"errors", "numerics", "scoring", "tally"}


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
    top = name.partition(".")[0]
    if name.startswith("."):
        return "imports by a relative name"
    if top == "kullback" and not is_within(
        name.removeprefix("kullback."), (*ALLOWED[package], package)
    ):
        return "is not among those it may import"
    if top in WEB and package not in MAY_KNOW_THE_WEB:
        return "is the web"
    if top == "jinja2" and package not in MAY_MAKE_PAGES:
        return "makes pages"
    if top in WORLD and package in KNOW_NO_WORLD:
        return "is the world outside"
    return None


def violations(app: Path) -> list[str]:
    """Every import that breaks the rule, and every package the rule does not know."""
    found = []
    for file in sorted(app.rglob("*.py")):
        place = file.relative_to(app)
        package = place.parts[0].removesuffix(".py")
        if package in ROOTS:
            continue
        if package not in ALLOWED:
            found.append(f"{place}: the rule does not know {package}")
            continue
        wrong = ((name, complaint(package, name)) for name in imported(file))
        found += [f"{place}: {name} {why}" for name, why in wrong if why]
    return found


def test_every_package_imports_only_what_it_may() -> None:
    assert violations(APP) == []


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {file: len(file.read_text().splitlines()) for file in APP.rglob("*.py")}
    assert {str(file): n for file, n in lengths.items() if n > MAX_LINES} == {}


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
