"""Evaluation job: tasks become one state, and the state a report."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from itertools import chain

from kullback.evaluation.executors import Work
from kullback.evaluation.files import File
from kullback.evaluation.state import EvaluationState, RunningState
from kullback.evaluation.work import Task, check_counts
from kullback.experiments.arm_tallies import ArmTallies
from kullback.experiments.comparison import Findings, effects
from kullback.experiments.plan import Plan
from kullback.experiments.report import brief, report
from kullback.tally.documents import Document
from kullback.tally.tally import Tally, total

_OF_A_POINT = ("arm", "effect", "sequence", "fixed_interval", "e_value", "log_e_value")


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
    found = RunningState(lambda state: check_counts(first.source, state))
    with closing(work(chain([first], tasks))) as results:
        for task, content in results:
            found.add(EvaluationState.decoded(content))
            done(task.rows)
    return found.total()


def document(found: Findings, state: EvaluationState, files: Sequence[File]) -> Document:
    """The report of an experiment, with the files that it is of and the path through their rows."""
    return report(found) | {
        "files": [file.name for file in files],
        "rows": state.rows,
        "excluded": {name: state.excluded[name] for name in sorted(state.excluded)},
        "path": path(found.plan, state),
    }


def path(plan: Plan, state: EvaluationState) -> list[Document]:
    """What was known of the arms after each step through the rows, in the order of the files."""
    points: list[Document] = []
    known: dict[str, Tally] = {}
    for step in sorted({step for step, _ in state.steps}):
        for arm in plan.names:
            more = state.steps.get((step, arm))
            if more is not None:
                known[arm] = total([known[arm], more]) if arm in known else more
        rows = [tally.scalar("rows") for tally in known.values()]
        points.append(
            {
                "n": max(rows) if plan.design == "paired" else sum(rows),
                "comparisons": [
                    {name: told[name] for name in _OF_A_POINT}
                    for told in (
                        brief(one, plan.alpha) for one in effects(plan, ArmTallies(dict(known)))
                    )
                ],
            }
        )
    return points
