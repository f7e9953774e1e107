"""The page of a monitor shows what the API answers, to whoever asks for whatever."""

import json
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from time import time
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest

from kullback.figures.cells import columns_of
from kullback.figures.typesetting import measured, shown
from kullback.moments import moment
from kullback.monitoring.series import MetricPoint
from kullback.numerics.digits import p_value
from kullback.tally.report_types import MetricValue
from kullback.ui.dates import absolute
from kullback.ui.glossary import GLOSSARY
from kullback.ui.history import MOST_MARKS, MOST_SLICES, Course, shared
from kullback.ui.monitor import MonitorPage
from kullback.ui.render import rounded, small
from kullback.ui.times import CUSTOM, DEFAULT, MOST_STEPS, RANGES, Ground, View, view
from tests.monitoring.service import MONITOR, NOON, Document, Service
from tests.statements import tables, watched
from tests.ui.opened import Page

pytestmark = pytest.mark.anyio

PAGE = "/monitors/clicks"
HOUR = 3600.0
DAY = 24 * HOUR
HERE = time() // HOUR * HOUR  # pages go by the clock on the wall
SAME = {"from": moment(HERE - 6 * HOUR), "to": moment(HERE)}
WHEN = {name: at.removesuffix(":00Z") for name, at in SAME.items()}
HOSTILE = ["<script>alert(1)</script>", "a\"b'c&amp;", "x" * 64, "\u202e\u05e9\u05dc\u05d5\u05dd"]


@pytest.fixture
async def service(service: Service) -> Service:
    """A running service at half a minute past a whole hour of today."""
    service.clock.now = HERE + 30.5
    return service


async def page(service: Service, /, **query: str) -> Page:
    return Page.of(await service.client.get(PAGE, params=query))


def table(page: Page, region: str) -> dict[str, list[str]]:
    """The rows of a table by their first cell."""
    return {row[0]: row[1:] for row in page.rows(region)}


def query_of(link: str) -> dict[str, str]:
    """What a link asks its page for."""
    return dict(parse_qsl(urlsplit(link).query))


def written(metric: Document) -> str:
    """A metric of a report as pages have it."""
    fields = ("value", "status", "reason", "standard_error")
    return measured(MetricValue(*(metric[field] for field in fields)))


def words(page: Page) -> str:
    return " ".join(page.text.split())


async def fill(
    service: Service, values: Sequence[str] = (), rows: int = 240, **more: object
) -> None:
    """Rows of six hours before noon, evenly."""
    step = 6 * HOUR / rows
    fields: Document = {
        "y_true": [int(at % 3 == 0) for at in range(rows)],
        "y_proba": [0.05 + 0.9 * (at * 7 % rows) / rows for at in range(rows)],
        "timestamp": [HERE - 6 * HOUR + step * at for at in range(rows)],
    }
    if values:
        # The first value has the most rows.
        picks = [values[min(at % (2 * len(values)), len(values) - 1)] for at in range(rows)]
        fields["slice"] = {"country": picks}
    await service.post("observations", **fields | more)


async def test_every_metric_is_the_one_of_the_report(service: Service) -> None:
    await service.put()
    await fill(service)
    metrics = (await service.report(**SAME))["metrics"]
    rows = table(await page(service, **WHEN), "Every metric")
    cells = [row[0] for row in rows.values()]
    assert cells == [written(metric) for metric in metrics.values()]
    assert any(" ± " in cell for cell in cells)


@pytest.mark.parametrize("metric", ["log_loss", "normalized_entropy", "calibration_ratio"])
async def test_a_chart_over_time_is_the_series_of_its_metric(service: Service, metric: str) -> None:
    await service.put()
    await fill(service)
    known = await service.points(metric=metric, step=300, **SAME)
    figure = (await page(service, **WHEN)).figures[metric.replace("_", "-")]
    line = figure["series"][0]
    assert line["y"] == [point["value"] for point in known]
    some = next(at for at, point in enumerate(known) if point["standard_error"])
    error = known[some]["standard_error"]
    assert line["high"][some] == pytest.approx(line["y"][some] + 1.96 * error)
    assert line["low"][some] == pytest.approx(max(0, line["y"][some] - 1.96 * error))


async def test_the_numbers_under_a_chart_are_those_that_are_drawn(service: Service) -> None:
    await service.put()
    await fill(service)
    found = await page(service, **WHEN)
    line = found.figures["log-loss"]["series"][0]
    rows = found.rows("The numbers of Log loss")
    columns = [list(column) for column in zip(*rows, strict=True)]
    drawn = zip(*(line[part] for part in ("y", "low", "high")), strict=True)
    assert columns[1:] == list(columns_of(drawn))


async def test_steps_without_rows_are_gaps_and_count_no_rows(service: Service) -> None:
    await service.put()
    times = [HERE - 2 * HOUR, HERE - HOUR]
    await service.post("observations", y_true=[1, 0], y_proba=[0.5, 0.5], timestamp=times)
    figures = (await page(service, **WHEN)).figures
    rows, loss = figures["rows"]["series"][0]["y"], figures["log-loss"]["series"][0]["y"]
    assert (len(rows), sum(rows), max(rows)) == (72, 2, 1)
    assert [at for at, y in enumerate(loss) if y is not None] == [48, 60]


async def test_what_happened_is_marked_in_every_figure_over_time(service: Service) -> None:
    await service.put()
    await fill(service)
    for at, text in ((HERE - 2 * HOUR, "deploy <b>"), (HERE - 9 * HOUR, "before")):
        link = "https://ci.example/1"
        await service.post("annotations", time=moment(at), text=text, link=link)
    figures = (await page(service, **WHEN)).figures
    marks = {
        name: [(mark["x"], mark["text"]) for mark in figures[name]["timeMarks"]]
        for name in ("log-loss", "normalized-entropy", "calibration-ratio", "rows")
    }
    assert marks == {name: [(HERE - 2 * HOUR, "deploy <b>")] for name in marks}


async def test_of_much_that_happened_figures_mark_the_latest(service: Service) -> None:
    await service.put()
    await fill(service)
    link = f"https://ci.example/{'1' * 1500}"
    for at in range(MOST_MARKS + 3):
        time = moment(HERE - 2 * HOUR + 60 * at)
        await service.post("annotations", time=time, text=f"deploy {at}", link=link)
    answer = await service.client.get(PAGE, params=WHEN)
    assert [mark["text"] for mark in Page.of(answer).figures["rows"]["timeMarks"]] == [
        f"deploy {at}" for at in range(3, MOST_MARKS + 3)
    ]
    assert answer.text.count(link) == MOST_MARKS + 3, "once, in the table of what happened"
    assert "deploy 0" in words(Page.of(answer))


async def test_a_long_time_is_drawn_from_its_first_rows_on(service: Service) -> None:
    await service.put()
    await fill(service)
    found = await page(service, range="30d")
    drawn = found.figures["log-loss"]
    assert HERE - 2 * DAY < drawn["x"][0] < HERE - DAY
    assert len(drawn["x"]) > 24
    first = absolute(HERE - 6 * HOUR)
    assert f"The first row of this time came at {first} ; what is empty" in words(found)
    day = await page(service, **{"from": moment(HERE - 8 * HOUR), "to": moment(HERE)})
    assert day.figures["log-loss"]["x"][0] == HERE - 8 * HOUR
    assert "The first row" not in words(day)


async def test_reliability_and_scores_are_the_bins_of_the_report(service: Service) -> None:
    await service.put()
    await fill(service)
    bins = (await service.report(**SAME))["reliability"]
    figures = (await page(service, **WHEN)).figures
    points_drawn = figures["reliability"]["series"][1]
    assert figures["reliability"]["x"] == [one["mean_predicted"] for one in bins]
    assert points_drawn["y"] == [one["observed"] for one in bins]
    assert all(
        low <= y <= high
        for low, y, high in zip(*(points_drawn[key] for key in ("low", "y", "high")), strict=True)
    )
    ones = [one["weight"] * one["observed"] for one in bins]
    labels = {one["label"]: one["y"] for one in figures["scores"]["series"]}
    assert labels["Label 1"] == pytest.approx([one / sum(ones) for one in ones])
    assert sum(labels["Label 0"]) == pytest.approx(1)


async def test_low_rates_are_drawn_where_they_can_be_told_apart(service: Service) -> None:
    await service.put()
    y_true = [int(at % 50 == 0) for at in range(200)]
    await service.post("observations", y_true=y_true, y_proba=[0.002, 0.03] * 100)
    drawn = MonitorPage.of(service.inside, "clicks", {}).content()["bins"]
    assert isinstance(drawn, list)
    assert (drawn[0].x_scale, drawn[0].y_scale) == ("logit", "logit")


async def test_drift_is_told_in_words_and_numbers(service: Service) -> None:
    await service.put()
    await fill(service)
    await service.put(f"{MONITOR}/reference", y_true=[1, 0] * 200, y_proba=[0.9, 0.8] * 200)
    drift = (await service.report(**SAME))["drift"]
    found = await page(service, **WHEN)
    rows = table(found, "Drift")
    assert all(GLOSSARY[term].plain in words(found) for term in ("PSI", "G", "p"))
    for what, name in (("Scores", "score"), ("Labels", "label")):
        one = drift[name]
        assert rows[what][1] == one["statement"]
        kl = "∞" if one["reason"] == "positive_infinity" else small(one["kl"])
        assert rows[what][2:] == [
            small(one["psi"]),
            small(one["js"]),
            kl,
            rounded(one["g_statistic"]),
            str(one["degrees_of_freedom"]),
            p_value(one["p_value"]).removeprefix("= "),
        ]


async def test_without_a_reference_the_page_says_how_to_set_one(service: Service) -> None:
    await service.put()
    await fill(service)
    text = words(await page(service, **WHEN))
    assert "curl -X PUT http://kullback/v1/monitors/clicks/reference" in text
    sent = json.loads(text.split("-d '")[1].split("'")[0])
    await service.put(f"{MONITOR}/reference", **sent)
    assert "reference yet" not in words(await page(service, **WHEN))


async def test_a_state_says_why(service: Service) -> None:
    await service.put()
    assert "unknown No rows have come yet." in words(await page(service))
    service.inside.monitor_maintenance.refresh_recent()
    assert "unknown No rows have come yet." in words(await page(service))
    right = {"y_true": [1, 1, 1, 0, 0, 1, 1, 0, 0, 0] * 40, "y_proba": ([0.6] * 5 + [0.4] * 5) * 40}
    await service.post("observations", **right)
    service.inside.monitor_maintenance.refresh_recent()
    said = "ok In the last hour, of 400 rows: predictions are 1.0"
    assert said in words(await page(service))
    await service.client.delete(f"{MONITOR}")
    await service.put()
    await service.post("observations", y_true=[1, 0, 0, 0] * 500, y_proba=[0.9, 0.8] * 1000)
    service.inside.monitor_maintenance.refresh_recent()
    assert "critical " in words(await page(service))
    assert "Predictions are 3.40 times what happened." in words(await page(service))


async def test_values_of_a_slice_are_side_by_side_and_in_a_table(service: Service) -> None:
    await service.put(slices=["country"])
    await fill(service, ["DE", "FR", "US"])
    found = await page(service, **WHEN, by="country")
    groups = (await service.report(**SAME, by="country"))["groups"]
    rows = table(found, "Slices")
    for one in groups:
        row, metrics = rows[f"country = {one['slice']['country']}"], one["metrics"]
        ratio = written(metrics["calibration_ratio"])
        none = f"{one['n'] * metrics['mean_prediction']['value']:.0f} expected, none happened"
        assert row[1].removesuffix("×") == (none if ratio == "—" else ratio)
        assert row[3] == shown(one["n"])
        assert row[4:] == [
            written(metrics[key]) for key in ("log_loss", "normalized_entropy", "auc")
        ]
    charts = [figure for name, figure in found.figures.items() if name.startswith("slice-")]
    labels = [chart["series"][1]["label"] for chart in charts]
    assert [f"country = {label}" for label in labels] == [
        name.removesuffix(" worst") for name in rows
    ], "as the table has them: the worst first"
    assert len({tuple(chart["yRange"]) for chart in charts}) == 1


async def test_a_value_is_drawn_with_its_own_calibration_in_each_step(service: Service) -> None:
    await service.put(slices=["country"])
    await fill(service, ["DE", "FR"])
    figure = (await page(service, **WHEN, by="country")).figures["slice-0"]
    assert len(figure["x"]) == 12
    for at, y in zip(figure["x"], figure["series"][1]["y"], strict=True):
        asked = await service.report(**{"from": at, "to": at + 1800}, by="country")
        group = next(
            one
            for one in asked["groups"]
            if one["slice"]["country"] == figure["series"][1]["label"]
        )
        assert y == group["metrics"]["calibration_ratio"]["value"]


async def test_many_values_are_all_in_the_table_but_only_the_worst_drawn(
    service: Service,
) -> None:
    await service.put(slices=["country"])
    await fill(service, [f"c{at:02}" for at in range(20)])
    found = await page(service, **WHEN, by="country")
    assert len(table(found, "Slices")) + len(table(found, "More values of slices")) == 20
    assert sum(name.startswith("slice-") for name in found.figures) == MOST_SLICES
    assert "The 12 worst of 20 values; 8 more" in words(found)


async def test_names_that_callers_chose_are_text(service: Service) -> None:
    await service.put(slices=["country"], labels=["no", HOSTILE[0]])
    await fill(service, HOSTILE, y_true=["no", HOSTILE[0]] * 120)
    found = await page(service, **WHEN, by="country")
    assert set(table(found, "Slices")) == {f"country = {value}" for value in HOSTILE}
    assert "b" not in found.tags
    assert found.figures["scores"]["series"][1]["label"] == f"Label {HOSTILE[0]}"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (
            {"range": "century"},
            "There is no range “century”; there are 1h, 6h, 24h, 7d, 30d, custom.",
        ),
        ({"range": "<b>"}, "There is no range “<b>”"),
        ({"range": "custom"}, "A chosen time needs “from” or “to”."),
        ({"from": "yesterday"}, "“from” is a time such as 2026-01-31T12:00, in UTC."),
        ({"to": "nan"}, "“to” is a time such as"),
        ({"from": "-1"}, "“from” is a time such as"),
        ({"from": "1e300"}, "“from” is a time such as"),
        ({"from": "2026-02-30T12:00"}, "“from” is a time such as"),
        ({"from": "2026-03-05T12:00", "to": "2026-03-05T12:00"}, "“From” must be before “to”."),
        ({"from": "1970-01-01T00:00", "to": "9999-12-31T23:59"}, "At most 3700 days"),
        ({"by": "<script>"}, "There is no slice “<script>”; this monitor has country."),
        ({"by": "\x00"}, "There is no slice"),
        ({"colour": "red"}, "There is no “colour” to choose here."),
        ({"range": "1h", **WHEN}, "“From” and “to” do not count beside a range"),
    ],
)
async def test_what_cannot_be_followed_is_said(
    service: Service, query: dict[str, str], told: str
) -> None:
    await service.put(slices=["country"])
    await fill(service)
    assert told in words(await page(service, **query))


@pytest.mark.parametrize(
    "query",
    [
        {"to": "2026-03-05T12:00"},
        {"from": "2026-03-05T06:00:30", "to": "2026-03-05T12:00:10"},
        {"from": "2026-03-05T07:00:00+01:00", "to": "1772712000"},
        {"from": "0", "to": "1"},
        {"to": "9999-12-31T23:59:59Z"},
        {"from": "2020-01-01T00:00", "to": "2026-03-06T00:00"},
        *({"range": key} for key in RANGES),
    ],
)
async def test_any_time_is_shown(service: Service, query: dict[str, str]) -> None:
    await service.put()
    await fill(service)
    answer = await service.client.get(PAGE, params=query)
    assert answer.status_code == 200
    assert 'role="alert"' not in answer.text


async def test_what_was_asked_for_stands_in_the_picker(service: Service) -> None:
    await service.put(slices=["country", "device"])
    await fill(service)
    text = (await service.client.get(PAGE, params={**WHEN, "by": "device"})).text
    for name in ("from", "to"):
        assert f'name="{name}" value="{WHEN[name]}"' in text
    assert '<input type="hidden" name="by" value="device">' in text
    assert 'title="By device" aria-current="true">device</a>' in text


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"pos_label": 0},
        {"labels": ["no", "it's"]},
        {"labels": ["yes", "no"], "pos_label": "yes"},
        {"task": "multiclass", "labels": ["a", "b'c", "<d>"]},
        {"task": "multilabel", "labels": ["a", "b'c", "<d>"]},
    ],
)
async def test_a_monitor_without_rows_says_how_to_send_some(
    service: Service, chosen: Document
) -> None:
    await service.put(**chosen)
    found = await page(service)
    _, url, *_, body = shlex.split(found.code[0])
    assert url == "http://kullback/v1/monitors/clicks/observations"
    answer = await service.client.post(url, json=json.loads(body))
    assert answer.status_code == 200, answer.text
    assert found.figures == {}


async def test_a_monitor_of_many_labels_says_what_its_rows_are(service: Service) -> None:
    await service.put(task="multiclass", labels=list(range(200)))
    assert "for each row 200 probabilities" in words(await page(service))


async def test_a_time_without_rows_says_when_the_last_came(service: Service) -> None:
    await service.put()
    await fill(service)
    found = await page(service, **{"from": moment(HERE - 5 * DAY), "to": moment(HERE - 4 * DAY)})
    assert "No rows came in this time." in words(found)
    assert f"The last came in the window of {absolute(HERE - 2 * 60)} , after it" in words(found)
    day = await page(service, **query_of(found.links["show the day up to then"]))
    assert "240 rows." in words(day)
    assert found.figures == {}


async def test_a_multiclass_monitor_shows_what_it_has(service: Service) -> None:
    await service.put(task="multiclass", labels=["a", "b", "c"])
    rows = [[0.6, 0.3, 0.1], [0.2, 0.5, 0.3]] * 30
    times = [HERE - 60.0 * at - 1 for at in range(60)]
    await service.post("observations", y_true=["a", "c"] * 30, y_proba=rows, timestamp=times)
    found = await page(service, **WHEN)
    assert {"log-loss", "accuracy", "brier", "rows", "reliability", "scores"} == set(found.figures)
    assert table(found, "Every metric")["Accuracy"][0].startswith("0.50")
    assert table(found, "Every metric")["AUC"] == ["—", "only two labels have this metric"]


async def test_a_joined_monitor_shows_what_waits(service: Service) -> None:
    await service.put()
    ids = [f"r{at}" for at in range(10)]
    await service.post("predictions", id=ids, y_proba=[0.5] * 10)
    await service.post("predictions", id=ids[:2], y_proba=[0.5] * 2)
    service.inside.monitor_maintenance.refresh_recent()
    text = words(await page(service))
    assert "10 predictions wait for their labels." in text
    assert "Predictions waiting 10 for their label" in text
    assert "Duplicates 2" in text
    when = {"from": moment(HERE), "to": moment(HERE + HOUR)}
    assert "10 rows were scored in this time, but no label" in words(await page(service, **when))
    await service.post("labels", id=[*ids[:4], "other"], y_true=[1, 0, 1, 0, 1])
    text = words(await page(service))
    assert "Matched 4 of 10 predictions and 5 labels" in text
    assert "Labels waiting 1 for their prediction" in text


async def test_infinite_and_extreme_rows_are_shown(service: Service) -> None:
    await service.put(convention="exact", slices=["country"])
    rows: Document = {"y_true": [1, 1, 0], "y_proba": [0.0, 0.5, 1e-300]}
    more = {"timestamp": [HERE - 60] * 3, "slice": {"country": ["a", "b", "b"]}}
    await service.post("observations", **rows, **more, sample_weight=[1e-200, 1e100, 1e-160])
    found = await page(service, **WHEN, by="country")
    assert table(found, "Every metric")["Log loss, nats"][0] == "∞"
    assert "1 of infinite loss" in words(found)


async def test_an_unknown_monitor_lists_those_there_are(service: Service) -> None:
    await service.put()
    answer = await service.client.get("/monitors/<b>", params={"range": "1h"})
    assert answer.status_code == 404
    assert "/monitors/clicks" in answer.text
    assert "<b>" not in answer.text


async def test_a_page_stays_the_same_while_nothing_comes(service: Service) -> None:
    await service.put()
    await fill(service)
    first = await service.client.get(PAGE, params=WHEN)
    headers = {"if-none-match": first.headers["etag"]}
    again = await service.client.get(PAGE, params=WHEN, headers=headers)
    assert again.status_code == 304
    await service.post("observations", y_true=[1], y_proba=[0.9], timestamp=[HERE - 60])
    fresh = await service.client.get(PAGE, params=WHEN, headers=headers)
    assert fresh.status_code == 200


async def test_a_page_reads_nothing_twice(service: Service) -> None:
    await service.put(slices=["country"])
    await fill(service, ["DE", "FR"])
    await service.put(f"{MONITOR}/reference", y_true=[1, 0], y_proba=[0.9, 0.2])
    service.inside.monitor_maintenance.refresh_recent()
    with watched() as statements:
        await page(service, **WHEN, by="country")
    read = ["attachments"] * 4 + ["counts"] + ["parts"] * 3 + ["records"]
    assert sorted(tables(statements)) == read
    assert len(set(statements)) == len(statements)


async def test_of_a_page_that_the_caller_has_no_sum_is_read(service: Service) -> None:
    await service.put(slices=["country"])
    await fill(service, ["DE", "FR"])
    await service.put(f"{MONITOR}/reference", y_true=[1, 0], y_proba=[0.9, 0.2])
    query = {**WHEN, "by": "country"}
    headers = {"if-none-match": (await service.client.get(PAGE, params=query)).headers["etag"]}
    with watched() as statements:
        again = await service.client.get(PAGE, params=query, headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    assert sorted(tables(statements)) == ["attachments"] * 2 + ["counts", "parts", "records"]
    (of_parts,) = (text for text, _ in statements if "FROM parts" in text)
    assert "max(parts.start)" in of_parts


async def test_whatever_a_page_shows_makes_another_tag(service: Service) -> None:
    await service.put(slices=["country"])
    await fill(service, ["DE", "FR"])
    seen: list[str] = []

    async def changed(**query: str) -> None:
        etag = (await service.client.get(PAGE, params={**WHEN, **query})).headers["etag"]
        assert etag not in seen
        seen.append(etag)

    await changed()
    await changed(by="country")
    await changed(colour="red")
    await service.put(checks={"log_loss": {"enabled": False}})
    await changed()
    await service.put(f"{MONITOR}/reference", y_true=[1, 0], y_proba=[0.9, 0.2])
    await changed()
    await service.put(slices=["country", "device"])
    await changed()
    service.clock.now = HERE + DAY + HOUR  # what was by the minute is now by the hour
    await changed()


@pytest.mark.parametrize("window", [1, 60, 144, 900, 1200, 3600, 4 * 3600, 86_400])
@pytest.mark.parametrize("key", RANGES)
def test_steps_are_whole_windows_and_as_many_as_can_be_seen(window: int, key: str) -> None:
    ground = Ground(window, (), NOON + 30.5)
    asked = view({"range": key}, ground)
    step, width = asked.step(ground), asked.stop - asked.start
    assert step % window == 0
    assert width / step <= MOST_STEPS
    assert width / step >= 24 or step == max(window, 3600 if key == "7d" else 0)


def test_steps_of_old_times_are_not_finer_than_what_is_kept() -> None:
    ground = Ground(60, (), NOON)
    assert View(CUSTOM, NOON - 3 * DAY, NOON - 2 * DAY).step(ground) == 3600
    assert View(CUSTOM, NOON - 50 * DAY, NOON - 40 * DAY).step(ground) == DAY
    assert View(DEFAULT, NOON - DAY, NOON).step(ground) == 1200
    assert View(CUSTOM, NOON - 3700 * DAY, NOON).step(ground) <= 366 * DAY


def test_places_within_a_wide_point_are_not_gaps() -> None:
    wide = _point(0, 3600)
    fine = _point(4500, 5400)
    course = Course.of([wide, fine], 0, 7200, 900)
    assert list(course.x) == [0, 3600, 4500, 5400, 6300]
    assert list(course.points) == [wide, None, fine, None, None]


def test_days_of_a_zone_are_drawn_where_its_clocks_have_them() -> None:
    midnight = datetime(2026, 3, 29, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    short = _point(int(midnight), int(midnight + 23 * HOUR))
    course = Course.of([short], midnight - DAY, midnight + 2 * DAY, 86_400, "Europe/Berlin")
    days = [datetime.fromtimestamp(at, UTC).isoformat() for at in course.x]
    assert days == [f"2026-03-{day}T00:00:00+00:00" for day in (28, 29, 30, 31)]
    assert list(course.points) == [None, short, None, None]
    figure = course.rows()
    assert figure.x_label == "Time (Europe/Berlin)"
    assert [row[0] for row in figure.rows()][:2] == ["2026-03-28T00:00:00", "2026-03-29T00:00:00"]
    hours = Course.of([], midnight, midnight + DAY, 3600, "Europe/Berlin")
    assert (hours.x[0], hours.x_label) == (midnight, "Time (UTC)")


def test_a_zone_is_shown_in_days_where_it_would_be_in_halves() -> None:
    ground = Ground(60, (), NOON, "Asia/Kolkata")
    assert view({"range": "30d"}, ground).step(ground) == DAY
    assert view({"range": "7d"}, ground).step(ground) == 3 * HOUR


async def test_the_page_of_a_monitor_with_a_zone_has_its_days(service: Service) -> None:
    await service.put(timezone="Asia/Kolkata", slices=["country"])
    times = [HERE - DAY * at for at in range(20)]
    rows = {"y_true": [1, 0] * 10, "y_proba": [0.5] * 20, "slice": {"country": ["IN"] * 20}}
    await service.post("observations", **rows, timestamp=times)
    page = (await service.client.get("/monitors/clicks?range=30d&by=country")).text
    assert "Time (Asia/Kolkata)" in page
    today = datetime.fromtimestamp(HERE, ZoneInfo("Asia/Kolkata")).date()
    assert f"{today}T00:00:00<" in page


def test_no_values_have_no_scale() -> None:
    assert shared([]) is None


def _point(start: int, stop: int) -> MetricPoint:
    return MetricPoint(start, stop, 1, 0.5, "finite", None, None, 1.0, mature=True)
