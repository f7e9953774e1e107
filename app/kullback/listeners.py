"""Sockets that the service listens on: one of requests for each of its processes."""

import errno
import socket
from contextlib import ExitStack
from dataclasses import dataclass

from kullback.settings import PREFIX, Settings

BACKLOG = 512


class CannotListen(Exception):
    """An address that cannot be listened on; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """What one process listens on: requests, and probes and metrics if they have their own port."""

    requests: socket.socket
    management: socket.socket | None = None

    def close(self) -> None:
        """Listen no more, as far as no other process has them too."""
        self.requests.close()
        if self.management is not None:
            self.management.close()


def listeners_of(settings: Settings) -> list[Listeners]:
    """Those of each process, open. Several share one port: the system deals connections out.

    Probes and metrics of process k are on the port that is named, and k more. Several processes
    have one without being told: on the ports behind that of requests.

    Raises:
        CannotListen: an address is in use, or is not to be had.
    """
    processes, managed = settings.web_concurrency, settings.metrics_port
    with ExitStack() as opened:
        # Alone first: whoever shares a port would share it with any program that does so, too.
        first = _listen(settings.host, settings.port, "port")
        if processes == 1:
            shared = [opened.enter_context(first)]
        else:
            port = int(first.getsockname()[1])
            first.close()
            shared = [
                opened.enter_context(_listen(settings.host, port, "port", is_shared=True))
                for _ in range(processes)
            ]
            if managed is None:
                managed = port + 1 if settings.port else 0
        management = [
            None
            if managed is None
            else opened.enter_context(
                _listen(settings.metrics_host, managed + number * bool(managed), "metrics_port")
            )
            for number in range(processes)
        ]
        opened.pop_all()
    return list(map(Listeners, shared, management))


def _listen(host: str, port: int, setting: str, *, is_shared: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(
            (host, port), family=family, backlog=BACKLOG, reuse_port=is_shared
        )
    except (OSError, OverflowError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        reason = reason.partition(" (while")[0]  # the address follows, again
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            reason += f" ({PREFIX}{setting.upper()} names another)"
        raise CannotListen(f"cannot listen on {host}:{port}: {reason}") from error
