"""Rows that a store keeps by id until they expire, and what becomes of those that come."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Side = Literal["prediction", "label"]
Outcome = float | bytes  # bytes where a row has an outcome for each of several labels


class Row(NamedTuple):
    """What is kept of an id: the half that was predicted, the half that came true, or both."""

    time: float | None  # epoch seconds of the prediction; None without one, or of an older release
    content: bytes  # of the prediction
    outcome: Outcome | None

    def stored(self) -> "Row":
        """The same as columns hold it: bytes of an outcome lie before the content.

        Their number, below 0, stands in the place of the outcome, which is else never below it.
        """
        if not isinstance(self.outcome, bytes):
            return self
        return Row(self.time, self.outcome + self.content, -float(len(self.outcome)))

    @classmethod
    def read(cls, time: float | None, content: bytes, outcome: float | None) -> "Row":
        """See stored."""
        if outcome is None or outcome >= 0:
            return cls(time, content, outcome)
        size = int(-outcome)
        return cls(time, content[size:], content[:size])


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
