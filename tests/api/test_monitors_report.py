"""What a monitor reports is what the scores of the same rows are, over whole windows of time."""

import math
from typing import Any

import numpy as np
import pytest

from kullback.scoring.conventions import CONVENTIONS
from kullback.tally.units import bucket_of
from tests.monitoring.service import MONITOR, NOON, Document, Service, done, refused

pytestmark = pytest.mark.anyio

METRICS = (
    *("log_loss", "normalized_entropy", "relative_information_gain", "calibration_ratio"),
    *("brier", "ece", "auc", "base_rate", "mean_prediction"),
)
DRIFT = ("kl", "js", "psi", "g_statistic", "degrees_of_freedom", "p_value")
MINUTES_OF_NOON = 40


def rows(n: int, seed: int = 1) -> Document:
    """Clicks at some rate, in the hour before noon, with weights and a country."""
    random = np.random.default_rng(seed)
    p = random.beta(2, 5, n)
    return {
        "y_true": (random.random(n) < p).astype(int).tolist(),
        "y_proba": p.tolist(),
        "sample_weight": random.choice([0.5, 1.0, 3.0], n).tolist(),
        "timestamp": (NOON - random.integers(1, 60 * MINUTES_OF_NOON, n)).tolist(),
        "slice": {"country": random.choice(["DE", "FR"], n).tolist()},
    }


def only(sent: Document, keep: Any) -> Document:  # noqa: ANN401 - a condition of any row
    """The rows that fulfil a condition on their number."""
    places = [at for at in range(len(sent["y_true"])) if keep(at)]
    return {
        name: {key: [values[key][at] for at in places] for key in values}
        if isinstance(values, dict)
        else [values[at] for at in places]
        for name, values in sent.items()
    }


async def scored(service: Service, sent: Document, convention: str = "sklearn") -> Document:
    """What the recommender score says of the same rows."""
    fields = {name: sent[name] for name in ("y_true", "y_proba", "sample_weight")}
    score = await service.post("recommender", "/v1/scores", convention=convention, **fields)
    return {"log_loss": score["value"], "error": score["standard_error"], **score["details"]}


def check(metrics: Document, score: Document) -> None:
    """What a monitor says beside what a score says."""
    for name in METRICS:
        found, expected = metrics[name], score[name]
        assert found.keys() >= {"value", "status", "reason", "standard_error"}
        if name == "auc":
            assert 0 <= found["error_bound"] < 0.01
            assert found["value"] == pytest.approx(expected, abs=found["error_bound"] + 1e-12)
        else:
            assert found["value"] == pytest.approx(expected, rel=1e-9), name
        assert (found["status"], found["reason"]) == ("finite", None)
        assert found["standard_error"] > 0
    expected = score["error"]
    assert metrics["log_loss"]["standard_error"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("convention", CONVENTIONS)
async def test_a_report_says_what_the_score_of_the_rows_says(
    service: Service, convention: str
) -> None:
    await service.put(slices=["country"], convention=convention)
    sent = rows(400)
    await service.post("observations", **sent)
    report = await service.report(by="country")
    assert list(report)[:5] == ["monitor", "from", "to", "n", "weight"]
    assert (report["monitor"], report["n"]) == ("clicks", 400)
    assert report["weight"] == pytest.approx(sum(sent["sample_weight"]))
    score = await scored(service, sent, convention)
    if convention == "torchrec":  # a score under it is in bits
        score |= {name: score[name] * math.log(2) for name in ("log_loss", "error")}
    check(report["metrics"], score)
    for group in report["groups"]:
        country = group["slice"]["country"]
        some = only(sent, lambda at, of=country: sent["slice"]["country"][at] == of)
        assert group["n"] == len(some["y_true"])
        if convention == "sklearn":
            check(group["metrics"], await scored(service, some))
    assert [group["slice"] for group in report["groups"]] == [{"country": "DE"}, {"country": "FR"}]


async def test_a_report_of_nothing_has_its_shape_and_its_reasons(service: Service) -> None:
    await service.put(slices=["country"])
    report = await service.report(by="country")
    assert report["monitor"] == "clicks"
    assert (report["from"], report["to"]) == ("2026-03-04T12:00:00Z", "2026-03-05T12:01:00Z")
    assert [report[name] for name in ("n", "weight", "clipped", "infinite", "groups")] == [
        *(0, 0.0, 0, 0),
        [],
    ]
    assert set(report["metrics"]) == set(METRICS)
    empty = {"value": None, "status": "undefined", "reason": "empty", "standard_error": None}
    assert all(found.items() >= empty.items() for found in report["metrics"].values())
    assert report["metrics"]["auc"]["error_bound"] is None
    for of in ("score", "label"):
        assert [report["drift"][of][name] for name in DRIFT] == [None] * 6


async def test_what_needs_both_classes_is_undefined_with_one(service: Service) -> None:
    await service.put()
    await service.post("observations", y_true=[0, 0], y_proba=[0.1, 0.2])
    metrics = (await service.report())["metrics"]
    reasons = {name: found["reason"] for name, found in metrics.items() if found["reason"]}
    of_both = ("normalized_entropy", "relative_information_gain", "auc")
    assert reasons == dict.fromkeys(of_both, "one_class") | {"calibration_ratio": "no_positives"}


async def test_a_multiclass_report_says_what_the_scores_say(service: Service) -> None:
    random = np.random.default_rng(5)
    proba = random.dirichlet([1, 2, 3], 300)
    y = [["a", "b", "c"][random.choice(3, p=row)] for row in proba]
    weight = random.choice([0.5, 2.0], 300).tolist()
    await service.put(task="multiclass", labels=["a", "b", "c"])
    sent = {"y_true": y, "y_proba": proba.tolist(), "sample_weight": weight}
    await service.post("observations", **sent)
    metrics = (await service.report())["metrics"]
    for name in ("calibration_ratio", "auc"):
        missing = {"value": None, "status": "undefined", "reason": "multiclass"}
        assert metrics[name].items() >= missing.items()
    labels = {"labels": ["a", "b", "c"]}
    loss = await service.post("log-loss", "/v1/scores", **sent, **labels, convention="sklearn")
    index = [labels["labels"].index(label) for label in y]
    shares = np.bincount(index, weight) / sum(weight)
    entropy = -float(shares @ np.log(shares))
    assert metrics["normalized_entropy"]["value"] == pytest.approx(loss["value"] / entropy)
    assert metrics["normalized_entropy"]["standard_error"] > 0
    gain = metrics["relative_information_gain"]["value"]
    assert gain == pytest.approx(1 - loss["value"] / entropy)
    calibration = await service.post("calibration", "/v1/scores", **(sent | {"y_true": index}))
    assert metrics["log_loss"]["value"] == pytest.approx(loss["value"], rel=1e-9)
    assert metrics["log_loss"]["standard_error"] == pytest.approx(loss["standard_error"], rel=1e-9)
    assert metrics["brier"]["value"] == pytest.approx(loss["details"]["brier"], rel=1e-9)
    assert metrics["ece"]["value"] == pytest.approx(calibration["value"], rel=1e-9)


async def test_the_error_of_rows_with_units_is_that_of_clusters(service: Service) -> None:
    random = np.random.default_rng(2)
    unit = random.integers(0, 9, 200)
    assert np.unique(bucket_of(np.arange(9))).size == 9
    y, p = random.integers(0, 2, 200), random.random(200)
    await service.put()
    await service.post("observations", y_true=y.tolist(), y_proba=p.tolist(), unit=unit.tolist())
    report = await service.report()
    loss = -np.log(np.where(y == 1, p, 1 - p))
    sums = np.bincount(unit, loss - loss.mean())
    expected = math.sqrt(9 / 8 * np.square(sums).sum()) / 200
    assert report["metrics"]["log_loss"]["standard_error"] == pytest.approx(expected, rel=1e-9)
    assert report["units"] == 9


WITHIN = (
    # from and to in minutes around noon, and as they are widened to whole minutes
    ((-2, 0), (-2, 0)),
    ((-1.5, 0), (-2, 0)),
    ((-2, -0.5), (-2, 0)),
    ((-1.01, -0.99), (-2, 0)),
    ((-1, -0.001), (-1, 0)),
    ((-0.001, 0.001), (-1, 1)),
)


@pytest.mark.parametrize(("asked", "widened"), WITHIN)
@pytest.mark.parametrize("as_text", [False, True])
async def test_the_time_asked_for_is_widened_to_whole_windows(
    service: Service, asked: tuple[float, float], widened: tuple[int, int], *, as_text: bool
) -> None:
    await service.put()
    edges = [minute * 60 + second for minute in range(-3, 2) for second in (0, 59.999)]
    times = [NOON + edge for edge in edges]
    ones = [1] * len(edges)
    await service.post("observations", y_true=ones, y_proba=ones, timestamp=times)
    start, stop = (f"2026-03-05T{_clock(minutes)}Z" for minutes in asked)
    numbers = {"from": NOON + 60 * asked[0], "to": NOON + 60 * asked[1]}
    report = await service.report(**({"from": start, "to": stop} if as_text else numbers))
    assert report["from"] == f"2026-03-05T{_clock(widened[0])[:8]}Z"
    assert report["to"] == f"2026-03-05T{_clock(widened[1])[:8]}Z"
    assert report["n"] == 2 * (widened[1] - widened[0])


def _clock(minutes: float) -> str:
    """Minutes from noon as a time of day."""
    seconds = 12 * 3600 + minutes * 60
    whole, part = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{part:03}"


@pytest.mark.parametrize(
    ("window", "first", "last"),
    [
        (60, "2026-03-04T12:00:00Z", "2026-03-05T12:01:00Z"),
        (1, "2026-03-04T12:00:30Z", "2026-03-05T12:00:31Z"),
        (3600, "2026-03-04T12:00:00Z", "2026-03-05T13:00:00Z"),
        (86_400, "2026-03-04T00:00:00Z", "2026-03-06T00:00:00Z"),
    ],
)
async def test_where_nothing_is_said_it_is_the_last_24_hours(
    service: Service, window: int, first: str, last: str
) -> None:
    await service.put(window_seconds=window)
    now = service.clock.now
    times = [now, now - 86_400 + 1, now - 3 * 86_400]
    sent = {"y_true": [1] * 3, "y_proba": [0.5] * 3, "timestamp": times}
    await service.post("observations", **sent)
    report = await service.report()
    assert (report["from"], report["to"], report["n"]) == (first, last, 2)
    assert sum(point["n"] for point in await service.points()) == 2


async def test_what_came_this_very_moment_is_in_the_report(service: Service) -> None:
    service.clock.now = NOON  # where a window begins
    await service.put()
    await service.post("observations", y_true=[1], y_proba=[0.5])
    assert (await service.report())["n"] == 1


async def test_all_of_time_may_be_asked_for(service: Service) -> None:
    await service.put()
    await service.post("observations", y_true=[1], y_proba=[0.5])
    for window in (1, 60, 86_400):
        await service.put("/v1/monitors/other", window_seconds=window)
        for path in ("/v1/monitors/other", MONITOR):
            asked: Document = {"from": 0, "to": "9999-12-31T23:59:59Z"}
            report = await service.report(path, **asked)
            assert report["n"] == (path == MONITOR)
            await service.points(path, **asked)
            late = {"from": "9999-12-31T23:59:58Z", "to": "9999-12-31T23:59:59Z"}
            assert (await service.report(path, **late))["n"] == 0
            assert (await service.report(path, to=1))["n"] == 0
    assert len(await service.points(step=366 * 86_400)) == 1


@pytest.mark.parametrize("what", ["report", "series"])
@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"from": "yesterday"}, "/from"),
        ({"from": "2026-03-05T12:00:00"}, "/from"),
        ({"from": "2026-02-30T12:00:00Z"}, "/from"),
        ({"to": "nan"}, "/to"),
        ({"to": "-1"}, "/to"),
        ({"to": "1e30"}, "/to"),
        ({"to": ""}, "/to"),
        ({"from": NOON, "to": NOON}, "/from"),
        ({"from": NOON, "to": NOON - 60}, "/from"),
        ({"from": NOON + 1e6}, "/from"),
        ({"until": NOON}, "/until"),
    ],
)
async def test_a_time_that_cannot_be_asked_for_is_named(
    service: Service, what: str, query: dict[str, str | float], place: str
) -> None:
    await service.put()
    answer = await service.client.get(f"{MONITOR}/{what}", params=query)
    assert refused(answer) == ("invalid-input", place)


@pytest.mark.parametrize(
    ("path", "query", "place"),
    [
        ("report", {"by": "city"}, "/by"),
        ("report", {"by": ""}, "/by"),
        ("report", {"metric": "ece"}, "/metric"),
        ("series", {"metric": "loss"}, "/metric"),
        ("series", {"metric": "accuracy"}, "/metric"),
        ("series", {"by": "city"}, "/by"),
        ("series", {"step": "90"}, "/step"),
        ("series", {"step": "0"}, "/step"),
        ("series", {"step": "-60"}, "/step"),
        ("series", {"step": "1" + "0" * 30}, "/step"),
        ("series", {"step": str(60 * 10**15)}, "/step"),
        ("series", {"step": "month"}, "/step"),
        ("series", {"step": "60.5"}, "/step"),
    ],
)
async def test_what_cannot_be_asked_for_is_named(
    service: Service, path: str, query: dict[str, str], place: str
) -> None:
    await service.put(slices=["country"])
    answer = await service.client.get(f"{MONITOR}/{path}", params=query)
    assert refused(answer) == ("invalid-input", place)


@pytest.mark.parametrize("metric", METRICS)
async def test_a_series_has_a_point_for_each_step_in_which_rows_came(
    service: Service, metric: str
) -> None:
    await service.put()
    sent = rows(300)
    await service.post("observations", **(sent | {"slice": None}))
    answer = done(
        await service.client.get(f"{MONITOR}/series", params={"metric": metric, "step": 600})
    )
    assert answer.keys() == {"monitor", "metric", "step", "points"}
    assert [answer[name] for name in ("monitor", "metric", "step")] == ["clicks", metric, 600]
    assert [point["from"][11:19] for point in answer["points"]] == [
        *("11:20:00", "11:30:00", "11:40:00", "11:50:00"),
    ]
    for number, point in enumerate(answer["points"]):
        start = NOON - 2400 + 600 * number
        report = await service.report(**{"from": start, "to": start + 600})
        assert (point["to"], point["n"]) == (report["to"], report["n"])
        assert point.keys() >= {"from", "to", "n", "value", "status", "standard_error"}
        shared = report["metrics"][metric].keys() - {"debiased", "expected_if_calibrated"}
        assert {key: point[key] for key in shared} == {
            key: report["metrics"][metric][key] for key in shared
        }


async def test_a_series_takes_the_window_where_no_step_is_said(service: Service) -> None:
    await service.put(window_seconds=300)
    times = [NOON - 1, NOON - 301, NOON - 3000]
    sent = {"y_true": [1, 1, 1], "y_proba": [0.5, 0.25, 0.125], "timestamp": times}
    await service.post("observations", **sent)
    answer = done(await service.client.get(f"{MONITOR}/series"))
    assert (answer["metric"], answer["step"]) == ("log_loss", 300)
    values = [point["value"] / math.log(2) for point in answer["points"]]
    assert values == pytest.approx([3, 2, 1])
    assert [point["standard_error"] for point in answer["points"]] == [None] * 3
