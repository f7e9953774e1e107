"""What is written to an experiment is checked against the plan that it is added to."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kullback.clock import WatchedClock
from kullback.errors import Conflict, InvalidInput, NotFound
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.queries import ExperimentQueries
from kullback.experiments.rows import ArmRows
from kullback.experiments.stored import KIND, PlanDocument, plan_of
from kullback.experiments.writes import Experiments
from kullback.storage.base import IdempotencyKey, Store
from kullback.storage.sql import open_store
from kullback.tally.merge import merge
from tests.experiments.arms import PAIRED, PARALLEL
from tests.storage.writes import held

NOW = 1_772_712_030.5
ROWS = ArmRows(
    np.array([1.0, 0.0]), {"a": np.array([0.5, 0.5]), "b": np.array([0.75, 0.25])}, ["u", "v"]
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path}/kullback.db"
    store = open_store(url, merge, on_fatal=pytest.fail, clock=lambda: NOW)
    yield store
    store.close()


@pytest.fixture
def experiments(store: Store) -> Experiments:
    return Experiments(store, WatchedClock(lambda: NOW, lambda: NOW))


def put(experiments: Experiments, plan: Plan = PAIRED) -> None:
    experiments.put("ranker", plan, None, new_epoch=True).result(30)


CHANGES = (
    replace(PAIRED, convention="exact"),
    replace(PAIRED, control="b"),
    replace(PAIRED, alpha=0.1),
    replace(PAIRED, arms=(Arm("a", 0.25), Arm("b", 0.75))),
    PARALLEL,
)


@pytest.mark.parametrize("plan", CHANGES)
@pytest.mark.parametrize("has_rows", [False, True])
def test_rows_that_were_checked_by_another_plan_are_not_added(
    experiments: Experiments, store: Store, plan: Plan, *, has_rows: bool
) -> None:
    put(experiments)
    if has_rows:
        experiments.observe("ranker", ROWS, None).result(30)
    with held(store):
        changed = experiments.put("ranker", plan, None, new_epoch=True)
        late = experiments.observe("ranker", ROWS, None)
    changed.result(30)
    with pytest.raises(Conflict, match="send them again"):
        late.result(30)
    (record,) = store.records(KIND)
    assert store.counts(record.id).get("writes", 0) == has_rows
    assert PlanDocument.decoded(record.document) == PlanDocument(1 + has_rows, plan)


def test_rows_of_an_experiment_that_was_made_anew_are_not_added(
    experiments: Experiments, store: Store
) -> None:
    put(experiments)
    with held(store):
        experiments.delete("ranker", None)
        experiments.put("ranker", PAIRED, None)
        late = experiments.observe("ranker", ROWS, None)
    with pytest.raises(Conflict):
        late.result(30)
    (record,) = store.records(KIND)
    assert store.counts(record.id) == {}


def test_rows_of_an_experiment_that_is_gone_find_nothing(
    experiments: Experiments, store: Store
) -> None:
    put(experiments)
    with held(store):
        experiments.delete("ranker", None)
        late = experiments.observe("ranker", ROWS, None)
    with pytest.raises(NotFound):
        late.result(30)


def test_rows_before_the_same_plan_and_after_it_are_added(
    experiments: Experiments, store: Store
) -> None:
    put(experiments)
    with held(store):
        writes = [
            experiments.observe("ranker", ROWS, None),
            experiments.put("ranker", PAIRED, None),
            experiments.observe("ranker", ROWS, None),
        ]
    assert all(write.result(30).reply.status == 200 for write in writes)
    (record,) = store.records(KIND)
    assert store.counts(record.id) == {"writes": 2, "observations/1": 4}


def test_a_plan_that_waits_behind_rows_opens_an_epoch(
    experiments: Experiments, store: Store
) -> None:
    put(experiments)
    with held(store):
        experiments.observe("ranker", ROWS, None)
        changed = experiments.put("ranker", PARALLEL, None, new_epoch=True)
    changed.result(30)
    (record,) = store.records(KIND)
    assert PlanDocument.decoded(record.document) == PlanDocument(2, PARALLEL)
    assert store.attachment(record.id, plan_of(1)) == PAIRED.encoded()


def test_what_is_wrong_with_rows_is_raised_by_the_write_and_not_before(
    experiments: Experiments,
) -> None:
    key = IdempotencyKey("POST /", "key", b"digest")
    early = experiments.observe("ranker", ROWS, key)
    with pytest.raises(NotFound):
        early.result(30)
    put(experiments)
    first = experiments.observe("ranker", ROWS, key).result(30)
    assert experiments.observe("ranker", ROWS, key).result(30) == first._replace(replayed=True)
    put(experiments, PARALLEL)
    for either in (key, None):  # a key ends with its epoch
        with pytest.raises(InvalidInput):
            experiments.observe("ranker", ROWS, either).result(30)


def test_a_report_that_is_read_while_its_plan_changes_is_of_one_plan(
    experiments: Experiments, store: Store
) -> None:
    put(experiments)
    experiments.observe("ranker", ROWS, None).result(30)
    queries = ExperimentQueries(store, lambda: NOW)
    (stored,) = queries.present().values()
    put(experiments, replace(PARALLEL, convention="exact"))
    state = queries.of(stored).snapshot()
    assert (state.epoch, state.findings.plan) == (1, PAIRED)
    assert [tally.scalar("rows") for tally in state.findings.tallies[""].values()] == [2, 2]
    assert queries.select("ranker").report().epoch == 2
