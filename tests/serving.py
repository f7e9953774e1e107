"""A real service for tests that need one: a process of its own, on a port that is free."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent


@contextmanager
def serving(**environment: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Its address and its process, from the first log line until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", "--port", "0", "--log-format", "json"],
        cwd=ROOT,
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
        assert found is not None
        yield found.group(), process
    finally:
        process.terminate()
        process.communicate()
