"""The check of slices: which value is worst by the checks of all rows, which is new, which gone."""

import math
from collections.abc import Iterator, Mapping, Sequence

from kullback.judgement.blocks import summed
from kullback.judgement.evidence import rates, slopes, spread_of
from kullback.judgement.findings import Finding, Size, State
from kullback.judgement.history import History
from kullback.judgement.judged import JudgedBlock
from kullback.judgement.outcomes import class_or_ratio, distance, state_of
from kullback.judgement.skill import skill
from kullback.moments import DAY, HOUR

_SHARE = 0.1  # of all rows: values that matter when they come or go
_VERSIONS = ("version", "release", "build", "revision")  # come and go as they should
_NEW_HOURS = 6 * HOUR


def slices(history: History) -> Finding:
    """The worst value of all slices; where none is bad, one that is new or gone."""
    limits = history.thresholds["slice"]
    if not history.slices:
        return Finding("slice", State.UNKNOWN, None, None, 0, "Rows have no slices.")
    new = _new(history)
    worst = max(_by_outcomes(history, new), key=_rank, default=None)
    if worst is not None and worst.is_alarm:
        return worst
    for names, what in ((new, "is new"), (_gone(history), "is gone")):
        if names:
            name = max(names, key=lambda each: names[each])
            said = f"{_text(name)} {what}: {names[name]:.0%} of rows{_beside(history, name)}."
            now = int(history.now)
            return Finding(
                "slice", State.WARNING, names[name], _SHARE, 0, said, slice=name, since=now
            )
    if worst is None:
        said = f"No value has {limits.minimum_rows} rows with mature labels yet."
        return Finding("slice", State.UNKNOWN, None, None, 0, said)
    return worst


def _by_outcomes(history: History, new: Mapping[str, float]) -> Iterator[Finding]:
    """What calibration and skill of each value are, of those with rows enough."""
    limits = history.thresholds["slice"]
    mature = {name: history.mature(name) for name in history.slices}
    judged = {
        name: blocks
        for name, blocks in mature.items()
        if sum(each.rows for each in blocks) >= limits.minimum_rows
    }
    spread, values = spread_of(history.mature()), 2 * len(judged)
    for name, blocks in judged.items():
        result = rates(blocks, limits.log_threshold, spread, values=values)
        ratio = class_or_ratio(result.rows)
        state = state_of(result.is_over, distance(ratio, result.rows), limits)
        said = f"{_named(name, new)}: predictions are {ratio:.2f} times what happened there."
        value = ratio
        if state is State.OK:
            said = f"No value is off; {_text(name)} is closest to it."
            lost = slopes(blocks, limits.log_threshold, spread, values=values)
            have = skill(lost.rows)
            if lost.is_over and have is not None and have.is_none:
                result, state, value = lost, State.CRITICAL, have.gain
                said = f"{_named(name, new)}: predictions are no better than the base rate there."
        yield result.finding("slice", Size(state, value, 1 + limits.tolerance, said), name)


def _beside(history: History, name: str) -> str:
    """How predictions of a value are, if its labels say so yet."""
    blocks = history.mature(name)
    if not blocks or blocks[-1].block.stop < history.now - DAY:
        return ""
    ratio = class_or_ratio(summed([each.block for each in blocks]))
    return f", predictions {ratio:.2f} times what happened there"


def _rank(finding: Finding) -> tuple[int, float]:
    order = (State.OK, State.WARNING, State.CRITICAL)
    return order.index(finding.state), (finding.log_e or 0.0)


def _named(name: str, new: Mapping[str, float]) -> str:
    return f"New value {_text(name)} ({new[name]:.0%} of rows)" if name in new else _text(name)


def _text(name: str) -> str:
    return name.replace("=", " = ", 1)


def _last_hours(history: History, seconds: float) -> tuple[int, dict[str, int]]:
    """Rows of the last time with rows: of all, and of each value."""
    stop = max((each.block.stop for each in history.blocks if each.block.scored_rows), default=0)
    start = stop - seconds

    def rows(blocks: Sequence[JudgedBlock]) -> int:
        return sum(each.block.scored_rows for each in blocks if each.block.start >= start)

    return rows(history.blocks), {name: rows(blocks) for name, blocks in history.slices.items()}


def _first(blocks: Sequence[JudgedBlock]) -> float:
    return min((each.block.start for each in blocks if each.block.scored_rows), default=math.inf)


def _is_version(name: str) -> bool:
    return any(word in name.partition("=")[0].lower() for word in _VERSIONS)


def _new(history: History) -> dict[str, float]:
    """Values of a large share that nobody knew a day ago, though others were known."""
    began = _first(history.blocks)
    _, rows = _last_hours(history, DAY)
    result = {}
    for name, blocks in history.slices.items():
        by = name.partition("=")[0]
        is_known = name in history.reference_values
        had_past = began <= _first(blocks) - DAY or any(
            each.startswith(f"{by}=") for each in history.reference_values
        )
        recent = _first(blocks) > history.now - DAY - history.lag
        if is_known or not had_past or not recent or _is_version(name):
            continue
        since = _first(blocks)
        all_rows = sum(e.block.scored_rows for e in history.blocks if e.block.start >= since)
        share = rows[name] / all_rows if all_rows else 0.0
        if share >= _SHARE and rows[name] >= history.thresholds["slice"].minimum_rows / 2:
            result[name] = min(share, 1.0)
    return result


def _gone(history: History) -> dict[str, float]:
    """Values that had a large share in each of the hours before, and have no rows any more."""
    whole, rows = _last_hours(history, HOUR)
    result = {}
    for name, blocks in history.slices.items():
        here = {each.block.start for each in blocks if each.block.scored_rows}
        all_hours = [e.block for e in history.blocks if e.block.scored_rows]
        past = all_hours[:-1][-7 * 24 :]
        if rows[name] or len(past) < 24 or _is_version(name):
            continue
        before = sum(e.block.scored_rows for e in blocks)
        share = before / max(sum(block.scored_rows for block in past), 1)
        steady = sum(block.start in here for block in past[-24:]) >= 0.8 * len(past[-24:])
        if share >= _SHARE and steady and share * whole >= 50:
            result[name] = share
    return result
