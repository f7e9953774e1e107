"""A browser without scripts logs in and out, and no page elsewhere can use that it has."""

from pathlib import Path

import httpx

from kullback.access.book import FileShelf, KeyBook
from kullback.access.keys import SCOPES, KeyGrant
from tests.browser.looking import chromium, enter, node
from tests.serving import serving

FORM = "Log in"
STEPS = [
    [401, "/monitors/none", FORM],
    [0, "/login", FORM],  # the key was wrong
    [0, "/monitors/none", "There is no monitor “none”"],
    [0, "/login", FORM],  # logged out
    [401, "/", FORM],
    [401, "/", FORM],  # with the cookie from before
]


def test_a_browser_logs_in_and_out_for_itself_alone(tmp_path: Path) -> None:
    node()
    chromium()
    file = tmp_path / "keys.json"
    key = KeyBook(FileShelf(file), b"", lambda: 0.0).create(KeyGrant("test", SCOPES)).text
    with serving(KULLBACK_KEYS_FILE=str(file)) as service:
        seen = enter(httpx.URL(service.address).port or 0, key)
    elsewhere = seen.pop("elsewhere")
    assert seen.keys() == {"127.0.0.1", "kullback.example"}
    for told in seen.values():
        assert told["steps"] == STEPS
        assert told["cookies"] == [{"httpOnly": True, "sameSite": "Strict", "secure": False}]
    assert elsewhere == {"status": 403, "cookie": "", "still": "Overview"}
