"""Client of a score: computes it in this process, or asks a service."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kullback.api import several_answer
from kullback.cli.terminal import Failure, Status
from kullback.client import Client, Retry
from kullback.client import errors as client_errors
from kullback.client.exchange import Request
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

KEYS = ["KULLBACK_API_KEY", "KULLBACK_KEY"]  # variables: of every client, and the one before it
_NO_CAP = 1 << 62


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
        sent = request or Payload(JSON, bytearray())
        content = None if request is None else bytes(request.body)
        as_sent = Request(method, path, tuple(sent.query), content, sent.media_type)
        try:
            with Client(self.url, self.key, timeout=self.timeout, retry=Retry(seconds=0)) as client:
                return client.ask(as_sent).content
        except ValueError as error:  # of the address, or of the key
            raise Failure(f"--{error}".replace("api_key", "key"), Status.UNUSABLE) from error
        except client_errors.Unauthorized as error:
            if self.key is None:
                raise Failure(f"a key is needed: --key or {KEYS[0]}", Status.REFUSED) from error
            raise _refusal(error) from error
        except client_errors.KullbackError as error:
            raise _refusal(error) from error


def _refusal(error: client_errors.KullbackError) -> Failure:
    """What a service says when it refuses; what is no problem of Kullback is no refusal."""
    if not error.type:
        return Failure(str(error), Status.UNREACHABLE)
    places = [FieldError(place.pointer, place.detail) for place in error.errors]
    return Failure.refusal(str(error), places, error.total_errors)
