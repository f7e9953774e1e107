"""Behind nginx: the delivered example, and a body that must not become a request."""

import json
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from kullback.api.problem_document import MEDIA_TYPE, Problem
from kullback.key_checks import key_book
from kullback.settings import Settings
from tests.access.service import bearer, issued
from tests.connections.wire import SECONDS, answers, connected
from tests.deploy import nginx
from tests.serving import Served, serving

MIB = 1 << 20
SCORE = "/v1/scores/entropy"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('service')}/kullback.db"


@pytest.fixture(scope="module")
def key(database: str) -> dict[str, str]:
    """The header of a key that was made before the service began."""
    with key_book(Settings(database_url=database)) as book:
        return bearer(issued(book, "score", "read", "write").text)


@pytest.fixture(scope="module")
def served(database: str, key: dict[str, str]) -> Iterator[Served]:
    """A service as the example wants it."""
    assert key
    with serving(
        KULLBACK_DATABASE_URL=database,
        KULLBACK_MAX_BODY_MB="1",
        KULLBACK_ALLOWED_HOSTS="127.0.0.1",
        KULLBACK_TRUSTED_PROXIES="127.0.0.1",
        KULLBACK_INSECURE_NO_AUTH="false",
    ) as service:
        yield service


@contextmanager
def before(upstream: str, directory: Path, **written: str) -> Iterator[httpx.Client]:
    """A client of the delivered example in front of something, where other numbers are written."""
    port = nginx.free_port()
    site, certificate = nginx.delivered(port, upstream, directory)
    for name, number in written.items():
        site, count = re.subn(rf"\b{name}([ =])\w+", rf"{name}\g<1>{number}", site)
        assert count == 1
    context = ssl.create_default_context(cafile=str(certificate))
    with (
        nginx.running(site, port, directory),
        httpx.Client(
            base_url=f"https://127.0.0.1:{port}/kullback",
            verify=context,
            trust_env=False,
            timeout=SECONDS,
        ) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def proxied(
    served: Served, key: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of the delivered example, with a key."""
    with before(nginx.place(served.address), tmp_path_factory.mktemp("nginx")) as client:
        client.headers.update(key)
        yield client


def test_without_a_key_nothing_is_read_or_changed(proxied: httpx.Client) -> None:
    place, nobody = "/v1/monitors/own", {"authorization": ""}
    assert proxied.put(place, json={"task": "binary"}).status_code == 201
    for method, path in [("GET", place), ("PUT", place), ("DELETE", place), ("POST", SCORE)]:
        assert proxied.request(method, path, json={}, headers=nobody).status_code == 401
    assert proxied.delete(place).status_code == 204


def test_a_score_comes_back_through_tls_and_a_prefix(proxied: httpx.Client) -> None:
    answer = proxied.post(SCORE, json={"p": [0.5, 0.5]})
    assert (answer.status_code, answer.json()["metric"]) == (200, "entropy")
    bare = str(proxied.base_url).removesuffix("/")
    assert proxied.get(bare).headers["location"].endswith("/kullback/")


def test_pages_under_a_prefix_find_what_they_load(proxied: httpx.Client) -> None:
    page = proxied.get("/playground/log-loss")
    assert page.status_code == 200
    links = re.findall(r'(?:src|href)="([^"#:]+)"', page.text)
    assets = [page.url.join(link) for link in links if "static" in link]
    assert assets
    assert {proxied.get(asset).status_code for asset in assets} == {200}


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_the_413_of_the_service_is_seen_through_nginx(proxied: httpx.Client, framing: str) -> None:
    body = bytes(30 * MIB)
    content = (
        body if framing == "length" else (body[at : at + MIB] for at in range(0, len(body), MIB))
    )
    answer = proxied.post(SCORE, content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/body-too-large")


def test_nginx_refuses_what_is_beyond_its_own_limits(proxied: httpx.Client) -> None:
    large = proxied.post(f"{SCORE}.html", content=bytes(65 * MIB))
    assert problem_of_nginx(large, 413)["type"] == "/problems/body-too-large"
    assert "retry-after" not in large.headers
    assert proxied.get("/livez", headers={"X": "x" * 40_000}).status_code in {400, 431, 494}


def problem_of_nginx(answer: httpx.Response, status: int) -> dict[str, object]:
    """The document of an answer that is not the service's."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    problem = Problem.model_validate_json(answer.content, strict=True, extra="forbid")
    assert (problem.status, problem.request_id) == (status, answer.headers["x-request-id"])
    return problem.model_dump()


def test_a_service_that_is_away_is_a_problem_that_says_so(tmp_path: Path) -> None:
    with before(f"127.0.0.1:{nginx.free_port()}", tmp_path) as client:
        answer = client.post(SCORE, json={"p": [1]})
    assert "Idempotency-Key" in str(problem_of_nginx(answer, 502)["detail"])
    assert answer.headers["retry-after"] == "1"


def test_a_service_that_does_not_answer_is_a_problem_that_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        upstream = f"127.0.0.1:{silent.getsockname()[1]}"
        with before(upstream, tmp_path, proxy_read_timeout="1s") as client:
            answer = client.post(SCORE, json={"p": [1]})
    assert "Idempotency-Key" in str(problem_of_nginx(answer, 504)["detail"])
    assert answer.headers["retry-after"] == "1"


def test_who_asks_too_often_is_told_by_a_problem(served: Served, tmp_path: Path) -> None:
    with before(nginx.place(served.address), tmp_path, rate="1r", burst="1") as client:
        answers = [client.get("/livez") for _ in range(4)]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert refused
    for answer in refused:
        assert problem_of_nginx(answer, 429)["type"] == "/problems/rate-limited"
        assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("buffering", ["on", "off"])
@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
def test_a_request_in_the_body_of_an_upgrade_does_not_run(
    served: Served, key: dict[str, str], buffering: str, protocol: str, tmp_path: Path
) -> None:
    port = nginx.free_port()
    upstream = nginx.place(served.address)
    site = nginx.UPGRADING.format(port=port, upstream=upstream, buffering=buffering)
    kept = f"{served.address}/v1/monitors/kept"
    httpx.put(kept, json={"task": "binary"}, headers=key, trust_env=False).raise_for_status()
    hosts = f"Host: {upstream}\r\nAuthorization: {key['authorization']}\r\n"
    inside = f"DELETE /v1/monitors/kept HTTP/1.1\r\n{hosts}\r\n".encode()
    head = (
        f"POST {SCORE} HTTP/1.1\r\n{hosts}Content-Type: application/json\r\n"
        f"Connection: Upgrade\r\nUpgrade: {protocol}\r\nContent-Length: {len(inside)}\r\n\r\n"
    ).encode()
    with nginx.running(site, port, tmp_path):
        with connected(f"http://127.0.0.1:{port}") as connection:
            connection.sendall(head)
            connection.settimeout(0.2)
            with pytest.raises(TimeoutError):  # nothing is answered before the body is here
                connection.recv(1)
            connection.settimeout(SECONDS)
            connection.sendall(inside)
            answer = connection.recv(1 << 16)
            while b'"request_id"' not in answer:
                answer += connection.recv(1 << 16)
        (only,) = answers(answer)
        assert (only.status, json.loads(only.body)["type"]) == (400, "/problems/malformed-body")
        away = httpx.delete(
            f"http://127.0.0.1:{port}/v1/monitors/kept", headers=key, trust_env=False
        )
        assert away.status_code == 403
    assert httpx.get(kept, headers=key, trust_env=False).status_code == 200
