"""A real nginx in front of a real service, by the example that is delivered and by worse ones."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit

import pytest

from tests.connections.test_tls import made
from tests.deploy.files import ROOT

EXAMPLE = ROOT / "deploy" / "nginx" / "kullback.conf"
_START_SECONDS = 60.0
_ABSENT = "nginx is not installed: NOTHING IS TRIED BEHIND A PROXY (apt: nginx)"
_MAIN = """
daemon off;
{user}
pid {directory}/pid;
error_log {directory}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/site.conf;
}}
"""
# As many have it: whatever a caller wants to upgrade to is passed on.
UPGRADING = """
server {{
    listen 127.0.0.1:{port};
    location / {{
        limit_except GET POST {{ deny all; }}
        client_max_body_size 0;
        proxy_pass http://{upstream};
        proxy_http_version 1.1;
        proxy_request_buffering {buffering};
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $http_connection;
    }}
}}
"""


def delivered(port: int, upstream: str, directory: Path) -> tuple[str, Path]:
    """The example with everything that an operator has to change, and its certificate."""
    pair = made(directory, "nginx")
    site = EXAMPLE.read_text()
    for written, meant in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "HOST.EXAMPLE": "127.0.0.1",
        "/etc/ssl/CERTIFICATE.pem": str(pair.certificate),
        "/etc/ssl/KEY.pem": str(pair.key),
        "127.0.0.1:8000": upstream,
    }.items():
        assert written in site
        site = site.replace(written, meant)
    return site, pair.certificate


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def place(address: str) -> str:
    """Where a service is, without a scheme."""
    return urlsplit(address).netloc


@contextmanager
def running(site: str, port: int, directory: Path) -> Iterator[None]:
    """An nginx that serves a site, until it is told to end."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip(_ABSENT)
    user = "user root;" if os.geteuid() == 0 else ""
    (directory / "nginx.conf").write_text(_MAIN.format(directory=directory, user=user))
    (directory / "site.conf").write_text(site)
    process = subprocess.Popen(  # noqa: S603 - nginx on our own files
        [program, "-e", directory / "error.log", "-c", directory / "nginx.conf"]
    )
    try:
        end = monotonic() + _START_SECONDS
        while process.poll() is None and monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                sleep(0.05)
            else:
                break
        else:
            raise AssertionError((directory / "error.log").read_text())
        yield
    finally:
        process.terminate()
        process.wait()
