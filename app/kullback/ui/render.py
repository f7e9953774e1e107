"""How pages are made: templates filled, data for charts, and what a page may load."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from gzip import compress
from time import time

from fastapi import Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from pydantic_core import to_json

from kullback.access.keys import PATTERN
from kullback.api.credentials import path_within
from kullback.api.gate import has_session
from kullback.api.routes import has_tag
from kullback.documents import entity_tag
from kullback.figures.figure import Figure
from kullback.figures.svg import svg
from kullback.figures.typesetting import MOMENT, dated, lasting, measured, shown, typeset
from kullback.moments import moment
from kullback.numerics.digits import number, p_value
from kullback.payload.media import weighted_names
from kullback.settings import Settings
from kullback.ui.dates import ago, date
from kullback.ui.glossary import GLOSSARY
from kullback.ui.notice import NO_NOTICE, Notice
from kullback.ui.site_links import NO_LINKS, SiteLinks

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_WITH_KEY = '-H "Authorization: Bearer $KULLBACK_API_KEY"'
_SAID = Markup('<time class="said" datetime="{}">{}</time>')
_CODE = re.compile("`([^`]+)`")
_A_KEY = re.compile(PATTERN)
_HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-cache",
    "vary": "accept-encoding",
}


class Pages:
    """Makes pages from templates; what callers named is always text, never markup."""

    def __init__(
        self,
        release: str,
        links: SiteLinks = NO_LINKS,
        notice: Notice = NO_NOTICE,
        clock: Callable[[], float] = time,
    ) -> None:
        self._notice, self._links = notice, links
        loader = PackageLoader("kullback.ui")
        self._environment = Environment(
            loader=loader,
            autoescape=True,
            auto_reload=False,  # modules stay as they were, too
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "data": _data,
            "svg": _picture,
            "moment": moment,
            "date": date,
            "lasting": lasting,
            **NUMBERS,
        }
        self._environment.filters["code"] = code
        self._environment.filters["typeset"] = lambda words: marked(words, clock())
        self._environment.filters["ago"] = lambda seconds: ago(seconds, clock())
        self._environment.globals |= {"release": release, "site": links, "glossary": GLOSSARY}
        sources = [loader.get_source(self._environment, name) for name in loader.list_templates()]
        self._edition = entity_tag(
            repr((release, links, [text for text, _, _ in sources])).encode()
        )

    @classmethod
    def of(cls, settings: Settings, release: str, clock: Callable[[], float]) -> "Pages":
        """The pages of a service that has these settings."""
        return cls(release, SiteLinks.of(settings), Notice(settings.notice_file), clock)

    def base_of(self, request: Request) -> str:
        """The address of this service, for texts that leave it."""
        return self._links.base(request)

    def page(
        self, request: Request, template: str, content: Mapping[str, object], status: int = 200
    ) -> Response:
        """A page that is made for each who asks."""
        return _kept_by_nobody(
            request, _page(request, self._render(request, template, content), {}, status)
        )

    def page_of(
        self,
        request: Request,
        template: str,
        state: object,
        content: Callable[[], Mapping[str, object]],
    ) -> Response:
        """A page whose content follows from `state`: nothing is made where the caller has it."""
        whose = has_session(request), may_write(request)
        parts = (self._edition, self.base_of(request), whose, str(self._notice), state)
        etag = _weak_tag(repr(parts).encode())
        if has_tag(request, etag):
            return _kept_by_nobody(request, _not_modified(etag))
        text = self._render(request, template, content())
        return _kept_by_nobody(request, _page(request, text, {"etag": etag}))

    def _render(self, request: Request, template: str, content: Mapping[str, object]) -> bytes:
        depth = path_within(request.scope).count("/") - 1 - _escaped_slashes(request)
        context = {
            "root": "../" * depth,
            "base": self.base_of(request),
            "command": f"curl {_WITH_KEY}" if has_session(request) else "curl",
            "here": "",
            "notice": str(self._notice),
            "has_session": has_session(request),
            "may_write": may_write(request),
            **content,
        }
        page = self._environment.get_template(template).render(context)
        return _A_KEY.sub("kb_…", page).encode()  # one in an address goes no further


def may_write(request: Request) -> bool:
    """Whether whoever looks may change what they see."""
    caller = request.scope.get("state", {}).get("caller")
    return caller is not None and "write" in caller.scopes


def _escaped_slashes(request: Request) -> int:
    """The slashes of a path that part nothing, as they came as %2F."""
    raw = request.scope.get("raw_path")
    return 0 if raw is None else int(request.scope["path"].count("/")) - int(raw.count(b"/"))


def _weak_tag(content: bytes) -> str:
    """A tag of a page, which may be compressed, and whose words for times may be others by now."""
    return f"W/{entity_tag(content)}"


def _not_modified(etag: str) -> Response:
    return Response(status_code=304, headers={**_HEADERS, "etag": etag})


def _kept_by_nobody(request: Request, page: Response) -> Response:
    """The page, which is gone from a browser when its session is."""
    if has_session(request):
        page.headers["cache-control"] = "no-store"
    return page


def _page(request: Request, text: bytes, tags: Mapping[str, str], status: int = 200) -> Response:
    """The page, compressed where that is taken: no secret stands beside what callers chose."""
    headers = {**_HEADERS, **tags}
    if _takes_gzip(request):
        text, headers["content-encoding"] = compress(text, 6, mtime=0), "gzip"
    return Response(text, status, headers, "text/html; charset=utf-8")


def _takes_gzip(request: Request) -> bool:
    names = weighted_names(",".join(request.headers.getlist("accept-encoding")))
    return any(name == "gzip" and weight != 0 for name, weight in names)


def sentence(words: str, now: float) -> str:
    """A sentence as pages have it: with true minus signs, and moments as people write them now."""
    return typeset(dated(words, datetime.fromtimestamp(now, UTC).year))


def marked(words: str, now: float) -> Markup:
    """A sentence whose moments are elements, which follow the zone that a page is in."""
    plain, moments = MOMENT.split(words), MOMENT.findall(words)
    text = escape(sentence(plain[0], now))
    for each, after in zip(moments, plain[1:], strict=True):
        said = sentence(each, now)
        text += escape(said) if said == each else _SAID.format(each, said)
        text += escape(sentence(after, now))
    return text


def rounded(value: float | None, places: int | None = None) -> str:
    """A number to four digits, or so many places behind the point."""
    return typeset(number(value, places))


def small(value: float | None) -> str:
    """A number to three places; of what is less, that it is."""
    return "< 0.001" if value is not None and 0 < value < 0.0005 else rounded(value, 3)


def percent(share: float) -> str:
    """A share in percent, and "< 1%" of what is less but not nothing."""
    return "< 1%" if 0 < share < 0.005 else f"{share:.0%}"


NUMBERS: Mapping[str, Callable[..., str]] = {
    "measured": measured,
    "p_value": p_value,
    "percent": percent,
    "rounded": rounded,
    "shown": shown,
    "small": small,
}


def _picture(figure: Figure) -> Markup:
    return Markup(svg(figure))  # noqa: S704 - its words are escaped where it is drawn


def code(words: str) -> Markup:
    """Words in which what stands between backticks is code."""
    return Markup(_CODE.sub(r"<code>\1</code>", escape(words)))  # noqa: S704 - escaped before


def _data(value: object) -> Markup:
    """JSON that may stand in a script element: nothing in it can end the element."""
    text = to_json(value, inf_nan_mode="null").decode()
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - what could be markup was replaced
