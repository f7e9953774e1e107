"""The page of a monitor shows which value of a slice is worst, and one of them alone if asked."""

import re
from html import unescape

import numpy as np
import pytest

from kullback.moments import HOUR, moment
from kullback.ui import monitor
from tests.judgement.worlds import drawn
from tests.monitoring.service import MONITOR, Document, Service
from tests.ui.opened import Page
from tests.ui.test_monitor_page import (
    HERE,
    HOSTILE,
    PAGE,
    page,
    query_of,
    service,
    table,
    words,
    written,
)

pytestmark = pytest.mark.anyio

__all__ = ["service"]  # a fixture
BAD = "B<r>"
LAST = {"from": moment(HERE - HOUR), "to": moment(HERE)}


async def fill(service: Service, *slices: str, n: int = 3000, bad: str = BAD) -> None:
    """Rows of half an hour, of which those of one country are predicted twice as often."""
    rng = np.random.default_rng(3)
    y, p = drawn(rng, n, rate=0.2)
    country = rng.choice(["DE", "FR", bad], n, p=[0.6, 0.3, 0.1])
    values = {
        "country": country.tolist(),
        "device": rng.choice(["phone", "desk"], n).tolist(),
        "rare": ["x" if row < 10 else "y" for row in range(n)],
    }
    await service.put(slices=list(slices))
    rows: Document = {
        "y_true": y.astype(int).tolist(),
        "y_proba": np.where(country == bad, np.minimum(2 * p, 0.99), p).tolist(),
        "timestamp": (HERE - HOUR + 1800 * np.arange(n) / n).tolist(),
        "slice": {name: values[name] for name in slices},
    }
    await service.post("observations", **rows)


async def test_the_worst_value_of_all_slices_comes_first_and_is_marked(service: Service) -> None:
    await fill(service, "device", "country", "rare")
    found = await page(service, **LAST)
    rows = table(found, "Slices")
    assert len(rows) == 7
    names = [name.removesuffix(" worst") for name in rows]
    assert names[0] == f"country = {BAD}"
    assert [name for name in rows if name.endswith("worst")] == list(rows)[:1]
    states = [row[0] for row in rows.values()]
    assert states[0] == "critical"
    assert set(states[1:]) <= {"ok", "not judged"}
    assert rows["rare = x"][0] == "not judged", "of ten rows nobody knows"
    groups = (await service.report(**LAST, by="country"))["groups"]
    worst = next(one for one in groups if one["slice"]["country"] == BAD)
    assert next(iter(rows.values()))[1] == f"{written(worst['metrics']['calibration_ratio'])}×"


async def test_a_value_that_is_clicked_is_shown_alone(service: Service) -> None:
    await fill(service, "country")
    every = await page(service, **LAST)
    query = query_of(every.links[f"country = {BAD}"])
    assert query["slice"] == f"country={BAD}"
    alone = await page(service, **query)
    report = await service.report(**LAST, slice=f"country={BAD}")
    assert f": {report['n']:,} rows." in words(alone)
    metrics = table(alone, "Every metric")
    assert metrics["Log loss, nats"][0] == written(report["metrics"]["log_loss"])
    points = await service.points(**LAST, step=60, slice=f"country={BAD}", metric="log_loss")
    chart = alone.figures["log-loss"]
    assert [y for y in chart["series"][0]["y"] if y is not None] == [one["value"] for one in points]
    assert f"country = {BAD} alone" in words(alone)
    assert len(table(alone, "Slices")) == 3, "the others are a click away"
    back = query_of(alone.links["Show all rows"])
    assert "3,000 rows." in words(await page(service, **back))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("country", ""),
        ("planet=mars", "slice:"),
        ("<b>=1", "slice:"),
        ("\x00", "slice:"),
        ("country=", ""),
        ("country=nowhere", ""),
        *((f"country={value}", "") for value in HOSTILE),
    ],
)
async def test_any_value_may_be_asked_for(service: Service, text: str, complaint: str) -> None:
    await fill(service, "country", n=30)
    answer = await service.client.get(PAGE, params={**LAST, "slice": text})
    said = " ".join(Page.of(answer).text.split())
    assert ("All rows are shown." in said) == bool(complaint)
    assert ("came in this time" in said) == (not complaint)
    assert "<script>" not in answer.text.replace('<script type="', "").replace("<script src", "")


async def test_of_very_many_values_those_of_one_slice_are_compared(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "MOST_COMPARED", 4)
    await fill(service, "device", "country")
    rows = table(await page(service, **LAST), "Slices")
    assert {name.partition(" ")[0] for name in rows} == {"country"}, "that of the worst value"
    rows = table(await page(service, **LAST, by="device"), "Slices")
    assert {name.partition(" ")[0] for name in rows} == {"device"}


async def test_values_of_a_multiclass_monitor_are_compared_by_log_loss(service: Service) -> None:
    await service.put(task="multiclass", labels=["a", "b", "c"], slices=["country"])
    probabilities = [[0.8, 0.1, 0.1]] * 20 + [[0.2, 0.4, 0.4]] * 20
    times = [HERE - HOUR + at for at in range(40)]
    country = {"country": ["DE"] * 20 + ["FR"] * 20}
    rows = {"y_true": ["a"] * 40, "y_proba": probabilities, "timestamp": times, "slice": country}
    await service.post("observations", **rows)
    found = table(await page(service, **LAST), "Slices")
    assert list(found) == ["country = FR", "country = DE"]
    assert found["country = FR"][1].startswith("+0.69")
    assert found["country = DE"][1].startswith("−0.69")


async def test_a_value_whose_skill_is_gone_since_the_reference_comes_first(
    service: Service,
) -> None:
    """Labels of one country are those of other rows: calibration is as good as before."""
    await service.put(slices=["country"])
    rng = np.random.default_rng(4)
    for start in (HERE - 3 * HOUR, HERE - HOUR):
        y, p = drawn(rng, 6000, rate=0.2)
        country = rng.choice(["DE", "FR", "US"], 6000)
        if start == HERE - HOUR:
            y[country == "FR"] = rng.permutation(y[country == "FR"])
        rows: Document = {
            "y_true": y.astype(int).tolist(),
            "y_proba": p.tolist(),
            "timestamp": [start] * 6000,
            "slice": {"country": country.tolist()},
        }
        await service.post("observations", **rows)
    past = {"from": moment(HERE - 3 * HOUR), "to": moment(HERE - 2 * HOUR)}
    await service.put(f"{MONITOR}/reference", **past)
    before = await service.report(**past, slice="country=FR")
    rows_shown = table(await page(service, **LAST), "Slices")
    assert next(iter(rows_shown)) == "country = FR worst"
    first, *others = rows_shown.values()
    assert first[0] == "critical"
    assert [row[0] for row in others] == ["ok", "ok"]
    entropy = written(before["metrics"]["normalized_entropy"]).partition(" ")[0]
    assert first[5].endswith(f" {entropy} in the reference")


async def test_values_of_a_multiclass_monitor_are_compared_with_the_reference(
    service: Service,
) -> None:
    await service.put(task="multiclass", labels=["a", "b", "c"], slices=["country"])
    good, poor = [0.6, 0.2, 0.2], [0.3, 0.35, 0.35]
    for start, german in ((HERE - 3 * HOUR, good), (HERE - HOUR, poor)):
        rows: Document = {
            "y_true": ["a", "b", "c", "a"] * 500,
            "y_proba": [german, poor] * 1000,
            "timestamp": [start] * 2000,
            "slice": {"country": ["DE", "FR"] * 1000},
        }
        await service.post("observations", **rows)
    past = {"from": moment(HERE - 3 * HOUR), "to": moment(HERE - 2 * HOUR)}
    await service.put(f"{MONITOR}/reference", **past)
    found = await page(service, **LAST)
    rows_shown = table(found, "Slices")
    assert "Log loss, beside the reference" in words(found)
    now, then = [
        {one["slice"]["country"]: one["metrics"]["log_loss"]["value"] for one in report["groups"]}
        for report in (
            await service.report(**LAST, by="country"),
            await service.report(**past, by="country"),
        )
    ]
    for title, row in rows_shown.items():
        name = title.removesuffix(" worst")[-2:]
        difference = float(row[1].partition(" ")[0].replace("−", "-"))
        assert difference == pytest.approx(now[name] - then[name], abs=1e-2)


async def test_the_verdict_can_be_taken_along(service: Service) -> None:
    await fill(service, "country")
    found = await page(service, **LAST)
    text = found.code[-1] if "critical" in found.code[-1] else found.code[0]
    lines = text.splitlines()
    assert lines[0] == "**Monitor clicks: critical**"
    assert any(line.startswith("- Slice, critical: country = B\\<r\\>: ") for line in lines)
    assert any(line.startswith("- country = B\\<r\\>: ") for line in lines)
    address = lines[-1]
    assert address.startswith("http://kullback/monitors/clicks?from=")
    again = Page.of(await service.client.get(address))
    assert "3,000 rows." in words(again)
    answer = await service.client.get(PAGE, params=LAST)
    links = [unescape(link) for link in re.findall(r'href="\.\./(v1/[^"]*)"', answer.text)]
    for link, what in zip(links, ("n", "points", "state"), strict=False):
        assert what in (await service.get(f"/{link}")), link
    table = await service.client.get(f"/{links[-1]}")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.count("log_loss") == 30


async def test_names_in_the_verdict_stand_as_they_are_and_lead_nowhere(service: Service) -> None:
    await fill(service, "country", bad="https://a.example/e-value -5 *")
    found = await page(service, **LAST)
    text = next(code for code in found.code if "critical" in code)
    written = r"country = https:\//a.example/e-value -5 \*: "
    assert text.count(f"- Slice, critical: {written}") == 1
    assert text.count(f"\n- {written}") == 1
    assert "://" not in text.rpartition("\n")[0]


async def test_values_are_drawn_worst_first_by_what_is_wrong_with_what_happened(
    service: Service,
) -> None:
    await fill(service, "country")
    deploy = {"time": moment(HERE - 1800), "text": "deploy 41"}
    await service.post("annotations", **deploy)
    found = await page(service, **LAST, by="country")
    charts = {name: figure for name, figure in found.figures.items() if name.startswith("slice-")}
    first = charts["slice-0"]
    assert first["yLabel"] == "Calibration ratio"
    assert [series["label"] for series in first["series"]][:2] == ["All rows", BAD]
    assert all(chart["timeMarks"][0]["text"] == "deploy 41" for chart in charts.values())
    assert all(1.0 in [level["y"] for level in chart["levels"]] for chart in charts.values())


async def alike(service: Service, *parts: tuple[str, int, list[int]]) -> Page:
    """The page of values whose predictions are all 0.5, and of the outcomes that are given."""
    await service.put(slices=["country"])
    y_true = [y for _, n, outcomes in parts for y in outcomes * (n // len(outcomes))]
    country = [name for name, n, _ in parts for _ in range(n)]
    times = [HERE - HOUR + 1] * len(y_true)
    half = [0.5] * len(y_true)
    sent = {"y_true": y_true, "y_proba": half, "timestamp": times, "slice": {"country": country}}
    await service.post("observations", **sent)
    service.inside.monitor_maintenance.refresh_recent()
    return await page(service)


async def test_values_whose_outcomes_are_all_alike_are_judged_as_by_the_check(
    service: Service,
) -> None:
    found = await alike(service, ("DE", 600, [1]), ("FR", 500, [0]), ("US", 1000, [0, 1]))
    rows = table(found, "Slices")
    assert list(rows) == ["country = FR worst", "country = DE", "country = US"]
    assert [row[0] for row in rows.values()] == ["critical", "critical", "ok"]
    assert rows["country = FR worst"][1] == "250 expected, none happened"
    assert "country = FR: 250 positives were expected, none happened there." in words(found)


async def test_no_value_is_bad_where_no_check_warns(service: Service) -> None:
    """So rare alarms need more than a value that is surely off."""
    await fill(service, "country")
    settings = {name: {"alarms_per_year": 1e-30} for name in ("slice", "calibration", "log_loss")}
    await service.put(slices=["country"], checks=settings)
    service.inside.monitor_maintenance.refresh_recent()
    rows = table(await page(service), "Slices")
    assert {row[0] for row in rows.values()} == {"ok"}
