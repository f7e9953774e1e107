"""What Prometheus reads is well formed, complete from the start and counts what happened."""

import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress

import pytest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kullback.errors import InvalidInput
from kullback.scoring.score import Score
from kullback.telemetry.metrics import Telemetry


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry(["entropy", "log-loss"], "1.2.3")


def samples(telemetry: Telemetry) -> dict[str, float]:
    """Each sample's value by its name and labels."""
    (text, _) = telemetry.expose({})
    lines = [line for line in text.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def score(value: float, metric: str = "log_loss") -> Score:
    return Score(metric=metric, value=value, reason=None, unit="nats", n=5, weight=5.0)


def test_promtool_finds_nothing_to_complain_about(telemetry: Telemetry) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: it comes with Debian's package prometheus")
    telemetry.series("POST", "/v1/scores/{metric}").observe(200, 0.01, 2048)
    telemetry.observe(score(0.5))
    (text, _) = telemetry.expose({})
    checked = subprocess.run(  # noqa: S603 - a known program
        [promtool, "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_every_series_of_scores_stands_from_the_start(telemetry: Telemetry) -> None:
    found = samples(telemetry)
    for metric in ("entropy", "log_loss"):
        assert found[f'kullback_scores_rows_total{{metric="{metric}"}}'] == 0
        for status in ("finite", "infinite", "undefined"):
            name = f'kullback_scores_total{{metric="{metric}",status="{status}"}}'
            assert found[name] == 0


@pytest.mark.parametrize(
    ("value", "status"), [(0.5, "finite"), (math.inf, "infinite"), (math.nan, "undefined")]
)
def test_a_score_is_counted_by_what_came_out(
    value: float, status: str, telemetry: Telemetry
) -> None:
    telemetry.observe(score(value))
    found = samples(telemetry)
    assert found[f'kullback_scores_total{{metric="log_loss",status="{status}"}}'] == 1
    assert found['kullback_scores_rows_total{metric="log_loss"}'] == 5


def test_the_version_and_the_process_are_told(telemetry: Telemetry) -> None:
    found = samples(telemetry)
    assert found['kullback_build_info{version="1.2.3"}'] == 1
    assert any(name.startswith("python_info{") for name in found)
    assert found["process_resident_memory_bytes"] > 0


def test_no_series_tells_when_another_was_created(telemetry: Telemetry) -> None:
    assert not any("_created" in name for name in samples(telemetry))


def test_two_applications_count_apart() -> None:
    (one, other) = (Telemetry(["log-loss"], "1"), Telemetry(["log-loss"], "1"))
    one.observe(score(0.5))
    assert samples(other)['kullback_scores_rows_total{metric="log_loss"}'] == 0


def test_methods_that_nobody_knows_share_one_series(telemetry: Telemetry) -> None:
    for method in ("BREW", "WHEN", "post"):
        telemetry.series(method, "/livez").observe(405, 0.001, 0)
    found = samples(telemetry)
    assert found['http_requests_total{method="other",route="/livez",status="405"}'] == 3


def test_a_request_without_a_body_is_not_a_body_of_no_bytes(telemetry: Telemetry) -> None:
    telemetry.series("GET", "/livez").observe(200, 0.001, 0)
    telemetry.series("POST", "/livez").observe(200, 0.001, 10)
    assert samples(telemetry)['http_request_body_bytes_count{route="/livez"}'] == 1


def test_openmetrics_is_given_to_who_asks_for_it(telemetry: Telemetry) -> None:
    (text, media_type) = telemetry.expose({"accept": "application/openmetrics-text; version=1.0.0"})
    assert media_type.startswith("application/openmetrics-text; version=1.0.0")
    assert text.endswith(b"# EOF\n")


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "nonsense",
        "application/openmetrics-text; version=abc",
        "application/openmetrics-text; version=",
        "application/openmetrics-text; version=99.0",
        "application/openmetrics-text; version=1.0.0; escaping=none",
        "text/plain; version=1.x",
        "text/plain; version=1.0.0; escaping=\x1f",
        ";;;,,,",
    ],
)
def test_whatever_is_asked_for_there_is_an_exposition(accept: str, telemetry: Telemetry) -> None:
    (text, media_type) = telemetry.expose({"accept": accept})
    assert re.search(rb"^kullback_build_info\{", text, flags=re.MULTILINE)
    assert media_type.isprintable()


def test_what_is_shown_for_a_while_is_gone_though_the_while_ended_badly(
    telemetry: Telemetry,
) -> None:
    class Passing(Collector):
        def collect(self) -> Iterator[Metric]:
            yield GaugeMetricFamily("passing", "For a while.", 1.0)

    for _ in range(2):  # as often as there is a while
        with suppress(InvalidInput), telemetry.showing(Passing()):
            assert samples(telemetry)["passing"] == 1.0
            raise InvalidInput("no")
        assert "passing" not in samples(telemetry)
