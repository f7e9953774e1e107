"""Limits of a connection, all in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What one caller may hold, and for how long; all times are in seconds."""

    connections: int = 1000
    head_seconds: float = 5.0  # for a whole head, from its first byte or that of the connection
    body_seconds: float = 30.0  # for a whole body
    answer_seconds: float = 30.0  # for taking a whole answer
    idle_seconds: float = 75.0  # between an answer and the next request
    linger_seconds: float = 2.0  # of silence after the last answer, while a caller still sends
    patience_seconds: float = 10.0  # before the pace of a body or an answer counts
    bytes_per_second: int = 4096  # the slowest pace of either
    unsent_bytes: int = 64 << 20  # of answers that nobody takes, together
    head_bytes: int = 16 << 10
    line_bytes: int = 8 << 10  # of which the first line, with the URL
    fields: int = 64
    round_seconds: float = 0.25  # how often the times are looked at
