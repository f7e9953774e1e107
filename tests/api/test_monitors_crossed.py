"""Crossed slices: rows are counted by the values of several slices together."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from tests.api.test_monitors_slices import frame
from tests.monitoring.service import MONITOR, NOON, Document, Service, refused

pytestmark = pytest.mark.anyio

HOUR = 3600
CROSSED = "country×version"


def sent(rows: pd.DataFrame) -> Document:
    columns = {name: rows[name].tolist() for name in ("y_true", "y_proba", "timestamp")}
    return columns | {"slice": {name: rows[name].tolist() for name in ("country", "version")}}


@pytest.fixture
async def rows(service: Service) -> pd.DataFrame:
    """Rows that the monitor holds by country, and by country and version together."""
    setup = await service.put(slices=["country", "country*version"])
    assert setup["slices"] == ["country", CROSSED]
    held = frame()
    held["country"] = held["country"].replace("a=b", "a×b")
    await service.post("observations", **sent(held))
    return held


async def test_a_crossed_slice_has_the_rows_of_each_pair(
    service: Service, rows: pd.DataFrame
) -> None:
    report = await service.report(by="version*country")
    assert [group["slice"] for group in report["groups"]] == [
        {"country": country, "version": version}
        for country, version in product(("DE", "FR", "a×b"), ("1", "2"))
    ]
    for group in report["groups"]:
        values = group["slice"]
        some = rows[(rows["country"] == values["country"]) & (rows["version"] == values["version"])]
        assert group["n"] == group["predictions"] == len(some)
        expected = log_loss(some["y_true"], some["y_proba"])
        assert group["metrics"]["log_loss"]["value"] == pytest.approx(expected, rel=1e-12)


async def test_a_slice_within_a_value_of_another_is_that_of_their_pairs(
    service: Service, rows: pd.DataFrame
) -> None:
    await service.put(f"{MONITOR}/reference", **{"from": NOON - 4 * HOUR, "to": NOON})
    del rows
    whole = await service.report(by=CROSSED)
    some = await service.report(by="version", slice="country=a×b")
    assert some["slice"] == {"country": "a×b"}
    groups = [group for group in whole["groups"] if group["slice"]["country"] == "a×b"]
    assert some["groups"] == groups
    assert len(groups) == 2
    assert some["n"] == sum(group["n"] for group in groups)
    assert some["drift"]["slices"][CROSSED]["p_value"] == 1.0
    one = await service.report(slice="version×country=2×a\\×b")
    assert one["slice"] == {"country": "a×b", "version": "2"}
    assert (one["n"], one["metrics"]) == (groups[1]["n"], groups[1]["metrics"])
    series = await service.get(f"{MONITOR}/series", by="version", slice="country=DE", step=HOUR)
    assert {point["slice"]["country"] for point in series["points"]} == {"DE"}
    assert (series["by"], series["slice"]) == ([CROSSED], {"country": "DE"})


async def test_late_labels_count_in_the_pair_of_their_prediction(service: Service) -> None:
    await service.put(slices=["a×b×c"])
    slices = {"a": ["1", "1"], "c": ["3", "4"]}
    await service.post("predictions", id=["x", "y"], y_proba=[0.5, 0.5], slice=slices)
    await service.post("labels", id=["y"], y_true=[1])
    groups = (await service.report(by="a×b×c"))["groups"]
    values = [{"a": "1", "b": "(none)", "c": c} for c in "34"]
    assert [group["slice"] for group in groups] == values
    assert [(group["n"], group["predictions"]) for group in groups] == [(0, 1), (1, 1)]


async def test_pairs_that_differ_are_never_one(service: Service) -> None:
    await service.put(slices=["a×b"])
    pairs = [("x×y", "z"), ("x", "y×z"), ("x\\", "y"), ("x", "\\y"), ("(other)", "(other)")]
    first, second = zip(*pairs, strict=True)
    rows: Document = {"y_true": [1] * 5, "y_proba": [0.5] * 5}
    await service.post("observations", **rows, slice={"a": first, "b": second})
    groups = (await service.report(by="a×b"))["groups"]
    found = {(group["slice"]["a"], group["slice"]["b"]): group["n"] for group in groups}
    assert found == dict.fromkeys(pairs, 1)
    samples = await service.samples(monitor="clicks")
    assert any("a×b=" in name for name in samples)


async def test_a_pair_has_columns_of_its_own_in_a_table(
    service: Service, rows: pd.DataFrame
) -> None:
    del rows
    answer = await service.client.get(f"{MONITOR}/report", params={"by": CROSSED, "format": "csv"})
    head, first, second, *_ = answer.text.splitlines()
    at = head.split(",").index("slice.country")
    assert head.split(",")[at : at + 2] == ["slice.country", "slice.version"]
    assert first.split(",")[at : at + 2] == ["", ""]
    assert second.split(",")[at : at + 2] == ["DE", "1"]


async def test_the_page_of_a_monitor_is_by_crossed_slices_too(
    service: Service, rows: pd.DataFrame
) -> None:
    del rows
    page = await service.client.get("/monitors/clicks", params={"by": CROSSED})
    assert page.status_code == 200
    assert "DE×1" in page.text
    assert "No rows of this time" not in page.text


async def test_the_longest_values_are_kept(service: Service) -> None:
    await service.put(slices=["a×b"])
    random = np.random.default_rng(1)
    letters = [chr(0x10000 + at) for at in random.choice(60_000, 511, replace=False)]
    values = {"a": ["".join(letters[:255])], "b": ["".join(letters[255:])]}
    await service.post("observations", y_true=[1], y_proba=[0.5], slice=values)
    (group,) = (await service.report(by="a×b"))["groups"]
    assert group["slice"] == {"a": values["a"][0], "b": values["b"][0]}


@pytest.mark.parametrize(
    ("slices", "place"),
    [
        (["a×b", "b*a"], "/slices/1"),
        (["a×a"], "/slices/0"),
        (["a", "a×b×c×d×e"], "/slices/1"),
        (["a×"], "/slices/0"),
        (["a b"], "/slices/0"),
        ([f"{a}×{b}" for a, b in zip("abcdefghijk", "ABCDEFGHIJK", strict=True)], "/slices"),
    ],
)
async def test_slices_that_cannot_be_crossed_are_refused(
    service: Service, slices: list[str], place: str
) -> None:
    answer = await service.client.put(MONITOR, json={"slices": slices})
    assert refused(answer) == ("invalid-input", place)


@pytest.mark.parametrize(
    "query",
    [
        {"by": "version"},
        {"by": "country×city"},
        {"slice": "version=1"},
        {"slice": f"{CROSSED}=DE"},
        {"slice": f"{CROSSED}=DE×1×2"},
        {"slice": "country=DE", "by": "city"},
    ],
)
async def test_what_rows_are_not_counted_by_is_refused(
    service: Service, query: dict[str, str]
) -> None:
    await service.put(slices=["country", CROSSED])
    for what in ("report", "series"):
        answer = await service.client.get(f"{MONITOR}/{what}", params=query)
        assert refused(answer)[0] == "invalid-input"
