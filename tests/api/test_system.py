"""The service tells how it is, what it counted, and how it is used, without asking anyone else."""

import hashlib
import re
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import anyio
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from kullback.api.system import STATIC
from kullback.ui.pages import DOCS_POLICY

pytestmark = pytest.mark.anyio

SWAGGER, UPLOT = STATIC / "swagger", STATIC / "uplot"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Page(HTMLParser):
    """What a page loads, and what it carries in itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loaded += [given[name] or "" for name in ("src", "href") if name in given]
        handlers = [name for name in given if name.startswith("on") or name == "style"]
        if handlers or tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)


async def test_a_process_that_answers_is_alive(client: AsyncClient) -> None:
    answer = await client.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_a_started_service_is_ready(client: AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


async def test_a_service_is_not_ready_before_it_started_nor_after_it_stopped(app: FastAPI) -> None:
    client = AsyncClient(transport=ASGITransport(app), base_url="http://test")
    before = await client.get("/readyz")
    async with app.router.lifespan_context(app):
        between = await client.get("/readyz")
    after = await client.get("/readyz")
    assert [before.status_code, between.status_code, after.status_code] == [503, 200, 503]
    assert after.headers["content-type"] == "application/problem+json"
    assert (await client.get("/livez")).status_code == 200


async def test_no_thread_of_probes_or_metrics_outlives_the_service(app: FastAPI) -> None:
    before = set(threading.enumerate())
    async with app.router.lifespan_context(app):
        for served in (app, app.state.management):
            client = AsyncClient(transport=ASGITransport(served), base_url="http://test")
            for path in ("/readyz", "/metrics"):
                assert (await client.get(path)).status_code == 200
        names = ("probe", "scrape")
        begun = [at for at in set(threading.enumerate()) - before if at.name.startswith(names)]
    assert sorted(thread.name for thread in begun) == ["probe-1", "probe-1", "scrape-1"]
    for thread in begun:
        await anyio.to_thread.run_sync(thread.join, 30)
        assert not thread.is_alive()


async def test_metrics_are_plain_text_unless_openmetrics_is_asked_for(client: AsyncClient) -> None:
    plain = await client.get("/metrics")
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE http_requests_total counter" in plain.text
    wanted = {"accept": "application/openmetrics-text; version=1.0.0,text/plain;q=0.5"}
    openmetrics = await client.get("/metrics", headers=wanted)
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
    assert openmetrics.text.endswith("# EOF\n")


async def test_every_documented_path_is_counted_by_its_template(own_client: AsyncClient) -> None:
    document = (await own_client.get("/openapi.json")).json()
    for path, operations in document["paths"].items():
        for method in operations:
            await own_client.request(method, path.replace("{", "").replace("}", ""))
    text = (await own_client.get("/metrics")).text
    assert set(document["paths"]) <= set(re.findall(r'http_requests_total{.*?route="(.*?)"', text))
    assert "__unmatched__" not in text


async def test_metrics_of_the_catalog_stand_from_the_start(own_client: AsyncClient) -> None:
    text = (await own_client.get("/metrics")).text
    assert 'kullback_scores_total{metric="log_loss",status="infinite"} 0.0' in text


async def test_the_documentation_says_what_the_service_is(client: AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document["info"]["title"] == "Kullback"
    assert document["info"]["license"]["identifier"] == "Apache-2.0"
    assert document["servers"] == [{"url": "/"}]
    assert "contact" not in document["info"]


async def test_the_documentation_is_the_same_each_time_it_is_asked_for(
    client: AsyncClient,
) -> None:
    (first, second) = [(await client.get("/openapi.json")).content for _ in range(2)]
    assert first == second


async def test_every_reference_of_the_documentation_leads_somewhere(client: AsyncClient) -> None:
    answer = await client.get("/openapi.json")
    for reference in set(re.findall(r'"\$ref":"#/(.*?)"', answer.text)):
        place = answer.json()
        for step in reference.split("/"):
            assert step in place, reference
            place = place[step]


async def test_every_operation_has_a_name_of_its_own_and_a_known_tag(client: AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    operations = [each for path in document["paths"].values() for each in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", name) for name in names)
    tags = {tag["name"] for tag in document["tags"]}
    assert all(set(operation["tags"]) <= tags for operation in operations)


async def test_everything_the_documentation_page_loads_is_served_from_here(
    client: AsyncClient,
) -> None:
    page = Page((await client.get("/docs")).text)
    loaded = [name for name in page.loaded if "." in name.rpartition("/")[2]]
    assert {f"static/{name}" for name in ("style.css", "docs.js")} < set(loaded)
    assert {Path(name).name for name in loaded} > {"swagger-ui.css", "swagger-ui-bundle.js"}
    for name in loaded:
        answer = await client.get(urljoin("/docs", name))
        assert answer.status_code == 200, name
        expected = TYPES.get(Path(name).suffix, "application/json")
        assert answer.headers["content-type"] == expected, name


async def test_the_documentation_page_keeps_to_its_policy(client: AsyncClient) -> None:
    answer = await client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert Page(answer.text).inline == []
    policy = answer.headers.get_list("content-security-policy")
    assert policy == [DOCS_POLICY]
    assert "img-src 'self' data:;" in DOCS_POLICY


@pytest.mark.parametrize("name", ["docs.js", "../templates/docs.html"])
def test_what_we_wrote_names_no_address_outside(name: str) -> None:
    assert not re.search(r"(https?:)?//\w", (STATIC / name).read_text())


@pytest.mark.parametrize("vendored", [SWAGGER, UPLOT])
def test_vendored_files_are_what_their_checksums_say(vendored: Path) -> None:
    lines = (vendored / "SHA256SUMS").read_text().splitlines()
    expected = {name: digest for digest, name in (line.split("  ") for line in lines)}
    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in vendored.iterdir()
        if file.name not in {"SHA256SUMS", "README.md"}
    }
    assert found == expected


def test_vendored_files_come_with_their_licence_and_version() -> None:
    assert "Apache License" in (SWAGGER / "LICENSE").read_text()
    assert "SmartBear" in (SWAGGER / "NOTICE").read_text()
    assert re.search(r"swagger-ui-dist \d+\.\d+\.\d+", (SWAGGER / "README.md").read_text())
    assert "The MIT License" in (UPLOT / "LICENSE").read_text()
    assert re.search(r"uPlot \d+\.\d+\.\d+", (UPLOT / "README.md").read_text())


async def test_what_pages_load_is_compressed_where_that_is_taken(client: AsyncClient) -> None:
    path = "/static/uplot/uPlot.iife.min.js"
    plain, packed = [
        await client.get(path, headers={"accept-encoding": how}) for how in ("identity", "gzip")
    ]
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    headers = {"if-none-match": packed.headers["etag"], "accept-encoding": "gzip"}
    assert (await client.get(path, headers=headers)).status_code == 304


@pytest.mark.parametrize("path", ["/static/../main.py", "/static/%2e%2e/main.py", "/static/no.js"])
async def test_only_what_stands_in_the_static_directory_is_served(
    path: str, client: AsyncClient
) -> None:
    assert (await client.get(path)).status_code == 404
