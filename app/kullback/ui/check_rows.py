"""How the checks of a monitor are shown: the worst first, in colours and words."""

from collections.abc import Sequence

from kullback.judgement.findings import State
from kullback.monitoring.checks import Check, MonitorChecks

CHECK_HUES = {State.CRITICAL: "bad", State.WARNING: "stop", State.OK: "good", State.UNKNOWN: ""}
_WORST_FIRST = tuple(CHECK_HUES)
_SAYS_WHY = ("maturity", "calibration")  # nothing, or not much, is judged yet
_UNSEEN = "Nobody has looked yet: that is done within a minute."


def badness(checks: MonitorChecks | None) -> tuple[int, int]:
    """What the worst of monitors has the least of: by its state, then by how many checks warn."""
    if checks is None:
        return len(_WORST_FIRST), 0
    return _WORST_FIRST.index(checks.state), -sum(each.is_alarm for each in checks.checks)


def worst_first(checks: MonitorChecks | None) -> Sequence[Check]:
    """The checks of a monitor, those in the worst state first."""
    every = () if checks is None else checks.checks
    return sorted(every, key=lambda check: _WORST_FIRST.index(check.state))


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
