"""Checks of the stream itself: whether predictions come, and their labels."""

import numpy as np

from kullback.judgement.findings import Finding, State
from kullback.judgement.history import History
from kullback.moments import DAY, HOUR, moment

_SHORTEST = 1200.0  # seconds without rows that are no silence
_SPARE = 2.0  # times the longest time without rows
_WEEKEND = 4.0  # times a pause of other days


def silence(history: History) -> Finding:
    """Whether predictions have stopped."""
    limits = history.thresholds["silence"]
    blocks = [each.block for each in history.blocks if each.block.scored_rows]
    if not blocks or history.last_row is None:
        return Finding("silence", State.UNKNOWN, None, None, 0, "No rows have come yet.")
    if history.watched is not None and history.watched < HOUR:
        said = "Rows have come for less than an hour: nobody knows yet when they usually do."
        return Finding("silence", State.UNKNOWN, None, None, blocks[-1].scored_rows, said)
    quiet = max(history.now - max(history.last_row, history.last_arrival or 0.0), 0.0)
    longest, usual = max(_SHORTEST, _SPARE * _pause(history)), 0.0
    if quiet > longest:
        usual = _usual_rows(history, history.last_row)
    expected = usual * (1 - limits.tolerance)
    if usual >= limits.minimum_rows and expected >= limits.log_threshold:
        since = int(history.last_row)
        said = f"No predictions since {moment(since)}: about {usual:.0f} were usual."
        return Finding(
            "silence",
            State.CRITICAL,
            quiet,
            longest,
            round(usual),
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
    mature = [block for block in blocks if block.rows and block.until >= block.stop]
    if not mature:
        judged = (
            "what has them" if any(block.rows for block in blocks) else "nothing that needs them"
        )
        said = f"No hour has all its labels yet: {judged} is judged."
        said = said if blocks else "No rows have come yet."
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
    is_sure = due.scored >= limits.minimum_rows and (
        (1 - limits.tolerance) * expected >= limits.log_threshold
    )
    what = "Only positive labels come" if due.only_positives else "Labels are late, or have stopped"
    said = (
        f"{what}: {share:.0%} of predictions have one after {_duration(history.now - due.stop)}, "
        f"where {usual:.0%} are usual after {_duration(history.lag)}."
    )
    missing = 1 - due.labelled / expected
    grave = State.CRITICAL if missing >= limits.critical else State.WARNING
    state = grave if is_sure else State.OK
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


def _pause(history: History) -> float:
    """How long there may be nothing, as far as is known, seconds.

    Before a week was seen, what of a day was not may be a pause, and a stream that pauses may do so
    for longer at a weekend.
    """
    watched = history.watched or 0.0
    if watched >= 7 * DAY:
        return history.longest_pause
    weekend = min(_WEEKEND * history.longest_pause, 2 * DAY)
    return max(history.longest_pause, weekend, DAY - watched, _gap(history))


def _gap(history: History) -> float:
    """The longest time between hours with rows."""
    starts = np.array([each.block.start for each in history.blocks if each.block.scored_rows])
    stops = np.array([each.block.stop for each in history.blocks if each.block.scored_rows])
    return float((starts[1:] - stops[:-1]).max()) if starts.size > 1 else 0.0


def _usual_rows(history: History, since: float) -> float:
    """How many rows usually come between a moment and now, two days at most, by hour of the day."""
    blocks = [
        each.block
        for each in history.blocks
        if each.block.stop - each.block.start >= HOUR and each.block.start > since - 8 * DAY
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
