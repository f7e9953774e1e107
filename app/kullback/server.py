"""The server: one socket, one process, one uvicorn."""

import logging
import socket
import sys
from contextlib import suppress

import uvicorn

from kullback.api.system import Readiness
from kullback.errors import StoreUnavailable
from kullback.main import Runtime, create_app
from kullback.settings import Settings
from kullback.telemetry import logs

BACKLOG = 512
KEEP_ALIVE_SECONDS = 75
GRACE_SECONDS = 20

_log = logging.getLogger("kullback.server")


class Server(uvicorn.Server):
    """uvicorn that says where it listens, and is not ready from the moment it begins to stop."""

    def __init__(self, config: uvicorn.Config, readiness: Readiness) -> None:
        super().__init__(config)
        self._readiness = readiness

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


def serve(settings: Settings, runtime: Runtime | None = None) -> int:
    """Serve until a signal ends it; the exit status of the process."""
    logs.configure(settings.log_format, settings.log_level, sys.stderr)
    try:
        listener = _listen(settings.host, settings.port)
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]  # the address follows, once more
        _log.error("cannot listen on %s:%d: %s", settings.host, settings.port, reason)
        return 1
    runtime = runtime or Runtime()
    try:
        store = runtime.store(settings)
    except StoreUnavailable as error:
        _log.error("cannot start: %s", error.message)
        listener.close()
        return 1
    app = create_app(settings, runtime, store)
    config = uvicorn.Config(
        app,
        loop="auto",  # uvloop wherever it is to be had
        http="httptools",
        ws="none",
        lifespan="on",
        workers=1,
        backlog=BACKLOG,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    with suppress(KeyboardInterrupt):
        Server(config, app.state.readiness).run(sockets=[listener])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)
