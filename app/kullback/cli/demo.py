"""`kullback demo`: the service at work on data that it makes up."""

import os
import signal
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import sleep, time
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from kullback.cli.terminal import Failure, Status, fail

if TYPE_CHECKING:
    from kullback.demo.service import DemoService

commands = typer.Typer(rich_markup_mode="rich")
_ENDINGS = ("SIGINT", "SIGTERM", "SIGHUP")  # the last is a terminal that was closed
_TIMEOUT = 60.0
_STEP = 20  # of a hundred
_READY = """\
Kullback with example data: {}/
Rows keep arriving. Ctrl-C ends it and removes the data."""
_FILLING = "Example data is being filled in: {:.0f} %. Pages are complete when it is done."
_FILLED = "All example data is there."

_Port = Annotated[int, typer.Option(help="Port; 0 takes any that is free.", min=0, max=65535)]
_Open = Annotated[bool, typer.Option(help="Open a browser, where there is a desktop.")]
_Seed = Annotated[
    int, typer.Option(help="Seed of the data: the same seed gives the same rows.", min=0)
]
_Hours = Annotated[
    int,
    typer.Option(
        help="Hours of history of the monitors; experiments have 7 times as many.", min=2, max=96
    ),
]


@commands.command()
def demo(
    *,
    port: _Port = 8000,
    open: _Open = True,  # noqa: A002 - the name of the option
    seed: _Seed = 0,
    history_hours: _Hours = 24,
) -> None:
    """Serve example monitors and experiments with made-up rows, until Ctrl-C.

    Five models (one sound, one that drifts, one that has lost a feature, one whose labels come
    late, one whose negative labels never come) and two experiments (a better ranker, a layout
    that changes nothing). Pages can be looked at while it fills. The store is deleted when the
    command ends.
    """
    from kullback.demo.service import NotStarted  # noqa: PLC0415 - no other command needs it

    try:
        with _ending():
            _show(port, seed, history_hours, opens=open)
    except KeyboardInterrupt:
        return
    except NotStarted as error:
        raise fail(Failure(f"{error}\n--port 0 takes any that is free", Status.REFUSED)) from error


def _show(port: int, seed: int, hours: int, *, opens: bool) -> NoReturn:
    from kullback.demo.service import serving  # noqa: PLC0415

    with serving(port) as service:
        began = time() // 1
        service.notice.write_text(_FILLING.format(0))
        typer.echo(_READY.format(service.address))
        if opens and _has_desktop():
            # some return when they are closed, and rows should arrive before
            Thread(target=webbrowser.open, args=(service.address,), daemon=True).start()
        _feed(service, seed, hours, began)


def _feed(service: "DemoService", seed: int, hours: int, began: float) -> NoReturn:
    # imported when the address is there: they take longer than it takes to read that
    import httpx  # noqa: PLC0415

    from kullback.demo.feeding import Clock, Feeder  # noqa: PLC0415
    from kullback.demo.scenarios import scenarios  # noqa: PLC0415

    try:
        # trust_env: a proxy would not find what is on this machine
        with httpx.Client(base_url=service.address, timeout=_TIMEOUT, trust_env=False) as client:
            feeder = Feeder(client, scenarios(hours, seed, began), began)
            with _filling(feeder.rows(), service.notice) as done:
                feeder.fill(done)
            feeder.feed(Clock(time, sleep))
    except httpx.HTTPError as error:
        raise fail(Failure(f"the service is gone: {error}", Status.UNREACHABLE)) from error


@contextmanager
def _filling(rows: int, notice: Path) -> Iterator[Callable[[int], None]]:
    """Tell how much of all is there: in the terminal, in lines where there is none, on pages."""
    from kullback.cli.progress import is_shown, progress  # noqa: PLC0415

    stored, said = 0, -float(_STEP)

    def tell(more: int) -> None:
        nonlocal stored, said
        stored += more
        percent = 100 * stored / rows
        notice.write_text(_FILLING.format(percent))
        if not is_shown() and percent >= said + _STEP:
            said = percent // _STEP * _STEP
            typer.echo(_FILLING.format(percent))
        shown(more)

    with progress(rows) as shown:
        tell(0)
        yield tell
    notice.unlink()
    typer.echo(_FILLED)


@contextmanager
def _ending() -> Iterator[None]:
    """Let every way to end the command end it once, so that nothing is left behind."""
    before = {number: signal.getsignal(number) for number in _signals()}
    try:
        for number, handler in before.items():
            if handler != signal.SIG_IGN or number == signal.SIGINT:  # nohup stays nohup
                signal.signal(number, _end)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(_: int, __: FrameType | None) -> NoReturn:
    for number in _signals():
        signal.signal(number, signal.SIG_IGN)  # a second one would interrupt the clearing away
    raise KeyboardInterrupt


def _signals() -> list[signal.Signals]:
    """Those that this platform has."""
    return [number for number in signal.Signals if number.name in _ENDINGS]


def _has_desktop() -> bool:
    """Whether a browser would be a window, and not a program in this terminal."""
    return sys.platform in {"darwin", "win32"} or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
