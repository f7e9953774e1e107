"""Reports hold numbers and reasons, never what JSON cannot say."""

import json
import math
from dataclasses import astuple

import numpy as np
import pytest

from kullback.documents import to_json
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Undefined
from kullback.tally.metrics import Bin, Estimate, TallyMetrics
from kullback.tally.report_types import (
    AucValue,
    LogLossDecomposition,
    MetricValue,
    ReliabilityBin,
    finite,
    metric_values,
    reliability_bins,
    stated,
)
from kullback.tally.tally import Layout, Tally
from tests.tally.strategies import Batch

EXACT = Layout("binary", 2, "exact")
SOME = Batch(EXACT, np.array([0.5, 0.25, 0.7]), np.array([1.0, 0.0, 0.0])).tally()
LOST = Batch(EXACT, np.array([0.0, 0.25]), np.array([1.0, 0.0])).tally()
CLASSES = Batch(Layout("multiclass", 3, "exact"), np.full((2, 3), 1 / 3), classes=np.arange(2))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.25, (0.25, "finite", None)),
        (math.inf, (None, "infinite", "positive_infinity")),
        (-math.inf, (None, "infinite", "negative_infinity")),
        (Undefined(Reason.ONE_CLASS), (None, "undefined", "one_class")),
    ],
)
def test_a_value_is_a_number_or_has_a_reason(
    value: float | Undefined, expected: tuple[float | None, str, str | None]
) -> None:
    assert stated(value) == expected
    assert finite(value) == expected[0]


def test_no_value_is_no_number() -> None:
    assert finite(None) is None


def test_a_metric_has_a_bound_only_where_bins_leave_one() -> None:
    assert json.loads(to_json(MetricValue.of(Estimate(0.5, 0.1)))) == {
        "value": 0.5,
        "status": "finite",
        "reason": None,
        "standard_error": 0.1,
    }
    assert json.loads(to_json(AucValue(None, "undefined", Reason.EMPTY, None, 0.0))) == {
        "value": None,
        "status": "undefined",
        "reason": "empty",
        "standard_error": None,
        "error_bound": 0.0,
    }
    undefined = Estimate(Undefined(Reason.EMPTY), Undefined(Reason.EMPTY), 0.0)
    assert MetricValue.of(undefined) == MetricValue(None, "undefined", Reason.EMPTY, None)


@pytest.mark.parametrize("tally", [Tally(EXACT), SOME, LOST, CLASSES.tally()])
def test_metrics_are_json_whatever_they_are_of(tally: Tally) -> None:
    metrics = TallyMetrics(tally)
    values = metric_values(metrics)
    assert list(values) == metrics.names()
    assert "error_bound" in json.loads(to_json(values["auc"]))
    assert {"debiased", "expected_if_calibrated"} <= json.loads(to_json(values["ece"])).keys()
    for name, value in values.items():
        assert value.status in {"finite", "infinite", "undefined"}, name
        assert (value.value is None) == (value.status != "finite"), name
        assert (value.reason is None) == (value.status == "finite"), name
        assert json.dumps(astuple(value), allow_nan=False)
    assert json.dumps(astuple(LogLossDecomposition.of(metrics.decomposition())), allow_nan=False)
    for each in reliability_bins(metrics.reliability(10)):
        assert json.dumps(astuple(each), allow_nan=False)


def test_the_parts_of_log_loss_make_it() -> None:
    parts = json.loads(to_json(LogLossDecomposition.of(TallyMetrics(SOME).decomposition())))
    assert list(parts) == ["miscalibration", "discrimination", "uncertainty"]
    miscalibration, discrimination, uncertainty = parts.values()
    loss = TallyMetrics(SOME).metric("log_loss").value
    assert miscalibration - discrimination + uncertainty == pytest.approx(loss, rel=1e-12)
    assert LogLossDecomposition.of(TallyMetrics(LOST).decomposition()).miscalibration is None


def test_bins_say_what_was_predicted_and_what_happened() -> None:
    empty = Undefined(Reason.EMPTY_BIN)
    bins = [Bin(0.0, 0.5, 2.0, 0.3, 0.25), Bin(0.5, 1.0, 0.0, empty, empty)]
    assert reliability_bins(bins) == (
        ReliabilityBin(low=0.0, high=0.5, weight=2.0, mean_predicted=0.3, observed=0.25),
        ReliabilityBin(low=0.5, high=1.0, weight=0.0, mean_predicted=None, observed=None),
    )
