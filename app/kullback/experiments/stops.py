"""Stops of experiments: from when on an epoch takes no more rows, and why."""

from dataclasses import dataclass

from kullback.moments import KeptMoment, moment


@dataclass(frozen=True, slots=True)
class Stop:
    """From when on an epoch takes no more rows, and the note of whoever stopped it."""

    at: KeptMoment
    note: str

    def __str__(self) -> str:
        return f"stopped since {moment(self.at)}: {self.note}"
