"""`make torture`: kills, power cuts, faults of the network and races, and tables of the results."""

import argparse
import logging
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path

import anyio
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from kullback.settings import Settings
from tests.access.teams import tried
from tests.api.hostile import __main__ as hostile
from tests.costs import ALLOWANCE, spent, walk
from tests.payload.bombs import LARGE, SMALL
from tests.payload.fire import fired
from tests.payload.mutants import fuzzed
from tests.postgresql import ABSENT, Server, programs, running
from tests.serving import serving
from tests.storage.power import chosen_places, cut_often
from tests.storage.test_durability import killed_at_every_call
from tests.storage.trace import STRACE, recorded
from tests.torture.crowd import crowded
from tests.torture.disasters import kill_a_backend, restart
from tests.torture.proof import ANSWERS, Figures
from tests.torture.races import raced
from tests.torture.runs import seed, survived, survived_faults

Told = Callable[[int], None]
Row = Mapping[str, object]
Run = Callable[[Told], Row]
RECORDED_WRITES = 200
HEALTH_MS = 100.0  # of work between two probes, however busy the machine is
CROWD_MIB = 32.0  # and how much the crowd may cost
ON_SQLITE = 200
ON_REPLICAS = 4  # where replicas share a database, one of so many
ON_POSTGRESQL = ON_SQLITE // ON_REPLICAS
PARQUET_ONE_IN = 10
TIMES = (
    *("cuts", "races", "calls", "steps", "mutants", "bombs", "faults", "kills", "bodies"),
    *("entries", "sockets"),
)


class Runs:
    """Every run that was asked for; each prints what it began with and what came of it."""

    def __init__(self, sizes: argparse.Namespace, directory: Path, server: Server | None) -> None:
        self._sizes = sizes
        self._directory = directory
        self._server = server
        self._databases = 0

    def all(self) -> dict[str, tuple[int, Run]]:
        """Runs by what they do, and how often."""
        sizes = self._sizes
        runs: dict[str, tuple[int, Run]] = {
            "kill -9, SQLite": (sizes.kills, self._kills),
            "network, SQLite": (sizes.faults, self._faults),
            "two teams": (sizes.teams, self._teams),
            "hostile bodies": (sizes.bodies, self._bodies),
            "costs of scores": (sizes.entries, self._work),
            "bombs": (len(SMALL | LARGE), lambda told: fired((SMALL | LARGE).values(), told)),
            "mutants of Arrow": (sizes.mutants, partial(self._mutants, "arrow")),
            "mutants of Parquet": (
                sizes.mutants // PARQUET_ONE_IN,
                partial(self._mutants, "parquet"),
            ),
        }
        runs["idle sockets"] = (sizes.sockets, self._crowd)
        if STRACE is not None:
            runs["power cuts, SQLite"] = (sizes.cuts, self._cuts)
            runs["kill -9 at a call, SQLite"] = (sizes.calls, self._calls)
        if self._server is not None:
            runs["kill -9, two replicas"] = (sizes.kills // ON_REPLICAS, self._kills_of_replicas)
            runs["network, two replicas"] = (sizes.faults // ON_REPLICAS, self._faults_of_replicas)
            runs["races for a key"] = (sizes.races, self._races)
        return {name: run for name, run in runs.items() if run[0] and sizes.only in name}

    def _kills(self, told: Told) -> Row:
        sizes = self._sizes
        return _row(survived(sizes.kills, self._file(), told=_kills(told), answers=sizes.answers))

    def _kills_of_replicas(self, told: Told) -> Row:
        """Two replicas on one database, whose server breaks too."""
        server, found, kills = self._server, programs(), self._sizes.kills // ON_REPLICAS
        assert server is not None
        assert found is not None
        disasters = {
            kills // 3: lambda: kill_a_backend(server),
            2 * kills // 3: lambda: restart(server, found),
        }
        url, answers = self._database(), self._sizes.answers
        return _row(
            survived(kills, url, url, told=_kills(told), disasters=disasters, answers=answers)
        )

    def _bodies(self, told: Told) -> Row:
        """Random bodies of every route and type beside the corpus: none is answered 500."""
        count, number = self._sizes.bodies, seed()
        statuses = anyio.run(hostile.table, count, number)
        told(count)
        return {"seed": number, "bodies": count, "requests": statuses.total()}

    def _work(self, told: Told) -> Row:
        """Every field of every score at its limits: work is in proportion to the bytes sent."""
        entries = self._sizes.entries
        spents = [
            spent(asked, compressed=compressed)
            for asked in walk(entries)
            for compressed in (False, True)
        ]
        told(entries)
        costliest = max(spents, key=lambda each: each.beyond)
        assert costliest.beyond <= ALLOWANCE, costliest
        beyond = f"{costliest.beyond:.3f} s, {costliest.asked.metric} {costliest.asked.what}"
        return {"entries": entries, "requests": len(spents), "costliest": beyond}

    def _faults(self, told: Told) -> Row:
        return _row(survived_faults(self._sizes.faults, self._file(), told=_faults(told)))

    def _faults_of_replicas(self, told: Told) -> Row:
        url = self._database()
        return _row(
            survived_faults(self._sizes.faults // ON_REPLICAS, url, url, told=_faults(told))
        )

    def _cuts(self, told: Told) -> Row:
        number, scratch = seed(), self._directory / "cut"
        events = recorded(self._directory / "recorded", "FULL", RECORDED_WRITES)
        places = chosen_places(events, self._sizes.cuts, number)
        figures = cut_often(events, places, number, scratch, is_power=True)
        told(figures.cuts)
        assert figures.lost == figures.torn == 0, figures
        loose = recorded(self._directory / "loose", "NORMAL", RECORDED_WRITES)
        places = chosen_places(loose, 100, number)
        teeth = cut_often(loose, places, number, scratch, is_power=True)
        assert teeth.lost > 0, f"synchronous=NORMAL loses nothing: {teeth}"
        every = cut_often(events, range(1, len(events) + 1), number, scratch, is_power=False)
        assert every.lost == every.torn == 0, every
        return {**asdict(figures), "every call": every.cuts, "lost by NORMAL": teeth.lost}

    def _teams(self, told: Told) -> Row:
        """Steps of two teams on one service, of which none shows or changes what is the other's."""
        logging.getLogger("kullback").addHandler(logging.NullHandler())  # of many refusals
        number, each = seed(), 50
        steps = tried(self._sizes.teams // each, each, number, told)
        return {"seed": number, "steps": steps, "seen or changed of the other's": 0}

    def _mutants(self, kind: str, told: Told) -> Row:
        """Bodies that were changed, of which none may end the process, or fill its memory."""
        count = self._sizes.mutants // (1 if kind == "arrow" else PARQUET_ONE_IN)
        return fuzzed(kind, count, seed(), told)

    def _calls(self, told: Told) -> Row:
        return killed_at_every_call(self._sizes.calls, self._directory, told)

    def _crowd(self, told: Told) -> Row:
        with serving() as served:
            seen = crowded(served, self._sizes.sockets)
        told(seen.sockets)
        Console(stderr=True).print(seen)
        assert seen.cpu_ms <= HEALTH_MS, seen
        assert seen.descriptors <= Settings().connections + 20, seen
        assert seen.mib <= CROWD_MIB, seen
        return asdict(seen)

    def _races(self, told: Told) -> Row:
        return {"races": self._sizes.races, "won": raced(self._database(), self._sizes.races, told)}

    def _file(self) -> str:
        self._databases += 1
        return f"sqlite:///{self._directory}/{self._databases}.db"

    def _database(self) -> str:
        assert self._server is not None
        self._databases += 1
        name = f"torture_{self._databases}"
        with self._server.connect() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._server.url(name)


def _kills(told: Told) -> Callable[[Figures], None]:
    return lambda figures: told(figures.kills)


def _faults(told: Told) -> Callable[[Figures], None]:
    return lambda figures: told(figures.faults)


def _row(figures: Figures) -> Row:
    return asdict(figures)


def sizes(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """How much of everything: what the command line says, or the variables TORTURE_*."""
    parser = argparse.ArgumentParser(prog="make torture")
    amounts = {"kills": ON_SQLITE, "answers": ANSWERS, "cuts": 2000, "calls": 60, "faults": 2000}
    amounts |= {"races": 200, "teams": 10_000, "sockets": 5000, "bodies": 1000, "entries": 12_000}
    amounts |= {"mutants": 1_000_000}
    for name, amount in amounts.items():
        default = int(os.environ.get(f"TORTURE_{name.upper()}", amount))
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--only", default=os.environ.get("TORTURE_ONLY", ""), help="part of a name")
    return parser.parse_args(arguments)


def main() -> None:
    """Run everything, and print the figures."""
    console, wanted = Console(), sizes()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="kullback-torture-"))
        found = programs()
        server = None if found is None else stack.enter_context(running(found))
        if server is None:
            console.print(ABSENT)
        runs = Runs(wanted, Path(directory), server).all()
        progress = Progress(*columns, TimeElapsedColumn(), console=console)
        rows: dict[str, Row] = {}
        with progress as bar:
            for name, (total, run) in runs.items():
                task = bar.add_task(name, total=total)

                def told(done: int) -> None:
                    bar.update(task, completed=done)  # noqa: B023 - this one's

                rows[name] = run(told)
                console.print(name, _said(rows[name]), sep=": ")
    console.print(_table(rows))


def _said(row: Row) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items())


def _table(rows: Mapping[str, Row]) -> Table:
    table = Table(title="Nothing lost, nothing twice")
    for name in ("", "seed", "times", "answers", "lost", "doubled or torn"):
        table.add_column(name, justify="right")
    for name, row in rows.items():
        times = next(row[key] for key in TIMES if row.get(key))
        answers = row.get("requests", row.get("acknowledged", row.get("won")))
        doubled = row.get("doubled", row.get("torn", 0))
        cells = (row.get("seed", ""), times, answers, row.get("lost", 0), doubled)
        table.add_row(name, *map(str, cells))
    return table


if __name__ == "__main__":
    main()
