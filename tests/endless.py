"""A server on which scores never end."""

import sys

from kullback.api.scores import MetricHandler
from kullback.cli import app


def endless(*_: object) -> None:
    """Work without an end, which never waits."""
    while True:
        pass


if __name__ == "__main__":
    MetricHandler.score = endless  # type: ignore[assignment,method-assign]
    sys.exit(app(["serve", "--port", "0", "--log-format", "json"]))
