"""HTTPS by the service itself, and a clear line where its files cannot be used."""

import json
import socket
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from kullback.server import serve
from kullback.settings import Settings
from tests.serving import SERVE, serving

pytestmark = pytest.mark.usefixtures("own_logging")


class Pair(NamedTuple):
    """A certificate of 127.0.0.1 and its key."""

    certificate: Path
    key: Path


def made(directory: Path, name: str, *options: str) -> Pair:
    """A certificate that vouches for itself."""
    pair = Pair(directory / f"{name}.pem", directory / f"{name}.key")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-subj", "/CN=kullback", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    command += ["-out", str(pair.certificate), "-keyout", str(pair.key), *(options or ["-nodes"])]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own command
    return pair


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return made(tmp_path_factory.mktemp("tls"), "first")


def test_https_is_served_and_a_silent_handshake_is_not_waited_for(pair: Pair) -> None:
    options = ("--tls-certificate", str(pair.certificate), "--tls-key", str(pair.key))
    with serving(*SERVE, *options) as served:
        assert served.address.startswith("https://")
        url = httpx.URL(served.address)
        context = ssl.create_default_context(cafile=str(pair.certificate))
        with socket.create_connection((url.host, url.port or 0), timeout=30) as silent:
            with httpx.Client(base_url=served.address, verify=context, trust_env=False) as client:
                assert client.get("/livez").json() == {"status": "alive"}
                large = client.post("/v1/scores/entropy", content=bytes(80 << 20))
                assert large.status_code == 415
            assert silent.recv(1) == b""  # uvicorn would give it a minute


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("first.pem", None), "TLS needs KULLBACK_TLS_KEY too"),
        ((None, "first.key"), "TLS needs KULLBACK_TLS_CERTIFICATE too"),
        (("none.pem", "first.key"), "KULLBACK_TLS_CERTIFICATE {}/none.pem: No such file"),
        (("first.pem", "none.key"), "KULLBACK_TLS_KEY {}/none.key: No such file"),
        (("first.pem", "second.key"), "the key is not that of the certificate"),
        (("first.key", "first.key"), "both must be PEM"),
        (("first.pem", "secret.key"), "the key without a password"),
    ],
)
def test_files_that_cannot_be_used_are_one_clear_line(
    names: tuple[str | None, str | None],
    message: str,
    pair: Pair,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    directory, (certificate, key) = pair.certificate.parent, names
    if not (directory / "second.pem").exists():
        made(directory, "second")
        made(directory, "secret", "-passout", "pass:opensesame")
    settings = Settings(
        port=0,
        log_format="json",
        database_url=f"sqlite:///{tmp_path}/kullback.db",
        tls_certificate=None if certificate is None else directory / certificate,
        tls_key=None if key is None else directory / key,
    )
    assert serve(settings) == 1
    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert (event["level"], "exception" in event) == ("error", False)
    assert event["message"].startswith("cannot start: ")
    assert message.format(directory) in event["message"]
