"""What the service answers to a body, without a service around it."""

import json
from collections.abc import Mapping
from typing import Any

from kullback.api.score_handlers import MetricHandler
from kullback.payload.body import Body
from kullback.requests import REQUESTS
from tests.payload.child import CAP


def answer(metric: str, raw: bytes, media_type: str, query: Mapping[str, Any]) -> bytes:
    """What the service answers to a body."""
    texts = [
        (name, value if isinstance(value, str) else json.dumps(value))
        for name, value in query.items()
    ]
    body = Body(bytearray(raw), media_type, "identity")
    handler = MetricHandler(REQUESTS[metric])
    return handler.score(handler.read(body, texts, CAP), CAP)[1]
