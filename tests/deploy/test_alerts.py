"""Alerts of a real Prometheus on a real service: what fires, what stays silent, what ends."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import time

import httpx
import numpy as np
import pytest

from kullback.moments import DAY
from tests.deploy.live import Prometheus, prometheus, until
from tests.serving import serving

ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Alarm:
    """A service, and a server that fires as soon as a rule holds."""

    client: httpx.Client
    server: Prometheus

    def firing(self) -> set[tuple[str, str, str]]:
        """Which alerts fire of which monitors, and of which check."""
        found = self.server.values('ALERTS{alertstate="firing", monitor!=""}')
        return {
            (labels["alertname"], labels["monitor"], labels.get("check", "")) for labels, _ in found
        }

    def monitor(self, name: str) -> None:
        self.client.put(f"/v1/monitors/{name}", json={}).raise_for_status()

    def send(self, monitor: str, what: str, **columns: Sequence[object]) -> None:
        answer = self.client.post(f"/v1/monitors/{monitor}/{what}", json=columns)
        assert answer.status_code == 200, answer.text

    def observed(self, monitor: str, predicted: float, positives: float, age: float = 0) -> None:
        """Rows of one prediction, of which a share is positive."""
        y = (np.arange(ROWS) < positives * ROWS).astype(int).tolist()
        when = [time() - age] * ROWS
        self.send(monitor, "observations", y_true=y, y_proba=[predicted] * ROWS, timestamp=when)


@pytest.fixture(scope="module")
def alarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alarm]:
    folder = tmp_path_factory.mktemp("prometheus")
    with (
        serving() as served,
        httpx.Client(base_url=served.address, timeout=60) as client,
        prometheus([served.address], folder, is_patient=False) as server,
    ):
        yield Alarm(client, server)


def test_scores_without_a_label_are_seen_to_drift(alarm: Alarm) -> None:
    random = np.random.default_rng(4)
    for name, ids in (("unlabelled", ROWS), ("few", 100)):
        alarm.monitor(name)
        reference = random.beta(2, 8, ROWS).tolist()
        place = f"/v1/monitors/{name}/reference"
        alarm.client.put(place, json={"y_proba": reference}).raise_for_status()
        scores = random.beta(6, 3, ids).tolist()
        alarm.send(name, "predictions", id=[f"row {at}" for at in range(ids)], y_proba=scores)
    drift = ("KullbackDrift", "unlabelled", "score_drift")
    until(lambda: drift in alarm.firing(), "drift of scores fires")
    few = 'kullback_drift_psi{monitor="few", of="score"} > 0.25'
    until(lambda: bool(alarm.server.values(few)), "drift of few rows is seen")
    assert alarm.firing() == {drift}


def test_old_rows_are_no_news_and_a_monitor_that_is_gone_is_silent(alarm: Alarm) -> None:
    for name in ("backfilled", "wrong", "as-wrong"):
        alarm.monitor(name)
    alarm.observed("backfilled", 0.6, 0.1, age=29 * DAY)
    alarm.observed("backfilled", 0.25, 0.25)
    alarm.observed("wrong", 0.6, 0.1)
    alarm.observed("as-wrong", 0.6, 0.1)
    wrong = {("KullbackCalibrationOff", name, "calibration") for name in ("wrong", "as-wrong")}
    until(lambda: wrong <= alarm.firing(), "what is wrong fires")
    alarm.client.delete("/v1/monitors/wrong").raise_for_status()
    until(lambda: "wrong" not in {name for _, name, _ in alarm.firing()}, "what is gone is silent")
    assert ("KullbackCalibrationOff", "as-wrong", "calibration") in alarm.firing()
    assert alarm.server.value('monitor:kullback_examples:increase1h{monitor="wrong"}') > 0
    of_now = 'monitor:kullback_calibration:ratio_rate1h{monitor="backfilled"}'
    assert alarm.server.value(of_now) == pytest.approx(1, rel=1e-3)
    assert "backfilled" not in {name for _, name, _ in alarm.firing()}
