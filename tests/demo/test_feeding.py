"""A history is posted at once and in order; afterwards every second is posted once."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pyarrow as pa
import pytest

from kullback.demo.columns import ARROW
from kullback.demo.feeding import ASLEEP, SPANS, Clock, Feeder
from kullback.demo.scenarios import scenarios

NOW = 1_700_000_000.0
HISTORY = 2


@dataclass(slots=True)
class Listener:
    """A service that takes everything, and remembers it."""

    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, json={})

    def times(self, address: str) -> list[float]:
        """When the rows of a monitor or an experiment were, in the order they came in."""
        return [
            time
            for request in self.requests
            if request.headers.get("content-type") == ARROW
            and request.url.path.startswith(f"{address}/")
            for time in pa.ipc.open_stream(request.content).read_all()["timestamp"].to_pylist()
        ]


class Over(Exception):
    """The time that a test looks at has passed."""


@dataclass(slots=True)
class Hours:
    """A clock that moves when it is waited for, and ends the test at a moment."""

    time: float
    end: float
    waits: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds
        if self.time > self.end:
            raise Over


def feeder(service: Callable[[httpx.Request], httpx.Response]) -> Feeder:
    client = httpx.Client(base_url="http://kullback", transport=httpx.MockTransport(service))
    return Feeder(client, scenarios(HISTORY, 0, NOW), NOW)


@pytest.fixture
def listener() -> Listener:
    return Listener()


def test_everything_is_set_up_before_its_rows_come(listener: Listener) -> None:
    one = feeder(listener)
    one.fill(lambda _: None)
    for stream in one.streams:
        address = stream.source.address
        (setup, *rest) = [
            request for request in listener.requests if request.url.path.startswith(address)
        ]
        assert (setup.method, setup.url.path) == ("PUT", address)
        assert json.loads(setup.content) == stream.source.settings
        assert sum(request.method == "POST" for request in rest) >= SPANS


def test_the_reference_of_a_monitor_is_its_sound_hours(listener: Listener) -> None:
    feeder(listener).fill(lambda _: None)
    *_, last, mark = [one for one in listener.requests if "ctr-drifting" in one.url.path]
    assert mark.url.path == "/v1/monitors/ctr-drifting/annotations"
    assert json.loads(mark.content) == {"time": NOW - 3600, "text": "campaign in BR"}
    assert last.url.path == "/v1/monitors/ctr-drifting/reference"
    assert json.loads(last.content) == {"from": NOW - 7200, "to": NOW - 3600}
    paths = [one.url.path for one in listener.requests]
    assert sum(path.endswith("/reference") for path in paths) == 5


def test_progress_adds_up_to_all_rows(listener: Listener) -> None:
    one, told = feeder(listener), list[int]()
    one.fill(told.append)
    assert sum(told) == one.rows() > 50_000


def test_a_history_comes_in_the_order_of_time(listener: Listener) -> None:
    feeder(listener).fill(lambda _: None)
    for address, hours in (
        ("/v1/monitors/ctr-healthy", 2),
        ("/v1/experiments/layout-parallel", 14),
    ):
        times = listener.times(address)
        assert times == sorted(times)
        assert NOW - hours * 3600 <= times[0] < NOW - hours * 3600 + 60
        assert NOW - 60 < times[-1] < NOW


def test_rows_of_a_second_are_posted_when_it_is_over(listener: Listener) -> None:
    one, hours = feeder(listener), Hours(NOW, NOW + 100)
    with pytest.raises(Over):
        one.feed(Clock(hours.now, hours.wait))
    assert hours.waits == pytest.approx([1.0] * 101)
    times = listener.times("/v1/monitors/ctr-healthy")
    assert times == sorted(times)
    assert NOW <= times[0] < times[-1] < NOW + 100
    assert 100 < len(times) < 300


def test_what_came_while_the_history_was_filled_in_is_made_up_for(listener: Listener) -> None:
    one, hours = feeder(listener), Hours(NOW + 30, NOW + 30)
    with pytest.raises(Over):
        one.feed(Clock(hours.now, hours.wait))
    times = listener.times("/v1/monitors/ctr-healthy")
    assert times[0] < NOW + 10
    assert times[-1] > NOW + 20


def test_a_machine_that_slept_has_a_gap_and_no_flood(listener: Listener) -> None:
    one, hours = feeder(listener), Hours(NOW + 10 * ASLEEP, NOW + 10 * ASLEEP + 5)
    with pytest.raises(Over):
        one.feed(Clock(hours.now, hours.wait))
    times = listener.times("/v1/monitors/ctr-healthy")
    assert times[0] > NOW + 10 * ASLEEP - 2
    assert len(times) < 40


def test_a_refusal_ends_it() -> None:
    with pytest.raises(httpx.HTTPStatusError, match="422"):
        feeder(lambda _: httpx.Response(422)).fill(lambda _: None)
