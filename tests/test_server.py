"""The service listens where it is told, says so in one line, and ends when it is asked to."""

import io
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from kullback import key_checks, server
from kullback.access import jwks
from kullback.access.book import FileShelf, KeyBook
from kullback.access.keys import KeyGrant
from kullback.api.system import Readiness
from kullback.server import Server, serve
from kullback.settings import Settings
from kullback.telemetry import log_queue
from kullback.telemetry.logs import written
from tests.access.provider import AUDIENCE, ISSUER, key_set, signed
from tests.access.service import bearer
from tests.serving import serving

Event = dict[str, object]
ANY = "0.0.0.0"  # noqa: S104 - to be refused, or with keys
Visit = Callable[[str, TextIO], None]


pytestmark = pytest.mark.usefixtures("own_logging")


def visit_then_interrupt(log: TextIO, visit: Visit) -> Event:
    """Wait for the first line, visit the address it names, and end the service."""
    first: Event = json.loads(log.readline())
    while first["level"] == "warning":
        first = json.loads(log.readline())
    try:
        visit(str(first["message"]).removeprefix("listening on "), log)
    finally:
        os.kill(os.getpid(), signal.SIGINT)
    return first


@pytest.fixture(autouse=True)
def _own_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KULLBACK_DATABASE_URL", f"sqlite:///{tmp_path}/kullback.db")


def served(visit: Visit, monkeypatch: pytest.MonkeyPatch, host: str = "127.0.0.1") -> list[Event]:
    """Serve on a free port while it is visited; the log."""
    (reader, writer) = os.pipe()
    with os.fdopen(reader) as log, ThreadPoolExecutor(1) as pool:
        with os.fdopen(writer, "w") as stream:
            monkeypatch.setattr(sys, "stderr", stream)
            visited = pool.submit(visit_then_interrupt, log, visit)
            status = serve(Settings(host=host, port=0, log_format="json"))
        first = visited.result()
        rest = [json.loads(line) for line in log]
    assert status == 0
    return [first, *(event for event in rest if event["logger"] != "httpx")]


def test_the_service_answers_where_it_says_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[httpx.Response] = []

    def visit(address: str, _: TextIO) -> None:
        answers.append(httpx.get(f"{address}/readyz", trust_env=False))

    served(visit, monkeypatch)
    (answer,) = answers
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    assert "server" not in answer.headers


def test_a_request_is_one_line_between_the_first_and_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def visit(address: str, _: TextIO) -> None:
        httpx.get(f"{address}/livez?key=x", headers={"x-request-id": "one"}, trust_env=False)

    (_, request, last) = served(visit, monkeypatch)
    assert (request["logger"], request["request_id"]) == ("kullback.access", "one")
    assert (request["route"], request["path"], request["status"]) == ("/livez", "/livez", 200)
    assert last["message"] == "stopping"


def test_a_caller_who_leaves_in_the_middle_leaves_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left: list[Event] = []

    def visit(address: str, log: TextIO) -> None:
        url = httpx.URL(address)
        with socket.create_connection((url.host, url.port or 0)) as connection:
            connection.sendall(
                b"POST /v1/scores/entropy HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
                b"Content-Type: application/json\r\n\r\n{"
            )
        left.append(json.loads(log.readline()))

    (_, last) = served(visit, monkeypatch)
    assert [event["status"] for event in left] == [499]
    assert "exception" not in left[0]
    assert last["message"] == "stopping"


def test_a_variable_that_is_no_setting_is_named_at_the_start(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KULLBACK_COLOUR", "opensesame")
    assert serve(Settings(port=0, database_url="sqlite:////no/such/place.db")) == 1
    line, *_ = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "no settings, and ignored: KULLBACK_COLOUR"
    assert "opensesame" not in line


def test_the_log_is_written_before_a_signal_ends_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log_queue, "FLUSH_SECONDS", 60.0)
    log = io.TextIOWrapper(io.BytesIO())
    server = Server(uvicorn.Config(Starlette()), Readiness())
    with written("text", "info", 100, log):
        with server.capture_signals():  # which ends the process as it ends
            logging.getLogger("kullback.server").info("the last line")
        log.seek(0)
        assert log.read().endswith("the last line\n")


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_an_ipv6_address_is_written_as_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    def visit(address: str, _: TextIO) -> None:
        assert address.startswith("http://[::1]:")

    served(visit, monkeypatch, host="::1")


def test_a_port_that_is_taken_is_one_clear_line_and_a_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status = serve(Settings(port=port, log_format="json"))
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == (
        f"cannot listen on 127.0.0.1:{port}: Address already in use (KULLBACK_PORT names another)"
    )
    assert status == 1


def failed_start(url: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of a service that could not start, and that it ends with status 1."""
    assert serve(Settings(port=0, database_url=url, log_format="json")) == 1
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (line,) = [line for line in lines if line["level"] != "warning"]
    assert (line["logger"], line["level"]) == ("kullback.server", "error")
    assert "exception" not in line
    message: str = line["message"]
    return message


def test_a_file_that_another_process_has_open_is_one_clear_line_and_a_failure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/taken.db"
    with serving(KULLBACK_DATABASE_URL=url):
        message = failed_start(url, capsys)
    assert message.startswith(f"cannot start: {tmp_path}/taken.db is open in another process")


@pytest.mark.parametrize("place", ["none/k.db", ""])
def test_a_file_that_cannot_be_opened_is_one_clear_line_and_a_failure(
    place: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert failed_start(f"sqlite:///{tmp_path}/{place}", capsys).startswith("cannot start: ")


def test_a_file_that_is_no_database_is_one_clear_line_and_a_failure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "k.db").write_bytes(b"this is a letter, not a database" * 100)
    message = failed_start(f"sqlite:///{tmp_path}/k.db", capsys)
    assert message == f"cannot start: {tmp_path}/k.db cannot be opened: file is not a database"


def test_a_server_that_nobody_answers_for_is_one_clear_line_without_the_password(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    message = failed_start(f"postgresql+psycopg://me:opensesame@127.0.0.1:{port}/k", capsys)
    assert message.startswith("cannot start: the database at 127.0.0.1 cannot be used: ")
    assert "opensesame" not in message


def refused(capsys: pytest.CaptureFixture[str], host: str, **settings: object) -> str:
    """Why a service does not start."""
    given = {"host": host, "port": 0, "log_format": "json", **settings}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "_run", lambda *_: pytest.fail("it serves"))
        assert serve(Settings.model_validate(given)) == 1
    (*_, last) = capsys.readouterr().err.splitlines()
    return str(json.loads(last)["message"])


@pytest.mark.parametrize("host", [ANY, "::"])
def test_a_service_that_others_can_reach_does_not_start_without_keys(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = refused(capsys, host)
    assert reason.startswith(f"cannot start: others can reach {host}, and there are no keys")
    assert "kullback keys create" in reason


@pytest.mark.parametrize("hosts", ["k.example", "localhost, *"])
def test_a_service_for_other_hosts_does_not_start_without_keys(
    hosts: str, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = refused(capsys, "127.0.0.1", allowed_hosts=hosts)
    name = hosts.rpartition(" ")[2]
    assert f"others can reach {name} (KULLBACK_ALLOWED_HOSTS), and there are no keys" in reason


def test_a_service_starts_among_others_with_keys_or_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "keys.json"
    KeyBook(FileShelf(file), b"", lambda: 0.0).create(KeyGrant("test", ("read",)))
    statuses: list[int] = []

    def visit(address: str, _: TextIO) -> None:
        port = httpx.URL(address).port
        answer = httpx.get(f"http://127.0.0.1:{port}/v1/monitors", trust_env=False)
        statuses.append(answer.status_code)

    warnings: list[str] = []
    monkeypatch.setattr(key_checks._log, "warning", lambda text, *_: warnings.append(text))  # noqa: SLF001
    with monkeypatch.context() as environment:
        environment.setenv("KULLBACK_KEYS_FILE", str(file))
        served(visit, environment, host=ANY)
    monkeypatch.setenv("KULLBACK_INSECURE_NO_AUTH", "true")
    served(visit, monkeypatch, host=ANY)
    assert statuses == [401, 200]
    assert warnings == [
        "keys reach %s unencrypted unless TLS ends before it",
        "%s: whoever can, may do everything",
    ]


def test_a_pepper_or_a_file_of_keys_that_cannot_be_read_is_one_clear_line_and_a_failure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pepper = tmp_path / "pepper"
    pepper.write_text("short\n")
    assert "holds less than 16 bytes" in refused(capsys, "127.0.0.1", pepper_file=str(pepper))
    missing = str(tmp_path / "none")
    for name in ("pepper_file", "keys_file"):
        assert "none cannot be read" in refused(capsys, "127.0.0.1", **{name: missing})


def test_a_provider_that_is_away_is_a_warning_and_a_missing_file_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    provider = {"oidc_issuer": "https://id.example", "oidc_audience": "kullback"}
    missing = str(tmp_path / "none")
    assert "none cannot be read" in refused(capsys, "127.0.0.1", **provider, oidc_jwks=missing)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "jwt.algorithms", None)
        reason = refused(capsys, "127.0.0.1", **provider, oidc_jwks=missing)
    assert reason == "cannot start: tokens of a provider need the extra kullback[oidc]"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    away = {**provider, "oidc_jwks": f"https://127.0.0.1:{port}/keys"}
    for name, value in away.items():
        monkeypatch.setenv(f"KULLBACK_{name.upper()}", value)
    statuses: list[int] = []

    def visit(address: str, _: TextIO) -> None:
        statuses.append(httpx.get(f"{address}/v1/monitors", trust_env=False).status_code)

    served(visit, monkeypatch)
    assert statuses == [401]


def test_keys_of_a_provider_that_were_read_at_the_start_are_those_that_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file, reads = tmp_path / "jwks.json", list[str]()
    file.write_bytes(key_set())

    def loader(place: str) -> Callable[[], bytes]:
        return lambda: reads.append(place) or file.read_bytes()  # type: ignore[func-returns-value]

    monkeypatch.setattr(jwks, "loader", loader)
    provider = {"oidc_issuer": ISSUER, "oidc_audience": AUDIENCE, "oidc_jwks": str(file)}
    for name, value in provider.items():
        monkeypatch.setenv(f"KULLBACK_{name.upper()}", value)
    statuses: list[int] = []

    def visit(address: str, _: TextIO) -> None:
        headers = bearer(signed().decode())
        answer = httpx.get(f"{address}/v1/monitors", headers=headers, trust_env=False)
        statuses.append(answer.status_code)

    served(visit, monkeypatch)
    assert (statuses, reads) == ([200], [str(file)])
