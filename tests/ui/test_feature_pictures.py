"""The page of a monitor lists its features, those that changed most first, with their bins."""

import re

import pytest

from kullback.ui.monitor import FEATURES_DRAWN
from tests.monitoring.service import MONITOR, Service
from tests.ui.test_monitor_page import (
    HERE,
    HOSTILE,
    HOUR,
    PAGE,
    SAME,
    WHEN,
    page,
    service,
    words,
)

pytestmark = pytest.mark.anyio

__all__ = ["service"]  # a fixture

FEATURES = {"age": "numeric", "device": "categorical"}


async def fill(service: Service, devices: list[str | None], at: float) -> None:
    n = 100
    await service.post(
        "observations",
        y_true=[0, 1] * (n // 2),
        y_proba=[0.4, 0.6] * (n // 2),
        timestamp=[at] * n,
        features={
            "device": [devices[row % len(devices)] for row in range(n)],
            "age": [40 + row % 7 for row in range(n)],
        },
    )


async def test_features_stand_in_the_table_and_as_pictures(service: Service) -> None:
    await service.put(features=FEATURES)
    rows = [HOSTILE[0], "mobile"]
    await service.put(
        f"{MONITOR}/reference",
        y_proba=[0.4, 0.6] * 200,
        features={"device": rows * 200, "age": list(range(40, 47)) * 57 + [40]},
    )
    await fill(service, [*rows, "mobile", None], HERE - HOUR)
    drift = (await service.report(**SAME))["drift"]["features"]
    shown_page = await page(service, **WHEN)
    assert list(drift) == ["device", "age"]
    text = words(shown_page)
    assert f"critical device : {drift['device']['statement']} 25% missing" in text
    assert f"ok age : {drift['age']['statement']}" in text
    assert text.index("device :") < text.index("age :")
    device, age = (shown_page.figures[f"feature-{name}-values"] for name in drift)
    assert device["xNames"] == [f"{HOSTILE[0][:23]}…", "mobile", "missing"]
    assert [each["label"] for each in device["series"]] == ["In the reference", "Share of rows"]
    assert device["series"][1]["y"] == [0.25, 0.5, 0.25]
    assert device["series"][0]["y"] == [0.5, 0.5, 0]
    assert age["xNames"][0].startswith("… to ")
    assert len(age["xNames"]) == len(drift["age"]["bins"])
    assert "<script>alert(1)</script>" not in (await service.client.get(PAGE, params=WHEN)).text


async def test_ends_of_bins_are_short_and_it_is_said_which_end_a_bin_holds(
    service: Service,
) -> None:
    await service.put(features=FEATURES)
    ages = [17.12345 + 1.0625 * row for row in range(400)]
    rows = {"y_proba": [0.4, 0.6] * 200, "features": {"age": ages}}
    await service.put(f"{MONITOR}/reference", **rows)
    await service.post("observations", y_true=[0, 1] * 200, timestamp=[HERE - HOUR] * 400, **rows)
    found = await page(service, **WHEN)
    names = " ".join(found.figures["feature-age-values"]["xNames"])
    ends = re.findall(r"[\d.]*\d", names)
    assert len(ends) > 4
    assert all(len(end.replace(".", "")) <= 4 for end in ends), ends
    assert "0.5 is in 0.4" in words(found)


async def test_of_many_features_some_are_drawn_and_all_are_in_the_table(service: Service) -> None:
    await service.put(features={f"f{at}": "numeric" for at in range(20)})
    await service.put(f"{MONITOR}/reference", y_proba=[0.4, 0.6] * 200)
    assert "No rows of this time came with f0, f1" not in words(await page(service))
    await service.post("observations", y_true=[1, 0], y_proba=[0.5, 0.5], timestamp=[HERE - 60] * 2)
    assert "No rows of this time came with f0, f1" in words(await page(service, **WHEN))
    sent = {f"f{at}": [at, None] for at in range(20)}
    await service.post(
        "observations",
        y_true=[1, 0],
        y_proba=[0.5, 0.5],
        timestamp=[HERE - 60] * 2,
        features=sent,
    )
    found = await page(service, **WHEN)
    assert "of the first 12" in words(found)
    assert sum(name.startswith("feature-") for name in found.figures) == FEATURES_DRAWN
    assert {f"of-feature-{name}" for name in sent} <= set(found.ids), "whatever their rank"
