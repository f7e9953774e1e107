"""How the checks of a monitor are shown: the worst first, in colours and words."""

from collections.abc import Sequence
from dataclasses import dataclass

from kullback.figures.typesetting import lasting, typeset
from kullback.judgement.findings import State
from kullback.monitoring.checks import Check, MonitorChecks
from kullback.monitoring.crossed_slices import slice_name
from kullback.numerics.digits import UNKNOWN

CHECK_HUES = {State.CRITICAL: "bad", State.WARNING: "stop", State.OK: "good", State.UNKNOWN: ""}
_WORST_FIRST = tuple(CHECK_HUES)
_SAYS_WHY = ("maturity", "calibration")  # nothing, or not much, is judged yet
_RATIOS = ("calibration", "label_drift", "slice")  # of what was predicted or is, to what happened
_SHARES = ("log_loss", "no_skill", "slice", "maturity")  # of the information gain, or of rows
_OF = {"log_loss": " lost", "maturity": " labelled"}
_GRAVEST_FIRST = (
    {"no_skill"},
    {"log_loss", "calibration", "slice"},
    {"silence", "maturity"},
    {"score_drift", "label_drift", "feature_drift"},
)
_UNSEEN = "Nobody has looked yet: that is done within a minute."


@dataclass(frozen=True, slots=True)
class CheckRows:
    """The checks of a monitor, apart: what warns, what is fine, what cannot be judged yet."""

    alarms: Sequence[Check] = ()
    fine: Sequence[Check] = ()
    unknown: Sequence[Check] = ()

    @classmethod
    def of(cls, checks: MonitorChecks | None) -> "CheckRows":
        """Those that were found, the worst first."""
        every = worst_first(checks)
        return cls(
            [each for each in every if each.is_alarm],
            [each for each in every if each.state is State.OK],
            [each for each in every if each.state is State.UNKNOWN],
        )

    @property
    def worst(self) -> Check | None:
        """The alarm that the state is of; None without any."""
        return self.alarms[0] if self.alarms else None

    @property
    def feature(self) -> str:
        """The feature that changed most; "" where no check names one."""
        return next((each.feature for each in self.alarms if each.feature), "")

    @property
    def slice(self) -> str:
        """The value of a slice that is worst, "country=BR"; "" where no check names one."""
        return next((slice_name(each.slice) for each in self.alarms if each.slice), "")


def title(check: Check) -> str:
    """The name of a check as people read it."""
    return check.name.replace("_", " ").capitalize()


def badness(checks: MonitorChecks | None) -> tuple[int, int, float, int]:
    """What the worst of monitors has the least of.

    By its state; by its gravest alarm: no skill, then losses of quality, then what has stopped,
    then drift; by how many times beyond its threshold such an alarm is, never across kinds; and
    by how many checks warn.
    """
    if checks is None:
        return len(_WORST_FIRST), 0, 0.0, 0
    alarms = [each for each in checks.checks if each.is_alarm and each.state is checks.state]
    gravest = min(map(_gravity, alarms), default=len(_GRAVEST_FIRST))
    sizes_of = [_times_beyond(each) for each in alarms if _gravity(each) == gravest]
    count = sum(each.is_alarm for each in checks.checks)
    return _WORST_FIRST.index(checks.state), gravest, -max(sizes_of, default=0.0), -count


def _gravity(check: Check) -> int:
    """The less, the graver is what a check looks at."""
    return next(
        (place for place, names in enumerate(_GRAVEST_FIRST) if check.name in names),
        len(_GRAVEST_FIRST),
    )


def _times_beyond(check: Check) -> float:
    if not check.value or not check.threshold:
        return 0.0
    is_ratio = check.name in _RATIOS and check.threshold >= 1
    size = max(check.value, 1 / check.value) if is_ratio and check.value > 0 else abs(check.value)
    return size / check.threshold


def worst_first(checks: MonitorChecks | None) -> Sequence[Check]:
    """The checks of a monitor, those in the worst state first."""
    every = () if checks is None else checks.checks
    return sorted(every, key=lambda check: _WORST_FIRST.index(check.state))


def sizes(check: Check) -> tuple[str, str]:
    """What a check looks at and from where on that is too far, with their unit."""
    value, threshold = check.value or 0.0, check.threshold or 0.0
    is_ratio = check.name in _RATIOS and threshold >= 1 and value > 0
    return _size(check.name, check.value, is_ratio), _size(check.name, check.threshold, is_ratio)


def _size(name: str, size: float | None, is_ratio: bool) -> str:  # noqa: FBT001
    if size is None:
        return UNKNOWN
    if name == "silence":
        return lasting(size)
    if is_ratio:
        return f"{size:.2f}×"
    return typeset(f"{size:.0%}{_OF.get(name, '')}" if name in _SHARES else f"PSI {size:.2f}")


def statement(checks: MonitorChecks | None) -> str:
    """What the worst check says; where none warns, what is not judged yet."""
    if checks is None:
        return _UNSEEN
    alarms = [each for each in worst_first(checks) if each.is_alarm]
    if alarms:
        return alarms[0].statement
    unknown = {each.name: each for each in checks.checks if each.state is State.UNKNOWN}
    return next((unknown[name].statement for name in _SAYS_WHY if name in unknown), "")


def in_short(checks: MonitorChecks | None) -> str:
    """The first sentence of the statement."""
    first, stop, _ = statement(checks).partition(". ")
    return first + stop.strip()
