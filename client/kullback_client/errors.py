"""What a service refuses, or why it gave no answer, as one tree.

KullbackError
├── InvalidInput             what was sent is not valid: 400, 413, 414, 415, 422, 431
│   └── BodyTooLarge         more than the service takes at once: 413
├── Unauthorized             a key is needed, or this one is not valid: 401
├── Forbidden                the key does not allow it: 403
├── NotFound                 nothing of that name: 404
├── Conflict                 what is there cannot become this, or an idempotency key was used: 409
├── TooManyRequests          asked too often: 429
├── Unavailable              no answer for now: 408, 502, 503, 504
│   └── Unreachable          the service cannot be reached, or did not answer in time
├── ServiceFailure           a bug of the service: 500
└── NotKullback              something else answered
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

PROBLEM = "application/problem+json"
_MAY_BE_DONE = {502, 503, 504}  # a write that is answered so may have been kept


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong place: a JSON Pointer (RFC 6901) and what is wrong there."""

    pointer: str
    detail: str

    @property
    def row(self) -> int | None:
        """The number of the row it is in, from 0, if it is in one."""
        steps = self.pointer.split("/")[1:]
        return next((int(step) for step in steps if step.isdecimal()), None)

    def below(self, rows: int) -> "FieldError":
        """The same place in rows that have so many others before them."""
        if not rows or self.row is None:
            return self
        steps = self.pointer.split("/")
        at = next(index for index, step in enumerate(steps) if step.isdecimal())
        steps[at] = str(int(steps[at]) + rows)
        return FieldError("/".join(steps), self.detail)


class KullbackError(Exception):
    """There is no answer; `str()` is the sentence of the service that says why.

    Attributes:
        status: the HTTP status, or None where none came.
        type: the kind of problem, as `/problems/invalid-input`; empty where none came.
        errors: at most 20 places that are wrong.
        total_errors: how many are wrong.
        request_id: the name of the request in the logs of the service.
        retry_after: seconds after which it may be asked again, where the service says so.
        follows_loss: whether the same request was sent before and may have been done then.
    """

    def __init__(  # noqa: PLR0913 - what a problem document says
        self,
        message: str,
        *,
        status: int | None = None,
        type: str = "",  # noqa: A002 - the name of the field in a problem document
        errors: Sequence[FieldError] = (),
        total_errors: int = 0,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.type = type
        self.errors = tuple(errors)
        self.total_errors = max(total_errors, len(self.errors))
        self.request_id = request_id
        self.retry_after = retry_after
        self.follows_loss = False

    @property
    def row(self) -> int | None:
        """The first row that is wrong, from 0, if a row is."""
        return next((error.row for error in self.errors if error.row is not None), None)

    @property
    def is_passing(self) -> bool:
        """Whether the same request may be answered later."""
        return False

    @property
    def may_be_done(self) -> bool:
        """Whether nobody knows if what was asked for was done."""
        return self.status in _MAY_BE_DONE

    def below(self, rows: int) -> Self:
        """The same, of rows that have so many others before them: its places are moved."""
        self.errors = tuple(error.below(rows) for error in self.errors)
        return self


class InvalidInput(KullbackError):
    """What was sent is not valid: `errors` says where."""


class BodyTooLarge(InvalidInput):
    """More was sent than the service takes at once."""


class Unauthorized(KullbackError):
    """There is no key, or it is not valid."""


class Forbidden(KullbackError):
    """The key does not allow this."""


class NotFound(KullbackError):
    """There is nothing of that name."""


class Conflict(KullbackError):
    """What is there cannot become this; or the idempotency key cannot be honoured."""

    @property
    def is_passing(self) -> bool:
        """Whether the same request is only being worked on."""
        return self.type == "/problems/idempotency-key-in-progress"


class TooManyRequests(KullbackError):
    """The key, or the address, asks too often."""

    @property
    def is_passing(self) -> bool:
        """It is."""
        return True


class Unavailable(KullbackError):
    """No answer for now."""

    @property
    def is_passing(self) -> bool:
        """Time mends all of them but sums that are damaged."""
        return self.type != "/problems/damaged-tally"


class Unreachable(Unavailable):
    """The service cannot be reached, or did not answer in time.

    Attributes:
        is_sent: whether the request may have arrived.
    """

    def __init__(self, message: str, *, is_sent: bool) -> None:
        super().__init__(message)
        self.is_sent = is_sent

    @property
    def may_be_done(self) -> bool:
        """Whether the request may have arrived."""
        return self.is_sent


class ServiceFailure(KullbackError):
    """The service failed: a bug of it."""


class NotKullback(KullbackError):
    """Something else than Kullback answered."""


_BY_STATUS: Mapping[int, type[KullbackError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    408: Unavailable,
    409: Conflict,
    413: BodyTooLarge,
    429: TooManyRequests,
    500: ServiceFailure,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}
_OF_PROXIES = {429, 502, 503, 504}  # they have words of their own for them


def refusal(url: str, status: int, headers: Mapping[str, str], content: bytes) -> KullbackError:
    """The error that an answer says, which is no 2xx."""
    media_type = headers.get("content-type", "").partition(";")[0]
    retry_after = _seconds(headers.get("retry-after", ""))
    kind = _BY_STATUS.get(status, InvalidInput)
    if media_type == PROBLEM and (problem := problem_of(content, kind, status)) is not None:
        problem.request_id = problem.request_id or headers.get("x-request-id")
        problem.retry_after = retry_after
        return problem
    sentence = f"{url} answered {status}, and not as Kullback does"
    if status in _OF_PROXIES:
        return kind(sentence, status=status, retry_after=retry_after)
    return NotKullback(sentence, status=status)


def problem_of(
    content: bytes | dict[str, Any], kind: type[KullbackError], status: int
) -> KullbackError | None:
    """The error that a problem document says, if it is one."""
    try:
        document: dict[str, Any] = json.loads(content) if isinstance(content, bytes) else content
        return kind(
            str(document["detail"]),
            status=status,
            type=str(document.get("type", "")),
            errors=[
                FieldError(str(place["pointer"]), str(place["detail"]))
                for place in document.get("errors", ())
            ],
            total_errors=int(document.get("total_errors", 0)),
            request_id=document.get("request_id"),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None


def _seconds(retry_after: str) -> float | None:
    return float(retry_after) if retry_after.isdecimal() else None
