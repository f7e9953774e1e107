"""`kullback backup` and `kullback restore`: a database as one file, and back again."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from kullback.cli.progress import stages
from kullback.cli.terminal import Failure, Status, fail
from kullback.errors import Conflict, StoreUnavailable
from kullback.moments import moment
from kullback.settings import Settings

if TYPE_CHECKING:
    from kullback.storage.backup_file import Manifest

commands = typer.Typer(rich_markup_mode="rich")
Database = Annotated[
    str | None, typer.Option(help="URL of the database; by default KULLBACK_DATABASE_URL.")
]


@commands.command(no_args_is_help=True)
def backup(
    file: Annotated[Path, typer.Argument(help="File to write.", metavar="FILE")],
    database_url: Database = None,
    *,
    force: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
) -> None:
    """Back the database up into one file, also while services use it.

    The file holds the database as it was at one moment, what it is of, and a checksum. It is
    there when it is whole. PostgreSQL needs pg_dump, of the server's version or newer.
    """
    from kullback.storage.backup import back_up  # noqa: PLC0415 - no other command needs it

    with failing(), stages() as report:
        by = version("kullback"), moment(time() // 1)
        manifest = back_up(settings_of(database_url).database_url, file, by, report, force=force)
    typer.echo(f"{file}: {_contents(manifest)}; {manifest.bytes:,} bytes, {manifest.created}")


@commands.command(no_args_is_help=True)
def restore(
    file: Annotated[Path, typer.Argument(help="A backup.", metavar="FILE")],
    database_url: Database = None,
    *,
    force: Annotated[bool, typer.Option(help="Replace what is in the database.")] = False,
) -> None:
    """Put a backup in the place of the database, which no service may be using.

    The backup is looked through first. If this is stopped, the database is as it was before.
    """
    from kullback.storage.backup import restore as put_back  # noqa: PLC0415

    with failing(), stages() as report:
        manifest = put_back(settings_of(database_url).database_url, file, report, force=force)
    typer.echo(f"restored as of {manifest.created}: {_contents(manifest)}")


@contextmanager
def failing() -> Iterator[None]:
    """Say in a sentence why a database, or a backup, cannot be used."""
    try:
        yield
    except ValidationError as error:
        reasons = "; ".join(item["msg"].removeprefix("Value error, ") for item in error.errors())
        raise fail(Failure(f"the settings cannot be used: {reasons}", Status.UNUSABLE)) from None
    except Conflict as error:
        raise fail(Failure(error.message, Status.REFUSED)) from error
    except StoreUnavailable as error:
        raise fail(Failure(error.message, Status.UNUSABLE)) from error


def settings_of(database_url: str | None) -> Settings:
    """The settings, with the database that is meant.

    Raises:
        ValidationError: they cannot be used.
    """
    return Settings.model_validate({} if database_url is None else {"database_url": database_url})


def _contents(manifest: "Manifest") -> str:
    names = ("monitor", "experiment", "key")
    return ", ".join(
        f"{number} {name}{'' if number == 1 else 's'}"
        for name in names
        for number in [manifest.counts.get(name, 0)]
    )
