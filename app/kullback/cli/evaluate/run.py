"""Run of an evaluation: reads logs, shows the answer and writes the files."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import typer

from kullback.cli import outputs
from kullback.cli.evaluate.plan import EvaluateOptions, EvaluationPlan
from kullback.cli.evaluate.tables import show
from kullback.cli.progress import progress
from kullback.cli.terminal import Failure, Status
from kullback.documents import to_json
from kullback.errors import KullbackError
from kullback.evaluation import files as logs
from kullback.evaluation.executors import Work, WorkStopped, by_dask, by_processes, serial
from kullback.evaluation.html import page
from kullback.evaluation.job import evaluate, evaluation_report
from kullback.evaluation.locations import files_named
from kullback.experiments.comparison import compare
from kullback.experiments.evaluation_report import EvaluationReport
from kullback.experiments.page import markdown


@dataclass(frozen=True, slots=True)
class ExecutorOptions:
    """Who does the work, as asked for."""

    processes: int | None
    dask: str | None

    def work(self, tasks: int) -> Work:
        """They, for so many tasks.

        Raises:
            Failure: both are asked for.
        """
        if self.dask is not None:
            if self.processes is not None:
                detail = "--workers says nothing beside --dask: its cluster has its own"
                raise Failure(detail, Status.UNUSABLE)
            return by_dask(self.dask, partial(typer.echo, err=True))
        workers = min(self.processes or os.cpu_count() or 1, tasks)
        return serial if workers <= 1 else by_processes(workers)


def run(
    options: EvaluateOptions,
    files: Sequence[str],
    workers: ExecutorOptions,
    targets: Mapping[str, str | None],
) -> None:
    """Answer what is asked of the files, into `targets` by option, and to the terminal.

    Raises:
        Failure: there is no answer; no file is left behind.
    """
    try:
        outputs.check(targets)
        report = _report(options.plan(), files, workers)
    except KullbackError as error:
        raise Failure(error.message, Status.UNUSABLE) from error
    except WorkStopped as error:
        raise Failure(str(error), Status.REFUSED) from error
    contents = {
        target: _PAGES[option](report) for option, target in targets.items() if target is not None
    }
    outputs.write(contents)
    if outputs.STDOUT not in contents:
        show(report)


def _report(
    question: EvaluationPlan, names: Sequence[str], workers: ExecutorOptions
) -> EvaluationReport:
    files = logs.open_files(files_named(names), question.columns)
    layout = question.provisional().layout
    tasks = list(logs.tasks(files, question.columns, layout, question.names))
    with progress(files.rows) as done:
        state = evaluate(tasks, workers.work(len(tasks)), done)
    question.check(state.labels)
    plan = question.plan(state.arms)
    findings = compare(plan, state.arm_tallies(plan))
    return evaluation_report(findings, state, files, question.notes(plan))


def _as_json(report: EvaluationReport) -> str:
    return to_json(report, indent=2).decode()


_PAGES: dict[str, Callable[[EvaluationReport], str]] = {
    "--json": _as_json,
    "--html": page,
    "--markdown": markdown,
}
