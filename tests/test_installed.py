"""The wheel in an environment of its own, and the checkout under the commands of FastAPI."""

import re
import shutil
import subprocess
import sys
import sysconfig
from email import message_from_string
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import httpx
import pytest

from tests.serving import ROOT, SERVE, serving
from tests.test_packaging import instructions

PACKAGE = ROOT / "app" / "kullback"
SCRIPTS = Path(sysconfig.get_path("scripts"))
LOG_LOSS = {"y_true": [1, 0], "y_proba": [0.5, 0.5], "base": "2"}
FOREIGN = {
    "pyproject.toml": """
        [build-system]
        requires = ["setuptools"]
        build-backend = "setuptools.build_meta"
        [project]
        name = "shop"
        version = "1"
        [tool.setuptools]
        packages = ["app"]
    """,
    "app/__init__.py": "",
    "app/main.py": "app = 'the shop'",
}


def run(*command: str | Path, directory: Path = ROOT) -> str:
    """What a command prints that has nothing of this environment but its programs."""
    return subprocess.run(  # noqa: S603 - our own tools
        command,
        cwd=directory,
        env={"PATH": str(SCRIPTS), "HOME": str(directory), "UV_OFFLINE": "1", "UV_NO_CACHE": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def built(source: Path) -> Path:
    """The wheel of a project, built by the backend that is locked here."""
    run(
        SCRIPTS / "uv",
        "build",
        "--wheel",
        "--no-build-isolation",
        "--python",
        sys.executable,
        source,
    )
    (wheel,) = (source / "dist").glob("*.whl")
    return wheel


class Environment(NamedTuple):
    """An environment that holds a foreign project and our wheel, and a directory with nothing."""

    python: Path
    foreign: Path
    wheel: Path
    empty: Path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our wheel, built from nothing but what the image is built from."""
    source = tmp_path_factory.mktemp("source")
    copied = [copy.split()[:-1] for copy in instructions("COPY") if "--from" not in copy]
    for name in (name for names in copied for name in names):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (source / name).parent.mkdir(exist_ok=True)
        copy(ROOT / name, source / name)
    return built(source)


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Dependencies are those of this environment; its own link to the checkout is not followed."""
    foreign, home = tmp_path_factory.mktemp("shop"), tmp_path_factory.mktemp("environment")
    for name, content in FOREIGN.items():
        (foreign / name).parent.mkdir(exist_ok=True)
        (foreign / name).write_text("\n".join(line.strip() for line in content.splitlines()))
    run(SCRIPTS / "uv", "venv", "--python", sys.executable, home / "venv")
    python = home / "venv" / "bin" / "python"
    (packages,) = (home / "venv" / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    for distribution in (built(foreign), wheel):
        run(SCRIPTS / "uv", "pip", "install", "--no-deps", "--python", python, distribution)
    (home / "empty").mkdir()
    return Environment(python, packages / "app" / "main.py", wheel, home / "empty")


def test_the_wheel_holds_the_package_and_nothing_beside_it(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    client = PACKAGE / "client"  # a link, into which the search does not go
    files = [file for place in (PACKAGE, client) for file in place.rglob("*") if file.is_file()]
    kept = (file for file in files if file.suffix != ".pyc")
    assert names == {file.relative_to(PACKAGE.parent).as_posix() for file in kept}
    assert {Path(name).suffix for name in names} >= {".py", ".typed", ".html", ".css", ".js"}


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_string(archive.read(name).decode())
    assert metadata["Name"] == "kullback"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload() == (ROOT / "README.md").read_text()
    assert "log-loss" in metadata["Keywords"].split(",")


def test_a_foreign_app_beside_it_stays_what_it_was(environment: Environment) -> None:
    assert environment.foreign.read_text() == FOREIGN["app/main.py"]
    program = "from app.main import app; import kullback; print(app, kullback.__file__)"
    printed = run(environment.python, "-c", program, directory=environment.empty)
    assert printed.startswith("the shop ")
    assert printed.strip() == f"the shop {environment.foreign.parents[1]}/kullback/__init__.py"


def test_the_installed_command_says_its_version(environment: Environment) -> None:
    command = environment.python.parent / "kullback"
    shown = run(command, "--version", directory=environment.empty)
    assert shown.startswith(f"kullback {version('kullback')} (Python ")


def linked(page: httpx.Response) -> set[httpx.URL]:
    """The files of ours that a page loads."""
    assert page.status_code == 200
    return {page.url.join(link) for link in re.findall(r'"([^"]*static/[^"]+)"', page.text)}


def test_what_is_installed_serves_from_an_empty_directory(environment: Environment) -> None:
    command = (str(environment.python), *SERVE[1:])
    own = {"PYTHONPATH": "", "KULLBACK_DATABASE_URL": "sqlite:///kullback.db"}
    with (
        serving(*command, directory=environment.empty, **own) as served,
        httpx.Client(base_url=served.address, timeout=60) as client,
    ):
        assert client.get("/livez").status_code == 200
        files = set.union(*(linked(client.get(page)) for page in ("/", "/docs", "/playground")))
        assert {Path(file.path).suffix for file in files} >= {".css", ".js", ".svg"}
        assert {client.get(file).status_code for file in files} == {200}
        score = client.post("/v1/scores/log-loss", json=LOG_LOSS).json()
    assert (score["value"], score["unit"]) == (1.0, "bits")
    left = {file.name for file in environment.empty.iterdir()}
    assert left == {"kullback.db", "kullback.db.lock"}


@pytest.mark.parametrize(
    "command",
    [
        (sys.executable, "-m", "uvicorn", "app.main:app", "--port", "0"),
        (str(SCRIPTS / "fastapi"), "run", "app/main.py", "--host", "127.0.0.1", "--port", "0"),
    ],
    ids=["uvicorn", "fastapi"],
)
def test_a_checkout_serves_under_the_commands_of_its_framework(command: tuple[str, ...]) -> None:
    with serving(*command) as served:
        assert httpx.get(f"{served.address}/livez").status_code == 200
        score = httpx.post(f"{served.address}/v1/scores/log-loss", json=LOG_LOSS).json()
        assert score["value"] == 1.0
