"""A page typed block by block, as a reader would, whose outputs are to be those of the page.

Blocks of `sh` go to bash, those of `python` to one session; the `json` or `text` that follows one
is what it prints. There `...` stands for anything; after "a part of the answer" JSON may be less.
Blocks of files (`yaml`) are written to the file that the words before them name at their end.
"""

import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path
from typing import Self

ADDRESS = "http://127.0.0.1:8000"  # what pages call the service
OUTPUTS = {"json", "text"}
FILES = {"yaml"}
# What no reader's machine answers in a test: tested elsewhere, by the tests of make and of deploy/.
ELSEWHERE = re.compile(r"(make|git|docker|kubectl|pip|cd|pipx|source|systemctl)\b.*")
DEBIAN = {"amtool", "promtool", "nginx", "node"}  # requirements/system.sh says where one is missing
_SESSION = """
import contextlib, io, json, sys, traceback
space = {"__name__": "__main__"}
for line in sys.stdin:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(json.loads(line), "<page>", "exec"), space)
            error = None
        except BaseException:
            error = traceback.format_exc()
    print(json.dumps([printed.getvalue(), error]), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its text, and the words between it and the one before."""

    language: str
    text: str
    before: str


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page, in order."""
    end = 0
    for match in re.finditer(r"^( *)```(\w+)\n(.*?)\n\1```$", page, re.MULTILINE | re.DOTALL):
        text = re.sub(rf"^{match[1]}", "", match[3], flags=re.MULTILINE)
        yield Block(match[2], text, page[end : match.start()])
        end = match.end()


@dataclass(slots=True)
class Reader:
    """Who types a page: in a directory, with a service at an address."""

    directory: Path
    address: str
    _python: "subprocess.Popen[str] | None" = field(default=None, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._python is not None:
            self._python.communicate()

    def read(self, page: str) -> int:
        """Type every block; how many were typed.

        Raises:
            AssertionError: a block fails, or prints something else than the page says.
        """
        kinds: dict[str, Callable[[str], str]] = {"sh": self._shell, "python": self._session}
        printed, typed = "", 0
        for block in blocks(page):
            if block.language in kinds:
                printed = kinds[block.language](block.text.replace(ADDRESS, self.address))
                typed += 1
            elif block.language in FILES:
                (self.directory / _named(block)).write_text(block.text + "\n", "utf-8")
                typed += 1
            elif block.language in OUTPUTS and printed:
                here = printed.replace(self.address, ADDRESS)
                assert is_alike(block, here), (
                    f"the page says\n{block.text}\nand this came\n{printed}"
                )
                printed = ""
        return typed

    def _shell(self, text: str) -> str:
        lines = [line for line in text.splitlines() if not _is_elsewhere(line)]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        result = subprocess.run(  # noqa: S603 - the page is ours
            ["/bin/bash", "-euo", "pipefail", "-c", "\n".join(lines)],
            cwd=self.directory,
            env={**self._environment(), "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, f"{text}\n{result.stdout}{result.stderr}"
        return result.stdout

    def _session(self, text: str) -> str:
        if self._python is None:
            self._python = subprocess.Popen(  # noqa: S603 - the page is ours
                [sys.executable, "-c", _SESSION],
                cwd=self.directory,
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._python.stdin is not None
        assert self._python.stdout is not None
        self._python.stdin.write(json.dumps(text) + "\n")
        self._python.stdin.flush()
        printed, error = json.loads(self._python.stdout.readline())
        assert error is None, f"{text}\n{error}"
        return str(printed)

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "KULLBACK_URL": self.address, "COLUMNS": "100"}


def _is_elsewhere(line: str) -> bool:
    program = line.partition(" ")[0]
    is_missing = program in DEBIAN and shutil.which(program) is None
    return is_missing or ELSEWHERE.fullmatch(line) is not None


def _named(block: Block) -> str:
    name = re.search(r"`([\w.-]+)`[^`]*:\s*\Z", block.before)
    assert name is not None, f"no words name the file of\n{block.text}"
    return name[1]


def is_alike(block: Block, printed: str) -> bool:
    """Whether that was printed which a page says."""
    if "part of the answer" in block.before:
        return is_part(json.loads(block.text), json.loads(printed))
    rules = ELLIPSIS | NORMALIZE_WHITESPACE
    return OutputChecker().check_output(block.text + "\n", printed.rstrip("\n") + "\n", rules)


def is_part(printed: object, answer: object) -> bool:
    """Whether an answer has all that is printed of it; numbers may be printed short."""
    if isinstance(printed, dict) and isinstance(answer, dict):
        return all(name in answer and is_part(printed[name], answer[name]) for name in printed)
    if isinstance(printed, list) and isinstance(answer, list):
        return len(printed) == len(answer) and all(map(is_part, printed, answer))
    if isinstance(printed, float) and isinstance(answer, float):
        return math.isclose(printed, answer, rel_tol=1e-9)
    return printed == answer
