"""A key opens what it should, as often as it may and as long as it is valid, and is written of."""

import logging
from collections.abc import AsyncIterator, Iterator
from threading import Event
from time import monotonic
from typing import Any

import pytest

from kullback.access.ring import AWAY_SECONDS, STALE_SECONDS
from kullback.api.gate import PATIENCE_SECONDS
from kullback.errors import StoreUnavailable
from kullback.settings import Settings
from tests.access.service import Guarded, bearer, guarded, issued
from tests.monitoring.service import refused

pytestmark = pytest.mark.anyio


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Guarded]:
    async with guarded(settings) as service:
        yield service


@pytest.fixture
def audit(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, Any]]]:
    """The lines that were written so far about who did what."""
    events: list[dict[str, Any]] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            events.append(record.__dict__["fields"])

    log, lines = logging.getLogger("kullback.audit"), Lines()
    log.addHandler(lines)
    with caplog.at_level(logging.INFO, "kullback.audit"):
        yield events
    log.removeHandler(lines)


async def test_an_unknown_id_and_a_wrong_secret_are_told_the_same(service: Guarded) -> None:
    key = await service.issue("read")
    wrong = [
        key[:-1] + ("a" if key[-1] != "a" else "b"),
        f"kb_{'0' * 12}_{key[16:]}",
        "kb_",
        "x" * 10_000,
        "\xff\xfe",
        "",
    ]
    bodies = set()
    for text in wrong:
        headers = [
            (b"authorization", f"Bearer {text}".encode("latin-1")),
            (b"x-request-id", b"one"),
        ]
        answer = await service.client.get("/v1/monitors", headers=headers)
        assert refused(answer, 401) == ("unauthenticated", "")
        assert answer.headers["www-authenticate"] == 'Bearer realm="kullback"'
        bodies.add(answer.content)
    assert len(bodies) == 1


@pytest.mark.parametrize("sent", ["{}", "Basic {}", "Token {}"])
async def test_a_key_that_is_sent_otherwise_is_told_how(service: Guarded, sent: str) -> None:
    headers = {"authorization": sent.format(service.admin)}
    answer = await service.client.get("/v1/monitors", headers=headers)
    assert refused(answer, 401) == ("unauthenticated", "")
    assert answer.json()["detail"] == "Authorization must be: Bearer kb_…"


async def test_a_key_that_expired_or_was_revoked_opens_nothing(service: Guarded) -> None:
    short, revoked = await service.issue("read", lifetime_seconds=10), await service.issue("read")
    path = f"/v1/keys/{revoked[3:15]}"
    for key in (short, revoked):
        assert (await service.client.get("/v1/monitors", headers=bearer(key))).is_success
    answer = await service.client.delete(path, headers=bearer(service.admin))
    assert answer.status_code == 204
    service.clock.now += 10
    for key in (short, revoked):
        refused(await service.client.get("/v1/monitors", headers=bearer(key)), 401)


async def test_a_service_whose_keys_are_all_revoked_is_not_open(service: Guarded) -> None:
    path = f"/v1/keys/{service.admin[3:15]}"
    answer = await service.client.delete(path, headers=bearer(service.admin))
    assert answer.status_code == 204
    refused(await service.client.get("/v1/monitors"), 401)


async def test_both_secrets_of_a_rotated_key_open_while_they_overlap(service: Guarded) -> None:
    first = await service.issue("read")
    answer = await service.client.post(
        f"/v1/keys/{first[3:15]}/rotate",
        json={"overlap_seconds": 60},
        headers=bearer(service.admin),
    )
    second = answer.json()["key"]
    assert answer.headers["cache-control"] == "no-store"
    for key in (first, second):
        assert (await service.client.get("/v1/monitors", headers=bearer(key))).is_success
    service.clock.now += 60
    refused(await service.client.get("/v1/monitors", headers=bearer(first)), 401)
    assert (await service.client.get("/v1/monitors", headers=bearer(second))).is_success


async def test_a_rotation_may_be_asked_for_without_a_body(service: Guarded) -> None:
    first = await service.issue("read")
    place, administrator = f"/v1/keys/{first[3:15]}/rotate", bearer(service.admin)
    answer = await service.client.post(place, headers=administrator)
    assert answer.status_code == 200
    for key in (first, answer.json()["key"]):
        assert (await service.client.get("/v1/monitors", headers=bearer(key))).is_success
    refused(await service.client.post(place, headers=administrator, content=b"{}"), 415)
    refused(await service.client.post("/v1/keys", headers=administrator), 415)


async def test_a_list_of_keys_has_no_secret(service: Guarded) -> None:
    service.clock.now += 1
    key = await service.issue("read", prefixes=["team-a."])
    answer = await service.client.get("/v1/keys", headers=bearer(service.admin))
    assert key[16:] not in answer.text
    listed = answer.json()["keys"]
    assert [each["id"] for each in listed] == [service.admin[3:15], key[3:15]]
    assert listed[1]["prefixes"] == ["team-a."]


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ({"label": "x", "scopes": []}, "/scopes"),
        ({"label": "x", "scopes": ["root"]}, "/scopes/0"),
        ({"label": "x\n", "scopes": ["read"]}, "/label"),
        ({"label": "x", "scopes": ["admin"], "prefixes": ["a."]}, "/prefixes"),
        ({"label": "x", "scopes": ["read"], "prefixes": ["a"]}, "/prefixes"),
        ({"label": "x", "scopes": ["read"], "requests_per_second": 0}, "/requests_per_second"),
        ({"label": "x", "scopes": ["read"], "requests_per_second": 1e-310}, "/requests_per_second"),
        ({"label": "x", "scopes": ["read"], "id": "0" * 12}, "/id"),
        ({"label": "x", "scopes": ["read"], "created": 0}, "/created"),
    ],
)
async def test_a_key_that_cannot_be_is_refused(
    service: Guarded, sent: dict[str, object], place: str
) -> None:
    answer = await service.client.post("/v1/keys", json=sent, headers=bearer(service.admin))
    assert refused(answer) == ("invalid-input", place)


async def test_more_requests_than_a_key_may_make_are_told_when_to_come_again(
    service: Guarded,
) -> None:
    key = await service.issue("read", requests_per_second=0.001)
    other = await service.issue("read")
    statuses = []
    for _ in range(3):
        answer = await service.client.get("/v1/monitors", headers=bearer(key))
        statuses.append(answer.status_code)
    assert statuses == [200, 429, 429]
    assert refused(answer, 429) == ("rate-limited", "")
    assert answer.json()["detail"] == "this key may ask 0.001 times a second"
    assert 900 < int(answer.headers["retry-after"]) <= 1000
    assert (await service.client.get("/v1/monitors", headers=bearer(other))).is_success


async def test_what_a_key_may_not_do_counts_as_well(service: Guarded) -> None:
    key = await service.issue("read", requests_per_second=0.001)
    statuses = []
    for _ in range(3):
        answer = await service.client.delete("/v1/monitors/clicks", headers=bearer(key))
        statuses.append(answer.status_code)
    assert statuses == [403, 429, 429]


async def test_a_flood_of_wrong_keys_is_slowed_and_does_not_fill_the_log(
    service: Guarded, audit: list[dict[str, Any]]
) -> None:
    answers = [await service.client.get("/v1/monitors", headers=bearer("kb_no")) for _ in range(50)]
    statuses = [answer.status_code for answer in answers]
    assert statuses[:10] == [401] * 10
    assert statuses.count(429) >= 30  # one a second is let through again
    assert len(audit) <= 20
    assert int(answers[-1].headers["retry-after"]) >= 1
    answer = await service.client.get("/v1/monitors", headers=bearer(service.admin))
    assert answer.is_success  # whoever shares the address is not harmed


async def test_the_log_says_who_did_what_and_who_was_refused(
    service: Guarded, audit: list[dict[str, Any]]
) -> None:
    key = await service.issue("read")
    refused(await service.client.delete("/v1/monitors/clicks", headers=bearer(key)), 403)
    refused(await service.client.get("/v1/keys"), 401)
    await service.client.delete(f"/v1/keys/{key[3:15]}", headers=bearer(service.admin))
    own, theirs = service.admin[3:15], key[3:15]
    assert [(each["event"], each["key"], each.get("subject")) for each in audit] == [
        ("key created", own, theirs),
        ("refused", theirs, None),
        ("refused", "", None),
        ("key revoked", own, theirs),
    ]
    assert [each["route"] for each in audit[1:3]] == ["/v1/monitors/{name}", "/v1/keys"]
    assert key[16:] not in str(audit)


async def test_one_idempotency_key_of_two_callers_is_two(service: Guarded) -> None:
    await service.client.put("/v1/monitors/m", json={}, headers=bearer(service.admin))
    answers = [
        await service.client.post(
            "/v1/monitors/m/observations",
            json={"y_true": [value], "y_proba": [0.5]},
            headers={**bearer(key), "idempotency-key": "same"},
        )
        for value, key in ((0, service.admin), (1, await service.issue("write")))
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert all("idempotency-replayed" not in answer.headers for answer in answers)


async def test_without_a_store_scores_go_on_for_those_who_were_let_in(
    service: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await service.issue("score", "read")
    ring = service.app.state.gate._ring  # noqa: SLF001

    def away() -> None:
        raise StoreUnavailable("the store is away")

    monkeypatch.setattr(ring, "_load", away)
    monkeypatch.setattr(ring, "_read_at", ring._monotonic() - STALE_SECONDS)  # noqa: SLF001
    score = {"p": [0.5, 0.5]}
    answer = await service.client.post("/v1/scores/entropy", json=score, headers=bearer(key))
    assert answer.status_code == 200
    for path in ("/playground", "/metrics"):
        answer = await service.client.get(path, headers=bearer(service.admin))
        assert answer.status_code == 200
    answer = await service.client.get("/v1/monitors", headers=bearer(key))
    assert refused(answer, 503) == ("store-unavailable", "")
    refused(await service.client.post("/v1/scores/entropy", json=score), 401)
    read_at = ring._monotonic() - AWAY_SECONDS  # noqa: SLF001
    monkeypatch.setattr(ring, "_read_at", read_at)  # a key may have been revoked since
    answer = await service.client.post("/v1/scores/entropy", json=score, headers=bearer(key))
    assert refused(answer, 503) == ("store-unavailable", "")
    monkeypatch.setattr(ring, "_keys", {})  # there never was one
    answer = await service.client.post("/v1/scores/entropy", json=score)
    assert answer.status_code == 200


async def test_nobody_waits_long_for_a_store_that_does_not_answer(
    service: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = Event()
    ring = service.app.state.gate._ring  # noqa: SLF001
    read_at = ring._monotonic() - STALE_SECONDS  # noqa: SLF001
    monkeypatch.setattr(ring, "_load", lambda: answered.wait(60) and [])
    monkeypatch.setattr(ring, "_read_at", read_at)
    waits = []
    for _ in range(20):
        began = monotonic()
        answer = await service.client.get("/metrics", headers=bearer(service.admin))
        waits.append(monotonic() - began)
        assert answer.status_code == 200
    assert sum(wait > PATIENCE_SECONDS for wait in waits) < 10  # of one in five seconds
    assert not answered.is_set()
    answered.set()


async def test_a_key_is_read_by_a_service_that_runs(service: Guarded) -> None:
    ring = service.app.state.gate._ring  # noqa: SLF001
    text = issued(service.book, "read").text
    ring._read_at -= STALE_SECONDS + 1  # noqa: SLF001
    assert (await service.client.get("/v1/monitors", headers=bearer(text))).is_success


async def test_who_has_a_key_that_has_ended_is_told_and_so_is_the_log(
    service: Guarded, audit: list[dict[str, Any]]
) -> None:
    revoked, replaced = await service.issue("read"), await service.issue("read")
    expired = await service.issue("read", lifetime_seconds=1)
    administrator = bearer(service.admin)
    await service.client.delete(f"/v1/keys/{revoked[3:15]}", headers=administrator)
    place = f"/v1/keys/{replaced[3:15]}/rotate"
    await service.client.post(place, json={"overlap_seconds": 0}, headers=administrator)
    service.clock.now += 2.0
    for key, reason in ((revoked, "revoked"), (replaced, "replaced"), (expired, "expired")):
        answer = await service.client.get("/v1/monitors", headers=bearer(key))
        assert refused(answer, 401) == ("unauthenticated", "")
        assert answer.json()["detail"] == f"this key is {reason}"
        assert (audit[-1]["key"], audit[-1]["reason"]) == (key[3:15], f"this key is {reason}")
        other = f"{key[:16]}{service.admin[16:]}"
        answer = await service.client.get("/v1/monitors", headers=bearer(other))
        assert answer.json()["detail"] == "this is no valid key"
        assert audit[-1]["key"] == ""


async def test_the_line_of_a_request_names_its_key(
    service: Guarded, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "kullback.access")
    key = await service.issue("read")
    for text in (key, f"{key}x"):
        await service.client.get("/v1/monitors", headers=bearer(text))
    lines = [line.__dict__["fields"] for line in caplog.records if line.name == "kullback.access"]
    assert [line.get("key") for line in lines] == [service.admin[3:15], key[3:15], None]
