"""Client of a score: computes it in this process, or asks a service."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import httpx
from pydantic import BaseModel, ValidationError

from kullback.api import several_answer
from kullback.cli.terminal import Failure, Status
from kullback.errors import FieldError, KullbackError
from kullback.payload import read
from kullback.payload.body import Body
from kullback.payload.media import JSON
from kullback.payload.read import Query
from kullback.requests import REQUESTS
from kullback.requests.column_order import score_request
from kullback.requests.several import FIELD, read_several
from kullback.requests.validation import array_fields, word_options
from kullback.scoring.score_json import encode

KEY = "KULLBACK_KEY"  # the variable
_NO_CAP = 1 << 62
_IS_PRINTABLE = re.compile(r"[!-~]+").fullmatch


@dataclass(frozen=True, slots=True)
class Payload:
    """A request as it goes over HTTP: the body, what it is, and the query."""

    media_type: str
    body: bytearray
    query: Query = field(default_factory=list)


def score_here(metrics: Sequence[str], request: Payload) -> bytes:
    """The answer that a service would give, computed by this process.

    Raises:
        Failure: the request is refused.
    """
    body = Body(request.body, request.media_type, "identity")
    try:
        if len(metrics) > 1:
            several = read_several(body, _naming(metrics, request.query), _NO_CAP)
            return several_answer.encode(several.scores(), None)
        model = REQUESTS[metrics[0]]
        fields = read.fields(body, request.query, array_fields(model), word_options(model), _NO_CAP)
        return encode(score_request(model, fields).score())
    except KullbackError as error:
        raise Failure.of(error) from error


def _naming(metrics: Sequence[str], query: Query) -> Query:
    return [(FIELD, ",".join(metrics)), *query]


class _Place(BaseModel):
    pointer: str
    detail: str


class _Problem(BaseModel):
    """What a service says when it refuses."""

    detail: str
    errors: list[_Place] = []
    total_errors: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """A service to ask, and the key that it asks for."""

    url: str
    key: str | None = None
    timeout: float = 60.0

    def score(self, metrics: Sequence[str], request: Payload) -> bytes:
        """The score that it answers.

        Raises:
            Failure: it refuses, it cannot be reached, or it is not Kullback.
        """
        if len(metrics) == 1:
            return self.ask("POST", f"/v1/scores/{metrics[0]}", request)
        query = _naming(metrics, request.query)
        return self.ask("POST", "/v1/scores", replace(request, query=query))

    def ask(self, method: str, path: str, request: Payload | None = None) -> bytes:
        """What it answers.

        Raises:
            Failure: it refuses, it cannot be reached, or it is not Kullback.
        """
        url = self.url
        if not url.startswith(("http://", "https://")):
            raise Failure(f"--url: {url} is not an http:// or https:// address", Status.UNUSABLE)
        if self.key is not None and not _IS_PRINTABLE(self.key):
            raise Failure("--key: this is no key", Status.UNUSABLE)
        headers = {} if self.key is None else {"authorization": f"Bearer {self.key}"}
        if request is not None:
            headers["content-type"] = request.media_type
        try:
            answer = httpx.request(
                method,
                f"{url.rstrip('/')}{path}",
                content=None if request is None else bytes(request.body),
                params=() if request is None else tuple(request.query),
                headers=headers,
                timeout=self.timeout,
            )
        except httpx.InvalidURL as error:
            raise Failure(f"--url: {url} is not an address: {error}", Status.UNUSABLE) from error
        except httpx.TimeoutException as error:
            detail = f"{url} did not answer within {self.timeout:g} s"
            raise Failure(detail, Status.UNREACHABLE) from error
        except httpx.HTTPError as error:
            is_unknown = "CERTIFICATE_VERIFY_FAILED" in str(error)
            hint = "\nSSL_CERT_FILE=cert.pem trusts a certificate of your own" if is_unknown else ""
            raise Failure(f"{url} cannot be reached: {error}{hint}", Status.UNREACHABLE) from error
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        if answer.is_success and media_type in {JSON, ""}:
            return answer.content
        if answer.status_code == httpx.codes.UNAUTHORIZED and self.key is None:
            raise Failure(f"a key is needed: --key or {KEY}", Status.REFUSED)
        raise _refusal(url, answer, media_type)


def _refusal(url: str, answer: httpx.Response, media_type: str) -> Failure:
    strange = Failure(
        f"{url} answered {answer.status_code}, and not as Kullback does", Status.UNREACHABLE
    )
    if media_type != "application/problem+json":
        return strange
    try:
        problem = _Problem.model_validate_json(answer.content)
    except ValidationError:
        return strange
    places = [FieldError(place.pointer, place.detail) for place in problem.errors]
    return Failure.refusal(problem.detail, places, problem.total_errors)
