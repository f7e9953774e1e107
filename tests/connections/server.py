"""A server whose limits are those of a test: python -m tests.connections.server LIMITS."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from kullback.connections.limits import ConnectionLimits
from kullback.server import serve
from kullback.settings import Settings
from tests.serving import Served, serving


@contextmanager
def limited(**limits: float) -> Iterator[Served]:
    """A service whose connections have these limits."""
    command = (sys.executable, "-m", "tests.connections.server", json.dumps(limits))
    with serving(*command) as served:
        yield served


if __name__ == "__main__":
    sys.exit(serve(Settings(port=0), limits=ConnectionLimits(**json.loads(sys.argv[1]))))
