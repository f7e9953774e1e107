"""Rows that a store keeps by id until they expire, and what becomes of those that come."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Side = Literal["prediction", "label"]


class Row(NamedTuple):
    """What is kept of an id: the half that was predicted, the half that came true, or both."""

    time: float | None  # epoch seconds of the prediction; None without one, or of an older release
    content: bytes  # of the prediction
    outcome: float | None


class Correction(NamedTuple):
    """A row with both halves, before and after its outcome was replaced."""

    before: Row
    after: Row
    is_late: bool  # the outcome before was a default


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of rows that came, by id."""

    new: list[str] = field(default_factory=list)  # nobody knew the id: a half now waits
    matched: dict[str, Row] = field(default_factory=dict)  # a prediction that had waited, whole
    awaited: dict[str, Row] = field(default_factory=dict)  # a label had waited for this prediction
    corrected: dict[str, Correction] = field(default_factory=dict)
    confirmed: list[str] = field(default_factory=list)  # the label is the one taken by default
    replaced: list[str] = field(default_factory=list)  # another label waits now
    duplicates: list[str] = field(default_factory=list)  # nothing was kept of these


class Expired(NamedTuple):
    """What was removed of the rows that are kept by id."""

    rows: int  # all of them, those that had matched too
    unmatched: dict[Side, int]  # those whose other half never came


class Looked(NamedTuple):
    """What was removed of some ids, and the last of these; None where there are no more."""

    removed: Expired
    last: str | None
