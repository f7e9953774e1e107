"""A monitor's settings are complete once they are read, or refused by name."""

from typing import Any

import pytest

from kullback.errors import InvalidInput
from kullback.monitoring.monitor import Monitor
from kullback.requests.monitors import MonitorSettings
from tests.payload.batch_bodies import read
from tests.payload.bodies import as_json


def monitor(**fields: Any) -> Monitor:  # noqa: ANN401 - any JSON
    return read(MonitorSettings, as_json(fields)).monitor()


def test_what_is_not_sent_has_a_default() -> None:
    assert monitor() == Monitor(
        task="binary",
        labels=None,
        pos_label=1,
        window_seconds=60,
        retention_days=30,
        slices=(),
        convention="sklearn",
        ttl_seconds=7 * 86_400,
    )


def test_everything_may_be_sent() -> None:
    found = monitor(
        task="multiclass",
        labels=["a", "b", 3],
        window_seconds=7200,
        retention_days=3650,
        slices=["country", "_a.b-C9"],
        convention="exact",
        ttl_seconds=1,
    )
    assert found.labels == ("a", "b", 3)
    assert (found.task, found.pos_label, found.window_seconds) == ("multiclass", None, 7200)
    assert (found.retention_days, found.ttl_seconds) == (3650, 1)
    assert (found.slices, found.convention) == (("country", "_a.b-C9"), "exact")


@pytest.mark.parametrize(
    ("fields", "positive"),
    [
        ({}, 1),
        ({"pos_label": 0}, 0),
        ({"labels": ["no", "yes"]}, "yes"),
        ({"labels": ["no", "yes"], "pos_label": "no"}, "no"),
        ({"labels": [1, 0]}, 0),
    ],
)
def test_the_positive_label_is_that_of_log_loss(fields: dict[str, Any], positive: object) -> None:
    assert monitor(**fields).pos_label == positive


def test_waiting_ends_before_what_is_kept_does() -> None:
    assert monitor(retention_days=2).ttl_seconds == 2 * 86_400
    assert monitor(retention_days=2, ttl_seconds=2 * 86_400).ttl_seconds == 2 * 86_400


@pytest.mark.parametrize("seconds", [1, 7, 60, 3599, 3600, 5400, 7200, 18_000, 43_200, 86_400])
def test_windows_divide_an_hour_or_are_hours_that_divide_a_day(seconds: int) -> None:
    divides = 3600 % seconds == 0 or (seconds % 3600 == 0 and 86_400 % seconds == 0)
    if divides:
        assert monitor(window_seconds=seconds).window_seconds == seconds
    else:
        with pytest.raises(InvalidInput, match="hour"):
            monitor(window_seconds=seconds)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"task": "regression"}, "/task"),
        ({"task": "multilabel"}, "/labels"),
        ({"task": "multilabel", "labels": ["a", "b"], "pos_label": "a"}, "/pos_label"),
        ({"task": "multiclass"}, "/labels"),
        ({"task": "multiclass", "labels": ["a", "b"], "pos_label": "a"}, "/pos_label"),
        ({"labels": ["a"]}, "/labels"),
        ({"labels": ["a", "b", "c"]}, "/labels"),
        ({"labels": ["a", "a"]}, "/labels/1"),
        ({"labels": ["a", "b"], "pos_label": "c"}, "/pos_label"),
        ({"labels": ["a", True]}, "/labels/1"),
        ({"labels": ["a", 0.5]}, "/labels/1"),
        ({"labels": ["a", ""]}, "/labels/1"),
        ({"labels": ["a", "x" * 257]}, "/labels/1"),
        ({"labels": ["a", "b\n"]}, "/labels/1"),
        ({"labels": [0, 2**63]}, "/labels/1"),
        ({"task": "multiclass", "labels": [*range(1001)]}, "/labels"),
        ({"pos_label": "yes"}, "/labels"),
        ({"window_seconds": 0}, "/window_seconds"),
        ({"window_seconds": -60}, "/window_seconds"),
        ({"window_seconds": 60.0}, "/window_seconds"),
        ({"window_seconds": "60"}, "/window_seconds"),
        ({"window_seconds": 172_800}, "/window_seconds"),
        ({"retention_days": 0}, "/retention_days"),
        ({"retention_days": 3651}, "/retention_days"),
        ({"retention_days": True}, "/retention_days"),
        ({"slices": ["a", "a"]}, "/slices/1"),
        ({"slices": ["a", "1"]}, "/slices/1"),
        ({"slices": ["a", "b\n"]}, "/slices/1"),
        ({"slices": ["x" * 64]}, "/slices/0"),
        ({"slices": [f"s{i}" for i in range(21)]}, "/slices"),
        ({"convention": "other"}, "/convention"),
        ({"ttl_seconds": 0}, "/ttl_seconds"),
        ({"ttl_seconds": 30 * 86_400 + 1}, "/ttl_seconds"),
        ({"name": "x"}, "/name"),
    ],
)
def test_other_settings_are_refused_by_name(fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        monitor(**fields)
    assert refused.value.offences[0].pointer == expected
