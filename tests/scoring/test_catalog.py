"""The catalog says what is there."""

import json

import pytest

from kullback.scoring.catalog import METRICS
from kullback.scoring.metric import Metric

every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)


def test_names_are_paths_and_keys_are_names() -> None:
    assert list(METRICS) == [metric.name for metric in METRICS.values()]
    assert METRICS["kl-divergence"].key == "kl_divergence"


@every_metric
def test_every_entry_says_what_it_is(metric: Metric) -> None:
    words = (metric.title, metric.summary, metric.formula, metric.unit, metric.range)
    assert all(word.strip() == word and word for word in words)
    assert metric.summary.endswith(".")
    assert metric.direction in {"lower", "higher", "neither"}


@every_metric
def test_every_example_can_be_posted_as_it_is(metric: Metric) -> None:
    sent = json.loads(json.dumps(metric.example.request))
    assert sent == metric.example.request
    assert metric.example.explanation
