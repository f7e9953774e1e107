"""How the checks of a monitor are shown: the worst first, in colours and words."""

import math
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
_SHARES = ("log_loss", "slice", "maturity")  # of what predictions tell, or of rows
_OF = {"log_loss": " off", "maturity": " labelled"}
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


WORST_FIRST = (
    "The worst first: no skill, then lost calibration and quality, then what has stopped, then "
    "drift; of one kind by how many times beyond its threshold."
)


def badness(checks: MonitorChecks | None) -> tuple[int, int, float, int]:
    """What the worst of monitors has the least of, as WORST_FIRST says it.

    By its state first; sizes are never compared across kinds; last by how many checks warn.
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
    if check.value is None or not check.threshold:
        return 0.0
    size = abs(check.value)
    if _is_ratio(check) and size < 1:
        size = 1 / size if size else math.inf
    return size / check.threshold


def _is_ratio(check: Check) -> bool:
    """Whether its value is one number over another; of slices also gains and shares are."""
    return check.name in _RATIOS and check.threshold is not None and check.threshold >= 1


def worst_first(checks: MonitorChecks | None) -> Sequence[Check]:
    """The checks of a monitor, those in the worst state first."""
    every = () if checks is None else checks.checks
    return sorted(every, key=lambda check: _WORST_FIRST.index(check.state))


def sizes(check: Check) -> tuple[str, str]:
    """What a check looks at and from where on that is too far, with their unit.

    A ratio is too far off beyond either end of what is tolerated.
    """
    value, threshold = check.value, check.threshold
    if not _is_ratio(check) or threshold is None:
        return _size(check, value), _size(check, threshold)
    places = 2 if threshold == 1 else max(2, -math.floor(math.log10(threshold - 1)))
    ends = f"{1 / threshold:.{places}f}× to {threshold:.{places}f}×"
    return (UNKNOWN if value is None or math.isinf(value) else f"{value:.{places}f}×"), ends


def _size(check: Check, size: float | None) -> str:
    if size is None:
        return UNKNOWN
    if check.name == "silence":
        return lasting(size)
    if check.threshold == 0:  # an information gain, as the normalized entropy that cards have
        return "NE ∞" if math.isinf(size) else f"NE {1 - size:.3f}".removesuffix(".000")
    return typeset(
        f"{size:.0%}{_OF.get(check.name, '')}" if check.name in _SHARES else f"PSI {size:.2f}"
    )


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
