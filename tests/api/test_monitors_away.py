"""A store that is away is said to be away: nothing hangs, nothing breaks, and it comes back."""

import pytest
from psycopg import sql
from sqlalchemy import make_url

from kullback.settings import Settings
from tests.monitoring.service import MONITOR, Document, Service, refused, running
from tests.postgresql import Server

pytestmark = pytest.mark.anyio

ROWS: Document = {"y_true": [1, 0], "y_proba": [0.9, 0.2]}


def open_to_all(server: Server, name: str, *, is_open: bool) -> None:
    """Let everybody into a database, or nobody, and those who were there out."""
    with server.connect() as connection:
        wanted = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
        said = wanted.format(sql.Identifier(name), sql.Literal(is_open))
        connection.execute(said)
        if not is_open:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(ended, [name])


async def all_is_away(service: Service) -> None:
    for method, path, body in (
        ("GET", "/readyz", None),
        ("GET", "/v1/monitors", None),
        ("GET", MONITOR, None),
        ("GET", f"{MONITOR}/report", None),
        ("GET", f"{MONITOR}/series", None),
        ("PUT", MONITOR, {}),
        ("POST", f"{MONITOR}/observations", ROWS),
        ("POST", f"{MONITOR}/predictions", {"id": ["a"], "y_proba": [0.5]}),
        ("POST", f"{MONITOR}/labels", {"id": ["a"], "y_true": [1]}),
        ("PUT", f"{MONITOR}/reference", ROWS),
        ("DELETE", MONITOR, None),
    ):
        answer = await service.client.request(method, path, json=body)
        assert refused(answer, 503) == ("store-unavailable", ""), path
        assert int(answer.headers["retry-after"]) >= 1


async def nothing_says_where_the_database_is(service: Service, url: str) -> None:
    """No answer repeats a part of the address, or what the driver says of it."""
    place = make_url(url)
    secrets = {"psycopg", "FATAL", "SELECT", str(place.host), str(place.database)}
    for method, path in (("GET", "/readyz"), ("GET", f"{MONITOR}/report"), ("DELETE", MONITOR)):
        answer = await service.client.request(method, path)
        assert answer.status_code == 503
        assert [word for word in secrets if word in answer.text] == []


async def test_a_database_that_is_away_is_503_until_it_is_back(postgresql: Server) -> None:
    with postgresql.database() as name:
        async with running(postgresql.url(name)) as service:
            await service.put()
            await service.post("observations", **ROWS)
            await service.samples()
            open_to_all(postgresql, name, is_open=False)
            await all_is_away(service)
            await nothing_says_where_the_database_is(service, postgresql.url(name))
            assert (await service.client.get("/livez")).status_code == 200
            samples = await service.samples(monitor="clicks")
            assert samples['kullback_examples_total{monitor="clicks"}'] == 2
            open_to_all(postgresql, name, is_open=True)
            assert (await service.client.get("/readyz")).status_code == 200
            await service.post("observations", **ROWS)
            assert (await service.report())["n"] == 4


async def test_a_full_disk_refuses_writes_and_lets_reports_be_read(settings: Settings) -> None:
    url = f"{settings.database_url}?max_page_count=60"
    async with running(url) as service:
        await service.put(window_seconds=1)
        now, written = service.clock.now, 0
        for batch in range(1000):
            sent = {"y_true": [1] * 100, "y_proba": [0.5] * 100}
            sent["timestamp"] = [now - batch * 100 - row for row in range(100)]
            answer = await service.client.post(f"{MONITOR}/observations", json=sent)
            if answer.status_code != 200:
                break
            written += 100
        assert refused(answer, 503)[0] == "store-unavailable"
        assert written > 0
        report = await service.report(**{"from": 0})
        assert report["n"] == written
