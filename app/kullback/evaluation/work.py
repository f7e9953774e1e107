"""Evaluation task: some row groups of a file become the bytes of a state."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.evaluation.batch import MAX_SEGMENTS, LogBatch, LogSource, read, too_many_segments
from kullback.evaluation.readers import Part, batches
from kullback.evaluation.state import EvaluationState, RunningState, without_histograms
from kullback.experiments.arm_tallies import tallies
from kullback.experiments.plan import MAX_ARMS, Arm, Plan
from kullback.scoring.conventions import ConventionName
from kullback.tally.tally import Tally, total

STEPS = 50
_LABELS = 2


@dataclass(frozen=True, slots=True)
class Task:
    """Some row groups of a file, to be read by any process that can see it.

    Attributes:
        source: the file, as its columns are meant.
        groups: the numbers of its row groups.
        start: the number in the file of their first row.
        rows: how many they are.
        all_rows: how many there are in all files, of which a step is a part.
        convention: whose log loss.
    """

    source: LogSource
    groups: Sequence[int]
    start: int
    rows: int
    all_rows: int
    convention: ConventionName


def evaluate_part(task: Task) -> bytes:
    """What the rows of a task say: the bytes of a State, the same on every machine.

    Raises:
        InvalidInput: the file cannot be read, or a value in it is impossible.
    """
    source, at = task.source, task.start
    running = RunningState(lambda state: check_counts(source, state))
    for rows in batches(Part(source.file, source.columns, source.schema, task.groups)):
        running.add(_said(task, read(source, rows, at)))
        at += rows.num_rows
    return replace(running.total(), rows=at - task.start).encoded()


def check_counts(source: LogSource, state: EvaluationState) -> None:
    """Refuse what tells too many arms or segments apart.

    Raises:
        InvalidInput: there are more than MAX_ARMS, or more than MAX_SEGMENTS of a column.
    """
    columns = source.columns
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


def _said(task: Task, batch: LogBatch) -> EvaluationState:
    sample = batch.sample
    if sample.y.size == 0:
        return EvaluationState(excluded=batch.excluded)
    plan = _bare(list(sample.arms), task.convention)
    step = batch.number * STEPS // task.all_rows
    is_one = bool(step[0] == step[-1])
    by_step = tallies(plan, sample if is_one else replace(sample, slices={}), step)
    by_segment = by_step
    if sample.slices and not is_one:
        by_segment = tallies(plan, sample, np.zeros_like(step))
    grouped: dict[tuple[str, str], list[Tally]] = defaultdict(list)
    for arm, groups in by_segment.items():
        for (segment, _), tally in groups.items():
            grouped[segment, arm].append(tally)
    steps = {
        (at, arm): without_histograms(tally)
        for arm, groups in by_step.items()
        for (segment, at), tally in groups.items()
        if not segment
    }
    whole = {key: total(several) for key, several in grouped.items()}
    return EvaluationState(whole, steps, batch.units, 0, batch.excluded, batch.labels)


def _bare(names: Sequence[str], convention: ConventionName) -> Plan:
    """As much of a plan as tallies are made by."""
    arms = tuple(Arm(name, 1 / len(names)) for name in names)
    return Plan(arms, names[0], convention=convention)
