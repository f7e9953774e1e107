"""The server: one socket, one process, one uvicorn."""

import asyncio
import faulthandler
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from threading import Thread
from types import FrameType
from typing import Literal

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from kullback.api.system import Readiness
from kullback.connections.guard import ConnectionGuard
from kullback.connections.limits import ConnectionLimits
from kullback.connections.protocol import Connection
from kullback.connections.tls import UnusableCertificate, tls_context
from kullback.errors import StoreUnavailable
from kullback.key_checks import danger_of
from kullback.listeners import BACKLOG, CannotListen, Listeners, listeners_of
from kullback.main import Runtime, create_app
from kullback.process_limits import allow_files, share_heaps
from kullback.settings import Settings, unknown_variables
from kullback.telemetry import logs

MANAGERS = 64  # connections that ask for probes and metrics on a port of their own
LAST_SECONDS = 1.5  # after the grace, for what must be told and closed
ALARM_SECONDS = 0.25  # after the last ones, for a process that cannot even say why
HANDSHAKE_SECONDS = 5.0

_log = logging.getLogger("kullback.server")


class Server(uvicorn.Server):
    """uvicorn that says where it listens, and that ends in time, whatever a thread still does."""

    def __init__(
        self,
        config: uvicorn.Config,
        readiness: Readiness,
        management: "Management | None" = None,
    ) -> None:
        super().__init__(config)
        self._readiness = readiness
        self._management = management

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See uvicorn.Server; a second signal ends the process at once."""
        if self.should_exit:
            _log.warning("ending at once: told so again")
            logs.flush()
            os._exit(128 + sig)
        super().handle_exit(sig, frame)
        # Needs neither the event loop nor the interpreter, and says what they hung on.
        last = (self.config.timeout_graceful_shutdown or 0) + LAST_SECONDS
        faulthandler.dump_traceback_later(last, exit=True)
        # Nor does the alarm need anybody who reads the log, into which the other writes.
        _set_alarm(last + ALARM_SECONDS)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        context: ssl.SSLContext | None = self.config.ssl
        protocol: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        connection = partial(
            protocol,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        self.servers = []
        for listener in sockets or ():
            # As uvicorn does, but for the time of a handshake: its minute would be far too long.
            server = await asyncio.get_running_loop().create_server(
                connection,
                sock=listener,
                backlog=BACKLOG,
                ssl=context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if context else None,
            )
            self.servers.append(server)
            _log.info("listening on %s", _address(listener, "https" if context else "http"))
        self.started = True
        if self._management is not None:
            self._management.start()

    async def on_tick(self, counter: int) -> bool:
        """See uvicorn.Server."""
        self._readiness.beat()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server."""
        self._readiness.rest()
        _log.info("stopping")
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See uvicorn.Server, which ends the process by the signal that it captured."""
        with super().capture_signals():
            yield
            logs.flush()


class Management:
    """A server of probes and metrics, on a thread and an event loop that nothing else uses."""

    def __init__(self, app: FastAPI, listener: socket.socket, count: Callable[[int], None]) -> None:
        self._listener = listener
        guard = ConnectionGuard(ConnectionLimits(connections=MANAGERS), count)
        connection = partial(Connection, guard)
        self._server = uvicorn.Server(_config(app, connection, grace=1, lifespan="off"))
        self._thread = Thread(target=self._run, name="management", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        _log.info("probes and metrics on %s", _address(self._listener))
        self._thread.start()

    def stop(self) -> None:
        """Serve no more."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(LAST_SECONDS)

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])


def serve(
    settings: Settings,
    runtime: Runtime | None = None,
    limits: ConnectionLimits | None = None,
    listeners: Listeners | None = None,
    beat: Callable[[], None] = lambda: None,
) -> int:
    """Serve in this process until a signal ends it; the exit status of the process.

    Args:
        settings: of the service.
        runtime: what it finds outside.
        limits: of connections, if not those of the settings.
        listeners: open sockets, if not those that the settings name.
        beat: called some times a second while it listens and its event loop turns.
    """
    share_heaps()
    each_second = settings.log_lines_per_second
    with logs.written(settings.log_format, settings.log_level, each_second, sys.stderr):
        return _serve(settings, runtime or Runtime(), limits, listeners, beat)


def _serve(
    settings: Settings,
    runtime: Runtime,
    limits: ConnectionLimits | None,
    listeners: Listeners | None,
    beat: Callable[[], None],
) -> int:
    unknown = unknown_variables(os.environ)
    if unknown:
        _log.warning("no settings, and ignored: %s", ", ".join(unknown))
    try:
        context = tls_context(settings.tls_certificate, settings.tls_key)
        listeners = listeners or listeners_of(settings)[0]
    except UnusableCertificate as error:
        _log.error("cannot start: %s", error)
        return 1
    except CannotListen as error:
        _log.error("%s", error)
        return 1
    with closing(listeners):
        try:
            tokens = runtime.tokens(settings)
            store = runtime.store(settings)
        except ImportError:
            _log.error("cannot start: tokens of a provider need the extra kullback[oidc]")
            return 1
        except StoreUnavailable as error:
            _log.error("cannot start: %s", error.message)
            return 1
        danger = danger_of(settings, runtime, store, tokens)
        if danger is not None:
            _log.error("cannot start: %s", danger)
            store.close()
            return 1
        app = create_app(settings, runtime, store, tokens)
        app.state.readiness.beaten = beat
        _run(app, settings, limits, context, listeners)
    return 0


def _run(
    app: FastAPI,
    settings: Settings,
    limits: ConnectionLimits | None,
    context: ssl.SSLContext | None,
    listeners: Listeners,
) -> None:
    limits = limits or ConnectionLimits(
        connections=settings.connections, body_seconds=settings.body_seconds
    )
    allow_files(limits.connections)
    count = app.state.telemetry.count_refusal
    management = None
    if listeners.management is not None:
        management = Management(app.state.management, listeners.management, count)
    guard = ConnectionGuard(limits, count)
    connection = partial(Connection, guard, answer=app.state.at_once.answer)
    config = _config(app, connection, settings.grace_seconds)
    config.proxy_headers = bool(settings.trusted_proxies)
    config.forwarded_allow_ips = settings.trusted_proxies
    if context is not None:
        config.ssl_context_factory = lambda *_: context
    try:
        with suppress(KeyboardInterrupt):
            server = Server(config, app.state.readiness, management)
            server.run(sockets=[listeners.requests])
    finally:
        if management is not None:
            management.stop()
        _set_alarm(0.0)
        faulthandler.cancel_dump_traceback_later()


def _set_alarm(seconds: float) -> None:
    """End the process after so many seconds; 0 for never."""
    if hasattr(signal, "setitimer"):  # there is none on Windows
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _config(
    app: FastAPI,
    connection: Callable[..., Connection],
    grace: int,
    lifespan: Literal["on", "off"] = "on",
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="auto",  # uvloop wherever it is to be had
        http=connection,  # type: ignore[arg-type] # it is called, no more
        ws="none",
        lifespan=lifespan,
        workers=1,
        backlog=BACKLOG,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=grace,
    )


def _address(listener: socket.socket, scheme: str = "http") -> str:
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
