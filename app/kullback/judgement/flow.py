"""Checks of the stream itself: whether predictions come, and their labels."""

import numpy as np

from kullback.judgement.findings import Finding, State
from kullback.judgement.history import History
from kullback.moments import DAY, HOUR, moment

_SHORTEST = 1200.0  # seconds without rows that are no silence
_SPARE = 2.0  # times the longest time without rows


def silence(history: History) -> Finding:
    """Whether predictions have stopped."""
    limits = history.thresholds["silence"]
    blocks = [each.block for each in history.blocks if each.block.scored_rows]
    if not blocks or history.last_row is None:
        return Finding("silence", State.UNKNOWN, None, None, 0, "No rows have come yet.")
    quiet = max(history.now - max(history.last_row, history.last_news), 0.0)
    longest, expected = max(_SHORTEST, _SPARE * history.largest_gap), 0.0
    if quiet > longest:
        longest = max(longest, _SPARE * _gap(history))
        expected = _expected(history, history.last_row) * (1 - limits.tolerance)
    if quiet > longest and expected >= limits.log_threshold:
        rows = round(expected / (1 - limits.tolerance))
        said = f"No predictions since {moment(int(history.last_row))}: about {rows} were usual."
        since = int(history.last_row)
        return Finding(
            "silence",
            State.CRITICAL,
            quiet,
            longest,
            rows,
            said,
            expected,
            limits.log_threshold,
            since=since,
        )
    said = "Predictions come as they usually do."
    return Finding("silence", State.OK, quiet, longest, blocks[-1].scored_rows, said)


def maturity(history: History) -> Finding:
    """Whether labels come as they usually do, and up to when they are in."""
    limits = history.thresholds["maturity"]
    blocks = [each.block for each in history.blocks if each.block.scored_rows]
    mature = [block for block in blocks if block.rows]
    if not mature:
        said = (
            "No hour has all its labels yet: nothing that needs them is judged."
            if blocks
            else "No rows have come yet."
        )
        return Finding("maturity", State.UNKNOWN, None, None, 0, said)
    usual = float(np.median([block.labelled_rows / block.scored_rows for block in mature]))
    due = history.due
    expected = 0.0 if due is None else usual * due.scored
    if due is None or due.labelled >= (1 - limits.tolerance) * expected:
        last = mature[-1]
        share = last.labelled_rows / last.scored_rows
        said = f"{share:.0%} of the rows up to {moment(last.stop)} have labels, as is usual."
        return Finding("maturity", State.OK, share, usual, last.scored_rows, said)
    share = due.labelled / due.scored
    is_sure = (1 - limits.tolerance) * expected >= limits.log_threshold
    what = "Only positive labels come" if due.only_positives else "Labels are late, or have stopped"
    said = (
        f"{what}: {share:.0%} of predictions have one after {_duration(history.now - due.stop)}, "
        f"where {usual:.0%} are usual after {_duration(history.lag)}."
    )
    state = State.CRITICAL if is_sure else State.OK
    return Finding(
        "maturity",
        state,
        share,
        (1 - limits.tolerance) * usual,
        due.scored,
        said,
        expected,
        limits.log_threshold,
        since=due.start if is_sure else None,
    )


def _gap(history: History) -> float:
    """The longest time between hours with rows."""
    starts = np.array([each.block.start for each in history.blocks if each.block.scored_rows])
    stops = np.array([each.block.stop for each in history.blocks if each.block.scored_rows])
    return float((starts[1:] - stops[:-1]).max()) if starts.size > 1 else 0.0


def _expected(history: History, since: float) -> float:
    """How many rows usually come between a moment and now: by the hour of the day."""
    blocks = [
        each.block
        for each in history.blocks
        if each.block.stop - each.block.start >= HOUR and each.block.start > history.now - 8 * DAY
    ]
    blocks = [each for each in blocks if each.stop <= since] or blocks
    if not blocks:
        return 0.0
    rates: dict[int, list[float]] = {}
    for block in blocks:
        rate = block.scored_rows / (block.stop - block.start)
        rates.setdefault(block.start // HOUR % 24, []).append(rate)
    usual = {of_day: float(np.median(some)) for of_day, some in rates.items()}
    least = min(usual.values())
    total, at = 0.0, since
    while at < min(history.now, since + 2 * DAY):
        until = min((at // HOUR + 1) * HOUR, history.now)
        total += usual.get(int(at // HOUR % 24), least) * (until - at)
        at = until
    return total


def _duration(seconds: float) -> str:
    if seconds < HOUR:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / HOUR:.1f} hours"
