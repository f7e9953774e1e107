"""`make screenshots`: the pictures of the README, taken of a real service."""

import sys
from pathlib import Path

import httpx

from tests.browser.filling import fill_for_show
from tests.browser.looking import take
from tests.serving import serving


def main(folder: Path) -> None:
    """Fill a service, and take pictures of its pages."""
    folder.mkdir(parents=True, exist_ok=True)
    with serving() as served, httpx.Client(base_url=served.address, timeout=60) as client:
        fill_for_show(client)
        take(served.address, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
