"""The Metric: its description, range and examples."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

NATS = "nats, bits or hartleys"
Direction = Literal["lower", "higher", "neither"]


@dataclass(frozen=True, slots=True)
class Example:
    """A request that can be posted as it is, and what is worth seeing in its answer."""

    request: Mapping[str, object]
    value: float
    details: Mapping[str, object]
    explanation: str


@dataclass(frozen=True, slots=True)
class Metric:
    """One entry of the catalog: `name` is its path, `key` what answers call it."""

    name: str
    title: str
    summary: str
    formula: str
    unit: str
    range: str
    direction: Direction
    example: Example

    @property
    def key(self) -> str:
        """The name as answers carry it."""
        return self.name.replace("-", "_")
