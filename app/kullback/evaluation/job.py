"""Evaluation job: tasks become one state, and the state a report."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import chain

from kullback.documents import extended
from kullback.evaluation.executors import Work
from kullback.evaluation.files import Files
from kullback.evaluation.state import EvaluationState, RunningState
from kullback.evaluation.work import Task, check_counts
from kullback.experiments.arm_tallies import ArmTallies
from kullback.experiments.comparison import Findings, effects
from kullback.experiments.evaluation_report import (
    OTHER_ARMS,
    EvaluationLook,
    EvaluationReport,
    EvaluationStep,
)
from kullback.experiments.plan import Plan
from kullback.experiments.report import ArmEffect
from kullback.experiments.reporting import arm_effect, arms_report
from kullback.tally.tally import Tally, total

NO_UNIT = (
    "No --unit is given, so every row counts as independent: where a user has several rows, "
    "standard errors and intervals are too small, and the verdict is too sure."
)

LACKING = (
    "{count:,} of {rows:,} rows ({share:.1%}) have no {name} and are left out: if those are not "
    "like the others, neither is what is told of them."
)
_MANY_EXCLUDED = 0.01  # of all rows


def evaluate(tasks: Iterable[Task], work: Work, done: Callable[[int], None]) -> EvaluationState:
    """What all tasks say.

    Args:
        tasks: what is to be done.
        work: who does it.
        done: told how many more rows are done.

    Raises:
        InvalidInput: a file is not what it seemed, or there are too many arms or segments.
        WorkStopped: nobody is left to do the work.
    """
    tasks = iter(tasks)
    first = next(tasks, None)
    if first is None:
        return EvaluationState()
    running = RunningState(lambda state: check_counts(first.columns, state))
    with closing(work(chain([first], tasks))) as results:
        for task, content in results:
            running.add(EvaluationState.decoded(content))
            done(task.rows)
    return running.total()


def evaluation_report(
    findings: Findings, state: EvaluationState, files: Files, notes: Sequence[str] = ()
) -> EvaluationReport:
    """The report of arms, with the files that it is of and the path through their rows.

    `notes` come before its warnings.
    """
    report = arms_report(findings)
    return extended(
        EvaluationReport,
        replace(report, warnings=(*notes, *_lacking(state), *report.warnings)),
        files=tuple(file.name for file in files.opened),
        formats=files.formats,
        skipped=tuple(files.skipped),
        rows=state.rows,
        excluded={name: state.excluded[name] for name in sorted(state.excluded)},
        path=path(findings.plan, state),
    )


def _lacking(state: EvaluationState) -> Iterator[str]:
    """Warnings of what so many rows lack that the others may not be like them."""
    for name, count in sorted(state.excluded.items()):
        if count >= _MANY_EXCLUDED * state.rows and name != OTHER_ARMS:
            yield LACKING.format(count=count, rows=state.rows, share=count / state.rows, name=name)


def path(plan: Plan, state: EvaluationState) -> tuple[EvaluationStep, ...]:
    """The effects after each step through the rows, in the order of the files."""
    steps: list[EvaluationStep] = []
    tallies: dict[str, Tally] = {}
    for step in sorted({step for step, _ in state.steps}):
        for arm in plan.names:
            more = state.steps.get((step, arm))
            if more is not None:
                tallies[arm] = total([tallies[arm], more]) if arm in tallies else more
        rows = [tally.scalar("rows") for tally in tallies.values()]
        comparisons = effects(plan, ArmTallies(dict(tallies)))
        n = max(rows) if plan.design == "paired" else sum(rows)
        looks = tuple(_look(arm_effect(comparison, plan.alpha)) for comparison in comparisons)
        steps.append(EvaluationStep(n, looks))
    return tuple(steps)


def _look(effect: ArmEffect) -> EvaluationLook:
    return EvaluationLook(
        effect.arm,
        effect.effect,
        effect.sequence,
        effect.fixed_interval,
        effect.e_value,
        effect.log_e_value,
    )
