"""Clients made from the document of a running service, and what their programs print."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pydantic import JsonValue, TypeAdapter

HERE = Path(__file__).parent
TOOLS = Path(sys.prefix) / "clients" / "bin"
MODULES = HERE / "node_modules"
_CALLS = "calls.ts"


@dataclass(frozen=True, slots=True)
class Printed:
    """What was parsed, and the names of the types that each operation answers with."""

    calls: dict[str, JsonValue]
    answers: dict[str, list[str]]


def tool(name: str) -> Path:
    """A program of the environment that makes clients."""
    program = TOOLS / name
    if not program.exists():
        pytest.skip(f"no {program}: NO CLIENT IS GENERATED (make {TOOLS.parent}/.made)")
    return program


def node() -> Path:
    """The program that runs those of npm."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not installed: NO TYPESCRIPT IS GENERATED (apt: nodejs, npm)")
    if not MODULES.is_dir():
        pytest.skip("no node_modules: NO TYPESCRIPT IS GENERATED (npm ci in tests/clients)")
    return Path(program)


def run(command: Sequence[str | Path], directory: Path) -> str:
    """What a program prints that ends well."""
    result = subprocess.run(  # noqa: S603 - programs of the locks
        command, cwd=directory, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    return result.stdout


def fetch(address: str, directory: Path) -> Path:
    """The document of a service, as a file."""
    file = directory / "openapi.json"
    file.write_bytes(httpx.get(f"{address}/openapi.json", timeout=60).raise_for_status().content)
    return file


def python_calls(document: Path, address: str) -> Printed:
    """What the program of the Python client prints, which openapi-python-client makes."""
    directory = document.parent
    made = run(
        [
            *(tool("openapi-python-client"), "generate", "--meta", "none", "--fail-on-warning"),
            *("--path", document, "--config", HERE / "python.yaml"),
            *("--output-path", directory / "generated_client"),
        ],
        directory,
    )
    assert "WARNING" not in made
    shutil.copy(HERE / "calls.py", directory)
    printed = run([tool("python"), "calls.py", address], directory)
    return TypeAdapter(Printed).validate_json(printed)


def typescript_calls(document: Path, address: str) -> dict[str, JsonValue]:
    """What the program of the TypeScript types prints, which openapi-typescript makes."""
    directory, program = document.parent, node()
    run(
        [
            *(program, MODULES / "openapi-typescript" / "bin" / "cli.js", document),
            *("--output", directory / "schema.ts", "--default-non-nullable", "false"),
        ],
        directory,
    )
    shutil.copy(HERE / _CALLS, directory)
    (directory / "package.json").write_text('{"type": "module"}')
    run(
        [
            *(program, MODULES / "typescript" / "bin" / "tsc", _CALLS, "--strict"),
            *("--target", "es2022", "--module", "nodenext", "--lib", "es2023,dom"),
        ],
        directory,
    )
    printed: dict[str, JsonValue] = json.loads(run([program, "calls.js", address], directory))
    return printed
