"""`make torture`: many kills, a progress bar, and a table of the results."""

import tempfile
from collections.abc import Callable
from dataclasses import asdict

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.postgresql import ABSENT, programs, running
from tests.torture.disasters import kill_a_backend, restart
from tests.torture.overload import COLUMNS, CONNECTIONS, SIZES, measured
from tests.torture.proof import Figures
from tests.torture.runs import survived

ON_SQLITE = 200
ON_POSTGRESQL = 50
Told = Callable[[Figures], None]


def on_sqlite(told: Told) -> Figures:
    """One server, one file."""
    with tempfile.TemporaryDirectory(prefix="kullback-torture-") as directory:
        return survived(ON_SQLITE, f"sqlite:///{directory}/kullback.db", told=told)


def on_postgresql(told: Told) -> Figures:
    """Two replicas on one database, whose server breaks too."""
    found = programs()
    assert found is not None
    with running(found) as server:
        with server.connect() as connection:
            connection.execute("CREATE DATABASE torture")
        third = ON_POSTGRESQL // 3
        disasters = {
            third: lambda: kill_a_backend(server),
            2 * third: lambda: restart(server, found),
        }
        url = server.url("torture")
        return survived(ON_POSTGRESQL, url, url, told=told, disasters=disasters)


def main() -> None:
    """Run both, and print the figures."""
    console = Console()
    runs = {"SQLite, one server": (ON_SQLITE, on_sqlite)}
    if programs() is None:
        console.print(ABSENT)
    else:
        runs["PostgreSQL, two replicas"] = (ON_POSTGRESQL, on_postgresql)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    found = dict[str, Figures]()
    with Progress(*columns, TextColumn("kills"), TimeElapsedColumn(), console=console) as bar:
        for name, (kills, run) in runs.items():
            task = bar.add_task(name, total=kills)

            def told(figures: Figures) -> None:
                bar.update(task, completed=min(figures.kills, kills))  # noqa: B023 - this one's

            found[name] = run(told)
    console.print(_table(found))
    console.print(_overload())


def _overload() -> Table:
    """Two hundred callers who do not wait, at each size of body."""
    table = Table(*COLUMNS, title=f"Overload: {CONNECTIONS} connections")
    for rows in SIZES:
        table.add_row(*measured(rows).row())
    return table


def _table(found: dict[str, Figures]) -> Table:
    table = Table(title="Exactly once")
    table.add_column("")
    for name in found:
        table.add_column(name, justify="right")
    columns = [asdict(figures) for figures in found.values()]
    for row in columns[0]:
        table.add_row(row, *(f"{column[row]:,.0f}" for column in columns))
    return table


if __name__ == "__main__":
    main()
