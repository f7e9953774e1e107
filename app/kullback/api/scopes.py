"""The scope that each route needs, by its path template."""

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from kullback.experiments.stored import StoredExperiment
from kullback.monitoring.stored import StoredMonitor

Need = Literal["open", "score", "read", "write", "admin"]


class Rule(NamedTuple):
    """What reading and writing under a path need."""

    reading: Need
    writing: Need
    everything: bool = False  # whether it shows every name, so that no key bound to some may
    missing: Callable[[None, str], object] | None = None  # raises NotFound of a name
    page: bool = False  # whether a browser asks
    from_memory: bool = False  # whether it goes on without a store


class Protected(Protocol):
    """A route that has a rule."""

    path: str
    path_format: str
    rule: Rule


# A path, or the beginning of one. What is not here does not start: nothing is open by oversight.
RULES: dict[str, Rule] = {
    "/v1/scores": Rule(
        "open", "score", from_memory=True
    ),  # to read is the catalog, which docs/metrics.md has too
    "/v1/monitors": Rule("read", "write", missing=StoredMonitor.of),
    "/v1/experiments": Rule("read", "write", missing=StoredExperiment.of),
    "/v1/experiments/plan": Rule("read", "read"),  # what it reads by name it asks for itself
    "/v1/keys": Rule("admin", "admin"),  # which no key has that is bound to names
    "/metrics": Rule("read", "read", everything=True, from_memory=True),
    "/livez": Rule("open", "open"),
    "/readyz": Rule("open", "open"),
    "/problems": Rule("open", "open"),
    "/openapi.json": Rule("open", "open"),
    "/docs": Rule("open", "open"),
    "/static": Rule("open", "open"),
    "/login": Rule("open", "open", page=True),
    "/logout": Rule("open", "open", page=True),
    "/": Rule("read", "read", page=True),
    "/monitors": Rule("read", "read", page=True),
    "/experiments": Rule("read", "read", page=True),
    "/playground": Rule("score", "score", page=True, from_memory=True),
}
READING = frozenset({"GET", "HEAD", "OPTIONS"})


def rule_of(path: str) -> Rule:
    """The rule of a route.

    Raises:
        LookupError: there is none, so the service must not start.
    """
    begins = (at for at in RULES if path == at or (path.startswith(f"{at}/") and at != "/"))
    longest = max(begins, key=len, default=None)
    if longest is None:
        raise LookupError(f"{path} has no scope: name one in {__name__}.RULES")
    return RULES[longest]
