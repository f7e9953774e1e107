"""The client as a distribution: its wheel, alone with httpx in an environment of its own."""

import ast
import json
import shutil
import sys
import sysconfig
import tomllib
from email import message_from_string
from pathlib import Path
from zipfile import ZipFile

import pytest

from kullback.main import create_app
from kullback_client import __version__
from tests.client import write_schemas
from tests.serving import ROOT, Served
from tests.test_architecture import MAX_LINES
from tests.test_installed import SCRIPTS, built, run

CLIENT = ROOT / "client"
PACKAGE = CLIENT / "kullback_client"
HTTPX = ("httpx", "httpcore", "h11", "anyio", "idna", "certifi", "sniffio", "typing_extensions")
OF_A_CALLER = """
import json, sys
from kullback_client import Client
score = Client(sys.argv[1]).score("log-loss", y_true=[1, 0], y_proba=[0.5, 0.5], base="2")
print(json.dumps([score.value, sorted({"numpy", "pandas", "pyarrow"} & set(sys.modules))]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source") / "client"
    shutil.copytree(
        CLIENT, source, ignore=shutil.ignore_patterns("*.egg-info", "__pycache__", "build")
    )
    return built(source)


def test_the_wheel_holds_the_package_and_nothing_beside_it(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        said = message_from_string(archive.read(metadata).decode())
    files = (file for file in PACKAGE.rglob("*") if file.is_file() and file.suffix != ".pyc")
    assert names == {file.relative_to(CLIENT).as_posix() for file in files}
    assert (said["Name"], said["Version"]) == ("kullback-client", __version__)
    assert said.get_all("Requires-Dist") == ["httpx>=0.28"]
    assert said.get_payload() == (CLIENT / "README.md").read_text()


def test_it_needs_httpx_alone(wheel: Path, tmp_path: Path, served: Served) -> None:
    run(SCRIPTS / "uv", "venv", "--python", sys.executable, tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    here = Path(sysconfig.get_path("purelib"))
    for name in HTTPX:
        for found in (here / name, here / f"{name}.py"):
            if found.exists():
                (packages / found.name).symlink_to(found)
    run(SCRIPTS / "uv", "pip", "install", "--no-deps", "--python", python, wheel)
    printed = run(python, "-c", OF_A_CALLER, served.address, directory=tmp_path)
    assert json.loads(printed) == [1.0, []]


@pytest.mark.parametrize("package", ["kullback_client", "kullback.client"])
def test_importing_it_imports_no_library_of_tables(package: str) -> None:
    program = f"import sys, {package}; print(*sys.modules)"
    loaded = set(run(sys.executable, "-c", program).split())
    assert loaded.isdisjoint({"numpy", "pandas", "polars", "pyarrow", "pydantic", "kullback.cli"})


def test_the_service_carries_the_same_code() -> None:
    assert (ROOT / "app" / "kullback" / "client").resolve() == PACKAGE


def test_its_version_stands_once_in_either_place() -> None:
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__
    assert project["requires-python"] == _service()["requires-python"]
    (httpx,) = project["dependencies"]
    assert httpx in _service()["dependencies"]


def _service() -> dict[str, list[str]]:
    project: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project


def test_its_types_are_those_of_the_service() -> None:
    written = write_schemas.files(create_app().openapi())
    here = {name: (write_schemas.PLACE / f"{name}.py").read_text() for name in written}
    assert here == written, "make reference"


def test_it_knows_httpx_and_itself_by_relative_names() -> None:
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                tops = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                tops = {str(node.module).partition(".")[0]}
            else:
                continue
            assert tops <= {*sys.stdlib_module_names, "httpx", "pyarrow"}, file


def test_its_files_are_as_short_as_those_of_the_service() -> None:
    lengths = {file.name: len(file.read_text().splitlines()) for file in PACKAGE.rglob("*.py")}
    assert {name: n for name, n in lengths.items() if n > MAX_LINES} == {}
