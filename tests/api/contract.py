"""The contract as a file: `python -m tests.api.contract FILE` writes it there (`make openapi`)."""

import json
import sys
from pathlib import Path

from kullback.main import create_app
from kullback.settings import Settings

FILE = Path(__file__).parents[2] / "docs" / "openapi.json"


def contract() -> str:
    """The OpenAPI document that the service answers, a fact a line: differences are read."""
    return json.dumps(create_app(Settings()).openapi(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(contract(), "utf-8")
