"""Progress bar of long work, where stderr is a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
from rich.text import Text


@contextmanager
def progress(rows: int) -> Iterator[Callable[[int], None]]:
    """Show rows done of all on stderr, if it is a terminal; what is given is told of more."""
    console = Console(stderr=True)
    columns = (BarColumn(), _Speed(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as shown:
        task = shown.add_task("", total=rows)
        yield lambda more: shown.advance(task, more)


class _Speed(ProgressColumn):
    """Rows done of all, and how many in a second."""

    def render(self, task: Task) -> Text:
        """See ProgressColumn."""
        speed = "" if task.speed is None else f", {task.speed:,.0f} rows/s"
        return Text(f"{task.completed:,.0f} of {task.total or 0:,.0f} rows{speed}")
