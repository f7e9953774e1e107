"""Pages of what went wrong: names that there are not, refusals, and what their types mean."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from fastapi import Request, Response

from kullback.api.credentials import path_within
from kullback.api.problem_document import Problem
from kullback.api.problem_types import BY_SLUG, ProblemType
from kullback.payload.identifiers import A_NAME, is_name
from kullback.ui.render import Pages

NEAR, LIKENESS = 5, 0.5
LISTED = 50  # names; the overview has and searches all
COMPARED = 2000
LONGEST = 128  # characters of a name that is shown and compared
_PLACES = {"monitor": "monitors", "experiment": "experiments", "metric": "playground"}
_SITE = ("/", "/docs", "/playground", "/openapi.json", "/metrics", "/livez", "/readyz")
_EXPLANATIONS = "/problems/"
_VARY = "accept-encoding, accept"


def near(name: str, names: Sequence[str]) -> list[str]:
    """The names that are most like a name, the likest first."""
    folded = {each.casefold(): each for each in names[:COMPARED]}
    likest = get_close_matches(name[:LONGEST].casefold(), folded, NEAR, LIKENESS)
    return [folded[each] for each in likest]


def missing(
    pages: Pages,
    request: Request,
    place: tuple[str, str],
    names: Sequence[str],
    *,
    is_own: bool = True,
) -> Response:
    """A page that names what there is not, what is like it, and how it is made.

    A name that the key is not for (not `is_own`) is not said again, nor how to make it: that key
    may not, and whether another's is there it may not know.
    """
    kind, name = place
    likest = near(name, names)
    content = {
        "kind": kind,
        "place": _PLACES[kind],
        "name": _clipped(name) if is_own else "",
        "near": likest,
        "names": [each for each in names if each not in likest][:LISTED],
        "total": len(names),
        "can_be_made": is_own and kind != "metric" and is_name(name),
        "a_name": "" if kind == "metric" or is_name(name) else A_NAME,
    }
    return pages.page(request, "missing.html", content, 404)


class SitePages:
    """Problems as pages of the site; see ProblemPages."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def refused(
        self, request: Request, kind: ProblemType, problem: Problem, headers: Mapping[str, str]
    ) -> Response:
        """The page of one refusal: what happened, where, and what its type means."""
        path = path_within(request.scope)
        is_missing = problem.status == 404
        content = {
            "problem": problem,
            "kind": kind,
            "path": _clipped(path),
            "near": [each.lstrip("/") or "./" for each in _near_places(path)] if is_missing else [],
            "is_unauthenticated": problem.status == 401,
        }
        page = self._pages.page(request, "problem.html", content, problem.status)
        page.headers.update({**headers, "cache-control": "no-store", "vary": _VARY})
        return page

    def explained(self, request: Request, kind: ProblemType) -> Response:
        """The page that explains a type."""
        content = {"kind": kind, "kinds": BY_SLUG.values()}
        page = self._pages.page_of(request, "problem_type.html", kind.slug, lambda: content)
        page.headers["vary"] = _VARY
        return page


def _near_places(path: str) -> list[str]:
    if path.startswith(_EXPLANATIONS):
        slugs = near(path.removeprefix(_EXPLANATIONS), list(BY_SLUG))
        return [f"{_EXPLANATIONS}{slug}" for slug in slugs]
    return near(path, _SITE)


def _clipped(text: str) -> str:
    """At most so much of it, each character of which UTF-8 can carry."""
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return text.encode("utf-8", "replace").decode()
