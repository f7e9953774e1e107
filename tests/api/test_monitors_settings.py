"""Settings of a monitor change by name: what is not named stays as it is."""

import pytest

from tests.monitoring.service import MONITOR, NOON, Document, Service, refused

pytestmark = pytest.mark.anyio

DAY = 86_400
LINK = {"title": "Runbook", "url": "https://example.org/runbook?a=b#c"}
NOTES: Document = {
    "description": "Clicks on the front page.\n\nSecond line.",
    "owner": "team-ads",
    "tags": ["ads", "front page"],
    "links": [LINK],
}
ALL: Document = {
    "task": "multiclass",
    "labels": ["a", "b", "c"],
    "pos_label": None,
    "window_seconds": 3600,
    "retention_days": 365,
    "slices": ["country"],
    "convention": "exact",
    "ttl_seconds": 60,
    "default_label": "a",
    "label_window": 30,
    "label_lag": 600,
    **NOTES,
}
OTHERS: Document = {
    "labels": ["a", "b"],
    "window_seconds": 60,
    "retention_days": 400,
    "slices": ["country", "device"],
    "convention": "sklearn",
    "ttl_seconds": 120,
    "default_label": "b",
    "label_window": 60,
    "description": "",
    "owner": "others",
    "tags": [],
    "links": [],
}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("name", OTHERS)
async def test_a_change_of_one_field_keeps_all_others(
    service: Service, method: str, name: str
) -> None:
    before = await service.put(**ALL)
    assert before.items() >= ALL.items()
    answer = await service.client.request(method, MONITOR, json={name: OTHERS[name]})
    assert answer.status_code == 200
    assert answer.json() == before | {name: OTHERS[name]}
    assert (await service.get()).items() >= answer.json().items()


async def test_a_change_of_slices_does_not_cut_the_past(service: Service) -> None:
    await service.put(retention_days=365)
    past = NOON - 100 * DAY
    await service.post("observations", y_true=[1, 0], y_proba=[0.5, 0.5], timestamp=[past, past])
    changed = await service.put(slices=["country"])
    assert changed["retention_days"] == 365
    service.tidy()
    assert (await service.report(**{"from": past - DAY}))["n"] == 2


@pytest.mark.parametrize("body", [[], [{}], [{"description": "x"}]])
async def test_settings_are_no_list_of_rows(service: Service, body: list[Document]) -> None:
    for path in (MONITOR, "/v1/experiments/clicks"):
        answer = await service.client.put(path, json=body)
        assert refused(answer, 400) == ("malformed-body", "")
        assert answer.json()["detail"] == "the body is not a JSON object"
    await service.put()
    before = await service.get()
    for answer in (
        await service.client.patch(MONITOR, json=body),
        await service.client.post(f"{MONITOR}/rename", json=body),
    ):
        assert answer.status_code == 400
        assert answer.json()["detail"] == "the body is not a JSON object"
    assert await service.get() == before


async def test_a_patch_creates_nothing(service: Service) -> None:
    answer = await service.client.patch(MONITOR, json={"slices": ["country"]})
    assert refused(answer, 404)[0] == "not-found"
    assert await service.get("/v1/monitors") == {"monitors": []}


async def test_null_is_the_default_where_there_is_one(service: Service) -> None:
    await service.put(labels=["no", "yes"], pos_label="no", ttl_seconds=60, owner="us")
    changed = await service.put(labels=None, ttl_seconds=None, owner=None)
    assert changed == {"name": "clicks", **changed, "labels": None, "pos_label": 1, "owner": None}
    assert changed["ttl_seconds"] == 7 * DAY
    answer = await service.client.put(MONITOR, json={"retention_days": None})
    assert refused(answer) == ("invalid-input", "/retention_days")


async def test_what_follows_from_a_setting_follows_from_its_change(service: Service) -> None:
    await service.put(labels=["no", "yes"])
    assert (await service.put(labels=["yes", "no"]))["pos_label"] == "yes"
    assert (await service.put(labels=["a", "b"]))["pos_label"] == "b"
    assert (await service.put(task="multiclass", labels=["a", "b", "c"]))["pos_label"] is None
    assert (await service.put(task="binary", labels=None))["pos_label"] == 1
    assert (await service.put(retention_days=2))["ttl_seconds"] == 2 * DAY
    assert (await service.put(retention_days=20))["ttl_seconds"] == 7 * DAY
    await service.put(ttl_seconds=5 * DAY)
    answer = await service.client.put(MONITOR, json={"retention_days": 4})
    assert refused(answer) == ("invalid-input", "/ttl_seconds")
    assert "4 days" in answer.json()["detail"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_what_does_not_fit_to_the_rest_is_refused_by_name(
    service: Service, method: str
) -> None:
    await service.put(task="multiclass", labels=["a", "b", "c"])
    answer = await service.client.request(method, MONITOR, json={"task": "binary"})
    assert refused(answer) == ("invalid-input", "/labels")
    assert (await service.get())["task"] == "multiclass"


@pytest.mark.parametrize(
    ("notes", "place"),
    [
        ({"description": "x" * 2001}, "/description"),
        ({"description": "a\x00"}, "/description"),
        ({"owner": ""}, "/owner"),
        ({"owner": "a\n"}, "/owner"),
        ({"tags": ["a"] * 2}, "/tags/1"),
        ({"tags": [""]}, "/tags/0"),
        ({"tags": ["a\t"]}, "/tags/0"),
        ({"tags": [str(at) for at in range(21)]}, "/tags"),
        ({"links": [{"title": "a"}]}, "/links/0/url"),
        ({"links": [LINK | {"title": "a\n"}]}, "/links/0/title"),
        ({"links": [LINK] * 21}, "/links"),
        *(
            ({"links": [LINK, LINK | {"url": url}]}, "/links/1/url")
            for url in (
                *("javascript:alert(1)", "JavaScript:alert(1)", " https://a.b", "//a.b/c"),
                *("data:text/html,x", "https:", "https://", "http:/a", "ftp://a.b", "a.b"),
                *('https://a.b/"x', "https://a b", "https://[a", "java\nscript:x", "https://a:x/"),
            )
        ),
    ],
)
async def test_notes_that_cannot_be_shown_are_refused(
    service: Service, notes: Document, place: str
) -> None:
    answer = await service.client.put(MONITOR, json=notes)
    assert refused(answer) == ("invalid-input", place)


async def test_notes_change_no_report(service: Service) -> None:
    await service.put()
    await service.post("observations", y_true=[1, 0], y_proba=[0.9, 0.2])
    before = await service.client.get(f"{MONITOR}/report")
    assert (await service.put(**NOTES)).items() >= NOTES.items()
    headers = {"if-none-match": before.headers["etag"]}
    assert (await service.client.get(f"{MONITOR}/report", headers=headers)).status_code == 304
    await service.put(slices=["country"])
    assert (await service.client.get(f"{MONITOR}/report", headers=headers)).status_code == 200
