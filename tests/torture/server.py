"""A server that is at work as soon as it is told: all is imported before.

Its maintenance never rests, so that it is under way when the server is killed. It has something to
fold: rows lie in windows as fine as when they were new, however old they are.
"""

import sys
from unittest.mock import patch

from kullback.main import Runtime
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.windows import width_at, window_starts
from kullback.numerics.types import Array, Indices
from kullback.server import serve
from kullback.settings import Settings

RESTLESS = Runtime(maintenance_seconds=0.1, full_round_seconds=0.0)
CELLS = "kullback.monitoring.cells"


def width_of_new(monitor: Monitor, moment: float, _: float) -> int:
    """How wide a window is while its rows are new."""
    return width_at(monitor, moment, 0.0)


def windows_of_new(monitor: Monitor, moments: Array, _: float) -> Indices:
    """When the window of each moment begins while its rows are new."""
    return window_starts(monitor, moments, 0.0)


if __name__ == "__main__" and sys.stdin.readline():  # nothing comes once the test has ended
    with (
        patch(f"{CELLS}.width_at", width_of_new),
        patch(f"{CELLS}.window_starts", windows_of_new),
    ):
        sys.exit(serve(Settings(port=0, log_format="json"), RESTLESS))
