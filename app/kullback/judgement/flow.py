"""Checks of the stream itself: whether predictions and labels come, and labels are in."""

import numpy as np

from kullback.judgement.findings import Finding, State
from kullback.judgement.history import History
from kullback.moments import DAY, HOUR, moment

_SHORTEST = 1200.0  # seconds without rows that are no silence
_SPARE = 2.0  # times the longest time without rows


def silence(history: History) -> Finding:
    """Whether predictions have stopped, or their labels."""
    limits = history.thresholds["silence"]
    blocks = [each.block for each in history.blocks if each.block.scored_rows]
    if not blocks or history.last_row is None:
        return Finding("silence", State.UNKNOWN, None, None, 0, "No rows have come yet.")
    quiet = max(history.now - history.last_row, 0.0)
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
    missing = _without_labels(history)
    if missing is not None:
        return missing
    said = "Predictions come, and their labels, as they usually do."
    return Finding("silence", State.OK, quiet, longest, blocks[-1].scored_rows, said)


def maturity(history: History) -> Finding:
    """Whether the labels of some time are in."""
    blocks = [each.block for each in history.blocks if each.block.scored_rows]
    mature = [block for block in blocks if block.rows]
    if not blocks:
        return Finding("maturity", State.UNKNOWN, None, None, 0, "No rows have come yet.")
    if not mature:
        said = "No hour has all its labels yet: nothing that needs them is judged."
        return Finding("maturity", State.UNKNOWN, None, None, 0, said)
    last = mature[-1]
    share = last.rows / max(last.scored_rows, 1)
    said = (
        f"{share:.0%} of the rows up to {moment(last.stop)} have labels: what needs them is judged "
        "up to then."
    )
    return Finding("maturity", State.OK, share, None, last.rows, said)


def _without_labels(history: History) -> Finding | None:
    """Labels that should have come by now, and did not."""
    limits = history.thresholds["maturity"]
    due = history.now - 1.5 * max(history.lag, HOUR / 2)
    old = [each.block for each in history.blocks if each.block.stop <= due]
    joined = [block for block in old if block.predicted_rows]
    labelled = [block.labelled_rows / block.scored_rows for block in joined if block.rows]
    if not labelled or history.lag <= 0:
        return None
    usual_share = float(np.median(labelled))
    late = [block for block in joined if block.stop > due - DAY - history.lag]
    missing = expected = 0.0
    first = None
    for block in reversed(late):
        usual = usual_share * block.scored_rows
        if block.labelled_rows > (1 - limits.tolerance) * usual:
            break
        missing, expected, first = missing + usual - block.labelled_rows, expected + usual, block
    if first is None or (1 - limits.tolerance) * expected < limits.log_threshold:
        return None
    share = 1 - missing / expected
    said = (
        f"Labels have stopped: {share:.0%} of those that are usual after {_duration(history.lag)} "
        f"came of predictions since {moment(first.start)}."
    )
    return Finding(
        "silence",
        State.CRITICAL,
        share,
        1 - limits.tolerance,
        round(expected),
        said,
        expected,
        limits.log_threshold,
        since=first.start,
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
