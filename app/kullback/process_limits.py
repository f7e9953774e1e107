"""Limits of the process: how many files it may open, and how many heaps its threads have."""

import ctypes
import logging
import os
import sys

OTHER_FILES = 256  # besides connections: of databases, of logs, of what is being read
HEAPS = 2
_M_ARENA_MAX = -8  # of glibc's malloc.h

_log = logging.getLogger("kullback.server")


def share_heaps() -> None:
    """Let all threads share a few heaps of glibc, unless the environment says how many.

    With one for each thread, each keeps what the largest body it has worked on took. To be called
    before there are threads.
    """
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # as it is in musl
        mallopt(_M_ARENA_MAX, HEAPS)


def allow_files(connections: int) -> None:
    """Let this process have so many connections open, as far as the system allows."""
    number = connections + OTHER_FILES
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - there is none on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < number:
        most = number if hard == resource.RLIM_INFINITY else min(number, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        if most < number:
            _log.warning(
                "only %d files may be open: lower KULLBACK_CONNECTIONS to %d, or raise the limit",
                most,
                max(1, most - OTHER_FILES),
            )
