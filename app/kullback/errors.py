"""Everything Kullback refuses, as one tree; what each means over HTTP is said in api/problems.py.

KullbackError
├── ScoringError
│   ├── InvalidInput         the numbers or shapes sent cannot be scored
│   │   └── InvalidRows      some rows of what was sent cannot be, the others can
│   └── TallyMismatch        sums of different things do not add up
│       └── DamagedTally     stored sums are not what they were
├── BodyError
│   ├── MalformedBody        the bytes are not what their type says
│   ├── UnsupportedBody      a type or an encoding nobody here reads
│   └── BodyTooLarge         more bytes than the service takes
├── AccessRefused
│   ├── Unauthenticated      who asks is not known
│   ├── Forbidden            who asks may not do this
│   └── RateLimited          who asks has asked too often: try again
├── Misdirected              the request was meant for another host
├── NotFound                 no such name
├── NotAcceptable            nothing that is served is what the caller would have
├── Conflict                 what is there cannot become what was asked for
├── IdempotencyKeyError
│   ├── IdempotencyKeyReused      the idempotency key came before, with another request
│   ├── IdempotencyKeyInProgress  the same request is being worked on now: try again
│   └── IdempotencyKeyOutdated    of what the key wrote a part was removed since
├── Overloaded               full for the moment: try again
│   ├── ClockLeapt           rows cannot be dated now: try again
│   └── DeadlineExceeded     it waited or took too long
└── StoreUnavailable         the store is away: try again, with the same idempotency key
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Self

Step = str | int


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong place: a JSON Pointer (RFC 6901) and what is wrong there."""

    pointer: str
    detail: str


def pointer(*steps: Step) -> str:
    """The JSON Pointer of these keys and indices."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def hint(name: str, names: Sequence[str], owner: str = "it has") -> str:
    """What whoever wrote `name` may have meant, or else which names there are."""
    near = get_close_matches(name[:64], names, 1)
    return f"did you mean {near[0]}?" if near else f"{owner} {', '.join(names[:40]) or 'none'}"


def first_line(error: Exception) -> str:
    """What another library's error says, in one line of at most 200 letters."""
    return str(error).partition("\n")[0][:200] or type(error).__name__


class KullbackError(Exception):
    """A refusal: one sentence, and the places it is about."""

    def __init__(self, message: str, offences: Sequence[FieldError] = (), total: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offences = tuple(offences)
        self.total = max(total, len(self.offences))

    @classmethod
    def at(cls, detail: str, *steps: Step) -> Self:
        """A refusal of one place."""
        name = str(steps[0])
        message = detail if name in detail else f"{name[:80]}: {detail}"
        return cls(message, [FieldError(pointer(*steps), detail)])

    def moved(self, change: Callable[[FieldError], FieldError], message: str) -> Self:
        """The same refusal with another message, and with its places as `change` has them."""
        other = copy(self)
        other.args, other.message = (message,), message
        other.offences = tuple(map(change, self.offences))
        return other


class ScoringError(KullbackError):
    """A score cannot be computed as asked."""


class InvalidInput(ScoringError):
    """The numbers or shapes sent cannot be scored."""


class InvalidRows(InvalidInput):
    """Some rows of what was sent cannot be scored; without them the others could be.

    Attributes:
        rows: the numbers of all these rows, from 0, rising.
        first: of the first of them, in their order, a wrong place each.
        depth: how many steps of a place come before the number of its row.
    """

    def __init__(
        self,
        message: str,
        offences: Sequence[FieldError] = (),
        total: int = 0,
        rows: Sequence[int] = (),
        first: Sequence[FieldError] = (),
    ) -> None:
        super().__init__(message, offences, total)
        self.rows = rows
        self.first = tuple(first)
        self.depth = 1

    def moved(
        self, change: Callable[[FieldError], FieldError], message: str, depth: int | None = None
    ) -> Self:
        """See KullbackError; `depth` where that changes too."""
        other = super().moved(change, message)
        other.first = tuple(map(change, self.first))
        other.depth = self.depth if depth is None else depth
        return other


class TallyMismatch(ScoringError):
    """Sums of different things do not add up."""


class DamagedTally(TallyMismatch):
    """Stored sums are not what they were when they were stored."""


class BodyError(KullbackError):
    """The body cannot be read."""


class MalformedBody(BodyError):
    """The bytes are not what their type says."""


class UnsupportedBody(BodyError):
    """The body's type or encoding is not one that is read here."""

    def __init__(self, message: str, header: str, accepted: Sequence[str]) -> None:
        super().__init__(message)
        self.header = header
        self.accepted = tuple(accepted)


class BodyTooLarge(BodyError):
    """The body is larger than the service takes."""


class AccessRefused(KullbackError):
    """Whoever asks may not have what is there."""


class Unauthenticated(AccessRefused):
    """There is no key, or it is not valid."""


class Forbidden(AccessRefused):
    """The key does not allow this."""


class RateLimited(AccessRefused):
    """The key, or the address, has asked too often."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Misdirected(KullbackError):
    """The request names a host that is not served here."""


class NotFound(KullbackError):
    """There is nothing of that name."""


class Overloaded(KullbackError):
    """The service is full for the moment."""

    retry_after_seconds = 1


class ClockLeapt(Overloaded):
    """The clock of the server is in doubt."""

    retry_after_seconds = 60


class DeadlineExceeded(Overloaded):
    """It waited or took too long."""


class NotAcceptable(KullbackError):
    """No type that the caller accepts is served."""


class Conflict(KullbackError):
    """What is there cannot become what was asked for."""


class IdempotencyKeyError(KullbackError):
    """The idempotency key of a write cannot be honoured."""


class IdempotencyKeyReused(IdempotencyKeyError):
    """The idempotency key came before, with another request."""


class IdempotencyKeyInProgress(IdempotencyKeyError):
    """The same request is being worked on now."""

    retry_after_seconds = 1


class IdempotencyKeyOutdated(IdempotencyKeyError):
    """Of what the key wrote a part was removed since."""


class StoreUnavailable(KullbackError):
    """The store cannot be reached, read or written now."""

    retry_after_seconds = 5
