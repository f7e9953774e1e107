"""Under a prefix behind nginx, which takes it away or not: nothing leads out of it."""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from kullback.key_checks import key_book
from kullback.settings import Settings
from tests.access.service import bearer, issued
from tests.connections.wire import SECONDS
from tests.deploy import nginx
from tests.serving import serving

pytestmark = pytest.mark.untraced

PREFIX = "/kullback"
LINKS = re.compile(
    r'\b(?:href|src|action)="([^"]*)"|\burl\(["\']?([^"\')]+)|\bimport\b[^;]*?"(\.[^"]+)"'
)
Document = dict[str, object]
TEXT = ("text/html", "text/css", "text/javascript", "application/javascript")
MADE: dict[str, tuple[Document, Document]] = {
    "/v1/monitors/clicks": ({"slices": ["c"]}, {"slice": {"c": ["a", "b"]}}),
    "/v1/experiments/ranker": (
        {"arms": {"a": 0.5, "b": 0.5}, "control": "a"},
        {"arm": ["a", "b"], "unit": [1, 2]},
    ),
}


class Proxied(NamedTuple):
    """A service under a prefix, as a browser finds it, and its key."""

    client: httpx.Client
    key: str
    address: str

    def log_in(self, place: str = "") -> httpx.Response:
        form = {"key": self.key, "next": place}
        origin = {"origin": self.address}
        return self.client.post(f"{PREFIX}/login", data=form, headers=origin)


@contextmanager
def behind_nginx(upstream: str, directory: Path, *, is_left: bool) -> Iterator[httpx.Client]:
    port = nginx.free_port()
    site, certificate = nginx.delivered(port, upstream, directory)
    if is_left:
        assert "proxy_pass http://kullback/;" in site
        site = site.replace("proxy_pass http://kullback/;", "proxy_pass http://kullback;")
        site = re.sub(r"location = /kullback \{[^}]*\}", "", site)
        site = site.replace("location /kullback/ {", "location /kullback {")
    address, context = f"https://127.0.0.1:{port}", ssl.create_default_context(cafile=certificate)
    with (
        nginx.running(site.replace("rate=100r/s", "rate=9999r/s"), port, directory),
        httpx.Client(base_url=address, verify=context, trust_env=False, timeout=SECONDS) as client,
    ):
        yield client


@pytest.fixture(scope="module", params=[False, True], ids=["prefix taken away", "prefix left"])
def proxied(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxied]:
    """A service with a monitor and an experiment."""
    directory = tmp_path_factory.mktemp("prefix")
    url = f"sqlite:///{directory}/kullback.db"
    with key_book(Settings(database_url=url)) as book:
        key = issued(book, "score", "read", "write").text
    with (
        serving(
            KULLBACK_DATABASE_URL=url,
            KULLBACK_ROOT_PATH=f"{PREFIX}/",
            KULLBACK_ALLOWED_HOSTS="127.0.0.1",
            KULLBACK_TRUSTED_PROXIES="127.0.0.1",
            KULLBACK_INSECURE_NO_AUTH="false",
        ) as service,
        behind_nginx(nginx.place(service.address), directory, is_left=request.param) as client,
    ):
        for path, (settings, rows) in MADE.items():
            sent = {"y_true": [0, 1], "y_proba": [0.25, 0.5], **rows}
            place, headers = PREFIX + path, bearer(key)
            assert client.put(place, json=settings, headers=headers).status_code == 201
            answer = client.post(f"{place}/observations", json=sent, headers=headers)
            assert answer.status_code == 200, answer.text
        yield Proxied(client, key, str(client.base_url).removesuffix("/"))


@pytest.fixture
def browser(proxied: Proxied) -> Iterator[Proxied]:
    """A browser that has logged in."""
    proxied.client.cookies.clear()
    assert proxied.log_in().status_code == 303
    yield proxied
    proxied.client.cookies.clear()


def leading(page: httpx.Response) -> set[httpx.URL]:
    """Where the links of a page lead, and what it loads, on the same host."""
    if not page.headers.get("content-type", "").startswith(TEXT):
        return set()
    links = {link for match in LINKS.finditer(page.text) for link in match.groups() if link}
    found = {page.url.join(link.replace("&amp;", "&")) for link in links if link[0] != "#"}
    return {url for url in found if url.host == page.url.host and url.scheme == "https"}


def test_all_that_pages_lead_to_is_under_the_prefix_and_there(browser: Proxied) -> None:
    client = browser.client
    waiting = [client.base_url.join(f"{PREFIX}/"), client.base_url.join(f"{PREFIX}/docs")]
    visited = set[tuple[str, frozenset[str]]]()
    while waiting:
        url = waiting.pop()
        assert url.path.startswith(f"{PREFIX}/"), url
        kind = url.path, frozenset(url.params)  # one time, one value of a slice stand for all
        if kind in visited or "/swagger/" in url.path:
            continue
        visited.add(kind)
        page = client.get(url)
        is_form = page.status_code == 405 or url.path.endswith("/logout")
        assert is_form or page.status_code == 200, (url, page.status_code)
        for address in re.findall(rf"{browser.address}[^\s\"'<&]*", page.text):
            assert address.startswith(f"{browser.address}{PREFIX}/"), address
        waiting += leading(page)
    paths = {path for path, _ in visited}
    expected = {"/", "/docs", "/playground", "/playground/log-loss", "/static/style.css"}
    expected |= {"/monitors/clicks", "/experiments/ranker", "/static/charts.js", "/openapi.json"}
    assert {PREFIX + path for path in expected} <= paths


def test_the_prefix_alone_leads_to_the_overview(browser: Proxied) -> None:
    answer = browser.client.get(PREFIX)
    assert (answer.status_code, answer.next_request is not None) == (308, True)
    assert answer.next_request is not None
    assert answer.next_request.url.path == f"{PREFIX}/"
    assert browser.client.get(answer.next_request.url).status_code == 200


def test_a_session_is_of_the_prefix_and_leads_back_to_its_page(proxied: Proxied) -> None:
    client = proxied.client
    client.cookies.clear()
    form = client.get(f"{PREFIX}/monitors/clicks?by=c")
    assert form.status_code == 401
    (place,) = re.findall(r'name="next" value="([^"]*)"', form.text)
    answer = proxied.log_in(place)
    assert f"; Path={PREFIX};" in answer.headers["set-cookie"]
    assert answer.next_request is not None
    assert answer.next_request.url.path == f"{PREFIX}/monitors/clicks"
    assert client.get(answer.next_request.url).status_code == 200
    gone = client.post(f"{PREFIX}/logout", headers={"origin": proxied.address})
    assert f"; Path={PREFIX};" in gone.headers["set-cookie"]
    assert gone.next_request is not None
    assert gone.next_request.url.path == f"{PREFIX}/login"
    assert client.get(f"{PREFIX}/monitors/clicks").status_code == 401


def test_programs_find_every_path_from_the_servers_of_the_document(proxied: Proxied) -> None:
    client, headers = proxied.client, bearer(proxied.key)
    document = client.get(f"{PREFIX}/openapi.json", headers=headers).json()
    ((server,),) = (each.values() for each in document["servers"])
    base = client.base_url.join(f"{PREFIX}/openapi.json").join(server)
    assert base.path == PREFIX
    for path in ("/v1/scores", "/v1/monitors", "/readyz"):
        assert path in document["paths"]
        assert client.get(f"{base}{path}", headers=headers).status_code == 200
    assert client.get(f"{PREFIX}/v1/monitors/a/b/c", headers=headers).status_code == 404
    scored = client.post(f"{PREFIX}/v1/scores/entropy", json={"p": [0.5, 0.5]}, headers=headers)
    assert scored.status_code == 200
    metrics = client.get(f"{PREFIX}/metrics", headers=headers).text
    assert 'route="/v1/scores/entropy"' in metrics  # as without a prefix
