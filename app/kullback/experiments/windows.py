"""Windows of an experiment in the store: sums by epoch, arm and hour."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from kullback.experiments.arm_tallies import (
    ArmTallies,
    CheckedArmRows,
    StratumKey,
    tallies,
    units,
)
from kullback.experiments.plan import Plan
from kullback.experiments.share_periods import SharePeriod, period_of
from kullback.moments import DAY, FUTURE_SECONDS, HOUR, LAST_DAY
from kullback.numerics.types import Array
from kullback.scoring.refusals import refuse
from kullback.storage.base import Cell, Part
from kullback.stored_sums import naming_damage
from kullback.tally.tally import decoded_total
from kullback.tally.unit_set import UnitSet
from kullback.timezones import Timestamps

HOURS_KEPT_SECONDS = 2 * DAY  # how long hours stay; then they become days
_TALLY, _UNITS = "tally", "units"  # of the second period of shares and later: "tally.2", …
_PERIODS = 1 << 10


def times(timestamp: Timestamps | None, n: int, now: float) -> Array:
    """When each of n rows was, (n,); rows without a timestamp are of now.

    Raises:
        InvalidInput: one is in the future, or without a time zone.
    """
    if timestamp is None:
        return np.full(n, now)
    time = timestamp.moments("timestamp", None, "; an experiment has no timezone of its own")
    early = time > now + FUTURE_SECONDS
    refuse("timestamp", early, lambda _: f"more than {FUTURE_SECONDS} seconds in the future")
    return time


def cells(
    plan: Plan,
    epoch: int,
    checked: CheckedArmRows,
    time: Array,
    periods: Sequence[SharePeriod] = (),
) -> dict[Cell, bytes]:
    """The sums of rows, ready to be added to the store.

    Raises:
        InvalidInput: the rows lie in more groups than one request may touch.
    """
    # hours and periods in the order of time: as few windows lie between the first and the last
    window = (time // HOUR).astype(np.int64) * _PERIODS + period_of(periods, time)

    def cell(what: str, arm: str, name: str, place: int) -> Cell:
        hour, period = divmod(place, _PERIODS)
        of = what if period == 1 else f"{what}.{period}"
        return Cell(f"{epoch}/{of}/{arm}", name, hour * HOUR, HOUR)

    contents: dict[Cell, bytes] = {}
    for arm, groups in tallies(plan, checked, window).items():
        for (name, place), tally in groups.items():
            contents[cell(_TALLY, arm, name, place)] = tally.encoded()
    met = units(checked, window)
    if plan.design == "paired":  # every arm has met the same
        met = {"": met[plan.control]}
    for arm, windows in met.items():
        for place, these in windows.items():
            contents[cell(_UNITS, arm, "", place)] = these.encoded()
    return contents


def is_of_tally(cell: Cell) -> bool:
    """Whether a cell has sums of rows, and not units."""
    return cell.kind.split("/", 2)[1].startswith(_TALLY)


def tallies_by_segment(plan: Plan, epoch: int, parts: Iterable[Part]) -> dict[str, ArmTallies]:
    """What the parts of an epoch say, as a whole ("") and by segment."""
    with naming_damage(parts):
        return _tallies_by_segment(plan, epoch, parts)


def _tallies_by_segment(plan: Plan, epoch: int, parts: Iterable[Part]) -> dict[str, ArmTallies]:
    sums: dict[str, dict[str, list[tuple[StratumKey, bytes]]]]
    sums = defaultdict(lambda: defaultdict(list))
    met: dict[str, list[tuple[StratumKey, UnitSet]]] = defaultdict(list)
    for cell, content in parts:
        of, what, arm = cell.kind.split("/", 2)
        if of != str(epoch):
            continue
        what, _, period = what.partition(".")
        day = cell.start // DAY if plan.assignment == "request" else 0
        stratum = int(period or 1), day
        if what == _UNITS:
            met[arm].append((stratum, UnitSet.decoded(content)))
        else:
            sums[cell.slice][arm].append((stratum, content))
    everyone = _everyone(plan, met)
    by_segment = {
        name: _by_stratum(plan, arms, {} if name else everyone) for name, arms in sums.items()
    }
    return {"": ArmTallies()} | by_segment


def _by_stratum(
    plan: Plan,
    sums: Mapping[str, Sequence[tuple[StratumKey, bytes]]],
    met: Mapping[str, Sequence[tuple[StratumKey, UnitSet]]],
) -> ArmTallies:
    """The sums of all rows; of parallel arms those of each stratum too, if there are several."""
    strata = {stratum for contents in sums.values() for stratum, _ in contents}
    apart = strata if plan.design == "parallel" and len(strata) > 1 else set()

    def of(chosen: Callable[[StratumKey], bool]) -> ArmTallies:
        tallies = {
            arm: [content for stratum, content in contents if chosen(stratum)]
            for arm, contents in sums.items()
        }
        units = {
            arm: [each for stratum, each in sets if chosen(stratum)] for arm, sets in met.items()
        }
        return ArmTallies(
            {arm: decoded_total(contents) for arm, contents in tallies.items() if contents},
            {arm: UnitSet.union(sets) for arm, sets in units.items() if sets},
        )

    whole = of(lambda _: True)
    return replace(whole, strata={key: of(key.__eq__) for key in sorted(apart)})


def by_step(epoch: int, step: int, parts: Iterable[Part]) -> dict[int, list[Part]]:
    """The parts of an epoch by the time at which the step ends that they end in, in order."""
    steps: dict[int, list[Part]] = defaultdict(list)
    for cell, content in parts:
        if _is_of(epoch, cell):
            steps[_end_of_step(cell, step)].append((cell, content))
    return dict(sorted(steps.items()))


def count_steps(epoch: int, step: int, cells: Iterable[Cell]) -> int:
    """How many steps `by_step` finds in the parts of these cells."""
    return len({_end_of_step(cell, step) for cell in cells if _is_of(epoch, cell)})


def _is_of(epoch: int, cell: Cell) -> bool:
    return cell.kind.partition("/")[0] == str(epoch)


def _end_of_step(cell: Cell, step: int) -> int:
    return min(-(-(cell.start + cell.width) // step) * step, LAST_DAY)


def _everyone(
    plan: Plan, met: Mapping[str, list[tuple[StratumKey, UnitSet]]]
) -> dict[str, list[tuple[StratumKey, UnitSet]]]:
    return dict.fromkeys(plan.names, met[""]) if "" in met else dict(met)
