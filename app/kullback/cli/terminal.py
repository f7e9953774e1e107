"""Terminal output: answers on stdout, refusals on stderr."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

import typer

from kullback.errors import FieldError, KullbackError

LARGE = 50 << 20


class Status(IntEnum):
    """How the command ended, for scripts."""

    REFUSED = 1
    UNUSABLE = 2
    UNREACHABLE = 3


@dataclass(eq=False)
class Failure(Exception):
    """Why there is no answer, in lines to be read, and the exit status that says so."""

    text: str
    status: Status

    @classmethod
    def unknown_metric(cls, name: str) -> "Failure":
        """There is no metric of that name."""
        from kullback.api.catalog import no_such_metric  # noqa: PLC0415 - it imports every request

        return cls(f"{name}: {no_such_metric(name).message}", Status.UNUSABLE)

    @classmethod
    def refusal(cls, message: str, offences: Iterable[FieldError], total: int) -> "Failure":
        """The request was read, and refused: the places that are wrong, or else the message."""
        lines = [
            offence.detail
            if not offence.pointer or offence.detail.startswith(offence.pointer[1:])
            else f"{offence.pointer[1:]}: {offence.detail}"
            for offence in offences
        ]
        if total > len(lines) > 0:
            lines.append(f"and {total - len(lines)} more")
        return cls("\n".join(lines or [message]), Status.REFUSED)

    @classmethod
    def of(cls, error: KullbackError) -> "Failure":
        """A refusal by this process, in the words a service would use."""
        return cls.refusal(error.message, error.offences, error.total)


def fail(failure: Failure) -> typer.Exit:
    """Print why there is no answer; what is returned ends the command when it is raised."""
    for line in failure.text.splitlines():
        typer.echo(printable(line), err=True)
    return typer.Exit(failure.status)


def print_answer(answer: bytes, *, pretty: bool | None) -> None:
    """Print the answer as it came, or indented: by default where a person reads it."""
    if sys.stdout.isatty() if pretty is None else pretty:
        typer.echo(json.dumps(json.loads(answer), indent=2, ensure_ascii=False))
    else:
        typer.echo(answer)


@contextmanager
def waiting(size: int, text: str) -> Iterator[None]:
    """Show that work on a large input goes on, where somebody looks."""
    from rich.console import Console  # noqa: PLC0415 - most commands write no colours

    console = Console(stderr=True)
    if size <= LARGE or not console.is_terminal:
        yield
        return
    with console.status(f"{text} ({size / 1e6:,.0f} MB)"):
        yield


def printable(line: str) -> str:
    """The same line without what a terminal would obey rather than show."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)
