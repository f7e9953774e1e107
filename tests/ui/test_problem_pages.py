"""What went wrong is a page for browsers, and stays a document for programs."""

from urllib.parse import urljoin

import pytest

from kullback.api.problem_pages import prefers_html
from kullback.api.problem_types import TABLE, ProblemType
from kullback.settings import Settings
from kullback.ui.problem_pages import near
from tests.access.service import guarded
from tests.monitoring.service import Service
from tests.ui.opened import Page

pytestmark = pytest.mark.anyio

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PROGRAMS = ("*/*", "application/json", "application/json, text/html;q=0.9", "text/html;q=0", "")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (BROWSER["accept"], True),
        ("TEXT/HTML", True),
        ("application/json;q=0.5, text/html;q=0.9", True),
        ("application/json, text/html", True),
        ("text/html;q=x", False),
        ("text/html;q=2", False),
        ("text/*", False),
        *((each, False) for each in PROGRAMS),
    ],
)
def test_html_is_for_those_who_name_it(accept: str, expected: bool) -> None:  # noqa: FBT001
    assert prefers_html([accept]) is expected


@pytest.mark.parametrize("accept", PROGRAMS)
@pytest.mark.parametrize("path", ["/no-such", "/v1/monitors/no-such", "/problems/no-such"])
async def test_programs_get_the_document(service: Service, path: str, accept: str) -> None:
    answer = await service.client.get(path, headers={"accept": accept})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["vary"] == "Accept"
    assert answer.json()["type"] == "/problems/not-found"


@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("/monitors", "/#monitors"),
        ("/monitors/", "/#monitors"),
        ("/experiments?q=a%26b", "/?q=a%26b#experiments"),
        ("/monitors/a:b/?range=6h", "/monitors/a:b?range=6h"),
        ("/experiments/x/", "/experiments/x"),
        ("/docs/", "/docs"),
        ("/playground/", "/playground"),
        ("/playground/log-loss/", "/playground/log-loss"),
    ],
)
async def test_an_address_that_people_type_leads_to_the_page_they_mean(
    service: Service, path: str, leads: str
) -> None:
    answer = await service.client.get(path, headers=BROWSER)
    assert answer.status_code == 302
    assert urljoin(path, answer.headers["location"]) == leads


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/plaground", 404, "playground"),
        ("GET", "/v1/monitors/no-such", 404, "no monitor"),
        ("GET", "/problems/invalid-inputs", 404, "problems/invalid-input"),
        ("DELETE", "/docs", 405, "The method is not for this path"),
        ("GET", "/v1/monitors/a/b/c", 404, "A slash is not part of a name"),
    ],
)
async def test_browsers_get_a_page(
    service: Service, method: str, path: str, status: int, words: str
) -> None:
    answer = await service.client.request(method, path, headers=BROWSER)
    page = Page.of(answer, status)
    assert words in page.text
    assert (page.links["Overview"], "Kullback" in page.text) == ("../" * _depth(path) + "./", True)
    assert urljoin(f"http://kullback{path}", page.links["Overview"]) == "http://kullback/"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["vary"] == "accept-encoding, accept"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def _depth(path: str) -> int:
    return path.partition("?")[0].count("/") - 1


async def test_a_head_is_answered_as_a_get_would_be(service: Service) -> None:
    for headers, kind in (
        (BROWSER, "text/html; charset=utf-8"),
        ({"accept": "*/*"}, "application/problem+json"),
    ):
        answer = await service.client.head("/v1/monitors/no-such", headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) in {(404, kind), (405, kind)}


async def test_a_refused_form_names_its_wrong_places(service: Service) -> None:
    await service.put()
    path = "/v1/monitors/clicks/report?from=yesterday"
    page = Page.of(await service.client.get(path, headers=BROWSER), 422)
    assert "from" in page.text
    assert "an RFC 3339 time" in page.text
    assert "The input is not valid" in page.text


async def test_whoever_has_no_key_is_led_to_the_log_in(settings: Settings) -> None:
    async with guarded(settings) as service:
        answer = await service.client.get("/v1/monitors", headers=BROWSER)
    page = Page.of(answer, 401)
    assert page.links["Log in"] == "../login"
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.slug)
async def test_a_type_is_explained_in_the_frame_of_the_site(
    service: Service, kind: ProblemType
) -> None:
    answer = await service.client.get(kind.type, headers=BROWSER)
    assert answer.headers["vary"] == "accept-encoding, accept"
    page = Page.of(answer)
    plain = " ".join(page.text.split())
    assert kind.title in plain
    assert f"HTTP status {kind.status}" in plain
    assert kind.explanation.replace("`", "").split(".")[0].split(" ")[0] in plain
    assert "`" not in plain
    assert page.links["Overview"] == ".././"


@pytest.mark.parametrize(
    ("kind", "made"), [("monitors", "v1/monitors/clikcs"), ("experiments", '"arms"')]
)
async def test_a_missing_name_is_named_with_those_near_and_how_it_is_made(
    service: Service, kind: str, made: str
) -> None:
    body = {"arms": ["a", "b"]} if kind == "experiments" else {}
    for name in ("clicks", "purchases"):
        await service.put(f"/v1/{kind}/{name}", **body)
    page = Page.of(await service.client.get(f"/{kind}/clikcs"), 404)
    assert f"There is no {kind.removesuffix('s')} “clikcs" in page.text
    assert made in page.code[0]
    meant = page.text.index("Was one of these meant?")
    assert meant < page.text.index("clicks", meant) < page.text.index("purchases", meant)


async def test_what_is_named_is_text_and_no_name_is_offered_that_cannot_be(
    service: Service,
) -> None:
    page = Page.of(await service.client.get("/monitors/<img src=x>"), 404)
    assert "There is no monitor “<img src=x>" in page.text
    assert "img" not in page.tags
    assert page.code == []
    assert "No monitor can have this name: a name is 1 to 128 letters" in page.text


async def test_a_slash_that_came_escaped_leads_no_link_astray(service: Service) -> None:
    page = Page.of(await service.client.get("/monitors/a%2Fb%2F<i>", headers=BROWSER), 404)
    assert "/monitors/a/b/<i>" in page.text
    assert urljoin("http://kullback/monitors/x", page.links["Overview"]) == "http://kullback/"


def test_near_names_are_the_likest_first() -> None:
    names = ["purchases", "clicks-eu", "Clicks", "ctr"]
    assert near("clicsk", names) == ["Clicks", "clicks-eu"]
    assert near("zzz", names) == []
    assert near("x" * 10**6, names) == []
