"""Exchanges without input or output: what is to be sent, and when it is to be sent again.

A flow is a generator that yields requests and pauses and is sent what became of them. Whoever runs
it does the rest: `transport` blocks or awaits.
"""

import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from itertools import count
from time import monotonic
from typing import TypeAlias, TypeVar

from .errors import KullbackError, NotKullback, refusal

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
LINES = "application/x-ndjson"  # a row that cannot be read costs no other there
MARKDOWN = "text/markdown"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent; with an idempotency key it counts once, however often it is sent."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    content: bytes | None = None
    media_type: str = JSON
    accept: str = JSON
    key: str | None = None

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again where nobody knows what became of it."""
        is_safe = self.method == "GET" or self.path.startswith("/v1/scores")
        return is_safe or self.key is not None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def media_type(self) -> str:
        """What the content is."""
        return self.headers.get("content-type", "").partition(";")[0]


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait before the next request."""

    seconds: float


Step: TypeAlias = Request | Pause
Outcome: TypeAlias = Answer | KullbackError | None
Flow: TypeAlias = Generator[Step, Outcome, T]


@dataclass(frozen=True, slots=True)
class Retry:
    """When a request is sent again: after a pause by chance, "full jitter", up to some time.

    The n-th pause is uniform in [0, min(cap, base · 2ⁿ)] seconds, beyond the `Retry-After` of an
    answer. A request is not sent again later than `seconds` after it was first.

    Source: Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015.
    """

    seconds: float = 60.0
    base: float = 0.1
    cap: float = 10.0
    chance: Callable[[], float] = random.random
    clock: Callable[[], float] = monotonic

    def pause(self, attempt: int, retry_after: float | None) -> float:
        """Seconds to wait after the attempt of this number, from 0."""
        longest = min(self.cap, self.base * 2.0 ** min(attempt, 32))
        return (retry_after or 0.0) + self.chance() * longest


def exchange(request: Request, retry: Retry) -> Flow[Answer]:
    """The answer, which is a 2xx.

    Raises:
        KullbackError: the request is refused, or no answer came in time.
    """
    end = retry.clock() + retry.seconds
    may_be_done = False
    for attempt in count():
        outcome = yield request
        error = _problem(outcome, request.accept)
        if error is None and isinstance(outcome, Answer):
            return outcome
        assert error is not None
        error.follows_loss = may_be_done
        may_be_done |= error.may_be_done
        pause = retry.pause(attempt, error.retry_after)
        if not (error.is_passing and request.is_repeatable) or retry.clock() + pause > end:
            raise error
        yield Pause(pause)
    raise AssertionError("count() does not end")


def _problem(outcome: Outcome, accept: str) -> KullbackError | None:
    if not isinstance(outcome, Answer):
        assert outcome is not None, "a request has an outcome"
        return outcome
    if not 200 <= outcome.status < 300:
        return refusal(outcome.url, outcome.status, outcome.headers, outcome.content)
    if outcome.media_type in {accept, ""}:
        return None
    sentence = f"{outcome.url} answered {outcome.status}, and not as Kullback does"
    return NotKullback(sentence, status=outcome.status)
