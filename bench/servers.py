"""Servers under measurement: real processes, one client socket each."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

ARROW = "application/vnd.apache.arrow.stream"
JSON = "application/json"

_ROOT = Path(__file__).parent.parent
_KULLBACK = (
    "import sys; from kullback.server_processes import serve; "
    "from kullback.settings import Settings; "
)
_START_SECONDS = 30


class ServerFailed(Exception):
    """A server did not start, or answered something else than 200."""


@dataclass(frozen=True, slots=True)
class Server:
    """A process that serves on a port of the loopback."""

    port: int
    pid: int

    def connect(self) -> "Client":
        """A client with a connection of its own."""
        return Client(self.port)

    def memory(self, name: str) -> int:
        """Bytes of VmRSS or VmHWM."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith(name + ":"))
        return int(line.split()[1]) * 1024

    def reset_peak(self) -> None:
        """Let VmHWM begin again at what is resident now."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")


class Client:
    """One keep-alive connection."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=120)

    def get(self, path: str) -> bytes:
        """The body of an answer."""
        self._connection.request("GET", path)
        return self._read()

    def post(self, path: str, body: bytes, media_type: str) -> bytes:
        """The body of an answer."""
        self._connection.request("POST", path, body, {"Content-Type": media_type})
        return self._read()

    def put(self, path: str, body: bytes) -> bytes:
        """The body of an answer."""
        self._connection.request("PUT", path, body, {"Content-Type": JSON})
        return self._read()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _read(self) -> bytes:
        response = self._connection.getresponse()
        text = response.read()
        if response.status not in (200, 201):
            raise ServerFailed(f"status {response.status}: {text[:300]!r}")
        return text


@contextmanager
def kullback(log_level: str = "warning", **environment: str) -> Iterator[Server]:
    """Our server on an empty database, with its settings as they are but for the log level."""
    command = [sys.executable, "-c", _KULLBACK + "sys.exit(serve(Settings()))"]
    with TemporaryDirectory() as folder:
        settings = {
            "KULLBACK_LOG_LEVEL": log_level,
            "KULLBACK_DATABASE_URL": f"sqlite:///{folder}/kullback.db",
            **environment,
        }
        with _started(command, settings) as server:
            yield server


@contextmanager
def rival() -> Iterator[Server]:
    """The rivals' server."""
    with _started([sys.executable, "-m", "bench.rivals"], {}) as server:
        yield server


@contextmanager
def _started(command: list[str], settings: dict[str, str]) -> Iterator[Server]:
    port = _free_port()
    if command[-1] == "bench.rivals":
        command = [*command, str(port)]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("KULLBACK_")
    } | {"KULLBACK_PORT": str(port), **settings}
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, cwd=_ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        server = Server(port, process.pid)
        _await(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
    return port


def _await(server: Server, process: "subprocess.Popen[bytes]") -> None:
    until = monotonic() + _START_SECONDS
    while monotonic() < until and process.poll() is None:
        client = server.connect()
        try:
            client.get("/livez")
        except ConnectionError:
            sleep(0.05)
        else:
            return
        finally:
            client.close()
    raise ServerFailed(f"no server on port {server.port}; exit status {process.poll()}")
