"""`kullback serve`: the service, with its settings as options."""

from collections.abc import Mapping
from typing import Annotated

import typer
from pydantic import ValidationError

from kullback.cli.terminal import Failure, Status, fail
from kullback.settings import PREFIX, LogFormat, LogLevel, Settings

_OPTIONS = {"WEB_CONCURRENCY": "workers"}  # that are not called as their settings
commands = typer.Typer(rich_markup_mode="rich")


@commands.command()
def serve(  # noqa: PLR0913 - each is an option of the command
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[str | None, typer.Option(help="Port; 0 takes any that is free.")] = None,
    workers: Annotated[
        str | None,
        typer.Option(help="Processes that serve the port, one for each core; on PostgreSQL."),
    ] = None,
    database_url: Annotated[
        str | None, typer.Option(help="URL of the database of monitors and experiments.")
    ] = None,
    keys_file: Annotated[
        str | None, typer.Option(help="File of API keys, in place of those in the database.")
    ] = None,
    insecure_no_auth: Annotated[
        bool | None,
        typer.Option("--insecure-no-auth", help="Serve others without asking them for keys."),
    ] = None,
    tls_certificate: Annotated[
        str | None, typer.Option(help="PEM file of a certificate and its chain, to serve HTTPS.")
    ] = None,
    tls_key: Annotated[str | None, typer.Option(help="PEM file of its key.")] = None,
    root_path: Annotated[
        str | None, typer.Option(help="Prefix under which a proxy serves this, as /kullback.")
    ] = None,
    log_format: Annotated[LogFormat | None, typer.Option(help="Format of a log line.")] = None,
    log_level: Annotated[
        LogLevel | None, typer.Option(help="Minimum level that is logged.")
    ] = None,
) -> None:
    """Serve over HTTP until a signal ends it.

    Options override the environment (KULLBACK_HOST and so on; for --workers it is WEB_CONCURRENCY,
    as KULLBACK_WORKERS are threads), which overrides the defaults.
    """
    options = {
        "host": host,
        "port": port,
        "WEB_CONCURRENCY": workers,
        "database_url": database_url,
        "keys_file": keys_file,
        "insecure_no_auth": insecure_no_auth,
        "tls_certificate": tls_certificate,
        "tls_key": tls_key,
        "root_path": root_path,
        "log_format": log_format,
        "log_level": log_level,
    }
    given = {name: value for name, value in options.items() if value is not None}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        lines = [
            _source(item["loc"], given) + item["msg"].removeprefix("Value error, ")
            for item in error.errors()
        ]
        raise fail(Failure("\n".join(lines), Status.UNUSABLE)) from None
    # no other command needs the server
    from kullback.server_processes import serve as run  # noqa: PLC0415

    raise typer.Exit(run(settings))


def _source(loc: tuple[int | str, ...], given: Mapping[str, object]) -> str:
    """Where a setting came from, in the words of who set it."""
    if not loc:
        return ""  # the message names it
    name = str(loc[0])
    if name in given:
        return f"--{_OPTIONS.get(name, name).replace('_', '-')}: "
    return f"{PREFIX}{name.upper()}: " if name in Settings.model_fields else f"{name}: "
