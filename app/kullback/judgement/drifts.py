"""Checks of what comes in: scores and labels beside the reference and the past."""

import math

import numpy as np

from kullback.judgement.blocks import labels_of
from kullback.judgement.comparisons import Baseline, Counts, course
from kullback.judgement.findings import Finding, Size, State, graded
from kullback.judgement.folds import marks_of
from kullback.judgement.history import History
from kullback.judgement.settings import Thresholds
from kullback.judgement.shares import rate_evidence, share_evidence, size_of, smoothed
from kullback.numerics.digits import counted
from kullback.numerics.types import Array, Indices
from kullback.tally.drift import Shares, tenths

_FORESEEN = 1.25  # how far labels may be from their predictions where these explain them
_LEAST = 1e-9
_BY = np.array([[sign * by] for by in (1, 2, 3, 4, 6, 9, 14) for sign in (-1, 1)])  # groups


def score_drift(history: History) -> Finding:
    """Whether scores are distributed unlike those of the reference and of the same hours before."""
    limits, blocks = history.thresholds["score_drift"], history.blocks
    if not blocks:
        return _nothing("score_drift", limits, 0)
    counts = Counts(
        "score_drift",
        history.memo,
        starts=np.array([each.block.start for each in blocks]),
        mass=np.array([each.block.scored for each in blocks]),
        rows=np.array([each.block.scored_rows for each in blocks]),
        excused=np.array([each.is_right for each in blocks]),
        marks=marks_of([(each.block.start, each.scores_mark) for each in blocks]),
    )
    reference = None if history.reference is None else history.reference.scored
    given = None if reference is None or reference.sum() <= 0 else _shares(reference)

    def evidence(hours: list[int], baselines: list[Baseline]) -> float:
        cells = cells_of(baselines)
        past = [each.merged(cells) for each in baselines]
        moved = np.concatenate([_moved(each.shares.mass, cells) for each in baselines])
        before = counts.before(hours)
        recent = None if before is None else before.merged(cells).mass
        here = counts.of(hours).merged(cells).mass
        return share_evidence(here, past, limits.tolerance, moved, recent)

    result = course(counts, given, limits, evidence)
    if result is None:
        return _nothing("score_drift", limits, int(counts.rows.sum()))
    cells = cells_of(result.baselines)
    here, past = counts.of(result.hours).merged(cells), [e.merged(cells) for e in result.baselines]
    size, scaled = size_of(here.mass, past)
    is_over = result.log_e >= limits.log_threshold
    state = graded(is_over, scaled, limits)
    said = (
        f"Scores are distributed unlike before: PSI {size:.2f}."
        if state is not State.OK
        else f"Scores are distributed as before, or as far as chance explains: PSI {size:.2f}."
    )
    result_size = Size(state, size, limits.tolerance, said)
    return result.finding(counts, "score_drift", result_size, limits.log_threshold)


def label_drift(history: History) -> Finding:
    """Whether a label is more or less frequent than before, and than predictions foresaw."""
    limits = history.thresholds["label_drift"]
    blocks = history.outcomes().blocks
    if not blocks:
        return _nothing("label_drift", limits, 0)
    reference = history.reference
    reference = None if reference is None or not reference.rows else reference
    width = max(each.labels.size for each in blocks)
    foreseen = _wide([each.foreseen for each in blocks], width)
    counts = Counts(
        "label_drift",
        history.memo,
        starts=np.array([each.block.start for each in blocks]),
        mass=_wide([each.labels for each in blocks], width),
        rows=np.array([each.rows for each in blocks]),
        excused=np.zeros(len(blocks), dtype=np.bool_),
        marks=history.outcomes().marks,
    )
    given = None if reference is None else _shares(_wide([labels_of(reference)], width)[0])
    labels = range(width) if width > 2 else (1,)

    def evidence(hours: list[int], baselines: list[Baseline]) -> float:
        here, said, before = counts.of(hours), foreseen[hours].sum(axis=0), counts.before(hours)
        shares = [each.shares.shares() for each in baselines]
        result = []
        for k in labels:
            spans = [_span(float(each[k]), 1 + limits.tolerance) for each in shares]
            spans.append(_span(float(said[k] / said.sum()), _FORESEEN))
            recent = None if before is None else (float(before.mass[k]), before.rows or 0.0)
            result.append(rate_evidence(float(here.mass[k]), here.rows or 0.0, spans, recent))
        return max(result) - float(np.log(len(labels)))

    result = course(counts, given, limits, evidence)
    if result is None:
        return _nothing("label_drift", limits, int(counts.rows.sum()))
    now = counts.of(result.hours).shares()
    factors = {
        k: _nearest(float(now[k]), [float(each.shares.shares()[k]) for each in result.baselines])
        for k in labels
    }
    label = max(factors, key=lambda k: abs(math.log(factors[k])))
    factor = factors[label]
    size = math.exp(abs(math.log(factor))) - 1
    is_over = result.log_e >= limits.log_threshold
    state = graded(is_over, size, limits)
    what = "Positive labels" if width == 2 else f"Labels of class {label}"
    said = f"{what} are {factor:.2f} times as frequent as before"
    said += "." if state is not State.OK else ": foreseen, usual, or by chance."
    result_size = Size(state, factor, 1 + limits.tolerance, said)
    return result.finding(counts, "label_drift", result_size, limits.log_threshold)


def cells_of(baselines: list[Baseline]) -> Indices:
    """Tenths of the baselines together: the cell of each group."""
    return tenths(np.sum([each.shares.shares() for each in baselines], axis=0))


def _moved(mass: Array, cells: Indices) -> Array:
    """Shares of the same mass by cell where all scores are lower or higher, (moves, k)."""
    width = int(cells.max()) + 1
    there = cells[np.clip(np.arange(mass.size) + _BY, 0, mass.size - 1)]
    flat = there + width * np.arange(_BY.size)[:, None]
    summed = np.bincount(flat.ravel(), np.tile(mass, _BY.size), width * _BY.size)
    return smoothed(summed.reshape(_BY.size, width).astype(np.float64))


def _shares(mass: Array) -> Shares:
    return Shares(mass, float(mass.sum()))


def _wide(vectors: list[Array], width: int) -> Array:
    """Vectors as rows of one table; labels that were added later are 0 before."""
    if all(vector.size == width for vector in vectors):
        return np.array(vectors)
    return np.stack([np.pad(vector, (0, width - vector.size)) for vector in vectors])


def _span(rate: float, factor: float) -> tuple[float, float]:
    return rate / factor, min(rate * factor, 1.0)


def _nearest(now: float, baselines: list[float]) -> float:
    ratios = [max(now, _LEAST) / max(rate, _LEAST) for rate in baselines]
    return min(ratios, key=lambda ratio: abs(math.log(ratio)))


def _nothing(name: str, limits: Thresholds, rows: int) -> Finding:
    said = (
        f"{counted(rows, 'row')}, {limits.minimum_rows} of an hour are needed."
        if rows < limits.minimum_rows
        else "Nothing to compare with yet: no reference, and not a day of the past."
    )
    return Finding(name, State.UNKNOWN, None, None, rows, said)
