"""When a request is sent again, decided without input, output or a clock."""

import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.api.problem_types import PROBLEM_TYPES
from kullback_client import (
    BodyTooLarge,
    Conflict,
    Forbidden,
    InvalidInput,
    KullbackError,
    NotFound,
    NotKullback,
    Retry,
    ServiceFailure,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from kullback_client.exchange import Answer, Outcome, Pause, Request, exchange

URL = "http://kullback"
WRITE = Request("POST", "/v1/monitors/clicks/labels", key="batch-1")
LOST = Unreachable("reset", is_sent=True)
DONE = Answer(URL, 200, {"content-type": "application/json"}, b"{}")


def problem(status: int, slug: str, retry_after: str | None = None) -> Answer:
    headers = {"content-type": "application/problem+json; charset=utf-8", "x-request-id": "r-1"}
    if retry_after is not None:
        headers["retry-after"] = retry_after
    document = {"type": f"/problems/{slug}", "detail": "a sentence", "status": status}
    return Answer(URL, status, headers, json.dumps(document).encode())


OVERLOADED = problem(503, "overloaded", "3")


@dataclass
class World:
    """Answers that come in turn, and a clock that pauses move."""

    outcomes: list[Outcome]
    chance: float = 1.0
    now: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def run(self, request: Request, seconds: float = 60.0) -> Answer:
        """What the exchange returns."""
        retry = Retry(seconds, chance=lambda: self.chance, clock=lambda: self.now)
        flow, outcome = exchange(request, retry), None
        while True:
            try:
                step = flow.send(outcome)
            except StopIteration as end:
                answer: Answer = end.value
                return answer
            if isinstance(step, Pause):
                self.now += step.seconds
                self.pauses.append(step.seconds)
                outcome = None
            else:
                assert step is request
                outcome = self.outcomes.pop(0)


@pytest.mark.parametrize(
    "outcome",
    [
        LOST,
        OVERLOADED,
        problem(429, "rate-limited", "1"),
        problem(408, "request-timeout", "1"),
        problem(409, "idempotency-key-in-progress", "1"),
        problem(503, "store-unavailable", "5"),
        Answer(URL, 502, {"content-type": "text/html"}, b"<h1>Bad Gateway</h1>"),
        Answer(URL, 504, {}, b""),
    ],
)
def test_what_passes_is_waited_for(outcome: Outcome) -> None:
    world = World([outcome, outcome, DONE])
    assert world.run(WRITE) is DONE
    assert len(world.pauses) == 2


@pytest.mark.parametrize(
    "outcome",
    [
        problem(409, "conflict"),
        problem(409, "idempotency-key-outdated"),
        problem(422, "idempotency-key-reused"),
        problem(500, "internal"),
        problem(503, "damaged-tally"),
        problem(413, "body-too-large"),
    ],
)
def test_what_time_does_not_mend_is_said_at_once(outcome: Outcome) -> None:
    world = World([outcome])
    with pytest.raises(KullbackError, match="a sentence"):
        world.run(WRITE)
    assert world.pauses == []


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/keys"), ("PUT", "/v1/monitors/m")])
def test_a_write_without_a_key_is_not_sent_again(method: str, path: str) -> None:
    with pytest.raises(Unreachable):
        World([LOST]).run(Request(method, path))


@pytest.mark.parametrize(
    "request_", [Request("GET", "/v1/monitors"), Request("POST", "/v1/scores/brier")]
)
def test_reads_and_scores_are_sent_again_without_a_key(request_: Request) -> None:
    assert World([LOST, DONE]).run(request_) is DONE


def test_pauses_double_up_to_a_cap_by_chance() -> None:
    world = World([*[LOST] * 9, DONE])
    world.run(WRITE)
    assert world.pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0])
    world = World([LOST, DONE], chance=0.0)
    world.run(WRITE)
    assert world.pauses == [0.0]


@given(st.floats(0, 1), st.integers(0, 2000), st.none() | st.integers(0, 100))
def test_a_pause_lasts_what_was_asked_for_and_at_most_the_cap_more(
    chance: float, attempt: int, retry_after: int | None
) -> None:
    pause = Retry(chance=lambda: chance).pause(attempt, retry_after)
    assert (retry_after or 0) <= pause <= (retry_after or 0) + 10


def test_nothing_is_sent_again_later_than_was_said() -> None:
    world = World([OVERLOADED] * 100)
    with pytest.raises(Unavailable) as raised:
        world.run(WRITE, seconds=20)
    assert raised.value.retry_after == 3
    assert world.now <= 20
    assert len(world.pauses) == 5
    with pytest.raises(Unreachable):
        World([LOST]).run(WRITE, seconds=0)


def test_an_error_says_whether_the_request_may_have_been_done_before() -> None:
    missing = problem(404, "not-found")
    for before, follows in ((LOST, True), (Unreachable("refused", is_sent=False), False)):
        with pytest.raises(NotFound) as raised:
            World([before, missing]).run(WRITE)
        assert raised.value.follows_loss is follows


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((400, InvalidInput), (401, Unauthorized), (403, Forbidden), (404, NotFound)),
        *((409, Conflict), (413, BodyTooLarge), (415, InvalidInput), (422, InvalidInput)),
        *((429, TooManyRequests), (500, ServiceFailure), (503, Unavailable)),
    ],
)
def test_an_error_says_what_its_problem_says(status: int, kind: type[KullbackError]) -> None:
    with pytest.raises(kind) as raised:
        World([problem(status, "any", "7")]).run(WRITE, seconds=0)
    error = raised.value
    assert (type(error), str(error), error.status) == (kind, "a sentence", status)
    assert (error.request_id, error.retry_after, error.type) == ("r-1", 7.0, "/problems/any")


def test_every_status_of_the_service_has_a_class_of_its_own_or_is_of_input() -> None:
    own = {401, 403, 404, 408, 409, 413, 429, 500, 502, 503, 504}
    of_input = {400, 406, 415, 421, 422}
    assert {kind.status for kind in PROBLEM_TYPES.values()} <= own | of_input


@pytest.mark.parametrize(
    ("status", "media_type", "content"),
    [
        (200, "text/html", b"<h1>Hello</h1>"),
        (302, "", b""),
        (404, "application/json", b'{"detail": "Not Found"}'),
        (400, "application/problem+json", b'{"title": "odd"}'),
        (400, "application/problem+json", b'["odd"]'),
        (400, "application/problem+json", b'{"detail": "odd", "errors": [3]}'),
        (400, "application/problem+json", b"odd"),
    ],
)
def test_what_is_not_kullback_is_said_to_be_none(
    status: int, media_type: str, content: bytes
) -> None:
    answer = Answer(URL, status, {"content-type": media_type}, content)
    with pytest.raises(NotKullback, match=f"{URL} answered {status}, and not as Kullback does"):
        World([answer]).run(WRITE)
