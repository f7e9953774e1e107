"""Rows that go in parts: what their answers add up to, and what counts once."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback_client import BodyTooLarge, Client, Conflict, FieldError, InvalidInput, Monitor
from tests.client.conftest import Caller
from tests.serving import serving

NOW = pd.Timestamp.now("UTC").floor("min") - pd.Timedelta(hours=1)


def test_parts_add_up_and_say_how_far_they_are(caller: Caller, unused: Callable[[], str]) -> None:
    monitor = caller.get(caller.client.monitor(unused()).ensure())
    steps: list[tuple[int, int]] = []
    answer = caller.get(
        monitor.predictions(
            id=range(25),
            y_proba=[0.5] * 25,
            chunk_size=10,
            progress=lambda done, rows: steps.append((done, rows)),
        )
    )
    assert (answer.accepted, answer.pending, answer.rejected) == (25, 25, 0)
    assert steps == [(10, 25), (20, 25), (25, 25)]


def test_places_are_those_of_all_rows(monitor: Monitor) -> None:
    labels = [0] * 17 + [7] + [0] * 7
    with pytest.raises(InvalidInput) as raised:
        monitor.labels(id=range(25), y_true=labels, chunk_size=10)
    assert raised.value.row == 17
    assert raised.value.errors[0].pointer == "/y_true/17"
    assert raised.value.__notes__ == ["The 10 rows before these were taken."]
    assert monitor.details().counts.labels == 10
    kept = monitor.labels(id=range(25), y_true=labels, chunk_size=10, on_invalid="drop")
    (rejection,) = kept.rejections
    assert (kept.rejected, kept.accepted, rejection.pointer) == (1, 14, "/y_true/17")
    assert kept.duplicates == 10


def test_of_all_places_the_first_twenty_are_kept(monitor: Monitor) -> None:
    kept = monitor.labels(id=range(50), y_true=[7] * 50, chunk_size=15, on_invalid="drop")
    assert kept.rejected == 50
    assert [place.pointer for place in kept.rejections] == [f"/y_true/{n}" for n in range(20)]


@pytest.mark.parametrize(
    "identity", [{"id": np.arange(30)}, {"timestamp": [NOW.timestamp()] * 30}], ids=["id", "time"]
)
def test_a_job_that_runs_twice_counts_once(identity: dict[str, object], monitor: Monitor) -> None:
    frame = pd.DataFrame({"y_true": [0, 1] * 15, "y_proba": [0.5, 0.25] * 15, **identity})
    first = monitor.observations(frame, chunk_size=7)
    assert monitor.observations(frame, chunk_size=7) == first
    assert first.accepted == 30
    assert monitor.report().n == 30
    assert monitor.details().counts.duplicates == 0


def test_rows_that_are_alike_are_two_rows(monitor: Monitor) -> None:
    for _ in range(2):
        monitor.observations(y_true=[1] * 4, y_proba=[0.5] * 4, chunk_size=2)
    assert monitor.report().n == 8
    same: dict[str, Any] = {"y_true": [1] * 4, "y_proba": [0.5] * 4, "timestamp": [NOW] * 4}
    monitor.observations(**same, chunk_size=2)
    assert monitor.report().n == 12


def test_rows_may_be_named_where_they_come_from(monitor: Monitor) -> None:
    for _ in range(2):
        monitor.observations(
            y_true=[1] * 4, y_proba=[0.5] * 4, chunk_size=2, idempotency_key="job-7"
        )
    assert monitor.report().n == 4
    with pytest.raises(InvalidInput, match="came before, with another request"):
        monitor.observations(
            y_true=[0] * 4, y_proba=[0.5] * 4, chunk_size=2, idempotency_key="job-7"
        )


def test_a_label_may_be_corrected_back(monitor: Monitor) -> None:
    monitor.predictions(id=["a"], y_proba=[0.5])
    monitor.labels(id=["a"], y_true=[1])
    for y_true in (0, 1, 0):
        answer = monitor.labels(id=["a"], y_true=[y_true], on_duplicate="correct")
        assert answer.corrected == 1
    assert monitor.report().metrics["base_rate"].value == 0


def test_rows_of_experiments_count_once_by_time_or_by_name(
    caller: Caller, unused: Callable[[], str]
) -> None:
    trial = caller.get(caller.client.experiment(unused()).ensure(arms=["old", "new"]))
    rows = {"y_true": [1, 0], "y_proba": [0.5, 0.25], "arm": ["old", "new"], "unit": ["a", "b"]}
    for _ in range(2):
        caller.get(trial.observe(rows, timestamp=[NOW, NOW], **{name: name for name in rows}))
        caller.get(trial.observe(**rows, idempotency_key="batch"))
    assert caller.get(trial.details()).observations == {"1": 4}
    caller.get(trial.observe(**rows))
    caller.get(trial.observe(**rows))
    assert caller.get(trial.details()).observations == {"1": 8}


def test_a_part_that_touches_too_many_windows_is_halved(monitor: Monitor) -> None:
    rows = 12_000  # of a minute each, all of one country
    times = NOW.timestamp() - 60.0 * np.arange(rows) % 72_000
    frame = pd.DataFrame({"y_true": 1, "y_proba": 0.5, "timestamp": times})
    frame["slice.country"] = [f"c{n % 11}" for n in range(rows)]
    answer = monitor.observations(frame, chunk_size=rows)
    assert answer.accepted == rows
    assert monitor.report(last="48h").n == rows
    again = monitor.observations(frame, chunk_size=rows)
    assert again == answer
    assert monitor.report(last="48h").n == rows


def test_a_part_that_is_too_large_is_halved() -> None:
    rows = 40_000
    with serving(KULLBACK_MAX_BODY_MB="1") as served, Client(served.address) as kb:
        monitor = kb.monitor("m").ensure()
        ids = [f"{n:0100}" for n in range(rows)]
        assert monitor.predictions(id=ids, y_proba=np.full(rows, 0.5)).accepted == rows
        assert monitor.details().counts.predictions == rows
        with pytest.raises(BodyTooLarge):
            kb.score("entropy", p=np.full(400_000, 0.5))


def test_columns_that_do_not_fit_are_not_sent_in_parts(monitor: Monitor) -> None:
    with pytest.raises(ValueError, match="columns have unequal lengths: id 3, y_proba 2"):
        monitor.predictions(id=[1, 2, 3], y_proba=[0.5, 0.5], chunk_size=2)
    with pytest.raises(InvalidInput, match="id: 3 rows where y_proba has 2"):
        monitor.predictions(id=[1, 2, 3], y_proba=[0.5, 0.5])
    with pytest.raises(InvalidInput, match="y_proba has 20000"):  # so many that Arrow is tried
        monitor.predictions(id=np.arange(30_000), y_proba=np.full(20_000, 0.5))
    with pytest.raises(ValueError, match="chunk_size is -1: it is at least 1"):
        monitor.predictions(id=[1], y_proba=[0.5], chunk_size=-1)
    assert monitor.details().counts.predictions == 0


def test_no_rows_are_sent_as_such(monitor: Monitor) -> None:
    assert monitor.predictions(id=[], y_proba=[]).accepted == 0


def test_what_was_removed_is_sent_again_under_another_name(monitor: Monitor) -> None:
    rows: dict[str, Any] = {"y_true": [1], "y_proba": [0.5], "timestamp": [NOW.timestamp()]}
    monitor.observations(**rows)
    removed = monitor.remove_windows(NOW.to_pydatetime(), "2100-01-01T00:00:00Z")
    assert removed.removed == 1
    monitor.observations(**rows, idempotency_key="again")
    assert monitor.report().n == 1


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(["/y/{}", "/{}/y", "/y/{}/2"]))
def test_a_place_moves_by_the_rows_before_it(row: int, before: int, form: str) -> None:
    moved = FieldError(form.format(row), "wrong").below(before)
    assert moved == FieldError(form.format(row + before), "wrong")
    assert moved.row == row + before


def test_a_place_without_a_row_stays() -> None:
    place = FieldError("/slices", "wrong")
    assert (place.below(7), place.row) == (place, None)


def test_a_change_that_would_forget_is_a_conflict(monitor: Monitor) -> None:
    monitor.observations(y_true=[1], y_proba=[0.5])
    with pytest.raises(Conflict):
        monitor.put(task="multiclass", labels=["a", "b", "c"])
    changed = monitor.put(forget=True, task="multiclass", labels=["a", "b", "c"])
    assert changed.forgotten is not None
    assert changed.forgotten.rows == 1
