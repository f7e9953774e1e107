"""Progress bars of long work, where stderr is a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


@contextmanager
def progress(rows: int) -> Iterator[Callable[[int], None]]:
    """Show rows done of all on stderr, if it is a terminal; what is given is told of more."""
    with _shown(BarColumn(), _Speed(), TimeRemainingColumn()) as shown:
        task = shown.add_task("", total=rows)
        yield lambda more: shown.advance(task, more)


@contextmanager
def stages() -> Iterator[Callable[[str, int, int | None], None]]:
    """Show one stage of some work after the other; what is given is told of bytes done, of all."""
    name = TextColumn("{task.description}")
    with _shown(name, BarColumn(), DownloadColumn(), TimeRemainingColumn()) as shown:
        task = shown.add_task("", total=None)

        def tell(stage: str, done: int, total: int | None) -> None:
            if stage != shown.tasks[0].description:
                shown.reset(task, description=stage)
            shown.update(task, completed=done, total=total)

        yield tell


def is_shown() -> bool:
    """Whether somebody looks."""
    return Console(stderr=True).is_terminal


def _shown(*columns: ProgressColumn) -> Progress:
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


class _Speed(ProgressColumn):
    """Rows done of all, and how many in a second."""

    def render(self, task: Task) -> Text:
        """See ProgressColumn."""
        speed = "" if task.speed is None else f", {task.speed:,.0f} rows/s"
        return Text(f"{task.completed:,.0f} of {task.total or 0:,.0f} rows{speed}")
