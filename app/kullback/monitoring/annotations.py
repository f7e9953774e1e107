"""Annotations of a monitor: what happened when, such as a deploy, kept beside it."""

import json
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from secrets import token_hex

from kullback.clock import WatchedClock
from kullback.errors import Conflict, NotFound
from kullback.moments import DAY, Moment
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.stored import KIND, StoredMonitor
from kullback.storage.base import IdempotencyKey, Reply, Store, Transaction, Written
from kullback.timezones import Time, resolved

ANNOTATIONS = "annotations"  # the attachment
MOST = 1000


@dataclass(frozen=True, slots=True)
class Annotation:
    """What happened at a time; `link` leads to a page about it."""

    id: str
    time: Moment
    text: str
    link: str | None


@dataclass(frozen=True, slots=True)
class AnnotationList:
    """Annotations by time, the earliest first."""

    annotations: tuple[Annotation, ...]


def annotations_of(content: bytes | None) -> tuple[Annotation, ...]:
    """Those that an attachment holds, by time; none where there is none."""
    return () if content is None else tuple(Annotation(**each) for each in json.loads(content))


def within(
    annotations: Sequence[Annotation], monitor: Monitor, start: Time | None, stop: Time | None
) -> tuple[Annotation, ...]:
    """Those of a time, from `start` to before `stop`; None is no end.

    Raises:
        InvalidInput: a time is without a time zone as the monitor is.
    """
    first = float("-inf") if start is None else resolved(start, monitor.timezone, "from")
    last = float("inf") if stop is None else resolved(stop, monitor.timezone, "to")
    return tuple(each for each in annotations if first <= each.time < last)


class MonitorAnnotations:
    """Writing annotations, each write with the key that makes it happen once."""

    def __init__(self, store: Store, clock: WatchedClock) -> None:
        self._store = store
        self._clock = clock

    def add(
        self,
        name: str,
        time: Time | None,
        text: str,
        link: str | None,
        key: IdempotencyKey | None,
    ) -> Future[Written]:
        """Keep an annotation; of now, where no time is said.

        Those as old as rows that are kept no longer make room for it.

        The future raises:
            InvalidInput: the time is without a time zone as the monitor is.
            Conflict: there are so many that it finds no room.
        """
        now = self._clock()

        def work(tx: Transaction) -> Reply:
            stored = StoredMonitor.writable(tx.record(KIND, name, for_change=True), name)
            zone = stored.monitor.timezone
            moment = now if time is None else resolved(time, zone, "time")
            kept = annotations_of(tx.attachment(stored.record.id, ANNOTATIONS))
            if len(kept) >= MOST:
                oldest = now - stored.monitor.retention_days * DAY
                kept = tuple(each for each in kept if each.time >= oldest)
            if len(kept) >= MOST:
                raise Conflict(f"a monitor has at most {MOST} annotations: remove some")
            annotation = Annotation(token_hex(8), moment, text, link)
            _keep(tx, stored, sorted((*kept, annotation), key=lambda each: each.time))
            return Reply.of(annotation, 201)

        return self._store.write(work, key)

    def remove(self, name: str, identifier: str, key: IdempotencyKey | None) -> Future[Written]:
        """Remove an annotation.

        The future raises:
            NotFound: there is none of that id.
        """

        def work(tx: Transaction) -> Reply:
            stored = StoredMonitor.writable(tx.record(KIND, name, for_change=True), name)
            kept = annotations_of(tx.attachment(stored.record.id, ANNOTATIONS))
            others = [each for each in kept if each.id != identifier]
            if len(others) == len(kept):
                raise NotFound("this monitor has no annotation of this id")
            _keep(tx, stored, others)
            return Reply(204, b"")

        return self._store.write(work, key)


def _keep(tx: Transaction, stored: StoredMonitor, annotations: Sequence[Annotation]) -> None:
    content = json.dumps([asdict(each) for each in annotations])
    tx.attach(stored.record.id, ANNOTATIONS, content.encode())
