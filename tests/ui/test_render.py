"""A page is made only for those who do not have it."""

import gzip
from collections.abc import Mapping

import pytest
from fastapi import Request, Response

from kullback.ui.overview_filter import OverviewFilter, chosen_rows
from kullback.ui.overview_rows import OverviewRow
from kullback.ui.render import Pages, marked, sentence
from kullback.ui.site_links import SiteLinks

PAGES = Pages("1.0")


class Content:
    """The content of a page, and how often it was made."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> Mapping[str, object]:
        self.made += 1
        return {"metrics": []}


def page(
    content: Content,
    state: object = "",
    etag: str = "",
    host: bytes = b"kullback",
    pages: Pages = PAGES,
) -> Response:
    headers = [(b"host", host), (b"if-none-match", etag.encode())]
    scope = {"type": "http", "path": "/playground", "query_string": b"", "headers": headers}
    return pages.page_of(Request(scope), "playground.html", state, content)


def test_a_page_that_the_caller_has_is_not_made() -> None:
    content = Content()
    first = page(content)
    again = page(content, etag=first.headers["etag"])
    assert (first.status_code, again.status_code, again.body) == (200, 304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert content.made == 1


def test_a_page_is_another_for_another_state_host_and_release() -> None:
    content = Content()
    etag = page(content).headers["etag"]
    assert page(content, "rows came", etag=etag).status_code == 200
    assert page(content, host=b"elsewhere", etag=etag).status_code == 200
    assert page(content, pages=Pages("1.1"), etag=etag).status_code == 200
    elsewhere = Pages("1.0", SiteLinks("https://a.example"))
    assert page(content, pages=elsewhere, etag=etag).status_code == 200
    assert content.made == 5


@pytest.mark.parametrize(
    ("address", "links"),
    [("", 0), ("https://docs.example/kullback?a&b", 1)],
)
def test_a_page_links_the_documentation_where_that_has_an_address(address: str, links: int) -> None:
    text = bytes(page(Content(), pages=Pages("1.0", SiteLinks(address))).body).decode()
    link = '<a href="https://docs.example/kullback?a&amp;b">Documentation</a>'
    assert (text.count(link), text.count("Documentation")) == (links, links)


def test_minutes_that_pass_make_no_other_page() -> None:
    now = 1_800_000_000.0
    pages = Pages("1.0", clock=lambda: now)
    row = OverviewRow("clicks", "ok", "0.4", last=now - 600)
    content = chosen_rows(OverviewFilter(), [row], []) | {"ratio": 1.5, "share": 0.1}
    headers = [(b"host", b"kullback")]
    scope = {"type": "http", "path": "/", "query_string": b"", "headers": headers}

    def home() -> Response:
        return pages.page_of(Request(scope), "overview.html", row, lambda: content)

    before = home()
    now += 60
    after = home()
    assert (b"10 minutes ago" in before.body, b"11 minutes ago" in after.body) == (True, True)
    assert before.headers["etag"] == after.headers["etag"]


@pytest.mark.parametrize(
    ("header", "is_compressed"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, GZIP; q=0.5", True),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("x-gzip", False),
    ],
)
def test_a_page_is_compressed_for_who_takes_that(header: str, *, is_compressed: bool) -> None:
    headers = [(b"host", b"kullback"), (b"accept-encoding", header.encode())]
    scope = {"type": "http", "path": "/playground", "query_string": b"", "headers": headers}
    answer = PAGES.page_of(Request(scope), "playground.html", "", Content())
    plain = page(Content())
    body = bytes(answer.body)
    assert (answer.headers.get("content-encoding") == "gzip") is is_compressed
    assert (gzip.decompress(body) if is_compressed else body) == plain.body
    assert answer.headers["content-length"] == str(len(body))
    assert {each.headers["vary"] for each in (answer, plain)} == {"accept-encoding"}
    assert answer.headers["etag"] == plain.headers["etag"]
    assert plain.headers["etag"].startswith('W/"'), "of two encodings"


def test_a_tag_is_compared_weakly() -> None:
    content = Content()
    tag = page(content).headers["etag"]
    for kept in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        assert page(content, etag=kept).status_code == 304
    assert page(content, "rows came", etag=tag).status_code == 200


def test_a_moment_of_another_year_has_its_year() -> None:
    words, in_2026 = "Silent since 2026-03-05T12:00:00Z.", 1_780_000_000.0
    assert sentence(words, in_2026) == "Silent since 5 Mar 12:00 UTC."
    assert sentence(words, in_2026 + 365 * 86_400) == "Silent since 5 Mar 2026 12:00 UTC."


def test_moments_of_a_sentence_are_elements_and_its_names_are_text() -> None:
    now = 1_780_000_000.0
    assert marked("Since 2026-05-28T08:00:00Z, <b> -1.", now) == (
        'Since <time class="said" datetime="2026-05-28T08:00:00Z">28 May 08:00 UTC</time>'
        ", &lt;b&gt; −1."
    )
    assert marked("day = 2026-05-28T08:00:00Z", now) == "day = 2026-05-28T08:00:00Z"
    assert marked("2026-13-41T08:00:00Z", now) == "2026-13-41T08:00:00Z"
