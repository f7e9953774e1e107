"""The server: one socket, one process, one uvicorn."""

import faulthandler
import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from types import FrameType

import uvicorn

from kullback.access.book import FileShelf, KeyBook, StoreShelf
from kullback.api.system import Readiness
from kullback.connections.guard import ConnectionGuard
from kullback.connections.limits import ConnectionLimits
from kullback.connections.protocol import Connection
from kullback.errors import StoreUnavailable
from kullback.main import Runtime, create_app
from kullback.settings import Settings, unknown_variables
from kullback.storage.base import Store
from kullback.telemetry import logs

BACKLOG = 512
LAST_SECONDS = 1.5  # after the grace, for what must be told and closed
OTHER_FILES = 256  # besides connections: of databases, of logs, of what is being read

_log = logging.getLogger("kullback.server")


class Server(uvicorn.Server):
    """uvicorn that says where it listens, and that ends in time, whatever a thread still does."""

    def __init__(self, config: uvicorn.Config, readiness: Readiness, grace: int) -> None:
        super().__init__(config)
        self._readiness = readiness
        self._grace = grace

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See uvicorn.Server; a second signal ends the process at once, and no answer is lost."""
        if self.should_exit:
            os._exit(128 + sig)
        super().handle_exit(sig, frame)
        # Needs neither the event loop nor the interpreter, and says what they hung on.
        faulthandler.dump_traceback_later(self._grace + LAST_SECONDS, exit=True)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server."""
        await super().startup(sockets)
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            _log.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server."""
        self._readiness.is_ready = False
        _log.info("stopping")
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See uvicorn.Server, which ends the process by the signal that it captured."""
        with super().capture_signals():
            yield
            logs.flush()


def serve(
    settings: Settings, runtime: Runtime | None = None, limits: ConnectionLimits | None = None
) -> int:
    """Serve until a signal ends it; the exit status of the process."""
    each_second = settings.log_lines_per_second
    with logs.written(settings.log_format, settings.log_level, each_second, sys.stderr):
        return _serve(settings, runtime or Runtime(), limits)


def _serve(settings: Settings, runtime: Runtime, limits: ConnectionLimits | None) -> int:
    unknown = unknown_variables(os.environ)
    if unknown:
        _log.warning("no settings, and ignored: %s", ", ".join(unknown))
    try:
        listener = _listen(settings.host, settings.port)
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]  # the address follows, once more
        _log.error("cannot listen on %s:%d: %s", settings.host, settings.port, reason)
        return 1
    try:
        store = runtime.store(settings)
    except StoreUnavailable as error:
        _log.error("cannot start: %s", error.message)
        listener.close()
        return 1
    danger = _danger(settings, runtime, store)
    if danger is not None:
        _log.error("cannot start: %s", danger)
        listener.close()
        store.close()
        return 1
    app = create_app(settings, runtime, store)
    limits = limits or ConnectionLimits(
        connections=settings.connections, body_seconds=settings.body_seconds
    )
    _allow_files(limits.connections + OTHER_FILES)
    guard = ConnectionGuard(limits, app.state.telemetry.count_refusal)
    config = uvicorn.Config(
        app,
        loop="auto",  # uvloop wherever it is to be had
        http=partial(Connection, guard),  # type: ignore[arg-type] # it is called, no more
        ws="none",
        lifespan="on",
        workers=1,
        backlog=BACKLOG,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=settings.grace_seconds,
    )
    try:
        with suppress(KeyboardInterrupt):
            Server(config, app.state.readiness, settings.grace_seconds).run(sockets=[listener])
    finally:
        faulthandler.cancel_dump_traceback_later()
    return 0


def _danger(settings: Settings, runtime: Runtime, store: Store) -> str | None:
    """Why nobody should be served like this, if so; what is allowed and dangerous is logged."""
    try:
        settings.pepper()
        has_keys = bool(runtime.key_shelf(settings, store).load())
    except (ValueError, StoreUnavailable) as error:
        return str(error)
    if has_keys or is_loopback(settings.host):
        return None
    where = f"others can reach {settings.host}, and there are no keys"
    if settings.insecure_no_auth:
        _log.warning("%s: whoever can, may do everything", where)
        return None
    return f"{where}: make one with `kullback keys create`, or say --insecure-no-auth"


@contextmanager
def key_book(settings: Settings, file: Path | None = None) -> Iterator[KeyBook]:
    """The keys of a service, in a file or in its database, which no SQLite service may have open.

    Raises:
        ValueError: the pepper cannot be read.
        StoreUnavailable: the database cannot be opened.
    """
    runtime, pepper = Runtime(), settings.pepper()
    if file is not None:
        yield KeyBook(FileShelf(file), pepper, runtime.clock)
        return
    with closing(runtime.store(settings)) as store:
        yield KeyBook(StoreShelf(store), pepper, runtime.clock)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def _allow_files(number: int) -> None:
    """Let this process open so many files, as far as the system allows."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - there is none on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < number:
        most = number if hard == resource.RLIM_INFINITY else min(number, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        if most < number:
            _log.warning(
                "only %d files may be open: lower KULLBACK_CONNECTIONS to %d, or raise the limit",
                most,
                max(1, most - OTHER_FILES),
            )
