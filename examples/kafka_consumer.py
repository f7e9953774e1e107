"""A consumer that sends what it reads of a topic: delivered at least once, and counted once.

The loop knows a broker by two methods alone, which confluent-kafka and kafka-python both have in
some form: wrap yours in ten lines.
"""

import json
from collections.abc import Iterator
from typing import Protocol

from kullback_client import Client


class Consumer(Protocol):
    """What the loop needs of a broker."""

    def poll(self, most: int, seconds: float) -> list[bytes]:
        """Up to so many messages, after so long at most."""

    def commit(self) -> None:
        """All that was polled is done."""


def consume(consumer: Consumer, kb: Client, most: int = 5_000) -> Iterator[int]:
    """Send batch after batch; how many rows each had that were new.

    A batch is committed only once the service has it on disk. When the process dies in between, the
    broker delivers it again, in other batches even: rows have ids, so they count once.
    """
    monitor = kb.monitor("clicks").ensure(slices=["country"])
    while True:
        rows = [json.loads(message) for message in consumer.poll(most, seconds=1.0)]
        if not rows:
            yield 0
            continue
        taken = monitor.predictions(
            {name: [row[name] for row in rows] for name in ("id", "p", "time", "country")},
            id="id",
            y_proba="p",
            timestamp="time",
            slice=["country"],
            on_invalid="drop",  # one row that is wrong must not stop the topic
        )
        consumer.commit()
        yield taken.accepted
