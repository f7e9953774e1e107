"""Output files: all of them are written whole, or none is."""

import os
from collections.abc import Mapping
from pathlib import Path

import typer

from kullback.cli.terminal import Failure, Status

STDOUT = "-"


def check(targets: Mapping[str, str | None]) -> None:
    """Refuse what could not be written in the end, before the work begins.

    Args:
        targets: a path, or - for standard output, by the option that asks for it.

    Raises:
        Failure: one is a directory or lies in none, or two are the same.
    """
    seen: dict[str | Path, str] = {}
    for option, target in targets.items():
        if target is None:
            continue
        place = STDOUT if target == STDOUT else Path(target).resolve()
        if place in seen:
            raise _unusable(option, target, f"{seen[place]} goes there already")
        seen[place] = option
        if isinstance(place, Path):
            if place.is_dir():
                raise _unusable(option, target, "this is a directory")
            if not place.parent.is_dir():
                raise _unusable(option, target, "there is no such directory")
            if not os.access(place.parent, os.W_OK):
                raise _unusable(option, target, "nothing can be written there")


def write(contents: Mapping[str, str]) -> None:
    """Write each content to its target; a file is there when it is whole, or stays as it was.

    Raises:
        Failure: a file cannot be written.
    """
    made: dict[Path, Path] = {}
    try:
        for target, content in contents.items():
            place = Path(target).resolve()
            if target == STDOUT:
                typer.echo(content)
            elif place.exists() and not place.is_file():  # a pipe or a device stays what it is
                place.write_text(content, encoding="utf-8")
            else:
                beside = place.with_name(f".{place.name}.{os.getpid()}.part")
                made[beside] = place
                beside.write_text(content, encoding="utf-8")
        for beside, place in made.items():
            beside.replace(place)
    except OSError as error:
        where = error.filename or "the output"
        raise Failure(f"{where}: {error.strerror or error}", Status.UNUSABLE) from error
    finally:
        for beside in made:
            beside.unlink(missing_ok=True)


def _unusable(option: str, target: str, detail: str) -> Failure:
    return Failure(f"{option} {target}: {detail}", Status.UNUSABLE)
