"""A slice over time, several metrics at once, and reports of several slices or of one value."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from kullback.monitoring import window_tallies
from kullback.storage.base import Part
from kullback.tally.tally import Tally
from tests.monitoring.service import MONITOR, NOON, Document, Service, refused
from tests.statements import tables, watched

pytestmark = pytest.mark.anyio

HOUR = 3600
HOURS = 4
METRICS = {"log_loss": log_loss, "brier": brier_score_loss}


def frame(n: int = 600, seed: int = 3) -> pd.DataFrame:
    """Clicks of some hours before noon, with a country and a version of the model."""
    random = np.random.default_rng(seed)
    p = random.beta(2, 5, n)
    return pd.DataFrame(
        {
            "y_true": (random.random(n) < p).astype(int),
            "y_proba": p,
            "timestamp": NOON - random.integers(1, HOURS * HOUR, n),
            "country": random.choice(["DE", "FR", "a=b"], n),
            "version": random.choice(["1", "2"], n),
        }
    )


def sent(rows: pd.DataFrame) -> Document:
    """The rows as a batch."""
    columns = {name: rows[name].tolist() for name in ("y_true", "y_proba", "timestamp")}
    return columns | {"slice": {name: rows[name].tolist() for name in ("country", "version")}}


@pytest.fixture
async def rows(service: Service) -> pd.DataFrame:
    """Rows that the monitor holds."""
    await service.put(slices=["country", "version"])
    held = frame()
    await service.post("observations", **sent(held))
    return held


def hour_of(times: "pd.Series[float]") -> "pd.Series[float]":
    return times // HOUR * HOUR


async def test_a_series_by_slice_is_that_of_each_value_at_each_step(
    service: Service, rows: pd.DataFrame
) -> None:
    series = await service.get(
        f"{MONITOR}/series", metric="log_loss,brier", by="country,version", step=HOUR
    )
    assert list(series) == ["monitor", "metrics", "by", "step", "points"]
    assert series["metrics"] == ["log_loss", "brier"]
    assert series["by"] == ["country", "version"]
    points = pd.json_normalize(series["points"])
    assert len(points) == HOURS * (3 + 2) * 2
    for _, point in points.iterrows():
        of = "country" if isinstance(point["slice.country"], str) else "version"
        start = pd.Timestamp(point["from"]).timestamp()
        inside = (hour_of(rows["timestamp"]) == start) & (rows[of] == point[f"slice.{of}"])
        some = rows[inside]
        assert point["n"] == len(some)
        expected = METRICS[point["metric"]](some["y_true"], some["y_proba"])
        assert point["value"] == pytest.approx(expected, rel=1e-12)


async def test_several_metrics_of_all_rows_are_what_each_is_alone(
    service: Service, rows: pd.DataFrame
) -> None:
    del rows
    several = await service.get(f"{MONITOR}/series", metric="auc,ece", step=HOUR)
    for metric in ("auc", "ece"):
        alone = await service.get(f"{MONITOR}/series", metric=metric, step=HOUR)
        assert list(alone) == ["monitor", "metric", "step", "points"]
        found = [point for point in several["points"] if point["metric"] == metric]
        assert [point | {"metric": metric, "slice": {}} for point in alone["points"]] == found


async def test_a_value_is_what_its_points_by_slice_are(
    service: Service, rows: pd.DataFrame
) -> None:
    by = await service.get(f"{MONITOR}/series", by="country", step=HOUR)
    for value in rows["country"].unique():
        one = await service.get(f"{MONITOR}/series", slice=f"country={value}", step=HOUR)
        assert one["slice"] == {"country": value}
        found = [point for point in by["points"] if point["slice"] == {"country": value}]
        known = {"metric": "log_loss", "slice": {"country": value}}
        assert [point | known for point in one["points"]] == found
        assert sum(point["n"] for point in found) == (rows["country"] == value).sum()


async def test_a_report_of_one_value_is_its_group_and_of_several_slices_the_groups_of_each(
    service: Service, rows: pd.DataFrame
) -> None:
    batch = sent(rows)
    del batch["timestamp"]
    await service.put(f"{MONITOR}/reference", **batch)
    report = await service.report(by="version,country")
    values = [group["slice"] for group in report["groups"]]
    versions = [{"version": value} for value in ("1", "2")]
    assert values == versions + [{"country": value} for value in ("DE", "FR", "a=b")]
    assert list(report["drift"]["slices"]) == ["version", "country"]
    for group in report["groups"]:
        (name, value), *_ = group["slice"].items()
        one = await service.report(slice=f"{name}={value}")
        assert one["slice"] == group["slice"]
        assert one["drift"]["score"]["p_value"] > 0.9
        same = ("n", "weight", "metrics", "predictions", "drift")
        assert {key: one[key] for key in same} == {key: group[key] for key in same}


async def test_a_value_that_never_came_has_no_rows(service: Service, rows: pd.DataFrame) -> None:
    del rows
    report = await service.report(slice="country=XX")
    assert (report["n"], report["metrics"]["log_loss"]["reason"]) == (0, "empty")
    assert await service.points(slice="country=XX") == []


async def test_the_default_step_by_slice_is_an_hour_at_least(
    service: Service, rows: pd.DataFrame
) -> None:
    del rows
    assert (await service.get(f"{MONITOR}/series", by="country"))["step"] == HOUR
    assert (await service.get(f"{MONITOR}/series", slice="country=DE"))["step"] == 60


async def test_points_of_all_slices_and_metrics_count_together(
    service: Service, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    del rows
    query: dict[str, str | int] = {
        "metric": "log_loss,brier",
        "by": "country,version",
        "step": HOUR,
    }
    for most, status in ((HOURS * (3 + 2) * 2, 200), (HOURS * (3 + 2) * 2 - 1, 422)):
        monkeypatch.setattr("kullback.monitoring.selection.MAX_POINTS", most)
        answer = await service.client.get(f"{MONITOR}/series", params=query)
        assert answer.status_code == status
    assert refused(answer) == ("invalid-input", "/step")


async def test_parts_of_many_sums_are_put_together_as_they_come(
    service: Service, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    del rows
    whole = await service.report(by="country,version")
    sizes: list[int] = []
    summed = window_tallies._sum  # noqa: SLF001 - what it is given is what stands in memory

    def watching(parts: Sequence[Part]) -> Tally:
        sizes.append(len(parts))
        return summed(parts)

    monkeypatch.setattr(window_tallies, "_sum", watching)
    monkeypatch.setattr(window_tallies, "MOST_HELD", 8)
    assert await service.report(by="country,version") == whole
    assert max(sizes) < window_tallies.PARTS_HELD / 2


async def test_of_one_value_no_other_is_read(service: Service, rows: pd.DataFrame) -> None:
    del rows
    with watched() as statements:
        await service.report(slice="country=DE")
    assert tables(statements).count("parts") == 1


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"by": "city"}, "/by"),
        ({"by": "country,city"}, "/by"),
        ({"by": "country,country"}, "/by/1"),
        ({"by": "country,"}, "/by"),
        ({"slice": "country"}, "/slice"),
        ({"slice": "country="}, "/slice"),
        ({"slice": "country=a\0b"}, "/slice"),
        ({"slice": "city=DE"}, "/slice"),
        ({"slice": "country=DE", "by": "version"}, "/slice"),
    ],
)
async def test_what_no_row_is_counted_by_is_refused(
    service: Service, query: dict[str, str], place: str
) -> None:
    await service.put(slices=["country", "version"])
    for what in ("report", "series"):
        answer = await service.client.get(f"{MONITOR}/{what}", params=query)
        assert refused(answer) == ("invalid-input", place)


@pytest.mark.parametrize("metric", ["loss", "log_loss,loss", "log_loss,", "brier,brier"])
async def test_a_metric_that_no_report_has_is_refused(service: Service, metric: str) -> None:
    await service.put()
    answer = await service.client.get(f"{MONITOR}/series", params={"metric": metric})
    assert refused(answer)[1].startswith("/metric")
