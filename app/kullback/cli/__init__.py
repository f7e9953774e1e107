"""The command `kullback`: serve, keys, backup, restore, check, score, evaluate, plan, demo."""

import json
import platform
import sqlite3
from collections.abc import Mapping
from importlib.metadata import version
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.markup import escape

from kullback.cli.backup import backup, restore
from kullback.cli.check import check
from kullback.cli.demo import demo
from kullback.cli.evaluate.command import EXAMPLES, evaluate
from kullback.cli.keys import keys
from kullback.cli.plan import EXAMPLES as PLAN_EXAMPLES
from kullback.cli.plan import plan
from kullback.cli.score import score
from kullback.cli.terminal import Failure, Status, fail
from kullback.scoring.catalog import METRICS
from kullback.scoring.metric import Metric
from kullback.settings import PREFIX, LogFormat, LogLevel, Settings

_OPTIONS = {"WEB_CONCURRENCY": "workers"}  # of `serve`, that are not called as their settings

app = typer.Typer(
    name="kullback",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(score, name="score")
app.add_typer(keys, name="keys")
app.command(no_args_is_help=True, epilog=escape(EXAMPLES))(evaluate)
app.command(no_args_is_help=True, epilog=escape(PLAN_EXAMPLES))(plan)
app.command()(demo)
app.command(no_args_is_help=True)(backup)
app.command(no_args_is_help=True)(restore)
app.command()(check)


def main() -> None:
    """Run the command line."""
    app(prog_name="kullback")


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        typer.echo(
            f"kullback {version('kullback')} "
            f"(Python {platform.python_version()}, SQLite {sqlite3.sqlite_version})"
        )
        raise typer.Exit


@app.callback()
def kullback(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Exact scores for probability forecasts: from files, or as a service over HTTP."""


@app.command()
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


@app.command()
def metrics(
    name: Annotated[str | None, typer.Argument(help="Metric to explain.", metavar="[METRIC]")] = (
        None
    ),
) -> None:
    """List the metrics, or explain one with its formula and an example."""
    if name is None:
        name_width = max(map(len, METRICS))
        range_width = max(len(metric.range) for metric in METRICS.values())
        for metric in METRICS.values():
            typer.echo(
                f"{metric.name:{name_width}}  {metric.range:{range_width}}  "
                f"{metric.direction:7}  {metric.unit}"
            )
        return
    if name not in METRICS:
        raise fail(Failure.unknown_metric(name))
    typer.echo(_explained(METRICS[name]))


def _explained(metric: Metric) -> str:
    return "\n".join(
        (
            f"{metric.title} ({metric.name})",
            f"  {metric.summary}",
            f"  {metric.formula}",
            f"  in {metric.range}, {metric.unit}; better: {metric.direction}",
            "",
            f"Example: {json.dumps(metric.example.request, ensure_ascii=False)}",
            f"  value: {metric.example.value!r}",
            f"  {metric.example.explanation}",
        )
    )
