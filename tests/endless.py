"""A server on which scores never end, and which says beside its database when one began."""

import os
import sys
from pathlib import Path

from kullback.api.score_handlers import MetricHandler
from kullback.cli import app


def endless(*_: object) -> None:
    """Work without an end, which never waits."""
    database = Path(os.environ["KULLBACK_DATABASE_URL"].removeprefix("sqlite:///"))
    database.with_name("begun").touch()
    while True:
        pass


if __name__ == "__main__":
    MetricHandler.score = endless  # type: ignore[assignment,method-assign]
    sys.exit(app(["serve", "--port", "0", "--log-format", "json"]))
