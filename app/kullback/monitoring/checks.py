"""What checks have found, as it is answered."""

from collections.abc import Mapping
from dataclasses import dataclass

from kullback.judgement.findings import Finding, State
from kullback.judgement.history import History
from kullback.judgement.judge import judge
from kullback.moments import Moment
from kullback.monitoring.crossed_slices import slice_values


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a monitor.

    `value` is the size of what it looks at, beside its `threshold`, both null where there is too
    little to judge, `value` also where it is infinite, as where positives were expected and none
    happened; `n` is of how many rows, of `minimum_rows` at least. `evidence` is ln e, where e is
    the chance-corrected evidence that something has changed, and an alarm needs `evidence_needed`.
    `slice` and `feature` say where it is worst, `since` when it began.
    """

    name: str
    state: State
    value: float | None
    threshold: float | None
    n: int
    minimum_rows: int
    evidence: float | None
    evidence_needed: float | None
    slice: Mapping[str, str] | None
    feature: str | None
    since: Moment | None
    statement: str

    @property
    def is_alarm(self) -> bool:
        """Whether somebody should look."""
        return self.state.is_alarm


@dataclass(frozen=True, slots=True)
class MonitorChecks:
    """The checks of a monitor, and the worst state of them, as of a moment."""

    monitor: str
    state: State
    time: Moment
    checks: tuple[Check, ...]

    @classmethod
    def of(cls, name: str, history: History) -> "MonitorChecks":
        """What is found in a history."""
        verdict = judge(history)
        result = tuple(
            _check(each, history.thresholds[each.name].minimum_rows)
            for each in verdict.findings.values()
        )
        return cls(name, verdict.state, history.now, result)


def state_of(checks: MonitorChecks | None) -> State:
    """Their state; it is unknown where nobody has looked yet."""
    return State.UNKNOWN if checks is None else checks.state


def _check(finding: Finding, minimum_rows: int) -> Check:
    evidence = finding.log_e
    return Check(
        finding.name,
        finding.state,
        finding.value,
        finding.threshold,
        finding.n,
        minimum_rows,
        None if evidence is None or evidence == -float("inf") else evidence,
        finding.log_threshold,
        slice_values(finding.slice) if finding.slice else None,
        finding.feature,
        None if finding.since is None else float(finding.since),
        finding.statement,
    )
