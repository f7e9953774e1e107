"""The check of slices: which value is worst by the checks of all rows, which is new, which gone."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

from kullback.judgement.blocks import summed, without
from kullback.judgement.detector import log_mean
from kullback.judgement.evidence import OutcomeHistory
from kullback.judgement.findings import Finding, Size, State, graded
from kullback.judgement.history import History
from kullback.judgement.judged import JudgedBlock, judged
from kullback.judgement.outcomes import inverted
from kullback.judgement.ratios import Ratio
from kullback.judgement.recalibration import Tolerance
from kullback.judgement.settings import Thresholds
from kullback.judgement.skill import normalized_entropy, skill
from kullback.moments import DAY, HOUR

_SHARE = 0.1  # of all rows: values that matter when they come or go
_VERSIONS = ("version", "release", "build", "revision")  # come and go as they should
_PAST_HOURS, _DAY_HOURS = 169, 24
_STEADY = 0.8  # of the hours of a day, in which a value has rows
_SURE = 5.0  # ln e of an hour of a value that is new
_MISSED = 50  # rows of an hour that cannot be missing by chance


def slices(history: History) -> Finding:
    """The worst value of all slices; where none is bad, one that is new or gone."""
    limits = history.thresholds["slice"]
    if not history.slices:
        return Finding("slice", State.UNKNOWN, None, None, 0, "Rows have no slices.")
    new = _new(history)
    worst = _by_outcomes(history, new)
    if worst is not None and worst.is_alarm:
        return worst
    for names, what in ((new, "is new"), (_gone(history), "is gone")):
        if names:
            name = max(names, key=lambda each: names[each])
            said, state = _beside(history, name)
            said = f"{_text(name)} {what}: {names[name]:.0%} of rows{said}."
            came = history.slices[name][0].block
            since, latest = came.start, came.stop
            if names is not new:
                since = latest = history.slices[name][-1].block.stop
            finding = Finding("slice", state, names[name], _SHARE, 0, said, slice=name)
            return replace(finding, since=since, since_latest=latest)
    if worst is None:
        said = f"No value has {limits.minimum_rows} rows with mature labels yet."
        return Finding("slice", State.UNKNOWN, None, None, 0, said)
    return worst


def _by_outcomes(history: History, new: Mapping[str, float]) -> Finding | None:
    """The value that is worst by calibration or skill, of those with rows enough."""
    limits = history.thresholds["slice"]
    some = [history.outcomes(name) for name in history.slices]
    enough = [each for each in some if each.rows >= limits.minimum_rows]
    if not enough:
        return None
    most = limits.log_threshold + math.log(2 * len(enough))
    ranked = sorted(
        product(enough, ("rate", "slope")), key=lambda each: -log_mean(each[0].logs(each[1], most))
    )
    closest, *_ = _finding(*ranked[0], most, limits, new)
    sure = [each for each in ranked if log_mean(each[0].logs(each[1], most)) >= most]
    findings = [(*each, *_finding(*each, most, limits, new)) for each in sure]
    for outcomes, by, finding, _ in sorted(findings, key=lambda each: -each[3]):
        if finding.is_alarm and _is_apart(history, outcomes.value, by, finding):
            return finding
    return replace(
        closest, state=State.OK, since=None, since_latest=None, statement=_none(closest.slice)
    )


def _is_apart(history: History, value: str, by: str, finding: Finding) -> bool:
    """Whether a value is off beside all other rows since then, not as these are.

    Of one hour these may be too few to say that they are off, too.
    """
    since = finding.since or 0
    own, every = (
        [each.block for each in history.outcomes(name).blocks if each.block.start >= since]
        for name in (value, "")
    )
    part = summed(own)
    limits = Tolerance(history.thresholds["slice"].tolerance)
    result = judged(part, limits, without(summed(every), part))
    log_e = result.rate if by == "rate" else result.slope
    return float(log_e.max()) >= _SURE


def _finding(
    outcomes: OutcomeHistory, by: str, most: float, limits: Thresholds, new: Mapping[str, float]
) -> tuple[Finding, float]:
    """What is found of a value, by its rate or its slope, and how far off it is.

    Of values that are surely off the one that is furthest is worst: evidence is capped, and of
    many rows soon the same. No skill is as far off as a rate of twice what happens.
    """
    text = _named(outcomes.value, new)
    if by == "rate":
        result = outcomes.rates(most)
        ratio = Ratio.of(result.rows)
        value, bound = ratio.value, ratio.bound(limits.tolerance)
        off, cause = ratio.off, ""
        state = graded(result.is_over, off, limits)
        said = f"{text}: {ratio.words} there."
    else:
        result = outcomes.slopes(most)
        have = skill(result.rows)
        value, bound = 0.0 if have is None else 1 - normalized_entropy(result.rows), 0.0
        is_none = result.is_over and have is not None and have.is_none
        off, cause = 1.0, inverted(have)
        state = State.CRITICAL if is_none else State.OK
        said = f"{text}: predictions are no better than the base rate there."
    if state is State.OK:
        said = _none(outcomes.value)
    finding = result.finding("slice", Size(state, value, bound, said), outcomes.value)
    return replace(finding, cause=cause), off


def _none(name: str) -> str:
    return f"No value is off; {_text(name)} is closest to it."


def _beside(history: History, name: str) -> tuple[str, State]:
    """How predictions of a value are, if its labels say so yet, and how bad that is."""
    outcomes = history.outcomes(name)
    blocks = outcomes.blocks
    if not blocks or blocks[-1].block.stop < history.now - DAY:
        return "", State.WARNING
    rows = summed([each.block for each in blocks])
    ratio = Ratio.of(rows)
    limits = history.thresholds["slice"]
    is_sure = max(float(each.rate.max()) for each in outcomes.groups) >= _SURE
    is_bad = is_sure and ratio.off >= limits.critical
    said = f", {ratio.words} there"
    return said, State.CRITICAL if is_bad else State.WARNING


def came_at(history: History, moment: int) -> str:
    """The value of a slice that came about then, if others were there before: a new version."""
    for name, blocks in history.slices.items():
        first = blocks[0].block.start
        if moment - HOUR <= first <= moment + HOUR:
            by = name.partition("=")[0]
            has_past = any(
                other.startswith(f"{by}=") and some[0].block.start <= first - DAY
                for other, some in history.slices.items()
            )
            share = _rows_since(blocks, first) / max(_rows_since(history.blocks, first), 1)
            if has_past and share >= _SHARE:
                return _text(name)
    return ""


def _named(name: str, new: Mapping[str, float]) -> str:
    return f"New value {_text(name)} ({new[name]:.0%} of rows)" if name in new else _text(name)


def _text(name: str) -> str:
    return name.replace("=", " = ", 1)


def _rows_since(blocks: Sequence[JudgedBlock], start: float) -> int:
    rows = 0
    for each in reversed(blocks):
        if each.block.start < start:
            break
        rows += each.block.scored_rows
    return rows


def _is_version(name: str) -> bool:
    return any(word in name.partition("=")[0].lower() for word in _VERSIONS)


def _new(history: History) -> dict[str, float]:
    """Values of a large share that nobody knew a day ago, though others were known."""
    began: dict[str, int] = {}  # of each slice: one that was added has no past
    for name, blocks in history.slices.items():
        by, first = name.partition("=")[0], blocks[0].block.start
        began[by] = min(began.get(by, first), first)
    enough = history.thresholds["slice"].minimum_rows / 2
    names = {}
    for name, blocks in history.slices.items():
        by, first = name.partition("=")[0], blocks[0].block.start
        is_recent = first > history.now - DAY - history.lag
        if not is_recent or name in history.reference_values or _is_version(name):
            continue
        others = any(each.startswith(f"{by}=") for each in history.reference_values)
        rows = _rows_since(blocks, first)
        share = rows / max(_rows_since(history.blocks, first), 1)
        if (began[by] <= first - DAY or others) and share >= _SHARE and rows >= enough:
            names[name] = min(share, 1.0)
    return names


def _gone(history: History) -> dict[str, float]:
    """Values that had a large share in each hour as long as they came, and come no more."""
    hours = [each.block for each in history.blocks[-_PAST_HOURS:] if each.block.scored_rows]
    if not hours:
        return {}
    here, names = hours[-1], {}
    for name, blocks in history.slices.items():
        last = blocks[-1].block.start
        past = [block for block in hours if block.start <= last]
        if last >= here.start or len(past) < _DAY_HOURS or _is_version(name):
            continue
        starts = {each.block.start for each in blocks[-_DAY_HOURS:]}
        steady = sum(block.start in starts for block in past[-_DAY_HOURS:])
        of_past = sum(block.scored_rows for block in past)
        share = _rows_since(blocks, past[0].start) / of_past
        is_many = share >= _SHARE and share * here.scored_rows >= _MISSED
        if is_many and steady >= _STEADY * _DAY_HOURS:
            names[name] = share
    return names
