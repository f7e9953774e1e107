"""`kullback keys`: who may use a service; of its database, of a file, or over HTTP."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from kullback.access.keys import NO_ADMIN
from kullback.access.replies import KeyList, NewKey
from kullback.cli.client import KEYS, Payload, Service
from kullback.cli.terminal import Failure, Status, fail
from kullback.documents import to_json
from kullback.errors import KullbackError, StoreUnavailable
from kullback.moments import DAY, HOUR
from kullback.payload.media import JSON
from kullback.requests.keys import KeyRotation, KeySettings
from kullback.requests.validation import validated
from kullback.settings import Settings

if TYPE_CHECKING:
    from kullback.access.book import KeyBook

_HEADS = ("id", "scopes", "names", "a second", "created", "until", "old secrets until", "label")
_WHILE_IT_RUNS = "\nstop it to make the first key; later ones: --url with a key of the scope admin"
Document = dict[str, Any]

commands = typer.Typer(rich_markup_mode="rich")
keys = typer.Typer(no_args_is_help=True)
commands.add_typer(keys, name="keys")

_Database = Annotated[str | None, typer.Option(help="URL of the database that holds the keys.")]
_File = Annotated[
    Path | None, typer.Option(help="File that holds the keys, for KULLBACK_KEYS_FILE.")
]
_Url = Annotated[str | None, typer.Option(help="Address of a service that does it.")]
_Key = Annotated[str | None, typer.Option(help="Key with the scope admin, for --url.", envvar=KEYS)]
_Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
_Id = Annotated[str, typer.Argument(help="Id of a key, its second part.", metavar="ID")]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the keys are."""

    database_url: str | None
    file: Path | None
    url: str | None
    key: str | None

    def run(
        self, work: "Callable[[KeyBook], object]", method: str, path: str, sent: Document | None
    ) -> Document:
        """The answer of the book of keys that is here, or of a service."""
        if self.url is None:
            with self._book(is_new=(method, path) == ("POST", "")) as book:
                document: Document = json.loads(to_json(work(book)))
                return document
        request = None if sent is None else Payload(JSON, bytearray(json.dumps(sent).encode()))
        answer = Service(self.url, self.key).ask(method, f"/v1/keys{path}", request)
        document = json.loads(answer or b"{}")
        return document  # noqa: RET504 - mypy wants its type

    @contextmanager
    def _book(self, *, is_new: bool) -> "Iterator[KeyBook]":
        from kullback.key_checks import key_book  # noqa: PLC0415 - takes time that --url need not

        given = {} if self.database_url is None else {"database_url": self.database_url}
        try:
            settings = Settings.model_validate(given)
            file = self.file
            if file is None and not given and settings.keys_file is not None:
                file = Path(settings.keys_file)
            place = _place_of(settings.database_url) if file is None else file
            if not is_new and isinstance(place, Path) and not place.exists():
                raise Failure(f"no database at {place}", Status.UNUSABLE)
            if is_new:
                typer.echo(f"the key is kept in {place}", err=True)
            with key_book(settings, file) as book:
                yield book
        except ValidationError as error:
            raise Failure(f"the settings cannot be used: {error}", Status.UNUSABLE) from error
        except StoreUnavailable as error:
            hint = _WHILE_IT_RUNS if "is open in" in str(error) else ""
            raise Failure(f"{error}{hint}", Status.UNUSABLE) from error
        except ValueError as error:
            raise Failure(str(error), Status.UNUSABLE) from error


def _place_of(database_url: str) -> Path | str:
    """The file of a database, or what can be said of an address that has a password."""
    scheme, _, path = database_url.partition(":///")
    return Path(path.partition("?")[0]).absolute() if scheme == "sqlite" else "PostgreSQL"


@keys.callback()
def place(
    context: typer.Context,
    database_url: _Database = None,
    file: _File = None,
    url: _Url = None,
    key: _Key = None,
) -> None:
    """Create, list, revoke and rotate the keys of a service.

    They are where the settings say that a service reads them, in KULLBACK_KEYS_FILE or else in
    the database, unless --file, --database-url or --url says otherwise. A service reads them
    every few seconds. While one runs on a SQLite file nobody else can open that: then say --url.
    """
    context.obj = _Place(database_url, file, url, key)


def _place(context: typer.Context) -> _Place:
    place: _Place = context.obj
    return place


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except KullbackError as error:
        raise fail(Failure.of(error)) from error
    except Failure as failure:
        raise fail(failure) from failure


def _check_id(name: str) -> None:
    if name.startswith("kb_"):  # neither sent nor repeated: it has the secret
        raise Failure("this is a key: its id is the second part, kb_<id>_…", Status.UNUSABLE)


@keys.command(no_args_is_help=True)
def create(  # noqa: PLR0913, PLR0917 - each is an option of the command
    context: typer.Context,
    label: Annotated[str, typer.Argument(help="What the key is for.", metavar="LABEL")],
    scope: Annotated[
        list[str], typer.Option(help="score, read, write or admin; may be said again.")
    ],
    prefix: Annotated[
        list[str] | None,
        typer.Option(help="Names that it is for begin so, as in team-a. ; may be said again."),
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Requests that it may make a second.")] = None,
    expires_days: Annotated[float | None, typer.Option(help="Days until it expires.")] = None,
    *,
    as_json: _Json = False,
) -> None:
    """Create a key, and print it: it is shown this once."""
    fields: Document = {
        "label": label,
        "scopes": scope,
        "prefixes": prefix or [],
        "requests_per_second": rate,
    }
    with _failing():
        if expires_days is not None:
            fields["lifetime_seconds"] = _seconds("--expires-days", expires_days, DAY)
        sent = {name: value for name, value in fields.items() if value is not None}
        grant = validated(KeySettings, sent).grant()
        answer = _place(context).run(
            lambda book: NewKey.issued(book.create(grant)), "POST", "", sent
        )
    _print_new(answer, as_json=as_json)


def _row(key: Document) -> tuple[str, ...]:
    return (
        key["id"],
        ",".join(key["scopes"]),
        _names(key),
        f"{key['requests_per_second'] or 'any'}",
        key["created"],
        "revoked" if key["revoked"] else key["expires"] or "revoked",
        key["previous_secrets_expire"] or "-",
        key["label"],
    )


def _names(key: Document) -> str:
    return ",".join(f'"{prefix}"' for prefix in key["prefixes"]) or "all"


@keys.command("list")
def list_(
    context: typer.Context,
    *,
    as_json: _Json = False,
) -> None:
    """List every key, without secrets."""
    with _failing():
        answer = _place(context).run(lambda book: KeyList.of(book.all()), "GET", "", None)
    if as_json:
        typer.echo(json.dumps(answer))
        return
    if not answer["keys"]:
        typer.echo("there are no keys", err=True)
        return
    rows = [_HEADS, *map(_row, answer["keys"])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        typer.echo("  ".join(cells).rstrip())


@keys.command(no_args_is_help=True)
def revoke(
    context: typer.Context,
    id: _Id,  # noqa: A002 - the name in the usage
) -> None:
    """Let a key open nothing any more; every service knows within 5 seconds."""

    def work(book: "KeyBook") -> None:
        book.revoke(id)
        if book.lacks_admin():
            typer.echo(NO_ADMIN, err=True)

    with _failing():
        _check_id(id)
        _place(context).run(work, "DELETE", f"/{id}", None)
    typer.echo(f"{id} is revoked")


@keys.command(no_args_is_help=True)
def rotate(
    context: typer.Context,
    id: _Id,  # noqa: A002 - the name in the usage
    overlap_hours: Annotated[
        float, typer.Option(help="Hours for which the secret from before stays valid; 0 ends all.")
    ] = 24.0,
    *,
    as_json: _Json = False,
) -> None:
    """Give a key another secret, and print it: it is shown this once."""
    with _failing():
        _check_id(id)
        sent: Document = {"overlap_seconds": _seconds("--overlap-hours", overlap_hours, HOUR)}
        overlap = validated(KeyRotation, sent).overlap_seconds
        answer = _place(context).run(
            lambda book: NewKey.issued(book.rotate(id, overlap)), "POST", f"/{id}/rotate", sent
        )
    _print_new(answer, as_json=as_json)


def _seconds(option: str, number: float, unit: int) -> int:
    if not isfinite(number * unit):
        raise Failure(f"{option}: {number:g} is no length of time", Status.UNUSABLE)
    return round(number * unit)


def _print_new(answer: Document, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer))
        return
    typer.echo(answer["key"])
    typer.echo(
        f"{answer['id']}: {', '.join(answer['scopes'])}; names: {_names(answer)}; "
        "it is not shown again",
        err=True,
    )
