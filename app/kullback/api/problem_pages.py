"""Problems as pages: for whoever asks for HTML rather than for JSON, as browsers do."""

from collections.abc import Mapping
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from kullback.api.problem_document import Problem
from kullback.api.problem_types import ProblemType
from kullback.payload.media import weighted_names

_HTML = "text/html"
_JSON = ("application/problem+json", "application/json", "application/*")


class ProblemPages(Protocol):
    """What makes pages of problems."""

    def refused(
        self, request: Request, kind: ProblemType, problem: Problem, headers: Mapping[str, str]
    ) -> Response:
        """The page of one refusal."""

    def explained(self, request: Request, kind: ProblemType) -> Response:
        """The page that explains a type."""


def pages_for(request: Request) -> ProblemPages | None:
    """What makes the pages; None where the caller does not ask for them, or there are none."""
    if not prefers_html(request.headers.getlist("accept")):
        return None
    pages: ProblemPages | None = getattr(request.app.state, "problem_pages", None)
    return pages


def prefers_html(accept: list[str]) -> bool:
    """Whether HTML is named, and JSON is not wanted more; "*/*" alone, as of curl, is JSON."""
    weights = {
        name: weight
        for name, weight in weighted_names(",".join(accept))
        if weight is not None and 0 <= weight <= 1
    }
    html = weights.get(_HTML, 0.0)
    return html > 0 and html >= max(weights.get(kind, 0.0) for kind in _JSON)
