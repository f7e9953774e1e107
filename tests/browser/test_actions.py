"""What may be changed from the page of a monitor: it happens, in a real browser, by a session."""

from pathlib import Path

import httpx

from kullback.access.book import FileShelf, KeyBook
from kullback.access.keys import SCOPES, KeyGrant
from tests.browser.looking import change, chromium, node
from tests.serving import serving

NAME = "click.rate-2"


def test_it_happens_and_is_seen(tmp_path: Path) -> None:
    node()
    chromium()
    file = tmp_path / "keys.json"
    book = KeyBook(FileShelf(file), b"", lambda: 0.0)
    key = book.create(KeyGrant("test", SCOPES)).text
    reader = book.create(KeyGrant("reader", ("read",))).text
    with serving(KULLBACK_KEYS_FILE=str(file)) as service:
        with httpx.Client(
            base_url=service.address, headers={"authorization": f"Bearer {key}"}, timeout=60
        ) as client:
            path = f"/v1/monitors/{NAME}"
            client.put(path, json={}).raise_for_status()
            rows = {"y_true": [1, 0], "y_proba": [0.5, 0.25]}
            client.post(f"{path}/observations", json=rows).raise_for_status()
            plan = {"arms": ["old", "new"], "design": "parallel", "minimum_effect": 0.01}
            client.put(f"/v1/experiments/{NAME}", json=plan).raise_for_status()
            page = client.get(
                f"/monitors/{NAME}", headers={"authorization": f"Bearer {reader}"}
            ).text
            assert "form" in page
            assert "action" not in page.replace("actions.js", "")
        seen = change(service.address, NAME, key)
    (marked,) = seen["marked"]
    assert "deploy <b>1.4</b>" in marked
    assert seen["link"] == "https://ci.example/14"
    assert (seen["reference"], seen["removed"]) == (1, 0)
    assert "RFC 3339" in seen["refusal"]
    assert seen["unmarked"] == []
    assert seen["stopped"].endswith("enough <b>rows</b>")
    assert seen["kept"].endswith(f"/monitors/{NAME}")
    assert seen["gone"] == [f"{service.address}/", 0]
