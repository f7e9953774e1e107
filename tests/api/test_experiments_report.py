"""A report says who is better and why, in JSON or as a page; it is sent again if it changed."""

import pytest

from kullback.tally.units import bucket_of
from tests.experiments.arms import paired, split
from tests.experiments.service import (
    EXPERIMENT,
    NEW_EPOCH,
    PAIRED,
    PARALLEL,
    TWO,
    findings,
    hours,
    observe,
    part,
    report,
    sent,
)
from tests.monitoring.service import Document, Service, refused
from tests.statements import tables, watched

pytestmark = pytest.mark.anyio

N = 3000
REPORT = f"{EXPERIMENT}/report"
TOP = ("experiment", "design", "metric", "version", "arms", "comparisons", "sample_ratio")
KEPT = ("arm", "verdict", "effect", "standard_error", "sequence", "e_value", "log_e_value")


async def crossed(service: Service) -> Document:
    """The report at a first verdict."""
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **sent(paired(noise=3.0, n=N)))
    found = await report(service)
    assert found["comparisons"][0]["verdict"] == "worse"
    return found


async def test_a_report_of_nothing_has_its_shape_and_its_reasons(service: Service) -> None:
    await service.put(EXPERIMENT, **(PARALLEL | {"slices": ["country"]}))
    found = await report(service, by="country")
    assert found.keys() >= set(TOP)
    assert (found["experiment"], found["version"], found["epoch"]) == ("ranker", 0, 1)
    (one,) = found["comparisons"]
    assert (one["verdict"], one["reason_code"]) == ("invalid", "empty")
    assert [one[name] for name in ("effect", "sequence", "e_value", "p_value")] == [None] * 4
    assert found["groups"] == found["first_crossing"] == []


async def test_rows_add_up_however_they_are_sent(service: Service) -> None:
    for drawn, plan in ((paired(n=600), PAIRED), (split(paired(n=600)), PARALLEL)):
        rows = sent(drawn, timestamp=hours(600, 40))
        await service.put(EXPERIMENT, **plan)
        await observe(service, **rows)
        whole = await report(service)
        await service.client.delete(EXPERIMENT)
        await service.put(EXPERIMENT, **plan)
        for start in (400, 0, 200):
            await observe(service, **part(rows, start, start + 200))
        parts = await report(service)
        assert (whole["version"], parts["version"]) == (1, 3)
        assert findings(parts) == findings(whole)
        await service.client.delete(EXPERIMENT)


async def test_units_are_counted_once_in_an_arm_however_often_they_come(service: Service) -> None:
    await service.put(EXPERIMENT, **PARALLEL)
    for _ in range(3):
        await observe(service, **sent(split(paired(n=2000, per_unit=4))))
    found = await report(service)
    units = {arm["arm"]: arm["units"] for arm in found["arms"]}
    assert sum(units.values()) == pytest.approx(500, rel=0.05)
    assert found["sample_ratio"]["units"] == units
    assert found["crossover"] == 0.0
    assert found["base_rate_difference"].keys() == {"b"}
    assert any("base_rate_difference" in text for text in found["warnings"])


async def test_slices_are_reported_by_name(service: Service) -> None:
    rows = sent(paired(n=300))
    rows["slice"] = {"country": ["DE", "FR", "x=y"] * 100, "app": ["web"] * 300}
    await service.put(EXPERIMENT, **(PAIRED | {"slices": ["country", "app"]}))
    await observe(service, **rows)
    groups = (await report(service))["groups"]
    assert [group["slice"] for group in groups] == [
        *({"app": "web"}, {"country": "DE"}, {"country": "FR"}, {"country": "x=y"}),
    ]
    assert (await report(service, by="country"))["groups"] == groups[1:]
    assert (await report(service, by="app"))["groups"] == groups[:1]
    (_, only, *_) = groups
    of: Document = {name: column[::3] for name, column in rows.items() if isinstance(column, list)}
    of["y_proba"] = {arm: p[::3] for arm, p in rows["y_proba"].items()}
    score = await service.client.post("/v1/scores/compare", json=of | {"minimum_effect": 0.02})
    effect = only["comparisons"][0]["effect"]
    assert score.json()["value"] == pytest.approx(effect, rel=1e-12)


async def test_propensities_weigh_rows_as_their_quotient_does(service: Service) -> None:
    rows = sent(paired(n=400))
    logged, wanted = [0.5, 0.25] * 200, [0.5, 0.5] * 200
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **rows, propensity=logged, target_propensity=wanted)
    judged = await report(service)
    await service.client.delete(EXPERIMENT)
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **rows, sample_weight=[1.0, 2.0] * 200)
    assert await report(service) == judged


@pytest.mark.parametrize(
    ("path", "query", "place"),
    [
        ("report", {"by": "city"}, "/by"),
        ("report", {"by": ""}, "/by"),
        ("report", {"epoch": "2"}, "/epoch"),
        ("report", {"epoch": "0"}, "/query/epoch"),
        ("report", {"epoch": "first"}, "/query/epoch"),
        ("report", {"epoch": "9" * 30}, "/epoch"),
        ("report", {"step": "3600"}, "/step"),
        ("series", {"by": "country"}, "/by"),
        ("series", {"epoch": "2"}, "/epoch"),
        ("series", {"arm": "a"}, "/arm"),
        ("series", {"arm": "c"}, "/arm"),
        ("series", {"arm": ""}, "/arm"),
        ("series", {"step": "60"}, "/step"),
        ("series", {"step": "5400"}, "/step"),
        ("series", {"step": "0"}, "/step"),
        ("series", {"step": "-3600"}, "/step"),
        ("series", {"step": "day"}, "/query/step"),
    ],
)
async def test_what_cannot_be_asked_for_is_named(
    service: Service, path: str, query: dict[str, str], place: str
) -> None:
    await service.put(EXPERIMENT, **(PAIRED | {"slices": ["country"]}))
    await observe(service, **TWO)
    answer = await service.client.get(f"{EXPERIMENT}/{path}", params=query)
    assert refused(answer) == ("invalid-input", place)


WANTED = (
    (None, False),
    ("*/*", False),
    ("application/json", False),
    ("text/markdown", True),
    ("TEXT/Markdown; charset=utf-8", True),
    ("text/html, text/markdown;q=0.9, */*;q=0.1", True),
    ("application/json, text/markdown", False),
    ("image/png", False),
    ("", False),
)


async def test_a_report_is_a_page_for_those_who_ask_for_markdown(service: Service) -> None:
    await crossed(service)
    for accept, is_page in WANTED:
        headers = {} if accept is None else {"accept": accept}
        answer = await service.client.get(REPORT, headers=headers)
        assert answer.headers["vary"] == "Accept"
        kind = "text/markdown; charset=utf-8" if is_page else "application/json"
        assert answer.headers["content-type"] == kind, accept
        if is_page:
            assert answer.text.startswith("# Experiment ranker\n")
            assert "b is worse than a" in answer.text
        else:
            assert answer.json()["experiment"] == "ranker"


@pytest.mark.parametrize("accept", ["application/json", "text/markdown"])
async def test_what_has_not_changed_is_not_sent_again(service: Service, accept: str) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **TWO)
    headers = {"accept": accept}
    first = await service.client.get(REPORT, headers=headers)
    known = headers | {"if-none-match": first.headers["etag"]}
    again = await service.client.get(REPORT, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "vary", "cache-control"):
        assert again.headers[name] == first.headers[name]
    await observe(service, **TWO)
    changed = await service.client.get(REPORT, headers=known)
    assert (changed.status_code, changed.headers["etag"] != first.headers["etag"]) == (200, True)
    known = headers | {"if-none-match": changed.headers["etag"]}
    await service.put(NEW_EPOCH, **PARALLEL)
    assert (await service.client.get(REPORT, headers=known)).status_code == 200


async def test_json_and_page_and_questions_have_tags_of_their_own(service: Service) -> None:
    await service.put(EXPERIMENT, **(PAIRED | {"slices": ["country"]}))
    tags = set()
    for accept in ("application/json", "text/markdown"):
        for query in ({}, {"by": "country"}, {"epoch": 1}):
            answer = await service.client.get(REPORT, params=query, headers={"accept": accept})
            tags.add(answer.headers["etag"])
    for query in ({}, {"step": 3600}, {"arm": "b"}):
        tags.add((await service.client.get(f"{EXPERIMENT}/series", params=query)).headers["etag"])
    assert len(tags) == 9
    assert len({await _tag(service), await _tag(service)}) == 1


async def test_a_first_crossing_is_kept_as_it_was_when_the_verdict_goes_back(
    service: Service,
) -> None:
    found = await crossed(service)
    (kept,) = found["first_crossing"]
    (told,) = found["comparisons"]
    assert kept == {"version": 1, "at": "2026-03-05T12:00:30.500000Z"} | {
        name: told[name] for name in KEPT
    }
    service.clock.now += 3600
    rows = sent(paired(noise=3.0, n=N))
    p = rows["y_proba"]
    await observe(service, **(rows | {"y_proba": {"a": p["b"], "b": p["a"]}}))
    later = await report(service)
    assert later["comparisons"][0]["verdict"] != "worse"
    assert later["first_crossing"] == [kept]
    assert (await service.get(EXPERIMENT))["first_crossing"] == [kept]
    for _ in range(2):
        await observe(service, **rows)
    assert (await report(service))["first_crossing"] == [kept]
    await service.put(NEW_EPOCH, **PARALLEL)
    assert (await report(service))["first_crossing"] == []
    assert (await report(service, epoch=1))["first_crossing"] == [kept]


async def test_the_first_answer_to_each_question_is_kept(service: Service) -> None:
    found = await crossed(service)
    (told,) = found["comparisons"]
    assert [(each["question"], each["verdict"]) for each in found["first_answers"]] == [
        ("superiority", told["superiority"]),
        ("margin", told["margin"]),
    ]
    rows = sent(paired(noise=3.0, n=N))
    p = rows["y_proba"]
    await observe(service, **(rows | {"y_proba": {"a": p["b"], "b": p["a"]}}))
    later = await report(service)
    assert later["comparisons"][0]["superiority"] != told["superiority"]
    assert later["first_answers"] == found["first_answers"]
    assert (await service.get(EXPERIMENT))["first_answers"] == found["first_answers"]


async def test_a_crossing_in_the_past_epoch_is_kept_when_it_is_first_read(
    service: Service,
) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **sent(paired(noise=3.0, n=N)))
    await service.put(NEW_EPOCH, **PARALLEL)
    assert len((await report(service, epoch=1))["first_crossing"]) == 1
    assert (await report(service))["first_crossing"] == []


async def test_nothing_that_is_open_is_kept_as_a_crossing(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **TWO)
    assert (await report(service))["comparisons"][0]["verdict"] == "invalid"
    await observe(service, **sent(paired(n=600)))
    found = await report(service)
    assert found["comparisons"][0]["verdict"] == "undecided"
    assert found["first_crossing"] == []


async def test_rows_without_two_buckets_have_no_effect(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **(TWO | {"unit": ["ann", "ann"]}))
    assert bucket_of(["ann"]).size == 1
    (one,) = (await report(service))["comparisons"]
    assert (one["effect"], one["reason_code"]) == (None, "too_few_units")


async def _tag(service: Service) -> str:
    return str((await service.client.get(REPORT)).headers["etag"])


@pytest.mark.parametrize("path", [REPORT, f"{EXPERIMENT}/series", "/experiments/ranker"])
@pytest.mark.parametrize("epoch", [1, 2])
async def test_an_answer_reads_nothing_twice(service: Service, path: str, epoch: int) -> None:
    await two_epochs(service)
    query = {"epoch": epoch}
    await service.client.get(path, params=query)  # keeps the first crossing
    with watched() as statements:
        answer = await service.client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    assert len(set(statements)) == len(statements)
    reading_parts = [text for text, _ in statements if "parts.content" in text]
    assert len(reading_parts) == 1
    assert tables(statements).count("records") == 1


@pytest.mark.parametrize("path", [REPORT, f"{EXPERIMENT}/series", "/experiments/ranker"])
async def test_to_send_nothing_again_no_sum_is_read(service: Service, path: str) -> None:
    await two_epochs(service)
    await service.client.get(REPORT)
    headers = {"if-none-match": (await service.client.get(path)).headers["etag"]}
    with watched() as statements:
        answer = await service.client.get(path, headers=headers)
    assert (answer.status_code, answer.content) == (304, b"")
    assert tables(statements) == ["records", "counts"]


async def two_epochs(service: Service) -> None:
    """An experiment with rows in two epochs, by slice."""
    rows = sent(paired(noise=3.0, n=600), slice={"country": ["DE", "FR"] * 300})
    for alpha in (0.05, 0.1):
        await service.put(NEW_EPOCH, **PAIRED, slices=["country"], alpha=alpha)
        await observe(service, **rows)
