"""Trace contexts: which trace a request belongs to, by W3C Trace Context."""

import re
from collections.abc import Iterable
from contextvars import ContextVar
from typing import NamedTuple

from opentelemetry import trace
from starlette.types import Scope

_HEADER = b"traceparent"
# version 00 has no more; of later ones what is known stands first
_parent = re.compile(
    rb"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
).fullmatch
_NOTHING = re.compile(r"0+").fullmatch


class TraceContext(NamedTuple):
    """A span of a trace; `is_sampled` where somebody keeps it."""

    trace_id: str
    span_id: str
    is_sampled: bool

    @classmethod
    def of_request(cls, scope: Scope) -> "TraceContext | None":
        """The span that FastAPI makes of a request, or else that of its caller."""
        span = cls.of_span() if scope.get("fastapi.telemetry") is not None else None
        return span or cls.of_headers(scope["headers"])

    @classmethod
    def of_headers(cls, headers: Iterable[tuple[bytes, bytes]]) -> "TraceContext | None":
        """The span of the caller; None where it says none, or not as the standard has it."""
        values = [value for name, value in headers if name == _HEADER]
        if len(values) != 1:
            return None
        match = _parent(values[0].strip())
        if match is None or (match[1] == b"00" and match[5]):
            return None
        trace_id, span_id = str(match[2], "ascii"), str(match[3], "ascii")
        if _NOTHING(trace_id) or _NOTHING(span_id):
            return None
        return cls(trace_id, span_id, bool(int(match[4], 16) & 1))

    @classmethod
    def of_span(cls) -> "TraceContext | None":
        """The span of this request, where there is one."""
        context = trace.get_current_span().get_span_context()
        if not context.is_valid:
            return None
        return cls(
            trace.format_trace_id(context.trace_id),
            trace.format_span_id(context.span_id),
            context.trace_flags.sampled,
        )

    def exemplar(self) -> dict[str, str] | None:
        """The labels of an exemplar: nobody finds a trace that was not sampled."""
        if not self.is_sampled:
            return None
        return {"trace_id": self.trace_id, "span_id": self.span_id}


TRACE: ContextVar[TraceContext | None] = ContextVar("trace", default=None)
