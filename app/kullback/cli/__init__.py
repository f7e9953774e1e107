"""The command `kullback`: serve, keys, backup, restore, check, score, evaluate, plan, demo."""

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

MODULES = {  # of each command: it is imported when somebody asks for that
    "evaluate": "kullback.cli.evaluate.command",
    "plan": "kullback.cli.plan",
    "demo": "kullback.cli.demo",
    "backup": "kullback.cli.backup",
    "restore": "kullback.cli.backup",
    "check": "kullback.cli.check",
    "serve": "kullback.cli.serve",
    "metrics": "kullback.cli.metrics",
    "score": "kullback.cli.score",
    "keys": "kullback.cli.keys",
}


class _Commands(TyperGroup):
    """The commands, of which one that is asked for costs the import of no other."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - typer's own click
        """See click.Group."""
        return list(MODULES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - of typer's own click
        """See click.Group; where there is none of the name, all are known, to name near ones."""
        for name in [cmd_name] if cmd_name in MODULES else MODULES:
            if name not in self.commands:
                module = import_module(MODULES[name])
                self.commands.update(typer.main.get_group(module.commands).commands)
        return super().get_command(ctx, cmd_name)


app = typer.Typer(
    cls=_Commands,
    name="kullback",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def main() -> None:
    """Run the command line."""
    app(prog_name="kullback")


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        # imported here: no command needs them
        import platform  # noqa: PLC0415
        import sqlite3  # noqa: PLC0415
        from importlib.metadata import version  # noqa: PLC0415

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
