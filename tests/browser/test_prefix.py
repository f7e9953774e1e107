"""In a browser, all that pages under a prefix load and ask for is under it."""

from pathlib import Path

import httpx

from tests.browser.looking import look
from tests.serving import serving

PREFIX = "/kullback"


def test_pages_under_a_prefix_load_nothing_from_elsewhere(tmp_path: Path) -> None:
    rows = {"y_true": [0, 1, 1, 0], "y_proba": [0.25, 0.5, 0.75, 0.125]}
    paths = ["/", "/monitors/clicks", "/playground/log-loss", "/docs"]
    with serving(KULLBACK_ROOT_PATH=PREFIX) as service:
        place = f"{service.address}{PREFIX}/v1/monitors/clicks"
        httpx.put(place, json={}, trust_env=False).raise_for_status()
        httpx.post(f"{place}/observations", json=rows, trust_env=False).raise_for_status()
        pages = look(service.address + PREFIX, tmp_path / "seen.json", paths)
        # the same without the prefix in the path, as past the proxy
        assert httpx.get(f"{service.address}/monitors/clicks", trust_env=False).status_code == 200
    assert {path: page.status for path, page in pages.items()} == dict.fromkeys(paths, 200)
    for path, page in pages.items():
        assert (page.elsewhere, page.failed, page.said) == ([], [], []), path
        assert page.weights
    assert any(view.charts for view in pages["/monitors/clicks"].views)
