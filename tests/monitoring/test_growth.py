"""What a monitor or an experiment remembers stays bounded, whatever the values of its slices."""

import numpy as np
import pytest

from kullback.experiments.plan import LEAST_VALUES
from kullback.monitoring.ingest import MAX_SLICE_VALUES
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.reference import Reference
from kullback.storage.slice_values import OTHER
from kullback.tally.tally import Tally
from tests.monitoring.service import MONITOR, NOON, Document, Service

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
    shown = {name: n for name, n in samples.items() if name.startswith("kullback_slice_examples")}
    assert sum(shown.values()) == report["n"]
    assert len(shown) <= MAX_SLICE_VALUES + 1


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
