"""Costs of scores: every field of every request is walked to its limits, and measured."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from time import process_time
from typing import Any

from kullback.api.score_handlers import MetricHandler
from kullback.errors import KullbackError
from kullback.payload.body import Body
from kullback.payload.media import JSON
from kullback.requests import REQUESTS
from kullback.requests.base import ScoreRequest
from kullback.scoring import cost
from tests.costs.forms import FORMS, NEEDED, WEIGHTS, arrays, options, shapes

CAP = 64 << 20
INLINE = 64 << 10
PER_KB = 0.05
ALLOWANCE = 1.0  # CPU seconds of any request, where tests run beside others
COMMON = ScoreRequest.model_fields.keys() - {"per_row", WEIGHTS}  # they are walked in one shape
HANDLERS = {metric: MetricHandler(model) for metric, model in REQUESTS.items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """A body for a metric, and what it is."""

    metric: str
    what: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Spent:
    """What an answer took: CPU seconds in all, and those that the event loop stood still."""

    asked: Asked
    sent: int
    seconds: float
    inline: float
    answer: int

    @property
    def beyond(self) -> float:
        """CPU seconds beyond those that so many bytes may take."""
        return self.seconds - PER_KB * self.sent / 1024


def walk(entries: int, *, plain: bool = False) -> Iterator[Asked]:
    """Each form in each shape of about so many entries; each option at its limits, unless plain."""
    for metric, form in FORMS:
        for number, sizes in enumerate(shapes(form, entries)):
            fields = arrays(form, sizes) | dict(NEEDED.get(metric, {}))
            shape = " ".join(f"{name}={size}" for name, size in sizes.items())
            yield _asked(metric, shape, fields)
            for name, value in options(metric, form, sizes.get("n", 1)):
                if plain or (number and name in COMMON):
                    continue
                yield _asked(metric, f"{shape} {name}={str(value)[:20]}", fields | {name: value})


def _asked(metric: str, what: str, fields: dict[str, Any]) -> Asked:
    return Asked(metric, what, json.dumps(fields, separators=(",", ":")).encode())


def spent(asked: Asked, *, compressed: bool = False) -> Spent:
    """Score a body as the service does, and measure."""
    raw = gzip.compress(asked.raw, 6) if compressed else asked.raw
    body = Body(bytearray(raw), JSON, "gzip" if compressed else "identity")
    handler = HANDLERS[asked.metric]
    is_small = not compressed and len(raw) <= INLINE
    start = process_time()
    inline, answer = 0.0, b""
    try:
        request = handler.read(body, [], CAP)
        read = process_time()
        inline = read - start if is_small else 0.0
        is_inline = is_small and cost.is_cheap(request.costs())
        _, answer = handler.score(request, CAP)
        inline += process_time() - read if is_inline else 0.0
    except KullbackError:
        pass
    return Spent(asked, len(raw), process_time() - start, inline, len(answer))
