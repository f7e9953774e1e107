"""Evaluation task: some row groups of files become the bytes of a state."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kullback.errors import InvalidInput
from kullback.evaluation.batch import MAX_SEGMENTS, LogSource, read, too_many_segments
from kullback.evaluation.columns import Columns
from kullback.evaluation.log_batch import LogBatch
from kullback.evaluation.readers import Part, batches
from kullback.evaluation.state import EvaluationState, RunningState, without_histograms
from kullback.experiments.plan import MAX_ARMS
from kullback.tally.binary import binary_terms
from kullback.tally.groupings import Grouping, grouped
from kullback.tally.tally import Layout, Tally, total

STEPS = 50
_LABELS = 2
_AT_ONCE = 1 << 16  # rows that are summed at once
_BY_SEGMENT = 1 << 19  # the same, where every segment costs something each time


@dataclass(frozen=True, slots=True)
class LogRows:
    """Some row groups of a file, by their numbers; `start` is that of their first row in it."""

    source: LogSource
    groups: Sequence[int]
    start: int


@dataclass(frozen=True, slots=True)
class Task:
    """LogRows to be read by any process that can see their files.

    Attributes:
        parts: of one file or of several, in their order.
        rows: how many they are.
        all_rows: how many there are in all files, of which a step is a part.
        layout: of the tallies.
    """

    parts: Sequence[LogRows]
    rows: int
    all_rows: int
    layout: Layout

    @property
    def columns(self) -> Columns:
        """What is read of each file."""
        return self.parts[0].source.columns


def evaluate_part(task: Task) -> bytes:
    """What the rows of a task say: the bytes of a State, the same on every machine.

    Raises:
        InvalidInput: a file cannot be read, or a value in it is impossible.
    """
    running = RunningState(lambda state: check_counts(task.columns, state))
    waiting: list[LogBatch] = []
    rows = size = 0
    at_once = _BY_SEGMENT if task.columns.by else _AT_ONCE
    for batch, read_rows in _read(task):
        waiting.append(batch)
        rows, size = rows + read_rows, size + batch.y.size
        if size >= at_once:
            running.add(_state(task, waiting))
            waiting, size = [], 0
    if waiting:
        running.add(_state(task, waiting))
    return replace(running.total(), rows=rows).encoded()


def check_counts(columns: Columns, state: EvaluationState) -> None:
    """Refuse what tells too many arms, labels or segments apart.

    Raises:
        InvalidInput: there are more than MAX_ARMS, or more than MAX_SEGMENTS of a column.
    """
    if columns.arm is not None and len(state.arms) > MAX_ARMS:
        detail = f"the column {columns.arm} names more than {MAX_ARMS} arms"
        raise InvalidInput.at(detail, columns.arm)
    if len(state.labels) > _LABELS:
        listed = ", ".join(repr(label[:80]) for label in sorted(state.labels)[: _LABELS + 1])
        detail = f"the column {columns.y_true} holds more than two labels: {listed}"
        raise InvalidInput.at(detail, columns.y_true)
    segments = {segment for segment, _ in state.tallies}
    for column in columns.by:
        if sum(name.startswith(f"{column}=") for name in segments) > MAX_SEGMENTS:
            raise too_many_segments(column)


def _read(task: Task) -> Iterator[tuple[LogBatch, int]]:
    """Batches of rows, each with how many were read for it."""
    for part in task.parts:
        source, at = part.source, part.start
        for rows in batches(Part(source.file, source.columns, source.schema, part.groups)):
            yield read(source, rows, at), rows.num_rows
            at += rows.num_rows


def _state(task: Task, batches: Sequence[LogBatch]) -> EvaluationState:
    batch = LogBatch.joined(batches)
    tallies: dict[tuple[str, str], Tally] = {}
    steps: dict[tuple[int, str], Tally] = {}
    step = batch.number * STEPS // task.all_rows
    for arm, (rows, p) in batch.arms.items():
        if not p.size:
            continue
        own = slice(None) if rows is None else rows
        w = None if batch.w is None else batch.w[own]
        terms = binary_terms(task.layout, batch.y[own], p, w, batch.buckets[own])
        first = int(step[own][0])
        groupings = [Grouping(step[own] - first, int(step[own][-1]) - first + 1)]
        groupings += [  # rows of no segment are a group of their own
            Grouping(segments.index[own] + 1, len(segments.names) + 1)
            for segments in batch.segments.values()
        ]
        by_step, *by_segment = grouped(terms, groupings)
        tallies["", arm] = total(list(by_step.values()))
        for at, tally in by_step.items():
            steps[first + at, arm] = without_histograms(tally)
        for (column, segments), groups in zip(batch.segments.items(), by_segment, strict=True):
            for group, tally in groups.items():
                if group:
                    tallies[f"{column}={segments.names[group - 1]}", arm] = tally
    return EvaluationState(tallies, steps, batch.units, 0, batch.excluded, batch.labels)
