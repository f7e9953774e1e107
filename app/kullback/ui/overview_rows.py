"""Rows of the overview: one for each monitor, and one for each experiment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kullback.experiments.verdict import VerdictWord
from kullback.experiments.verdict_words import WAITING
from kullback.judgement.findings import State
from kullback.ui.check_rows import CHECK_HUES
from kullback.ui.kept_rows import NamedRows, digest_of
from kullback.ui.sparks import NOTHING, Spark

HUES: Mapping[str, str] = {
    **{state.value: hue for state, hue in CHECK_HUES.items()},
    **{word.value: word.tone for word in VerdictWord},
    WAITING: VerdictWord.UNDECIDED.tone,
}


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """One monitor, or one experiment by the arm that stands best.

    Attributes:
        headline: its number; `change` is that beside the reference, or in terms of the control.
        what: what the number of an experiment is of.
        others: how many other arms there are, and what is said of them.
        as_of: the end of the hour that the number of a monitor is of, where that is not the last.
        statement: what its worst check says, `place` the slice that it is worst in.
        since: when what the statement says began.
        is_stopped: whether an experiment takes no more rows.
    """

    name: str
    state: str
    headline: str
    change: str = ""
    what: str = ""
    others: str = ""
    as_of: float | None = None
    last: float | None = None
    since: float | None = None
    statement: str = ""
    place: str = ""
    owner: str | None = None
    tags: tuple[str, ...] = ()
    spark: Spark = NOTHING
    is_stopped: bool = False

    @property
    def hue(self) -> str:
        """The class of the state."""
        return HUES[self.state]

    @property
    def is_fine(self) -> bool:
        """Whether nothing is to be done, so that phones fold it."""
        return self.hue not in ("bad", "stop")

    @property
    def is_bare(self) -> bool:
        """Whether it is a monitor that no rows have come for."""
        return self.state == State.UNKNOWN and self.last is None

    @property
    def words(self) -> str:
        """What is searched, casefolded."""
        parts = (self.name, self.state, self.statement, self.place, self.what, self.others)
        return "\n".join((*parts, self.owner or "", *self.tags)).casefold()


@dataclass(frozen=True, slots=True)
class OverviewRows:
    """The rows that a caller sees, each name's together."""

    monitors: Sequence[NamedRows[OverviewRow]]
    experiments: Sequence[NamedRows[OverviewRow]]

    @property
    def state(self) -> object:
        """What changes whenever a row does, or their order."""
        return digest_of(self.monitors), digest_of(self.experiments)
