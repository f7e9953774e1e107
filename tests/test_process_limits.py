"""Threads share the heaps of the process, so that none keeps the memory of its largest body."""

import os
import platform
import subprocess
import sys

import pytest

from kullback.process_limits import HEAPS

THREADS = 12
HEAPS_OF_THREADS = f"""
import ctypes, threading
from kullback.process_limits import share_heaps
share_heaps()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
barrier = threading.Barrier({THREADS})
def work():
    barrier.wait()
    libc.malloc(1000)
    barrier.wait()
threads = [threading.Thread(target=work) for _ in range({THREADS})]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has heaps of threads")
@pytest.mark.parametrize(("said", "most"), [({}, HEAPS), ({"MALLOC_ARENA_MAX": "5"}, 5)])
def test_threads_share_a_few_heaps(said: dict[str, str], most: int) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    shown = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", HEAPS_OF_THREADS],
        env=environment | said,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown.count("<heap nr=") == most
