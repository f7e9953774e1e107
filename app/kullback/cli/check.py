"""`kullback check`: whether a database, or a backup of one, is sound."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kullback.cli.backup import Database, failing, settings_of
from kullback.cli.progress import stages
from kullback.cli.terminal import Status, printable
from kullback.settings import Settings

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from kullback.storage.backup_file import Report
    from kullback.storage.contents import Contents

commands = typer.Typer(rich_markup_mode="rich")
_MOST = 1000  # places that are named


@commands.command()
def check(
    file: Annotated[
        Path | None, typer.Argument(help="A backup, in place of the database.", metavar="[FILE]")
    ] = None,
    database_url: Database = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Look through a database, also while services use it, or through a backup.

    Everything in it is read as a service reads it: the file of SQLite, settings, keys, references,
    rows that wait, and all sums with their checksums. Each damaged thing is a line that names it.
    The exit status is 0 where all is sound, 1 where something is damaged, and 2 where the database
    cannot be read.
    """
    # imported here: no other command needs them
    from kullback.store_checks import damages, keys_file_damage  # noqa: PLC0415

    with failing():
        settings = settings_of(database_url)
        with stages() as report, _contents(file, settings, report) as contents:
            counts = contents.stored().counts
            listed = list(damages(contents, report))
        if file is None and settings.keys_file is not None:
            listed += keys_file_damage(settings.keys_file)
    if as_json:
        places = [
            {"level": damage.level, "owner": damage.owner, "detail": damage.detail}
            for damage in listed[:_MOST]
        ]
        typer.echo(json.dumps({"damaged": len(listed), "damage": places, "counts": counts}))
    else:
        for damage in listed[:_MOST]:
            typer.echo(printable(str(damage)))
        said = f"{len(listed)} damaged" if listed else "sound"
        typer.echo(f"{said}: {', '.join(f'{n} {name}' for name, n in counts.items())}")
    raise typer.Exit(Status.REFUSED if listed else 0)


def _contents(
    file: Path | None, settings: Settings, report: "Report"
) -> "AbstractContextManager[Contents]":
    from kullback.storage.contents import backup_contents, database_contents  # noqa: PLC0415

    if file is None:
        return database_contents(settings.database_url)
    return backup_contents(file, report)
