"""Problem types: the one table of what each kind of refusal means over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass

from kullback.errors import (
    BodyTooLarge,
    ClockLeapt,
    Conflict,
    DamagedTally,
    DeadlineExceeded,
    Forbidden,
    IdempotencyKeyInProgress,
    IdempotencyKeyOutdated,
    IdempotencyKeyReused,
    InvalidInput,
    KullbackError,
    MalformedBody,
    Misdirected,
    NotAcceptable,
    NotFound,
    Overloaded,
    RateLimited,
    StoreUnavailable,
    TallyMismatch,
    Unauthenticated,
    UnsupportedBody,
)


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of refusal: its status, the last part of its type, and what it says."""

    status: int
    slug: str
    title: str
    explanation: str

    @property
    def type(self) -> str:
        """Where this service explains it."""
        return f"/problems/{self.slug}"


METHOD_NOT_ALLOWED = ProblemType(
    405,
    "method-not-allowed",
    "The method is not for this path",
    "The path exists, but not for this method. The header `Allow` names those it takes.",
)
BODY_TOO_LARGE = ProblemType(
    413,
    "body-too-large",
    "The body is too large",
    "The body, as sent, inflated or read, exceeds what this service takes. Send it in parts, "
    "or ask its operator to raise `KULLBACK_MAX_BODY_MB`.",
)
MALFORMED_REQUEST = ProblemType(
    400,
    "malformed-request",
    "This is not a request of HTTP",
    "The head or the framing of the body is not HTTP/1.1, or can be read in two ways. Nothing was "
    "done, and the connection was closed. A client, or a proxy in front, is broken.",
)
REQUEST_TIMEOUT = ProblemType(
    408,
    "request-timeout",
    "The request did not come in time",
    "A head must be here within 5 seconds, a body within `KULLBACK_BODY_SECONDS`. Nothing was "
    "done. Send it again, in parts or compressed if the way here is slow.",
)
URL_TOO_LONG = ProblemType(
    414,
    "url-too-long",
    "The URL is too long",
    "The first line of a request may have 8 KiB.",
)
HEAD_TOO_LARGE = ProblemType(
    431,
    "head-too-large",
    "The head of the request is too large",
    "All header fields together may have 16 KiB, and there may be 64 of them.",
)
HTTP_VERSION = ProblemType(
    505,
    "http-version",
    "This version of HTTP is not spoken here",
    "HTTP/1.1 and HTTP/1.0 are. A proxy in front may speak others.",
)
INTERNAL = ProblemType(
    500,
    "internal",
    "Kullback failed",
    "This is a bug in Kullback, not in your request. Please report it with the `request_id`.",
)
PROBLEM_TYPES: Mapping[type[KullbackError], ProblemType] = {
    MalformedBody: ProblemType(
        400,
        "malformed-body",
        "The body cannot be read",
        "The bytes are not what `Content-Type` and `Content-Encoding` say they are.",
    ),
    Unauthenticated: ProblemType(
        401,
        "unauthenticated",
        "A key is needed",
        "This service asks for a key: `Authorization: Bearer kb_…`. What was sent, if anything, is "
        "unknown, expired or revoked. Whoever runs the service makes keys with "
        "`kullback keys create`.",
    ),
    Forbidden: ProblemType(
        403,
        "insufficient-scope",
        "The key does not allow this",
        "The key is valid, but lacks the scope of this request, or is for names that begin "
        "otherwise. Ask whoever runs the service for one that has it.",
    ),
    RateLimited: ProblemType(
        429,
        "rate-limited",
        "Too many requests",
        "The key has asked more often than it may, or wrong keys have come from this address. The "
        "same request may succeed after the seconds in `Retry-After`.",
    ),
    NotFound: ProblemType(
        404,
        "not-found",
        "There is nothing here",
        "No resource has this name. `GET /v1/scores` lists every metric, `GET /v1/monitors` every "
        "monitor.",
    ),
    NotAcceptable: ProblemType(
        406,
        "not-acceptable",
        "No type that is accepted is served here",
        "The header `Accept` names none of the types of this answer, or rules them all out. "
        "`detail` names those that are served.",
    ),
    Conflict: ProblemType(
        409,
        "conflict",
        "What is there cannot become this",
        "The resource exists, and what it holds does not allow the change. Nothing was changed.",
    ),
    IdempotencyKeyInProgress: ProblemType(
        409,
        "idempotency-key-in-progress",
        "The same request is being worked on",
        "A request with this `Idempotency-Key` has not been answered yet. Ask again after the "
        "seconds in `Retry-After`; the answer will be that of the first.",
    ),
    TallyMismatch: ProblemType(
        409,
        "tally-mismatch",
        "Sums of different things do not add up",
        "What was stored was summed under other settings, or by a newer release.",
    ),
    BodyTooLarge: BODY_TOO_LARGE,
    UnsupportedBody: ProblemType(
        415,
        "unsupported-body",
        "The body's type or encoding is not read here",
        "The header `Accept` or `Accept-Encoding` of the answer names what is read.",
    ),
    InvalidInput: ProblemType(
        422,
        "invalid-input",
        "The input is not valid",
        "The body was read, but a field is missing, unknown, out of its range or of the wrong "
        "shape. Every entry of `errors` points at one place; `total_errors` counts them all.",
    ),
    Misdirected: ProblemType(
        421,
        "misdirected",
        "The request was meant for another host",
        "The header `Host` names a host that this service does not serve, as happens when a name "
        "of somebody else is made to lead here. `KULLBACK_ALLOWED_HOSTS` lists those it serves; "
        "unset, a service on loopback serves `localhost`, `127.0.0.1` and `[::1]`.",
    ),
    IdempotencyKeyReused: ProblemType(
        422,
        "idempotency-key-reused",
        "The idempotency key came before with another request",
        "An `Idempotency-Key` stands for one request. Nothing of this one was kept: send it "
        "again with a key of its own.",
    ),
    IdempotencyKeyOutdated: ProblemType(
        409,
        "idempotency-key-outdated",
        "A part of what this key wrote was removed",
        "The batch that came with this `Idempotency-Key` was kept, and windows in which some of "
        "its rows lay were removed since. Nothing of this one was kept. Send the rows that are to "
        "count again, and with another key.",
    ),
    Overloaded: ProblemType(
        503,
        "overloaded",
        "The service cannot take this now",
        "The service is full or stopping. The same request may succeed after the seconds in "
        "`Retry-After`.",
    ),
    DeadlineExceeded: ProblemType(
        503,
        "deadline-exceeded",
        "This took too long",
        "The work waited for too long or took too long, and was given up. Nothing was kept of it. "
        "Try again after the seconds in `Retry-After`, or send less at once.",
    ),
    ClockLeapt: ProblemType(
        503,
        "clock-leapt",
        "The clock of the server has leapt",
        "Rows are checked and dated by it, and nobody knows yet whether it was right before or is "
        "now. Nothing of this was kept. Send it again, with the same `Idempotency-Key`, after the "
        "seconds in `Retry-After`; if it goes on, the operator has to look at the clock.",
    ),
    StoreUnavailable: ProblemType(
        503,
        "store-unavailable",
        "The store is away",
        "What this service remembers cannot be read or written now. Whether a write was kept is "
        "unknown: send it again, with the same `Idempotency-Key`, after the seconds in "
        "`Retry-After`.",
    ),
    DamagedTally: ProblemType(
        503,
        "damaged-tally",
        "What was stored is damaged",
        "Sums or settings on the disk of this service are not what they were when they were "
        "stored, and no figure is made of them. Other windows, and what has other settings, are "
        "not touched by it: ask for those. Sending this again does not help; the operator has to "
        "restore a backup.",
    ),
}
TABLE = (
    *PROBLEM_TYPES.values(),
    METHOD_NOT_ALLOWED,
    MALFORMED_REQUEST,
    REQUEST_TIMEOUT,
    URL_TOO_LONG,
    HEAD_TOO_LARGE,
    HTTP_VERSION,
    INTERNAL,
)
BY_STATUS = {kind.status: kind for kind in reversed(TABLE)}
BY_SLUG = {kind.slug: kind for kind in TABLE}
