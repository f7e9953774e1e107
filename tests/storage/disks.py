"""A disk of its own that can be filled, for whoever may mount one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MEGABYTE = 1 << 20


class Disk:
    """A file system of few megabytes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._filler = directory / "filler"

    def fill(self) -> None:
        """Leave no room at all."""
        with self._filler.open("ab", buffering=0) as filler:
            for size in (MEGABYTE, 4096, 1):
                try:
                    while filler.write(bytes(size)):
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink()

    def remount(self, options: str) -> None:
        _run("mount", "-o", f"remount,{options}", str(self.directory))


@contextmanager
def mounted(directory: Path, megabytes: int = 8) -> Iterator[Disk]:
    """A disk at a directory; the test is skipped where nobody may mount one."""
    directory.mkdir()
    if os.geteuid() != 0 or not _run(
        "mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "kullback", str(directory)
    ):
        pytest.skip("nobody may mount here: A FULL DISK IS NOT TRIED")
    try:
        yield Disk(directory)
    finally:
        _run("umount", "-l", str(directory))


def _run(*command: str) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 - of the system
