"""What a monitor or an experiment remembers stays bounded, whatever the values of its slices."""

import numpy as np
import pytest

from kullback.experiments.plan import LEAST_VALUES
from kullback.monitoring.ingest import MAX_SLICE_VALUES
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.reference import Reference
from kullback.monitoring.window_tallies import MAX_POINTS, PARTS_HELD
from kullback.storage.slice_values import OTHER
from kullback.tally.tally import Tally, decoded_total
from kullback.telemetry.monitor_collector import MAX_SLICE_SERIES
from tests.monitoring.service import MONITOR, NOON, Document, Service, refused

pytestmark = pytest.mark.anyio

DAY = 86_400
MORE = 30
EXPERIMENT = "/v1/experiments/ranker"


def rows(values: list[str], **more: object) -> Document:
    n = len(values)
    return {"y_true": [1, 0] * (n // 2), "y_proba": [0.75] * n, "slice": {"user": values}} | more


def users(first: int, count: int) -> list[str]:
    """As many values, of two rows each."""
    return [f"user-{first + row // 2:020}" for row in range(2 * count)]


def by_value(report: Document, name: str = "user") -> dict[str, Document]:
    return {group["slice"][name]: group for group in report["groups"]}


async def test_values_beyond_the_cap_count_as_one(service: Service) -> None:
    await service.put(slices=["user"])
    half = MAX_SLICE_VALUES // 2
    await service.post("observations", **rows(users(0, half)))
    await service.post("observations", **rows(users(half, half + MORE)))
    await service.post("observations", **rows([*users(0, 1), *users(10**6, 1), OTHER, OTHER]))
    report = await service.report(by="user")
    groups = by_value(report)
    assert len(groups) == MAX_SLICE_VALUES + 1
    assert groups[OTHER]["n"] == 2 * (MORE + 2)
    assert groups[users(0, 1)[0]]["n"] == 4
    assert sum(group["n"] for group in groups.values()) == report["n"]
    samples = await service.samples()
    name = 'kullback_slice_examples_total{monitor="clicks",slice="user=%s"}'
    shown = {value: samples[name % value] for value in groups if name % value in samples}
    assert {value: groups[value]["n"] for value in shown} == shown
    assert OTHER in shown
    assert MAX_SLICE_SERIES // 10 < len(shown) <= MAX_SLICE_SERIES


async def test_predictions_and_labels_lie_in_the_same_values(service: Service) -> None:
    await service.put(slices=["user"])
    values = users(0, MAX_SLICE_VALUES + MORE)
    ids = list(range(len(values)))
    sent = rows(values, id=ids)
    y = sent.pop("y_true")
    await service.post("predictions", **sent)
    await service.post("labels", id=ids, y_true=y)
    groups = by_value(await service.report(by="user"))
    assert len(groups) == MAX_SLICE_VALUES + 1
    assert groups[OTHER]["predictions"] == groups[OTHER]["n"] == 2 * MORE


async def test_a_value_that_is_no_longer_kept_gives_its_place_away(service: Service) -> None:
    await service.put(slices=["user"], retention_days=2)
    for _ in range(3):
        await service.post("observations", **rows(users(0, MAX_SLICE_VALUES)))
        service.clock.now += DAY
    service.clock.now += DAY
    await service.post("observations", **rows(users(10**6, 1)))
    assert OTHER in by_value(await service.report(by="user"))
    service.clock.now += 2 * DAY
    service.tidy()
    await service.post("observations", **rows(users(2 * 10**6, 1)))
    assert [*by_value(await service.report(by="user"))] == users(2 * 10**6, 1)[:1]


async def test_a_reference_of_many_values_keeps_the_largest(service: Service) -> None:
    await service.put(slices=["user"])
    large = ["large"] * 10
    await service.put(f"{MONITOR}/reference", **rows([*users(0, MAX_SLICE_VALUES + MORE), *large]))
    await service.post("observations", **rows(["large", "large"]))
    groups = by_value(await service.report(by="user"))
    assert groups["large"]["drift"]["score"]["reason"] is None
    (record,) = service.store.records("monitor")
    content = service.store.attachment(record.id, "reference")
    assert content is not None
    assert len(Reference.decoded(content).scored) == MAX_SLICE_VALUES + 2  # all, "(other)"


def test_of_a_reference_that_is_decoded_which_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    tally = Tally(Monitor().layout)
    slices = {"": tally} | {f"user={n}": tally for n in range(100)}
    reference = Reference("batch", NOON, None, slices, slices)
    decoded: list[bytes] = []

    def decode(content: bytes) -> Tally:
        decoded.append(content)
        return tally

    content = reference.encoded()
    assert Reference.decoded(content) == reference
    monkeypatch.setattr(Tally, "decoded", decode)
    assert Reference.decoded(content).scored[""] == tally
    assert len(decoded) == 1


async def test_segments_of_an_experiment_are_bounded(service: Service) -> None:
    names = [f"slice{number}" for number in range(20)]
    arms = [f"arm{number}" for number in range(20)]
    plan: Document = {"arms": arms, "design": "parallel", "slices": names}
    await service.put(EXPERIMENT, **plan)
    n = 2 * (LEAST_VALUES + 5)
    fields = rows(users(0, n // 2), arm=[arms[row % 2] for row in range(n)], unit=[*range(n)])
    values = fields["slice"]["user"]
    await service.post(
        "observations", EXPERIMENT, **fields | {"slice": dict.fromkeys(names, values)}
    )
    report = await service.get(f"{EXPERIMENT}/report", by=names[0])
    groups = by_value(report, names[0])
    assert len(groups) == LEAST_VALUES + 1
    assert sum(arm["n"] for arm in groups[OTHER]["arms"]) == 2 * 5
    whole = np.sum([arm["n"] for arm in report["arms"]])
    assert whole == sum(arm["n"] for group in groups.values() for arm in group["arms"])


async def test_a_series_has_so_many_points(service: Service) -> None:
    await service.put(window_seconds=1)
    n = MAX_POINTS + 4
    times = [service.clock.now - at for at in range(n)]
    for some in range(0, n, n // 2):
        part = times[some : some + n // 2]
        sent: Document = {"y_true": [1, 0] * (len(part) // 2), "y_proba": [0.5] * len(part)}
        await service.post("observations", **sent, timestamp=part)
    whole = await service.get(f"{MONITOR}/series")
    assert whole["step"] == 18
    assert sum(point["n"] for point in whole["points"]) == n
    answer = await service.client.get(f"{MONITOR}/series?step=1")
    assert refused(answer) == ("invalid-input", "/step")
    assert len(await service.points(step=1, **{"from": NOON - 3600})) == 3600 + 31


async def test_a_long_time_is_summed_a_few_parts_at_a_time(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.put(slices=["user"], window_seconds=1)
    for batch in range(3):
        times = [service.clock.now - at - batch for at in range(200)]
        await service.post("observations", **rows(users(0, 1) * 100, timestamp=times))
    held: list[int] = []

    def count(contents: list[bytes]) -> Tally:
        held.append(len(contents))
        return decoded_total(contents)

    monkeypatch.setattr("kullback.monitoring.window_tallies.decoded_total", count)
    report = await service.report(by="user")
    assert (report["n"], report["groups"][0]["n"]) == (600, 600)
    assert max(held) <= PARTS_HELD
    assert sum(held) > 1000
