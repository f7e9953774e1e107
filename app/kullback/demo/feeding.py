"""Feeding a service over HTTP: a history first, then new rows every second."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NoReturn

import httpx

from kullback.demo.columns import ARROW, arrow_stream
from kullback.demo.streams import HOUR, DemoResource, Stream

SPANS = 12  # a history is posted in so many bodies
ASLEEP = 60  # seconds without a beat after which what would have come is left out

Done = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is, in epoch seconds, and a way to let it pass."""

    now: Callable[[], float]
    wait: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Feeder:
    """Posts what streams bring; `began` is the moment at which histories end."""

    client: httpx.Client
    streams: Sequence[Stream]
    began: float

    def rows(self) -> int:
        """How many rows all histories have."""
        return sum(
            stream.count(start, stop)
            for stream in self.streams
            for start, stop in _spans(stream.source)
        )

    def fill(self, done: Done) -> None:
        """Set everything up and post its history; `done` is told of rows as they are stored.

        Raises:
            httpx.HTTPError: the service refused something, or is gone.
        """
        for stream in self.streams:
            source = stream.source
            self._put(source.address, source.settings)
            for start, stop in _spans(source):
                self._post(stream, start, stop, done)
            if source.sound > 0:
                origin = self.began - source.hours * HOUR
                period = {"from": origin, "to": origin + source.sound * HOUR}
                self._put(f"{source.address}/reference", period)
            self._mark(source)

    def feed(self, clock: Clock) -> NoReturn:
        """Post what comes, second by second, for ever; a second is never posted twice.

        Raises:
            httpx.HTTPError: the service refused something, or is gone.
        """
        second = 0
        while True:
            late = clock.now() - self.began - (second + 1)
            if late < 0:
                clock.wait(-late)
                continue
            if late > ASLEEP:
                second += int(late)
            for stream in self.streams:
                start = _seconds(stream.source) + second
                self._post(stream, start, start + 1, lambda _: None)
            second += 1

    def _post(self, stream: Stream, start: int, stop: int, done: Done) -> None:
        for post in stream.posts(start, stop):
            content, headers = arrow_stream(post.columns), {"content-type": ARROW}
            self.client.post(post.path, content=content, headers=headers).raise_for_status()
            done(post.rows)

    def _mark(self, source: DemoResource) -> None:
        origin = self.began - source.hours * HOUR
        for hour, text in source.marks.items():
            mark = {"time": origin + hour * HOUR, "text": text}
            self.client.post(f"{source.address}/annotations", json=mark).raise_for_status()

    def _put(self, path: str, body: Mapping[str, object]) -> None:
        self.client.put(path, json=body).raise_for_status()


def _seconds(source: DemoResource) -> int:
    return round(source.hours * HOUR)


def _spans(source: DemoResource) -> Iterator[tuple[int, int]]:
    """A history in seconds, cut in parts."""
    ends = [_seconds(source) * part // SPANS for part in range(SPANS + 1)]
    yield from pairwise(ends)
