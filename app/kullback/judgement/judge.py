"""The judge: every check of a monitor, from one history, and what they most likely mean."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from kullback.judgement.drifts import label_drift, score_drift
from kullback.judgement.features import feature_drift
from kullback.judgement.findings import Finding, State, worst
from kullback.judgement.flow import maturity, silence
from kullback.judgement.history import History
from kullback.judgement.outcomes import calibration, log_loss, no_skill
from kullback.judgement.slices import came_at, slices
from kullback.moments import moment

CHECKS_OF: Mapping[str, Callable[[History], Finding]] = {
    "log_loss": log_loss,
    "no_skill": no_skill,
    "calibration": calibration,
    "score_drift": score_drift,
    "label_drift": label_drift,
    "feature_drift": feature_drift,
    "slice": slices,
    "silence": silence,
    "maturity": maturity,
}
OF_FLOW = frozenset({"silence", "maturity"})  # that rows come says nothing of how good they are


_Cause = tuple[frozenset[str], frozenset[str], str]
_BY_INPUTS = frozenset({"log_loss", "no_skill", "calibration", "score_drift"})
_OF_HOURS = frozenset({"score_drift", "label_drift", "feature_drift"})  # since the start of one
_NONE: frozenset[str] = frozenset()
_UNSEEN = "no scores to compare with"
_OF_RANKING: Sequence[_Cause] = (
    (
        frozenset({"no_skill", "score_drift"}),
        _NONE,
        "Ranking gone, and scores have moved: one constant, or inputs lost?",
    ),
    (
        frozenset({"no_skill"}),
        frozenset({"calibration"}),
        "Ranking gone, calibration intact: rows joined to the wrong predictions?",
    ),
    (
        frozenset({"no_skill"}),
        _NONE,
        "Ranking and calibration gone: other inputs, or other labels?",
    ),
    (_NONE, frozenset({"calibration"}), "Ranking is worse, calibration intact: stale inputs?"),
)
CAUSES: Mapping[str, Sequence[_Cause]] = {  # alarms that stand beside it, and that do not
    "no_skill": _OF_RANKING,
    "log_loss": _OF_RANKING,
    "calibration": (
        (frozenset({"score_drift"}), _NONE, "Scores have moved: scaled, or inputs lost?"),
        (
            frozenset({_UNSEEN}),
            _NONE,
            "Scores scaled, labels lost or doubled, or the world has changed?",
        ),
        (_NONE, _NONE, "Scores are as before: labels lost or doubled, or the world has changed?"),
    ),
    "score_drift": (
        (_NONE, frozenset({"calibration", "no_skill"}), "Labels will tell if predictions hold."),
    ),
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The state of a monitor and what its checks have found, by name."""

    state: State
    findings: Mapping[str, Finding]


def judge(history: History) -> Judgement:
    """All checks that are looked at."""
    findings = {
        name: _began(history, check(history))
        for name, check in CHECKS_OF.items()
        if history.thresholds[name].enabled
    }
    findings = {
        name: replace(each, statement=" ".join(_sentences(history, each, findings)))
        for name, each in findings.items()
    }
    return Judgement(_state(findings), findings)


def _state(findings: Mapping[str, Finding]) -> State:
    """The worst of all; unknown where nothing but the flow of rows is found to be well."""
    state = worst([each.state for each in findings.values()])
    judged = [each.state for name, each in findings.items() if name not in OF_FLOW]
    return state if state.is_alarm else worst(judged)


def _sentences(history: History, finding: Finding, all_of_them: Mapping[str, Finding]) -> list[str]:
    said = [finding.statement]
    if finding.is_alarm:
        if finding.since is not None:
            said.append(_since(finding.since, finding.since_latest))
            if (came := came_at(history, finding.since)) and not finding.slice:
                said.append(f"It began as {came} came.")
        said += _causes(finding, all_of_them)
    return said


def _began(history: History, finding: Finding) -> Finding:
    """The finding, which began no sooner than the first row, and by now."""
    if finding.since is None:
        return finding
    latest = finding.since_latest
    if finding.name in _OF_HOURS:
        hours = (each.block for each in history.blocks)
        latest = next((hour.stop for hour in hours if hour.start == finding.since), None)
    first = max(finding.since, history.first_row or 0)
    return replace(
        finding, since=first, since_latest=None if latest is None else min(latest, int(history.now))
    )


def _since(first: int, latest: int | None) -> str:
    if latest is None or latest <= first:
        return f"Since {moment(first)}."
    return f"It began between {moment(first)} and {moment(latest)}."


def _causes(finding: Finding, findings: Mapping[str, Finding]) -> list[str]:
    alarms = {name for name, each in findings.items() if each.is_alarm}
    if finding.cause:
        return [finding.cause]
    scores = findings.get("score_drift")
    if scores is None or scores.state is State.UNKNOWN:
        alarms.add(_UNSEEN)
    if finding.name in {"calibration", "label_drift"} and "slice" in alarms:
        return [f"Look at {findings['slice'].slice.replace('=', ' = ', 1)}."]
    if finding.name in _BY_INPUTS and "feature_drift" in alarms:
        return [f"Look at feature {findings['feature_drift'].feature}."]
    fitting = (
        said
        for beside, without, said in CAUSES.get(finding.name, ())
        if beside <= alarms and not without & alarms
    )
    return list(islice(fitting, 1))
