"""What is read of an experiment is of one version, and what was first decided stays."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kullback.documents import to_json
from kullback.experiments.plan import Plan
from kullback.experiments.queries import (
    POINTS,
    ExperimentQueries,
    ExperimentQuery,
    ExperimentSnapshot,
)
from kullback.experiments.rows import ArmRows
from kullback.experiments.writes import KIND, Experiments, StoredExperiment
from kullback.storage.base import Store
from kullback.storage.sql import open_store
from kullback.storage.writer import PLACES
from kullback.tally.merge import merge
from tests.experiments.arms import PAIRED, PARALLEL, of_arms, paired, split
from tests.storage.writes import DONE, held

NOW = 1_772_712_030.5
WORSE = paired(noise=3.0, n=2000)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path}/kullback.db"
    store = open_store(url, merge, on_fatal=pytest.fail, clock=lambda: NOW)
    yield store
    store.close()


@pytest.fixture
def experiments(store: Store) -> Experiments:
    return Experiments(store, lambda: NOW)


@pytest.fixture
def views(store: Store) -> ExperimentQueries:
    return ExperimentQueries(store, lambda: NOW)


def filled(experiments: Experiments, *batches: ArmRows, plan: Plan = PAIRED) -> None:
    experiments.put("ranker", plan, None).result(30)
    for rows in batches:
        experiments.observe("ranker", rows, None).result(30)


def stands(views: ExperimentQueries, store: Store) -> ExperimentSnapshot:
    return views.snapshot(StoredExperiment.of(store.record(KIND, "ranker"), "ranker"))


def crossings(views: ExperimentQueries) -> object:
    return views.get("ranker").first_crossing


def test_the_version_is_the_number_of_writes_with_rows(
    experiments: Experiments, views: ExperimentQueries, store: Store
) -> None:
    filled(experiments)
    assert stands(views, store).version == 0
    filled(experiments, WORSE, WORSE)
    assert stands(views, store).version == 2
    filled(experiments, split(WORSE), plan=PARALLEL)
    assert (stands(views, store).epoch, stands(views, store).version) == (2, 3)


def test_a_crossing_is_kept_of_every_arm_apart(
    experiments: Experiments, views: ExperimentQueries, store: Store
) -> None:
    scores = of_arms(WORSE)
    arms = tuple(replace(PAIRED.arms[0], name=name, share=1 / 3) for name in "abc")
    plan = replace(PAIRED, arms=arms)
    filled(experiments, replace(WORSE, y_proba={**scores, "c": scores["a"]}), plan=plan)
    assert views.keep_crossings(stands(views, store))
    (record,) = store.records(KIND)
    kept = {arm: store.attachment(record.id, f"crossing/1/{arm}") for arm in "bc"}
    words = {arm: json.loads(found or b"{}").get("verdict") for arm, found in kept.items()}
    assert words == {"b": "worse", "c": "equivalent"}
    assert store.counts(record.id)["crossings"] == 2


def test_what_was_kept_first_stays_whoever_comes_later(
    experiments: Experiments, views: ExperimentQueries, store: Store
) -> None:
    filled(experiments, WORSE)
    first = stands(views, store)
    experiments.observe("ranker", WORSE, None).result(30)
    second = stands(views, store)
    later = ExperimentQueries(store, lambda: NOW + 60)
    for look, state in ((views, first), (later, second), (later, first)):
        assert look.keep_crossings(state)
        kept = look.report("ranker", ExperimentQuery()).first_crossing
        assert kept == crossings(look)
        assert (len(kept), kept[0].version) == (1, 1)
        assert json.loads(to_json(kept[0]))["at"] == "2026-03-05T12:00:30.500000Z"


def test_what_was_kept_is_not_written_again(
    experiments: Experiments, views: ExperimentQueries, store: Store
) -> None:
    filled(experiments, WORSE)
    state = stands(views, store)
    assert views.keep_crossings(state)
    with held(store):
        for _ in range(PLACES):
            store.write(lambda _: DONE)
        assert views.keep_crossings(state)


def test_the_crossing_of_an_experiment_that_is_gone_is_not_kept(
    experiments: Experiments, views: ExperimentQueries, store: Store
) -> None:
    filled(experiments, WORSE)
    old = stands(views, store)
    experiments.delete("ranker", None).result(30)
    assert views.keep_crossings(old)
    filled(experiments)
    assert views.keep_crossings(old)
    assert crossings(views) == ()
    (record,) = store.records(KIND)
    assert store.counts(record.id) == {}
    assert store.attachment(old.record.id, "crossing/1/b") is None


def test_a_tag_changes_with_all_that_an_answer_is_made_of(
    experiments: Experiments, views: ExperimentQueries, store: Store
) -> None:
    filled(experiments)
    seen = [views.etag("ranker", ExperimentQuery())]
    experiments.observe("ranker", WORSE, None).result(30)
    seen.append(views.etag("ranker", ExperimentQuery()))
    views.keep_crossings(stands(views, store))
    seen.append(views.etag("ranker", ExperimentQuery()))
    experiments.put("ranker", PARALLEL, None).result(30)
    seen.append(views.etag("ranker", ExperimentQuery()))
    experiments.delete("ranker", None).result(30)
    filled(experiments)
    seen.append(views.etag("ranker", ExperimentQuery()))
    seen += [
        views.etag("ranker", asked)
        for asked in (ExperimentQuery(1), ExperimentQuery(by=""), ExperimentQuery(step=1))
    ]
    assert len(set(seen)) == len(seen) == 8
    assert views.etag("ranker", ExperimentQuery()) == seen[4]


def test_exactly_so_many_points_are_given(
    experiments: Experiments, views: ExperimentQueries
) -> None:
    drawn = paired(n=POINTS)
    filled(
        experiments, replace(drawn, timestamp=NOW - 3600.0 * np.arange(POINTS, dtype=np.float64))
    )
    points = views.series("ranker", ExperimentQuery(step=3600)).points
    assert len(points) == POINTS
    assert points[-1].n == POINTS
