"""Documents hold numbers and reasons, never what JSON cannot say."""

import json
import math

import numpy as np
import pytest

from kullback.numerics.types import Undefined
from kullback.tally.documents import bins, decomposition, estimate, finite, numbers, stated
from kullback.tally.metrics import Bin, Estimate, TallyMetrics
from kullback.tally.tally import Layout, Tally
from tests.tally_strategies import Batch

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
        (Undefined("one_class"), (None, "undefined", "one_class")),
    ],
)
def test_a_value_is_a_number_or_has_a_reason(
    value: float | Undefined, expected: tuple[float | None, str, str | None]
) -> None:
    assert stated(value) == expected
    assert finite(value) == expected[0]


def test_no_value_is_no_number() -> None:
    assert finite(None) is None


def test_an_estimate_has_a_bound_only_where_bins_leave_one() -> None:
    assert estimate(Estimate(0.5, 0.1)) == {
        "value": 0.5,
        "status": "finite",
        "reason": None,
        "standard_error": 0.1,
    }
    found = estimate(Estimate(Undefined("empty"), Undefined("empty"), 0.0))
    assert found == {
        "value": None,
        "status": "undefined",
        "reason": "empty",
        "standard_error": None,
        "error_bound": 0.0,
    }


@pytest.mark.parametrize("tally", [Tally(EXACT), SOME, LOST, CLASSES.tally()])
def test_a_reading_is_json_whatever_it_is_of(tally: Tally) -> None:
    reading = TallyMetrics(tally)
    document = json.loads(json.dumps(numbers(reading), allow_nan=False))
    assert document["n"] == reading.rows
    assert document["weight"] == reading.weight
    assert list(document["metrics"]) == reading.names()
    assert "error_bound" in document["metrics"]["auc"]
    for name, metric in document["metrics"].items():
        assert metric["status"] in {"finite", "infinite", "undefined"}, name
        assert (metric["value"] is None) == (metric["status"] != "finite"), name
        assert (metric["reason"] is None) == (metric["status"] == "finite"), name
    json.dumps(decomposition(reading), allow_nan=False)
    json.dumps(bins(reading.reliability(10)), allow_nan=False)


def test_the_parts_of_log_loss_make_it() -> None:
    parts = decomposition(TallyMetrics(SOME))
    assert list(parts) == ["miscalibration", "discrimination", "uncertainty"]
    miscalibration, discrimination, uncertainty = (float(str(part)) for part in parts.values())
    loss = TallyMetrics(SOME).metric("log_loss").value
    assert miscalibration - discrimination + uncertainty == pytest.approx(loss, rel=1e-12)
    assert decomposition(TallyMetrics(LOST))["miscalibration"] is None


def test_bins_say_what_was_predicted_and_what_happened() -> None:
    empty = Undefined("empty_bin")
    assert bins([Bin(0.0, 0.5, 2.0, 0.3, 0.25), Bin(0.5, 1.0, 0.0, empty, empty)]) == [
        {"low": 0.0, "high": 0.5, "weight": 2.0, "mean_predicted": 0.3, "observed": 0.25},
        {"low": 0.5, "high": 1.0, "weight": 0.0, "mean_predicted": None, "observed": None},
    ]
