"""Evaluation state: tallies, units and counts of the rows read, which add up."""

import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from kullback.errors import TallyMismatch
from kullback.experiments.arm_tallies import ArmTallies
from kullback.experiments.plan import Plan
from kullback.tally.bin_sums import BinSums
from kullback.tally.merge import merged
from kullback.tally.merged_tallies import merged_tallies
from kullback.tally.sum_names import VECTORS
from kullback.tally.tally import Tally
from kullback.tally.unit_set import UnitSet

EVERY_ARM = ""
_VERSION = b"\x45"
_LENGTH = 4
_AT_ONCE = 4
_MANY = 600  # tallies, of some 100 kB each
_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class EvaluationState:
    """What rows of files say: a commutative monoid under total, whose zero is State().

    Attributes:
        tallies: by segment ("" for all rows) and arm.
        steps: by number of the step and arm: all rows of a fiftieth of the way through the
            files, without the histograms.
        units: which units each arm has met; by EVERY_ARM where each row is of all.
        rows: how many were read, the excluded among them.
        excluded: how many rows lack what they cannot do without, by what is missing first.
        labels: those met, where they are names.
    """

    tallies: Mapping[tuple[str, str], Tally] = field(default_factory=dict)
    steps: Mapping[tuple[int, str], Tally] = field(default_factory=dict)
    units: Mapping[str, UnitSet] = field(default_factory=dict)
    rows: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
    labels: frozenset[str] = frozenset()

    @classmethod
    def total(cls, parts: Iterable["EvaluationState"]) -> "EvaluationState":
        """The sum of them all."""
        parts = list(parts)
        excluded: Counter[str] = Counter()
        for part in parts:
            excluded.update(part.excluded)
        return cls(
            merged_tallies([part.tallies for part in parts]),
            merged_tallies([part.steps for part in parts]),
            merged([part.units for part in parts], UnitSet.union),
            sum(part.rows for part in parts),
            excluded,
            frozenset().union(*(part.labels for part in parts)),
        )

    @property
    def arms(self) -> list[str]:
        """The arms that have rows, in the order of their names."""
        return sorted({arm for segment, arm in self.tallies if not segment})

    def arm_tallies(self, plan: Plan) -> dict[str, ArmTallies]:
        """What the rows say to an experiment, as a whole ("") and by segment."""
        by_segment: dict[str, dict[str, Tally]] = {"": {}}
        for (segment, arm), tally in self.tallies.items():
            by_segment.setdefault(segment, {})[arm] = tally
        units = self.units
        if EVERY_ARM in units:
            units = dict.fromkeys(plan.names, units[EVERY_ARM])
        return {
            name: ArmTallies(by_arm, {} if name else units) for name, by_arm in by_segment.items()
        }

    def encoded(self) -> bytes:
        """The bytes that `decoded` makes it from; equal states have equal bytes."""
        parts: list[bytes] = []

        def kept(mapping: Mapping[_Key, Tally] | Mapping[_Key, UnitSet]) -> list[list[object]]:
            keys = sorted(mapping, key=repr)
            contents = [mapping[key].encoded() for key in keys]
            parts.extend(contents)
            return [[key, len(content)] for key, content in zip(keys, contents, strict=True)]

        head = {
            "rows": self.rows,
            "excluded": {name: self.excluded[name] for name in sorted(self.excluded)},
            "labels": sorted(self.labels),
            "tallies": kept(self.tallies),
            "steps": kept(self.steps),
            "units": kept(self.units),
        }
        front = json.dumps(head, separators=(",", ":")).encode()
        return b"".join((_VERSION, len(front).to_bytes(_LENGTH, "little"), front, *parts))

    @classmethod
    def decoded(cls, content: bytes) -> "EvaluationState":
        """See encoded.

        Raises:
            TallyMismatch: the bytes are of a version that is not known here.
        """
        if content[:1] != _VERSION:
            raise TallyMismatch(f"a state of version {content[:1].hex()} is not known here")
        at = 1 + _LENGTH
        end = at + int.from_bytes(content[1:at], "little")
        head = json.loads(content[at:end])
        parts = _Parts(content, end)
        return cls(
            {(segment, arm): parts.tally(size) for (segment, arm), size in head["tallies"]},
            {(step, arm): parts.tally(size) for (step, arm), size in head["steps"]},
            {arm: UnitSet.decoded(parts.taken(size)) for arm, size in head["units"]},
            head["rows"],
            head["excluded"],
            frozenset(head["labels"]),
        )


class RunningState:
    """States that are added up as they come, several at a time: as many as fit the memory."""

    def __init__(self, check: Callable[[EvaluationState], None]) -> None:
        self._parts: list[EvaluationState] = []
        self._check = check

    def add(self, part: EvaluationState) -> None:
        """One more.

        Raises:
            InvalidInput: the check refuses what is there by now.
        """
        self._parts.append(part)
        many = sum(len(state.tallies) for state in self._parts) > _MANY
        if len(self._parts) > (1 if many else _AT_ONCE):
            self._parts = [self.total()]

    def total(self) -> EvaluationState:
        """All of them.

        Raises:
            InvalidInput: see add.
        """
        state = EvaluationState.total(self._parts)
        self._check(state)
        return state


class _Parts:
    """Bytes that are taken one part after the other."""

    def __init__(self, content: bytes, at: int) -> None:
        self._content, self._at = content, at

    def taken(self, size: int) -> bytes:
        """The next ones."""
        start, self._at = self._at, self._at + size
        return self._content[start : self._at]

    def tally(self, size: int) -> Tally:
        """The tally that the next ones are of."""
        return Tally.decoded(self.taken(size))


def without_histograms(tally: Tally) -> Tally:
    """The sums of an effect and its standard error alone: a tenth of the bytes."""
    kept = zip(VECTORS, tally.vectors, strict=True)
    vectors = tuple(sums if name.startswith("unit_") else BinSums() for name, sums in kept)
    return Tally(tally.layout, tally.scalars, vectors)
