"""A real browser for tests of pages: Debian's Chromium, led by node, and what it saw."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

HERE = Path(__file__).parent
_LOOK_SECONDS = 300.0  # of a machine that is busy; else some 30


@dataclass(frozen=True, slots=True)
class Message:
    """What the console said, and of which address."""

    text: str
    at: str


@dataclass(frozen=True, slots=True)
class Table:
    """The text of a table, and the figure that it belongs to."""

    figure: str
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A series as given, and of the pixels at its points the nearest to the wanted colour."""

    label: str
    style: str
    y: list[float | None]
    low: list[float | None] | None
    high: list[float | None] | None
    wanted: list[int]
    pixel: list[int] | None


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: the numbers it was given, and those that are drawn."""

    name: str
    x: list[float]
    names: list[str] | None
    drawn: list[list[float | None]]
    width: float
    room: float
    axis: list[float]
    data: dict[str, Any]
    series: list[Drawn]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that the service drew: the numbers it is of."""

    name: str
    data: dict[str, Any]
    width: float


@dataclass(frozen=True, slots=True)
class View:
    """A page in one theme and width; `needed` is the width it takes."""

    theme: str
    width: int
    needed: int
    charts: list[Chart]
    violations: list[str]


@dataclass(frozen=True, slots=True)
class Plain:
    """A page without scripts: its text, and of each table whether it can be seen."""

    tables: list[bool]
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """All that was seen of a page."""

    status: int
    title: str
    text: str
    tables: list[Table]
    pictures: list[Picture]
    twice: list[str]
    there: list[str]
    reached: list[str]
    views: list[View]
    said: list[Message]
    failed: list[str]
    elsewhere: list[str]
    dialogs: int
    weights: dict[str, int]
    plain: Plain


_PAGES = TypeAdapter(dict[str, Page])


def look(address: str, out: Path, paths: Sequence[str]) -> dict[str, Page]:
    """What a browser sees at these paths of a service."""
    run = _led("look.mjs", address, str(out), *paths)
    run.communicate(timeout=_LOOK_SECONDS)
    assert run.returncode == 0
    return _PAGES.validate_json(out.read_bytes())


def weights(address: str, path: str) -> dict[str, int]:
    """The bytes of all that a page is made of."""
    text, _ = _led("weigh.mjs", address, path).communicate(timeout=_LOOK_SECONDS)
    found: dict[str, int] = json.loads(text)
    return found


def enter(port: int, key: str) -> Any:  # noqa: ANN401 - what a test looks at is told there
    """What happens to a browser that logs in and out."""
    run = _led("log_in.mjs", str(port), key)
    text, _ = run.communicate(timeout=_LOOK_SECONDS)
    assert run.returncode == 0
    return json.loads(text)


def change(address: str, name: str, key: str) -> Any:  # noqa: ANN401 - see enter
    """What happens to somebody who changes a monitor from its page."""
    run = _led("actions.mjs", address, name, key)
    text, _ = run.communicate(timeout=_LOOK_SECONDS)
    assert run.returncode == 0
    return json.loads(text)


def handle(address: str, path: str) -> Any:  # noqa: ANN401 - see enter
    """What somebody copies from the page of a monitor, and where they click to."""
    run = _led("monitor.mjs", address, path)
    text, _ = run.communicate(timeout=_LOOK_SECONDS)
    assert run.returncode == 0
    return json.loads(text)


def examine(address: str, path: str) -> Any:  # noqa: ANN401 - see enter
    """What stands where on the page of an experiment, and what somebody opens and copies there."""
    run = _led("experiment.mjs", address, path)
    text, _ = run.communicate(timeout=_LOOK_SECONDS)
    assert run.returncode == 0
    return json.loads(text)


def on_phone(address: str, path: str) -> Any:  # noqa: ANN401 - what a test looks at is told there
    """The cells of tables that are cards on a phone."""
    text, _ = _led("phone.mjs", address, path).communicate(timeout=_LOOK_SECONDS)
    return json.loads(text)


def heights(address: str, paths: Sequence[str]) -> dict[str, dict[str, int]]:
    """How high pages are on a phone, and what of them is folded."""
    text, _ = _led("heights.mjs", address, *paths).communicate(timeout=_LOOK_SECONDS)
    seen: dict[str, dict[str, int]] = json.loads(text)
    return seen


def search(address: str, words: str) -> Any:  # noqa: ANN401 - what a test looks at is told there
    """The overview while words are typed into its search."""
    text, _ = _led("search.mjs", address, words).communicate(timeout=_LOOK_SECONDS)
    return json.loads(text)


def use_figures(address: str, path: str) -> dict[str, Any]:
    """What figures of a page do under a pointer and keys, and the files that they give."""
    run = _led("figures.mjs", address, path)
    text, _ = run.communicate(timeout=_LOOK_SECONDS)
    assert run.returncode == 0
    seen: dict[str, Any] = json.loads(text)
    return seen


def zoom(address: str, monitor: str, experiment: str) -> Any:  # noqa: ANN401 - see enter
    """What a zoom does on two pages, many marks on a phone, and what becomes of a file."""
    run = _led("zoom.mjs", address, monitor, experiment)
    text, _ = run.communicate(timeout=_LOOK_SECONDS)
    assert run.returncode == 0
    return json.loads(text)


def frame(address: str) -> Any:  # noqa: ANN401 - what a test looks at is told there
    """What stands around pages: times, their picker, the viewer of the API, problems."""
    text, _ = _led("frame.mjs", address).communicate(timeout=_LOOK_SECONDS)
    return json.loads(text)


def renewed(address: str, *paths: str) -> Any:  # noqa: ANN401 - see enter
    """What pages keep when they are renewed, and the overview while words are typed."""
    run = _led("renewal.mjs", address, *paths)
    text, _ = run.communicate(timeout=_LOOK_SECONDS)
    assert run.returncode == 0
    return json.loads(text)


def watch(address: str, text: str) -> "subprocess.Popen[str]":
    """A browser that stays on a page until it says this; it prints a line once it looks."""
    return _led("live.mjs", address, text)


def take(address: str, folder: Path) -> None:
    """Pictures of the pages."""
    run = _led("screenshots.mjs", address, str(folder))
    run.communicate(timeout=_LOOK_SECONDS)
    assert run.returncode == 0


def _led(script: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own script
        [node(), str(HERE / script), *arguments],
        env={**os.environ, "CHROMIUM": chromium()},
        stdout=subprocess.PIPE,
        text=True,
    )


def node() -> str:
    """The program that leads the browser, with the modules that it needs."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not installed: NO PAGE IS OPENED IN A BROWSER (apt: nodejs, npm)")
    if not (HERE / "node_modules").is_dir():
        pytest.skip("no node_modules: NO PAGE IS OPENED IN A BROWSER (npm ci in tests/browser)")
    return program


def chromium() -> str:
    """The browser."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("chromium is not installed: NO PAGE IS OPENED IN A BROWSER (apt: chromium)")
    return program
