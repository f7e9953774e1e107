"""What is read of an experiment is of one version, and what was first decided stays."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kullback.clock import WatchedClock
from kullback.documents import to_json
from kullback.errors import InvalidInput
from kullback.experiments.crossings import ExperimentSnapshot
from kullback.experiments.plan import Plan
from kullback.experiments.queries import ExperimentQueries
from kullback.experiments.rows import ArmRows
from kullback.experiments.selection import POINTS, ExperimentQuery
from kullback.experiments.stored import KIND, StoredExperiment
from kullback.experiments.writes import Experiments
from kullback.storage.base import Store
from kullback.storage.sql import open_store
from kullback.storage.writer import PLACES
from kullback.tally.merge import merge
from kullback.timezones import Timestamps
from tests.experiments.arms import PAIRED, PARALLEL, of_arms, paired, split
from tests.statements import tables, watched
from tests.storage.writes import DONE, do, held

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
    return Experiments(store, WatchedClock(lambda: NOW, lambda: NOW))


@pytest.fixture
def queries(store: Store) -> ExperimentQueries:
    return ExperimentQueries(store, lambda: NOW)


def filled(experiments: Experiments, *batches: ArmRows, plan: Plan = PAIRED) -> None:
    experiments.put("ranker", plan, None, new_epoch=True).result(30)
    for rows in batches:
        experiments.observe("ranker", rows, None).result(30)


def stands(queries: ExperimentQueries, store: Store) -> ExperimentSnapshot:
    return queries.of(StoredExperiment.of(store.record(KIND, "ranker"), "ranker")).snapshot()


def crossings(queries: ExperimentQueries) -> object:
    return queries.select("ranker").details().first_crossing


def test_the_version_is_the_number_of_writes_with_rows(
    experiments: Experiments, queries: ExperimentQueries, store: Store
) -> None:
    filled(experiments)
    assert stands(queries, store).version == 0
    filled(experiments, WORSE, WORSE)
    assert stands(queries, store).version == 2
    filled(experiments, split(WORSE), plan=PARALLEL)
    assert (stands(queries, store).epoch, stands(queries, store).version) == (2, 3)


def test_a_crossing_is_kept_of_every_arm_apart(
    experiments: Experiments, queries: ExperimentQueries, store: Store
) -> None:
    scores = of_arms(WORSE)
    arms = tuple(replace(PAIRED.arms[0], name=name, share=1 / 3) for name in "abc")
    plan = replace(PAIRED, arms=arms)
    filled(experiments, replace(WORSE, y_proba={**scores, "c": scores["a"]}), plan=plan)
    assert queries.keep_crossings(stands(queries, store))
    (record,) = store.records(KIND)
    kept = {arm: store.attachment(record.id, f"crossing/1/{arm}") for arm in "bc"}
    words = {arm: json.loads(found or b"{}").get("verdict") for arm, found in kept.items()}
    assert words == {"b": "worse", "c": "equivalent"}
    assert store.counts(record.id)["crossings"] == 5, "and each of both questions that is answered"


def test_what_was_kept_first_stays_whoever_comes_later(
    experiments: Experiments, queries: ExperimentQueries, store: Store
) -> None:
    filled(experiments, WORSE)
    first = stands(queries, store)
    experiments.observe("ranker", WORSE, None).result(30)
    second = stands(queries, store)
    later = ExperimentQueries(store, lambda: NOW + 60)
    for look, state in ((queries, first), (later, second), (later, first)):
        assert look.keep_crossings(state)
        kept = look.select("ranker").report().first_crossing
        assert kept == crossings(look)
        assert (len(kept), kept[0].version) == (1, 1)
        assert json.loads(to_json(kept[0]))["at"] == "2026-03-05T12:00:30.500000Z"


def test_what_was_kept_is_not_written_again(
    experiments: Experiments, queries: ExperimentQueries, store: Store
) -> None:
    filled(experiments, WORSE)
    state = stands(queries, store)
    assert queries.keep_crossings(state)
    with held(store):
        for _ in range(PLACES):
            store.write(lambda _: DONE)
        assert queries.keep_crossings(state)


def test_the_crossing_of_an_experiment_that_is_gone_is_not_kept(
    experiments: Experiments, queries: ExperimentQueries, store: Store
) -> None:
    filled(experiments, WORSE)
    old = stands(queries, store)
    experiments.delete("ranker", None).result(30)
    assert queries.keep_crossings(old)
    filled(experiments)
    assert queries.keep_crossings(old)
    assert crossings(queries) == ()
    (record,) = store.records(KIND)
    assert store.counts(record.id) == {}
    assert store.attachment(old.record.id, "crossing/1/b") is None


def test_a_tag_changes_with_all_that_an_answer_is_made_of(
    experiments: Experiments, queries: ExperimentQueries, store: Store
) -> None:
    filled(experiments)
    seen = [queries.select("ranker").etag]
    experiments.observe("ranker", WORSE, None).result(30)
    seen.append(queries.select("ranker").etag)
    queries.keep_crossings(stands(queries, store))
    seen.append(queries.select("ranker").etag)
    experiments.put("ranker", PARALLEL, None, new_epoch=True).result(30)
    seen.append(queries.select("ranker").etag)
    experiments.delete("ranker", None).result(30)
    filled(experiments)
    seen.append(queries.select("ranker").etag)
    seen += [
        queries.select("ranker", query).etag
        for query in (ExperimentQuery(1), ExperimentQuery(by=""), ExperimentQuery(step=1))
    ]
    assert len(set(seen)) == len(seen) == 8
    assert queries.select("ranker").etag == seen[4]


def test_exactly_so_many_points_are_given(
    experiments: Experiments, queries: ExperimentQueries
) -> None:
    drawn = paired(n=POINTS)
    filled(
        experiments,
        replace(drawn, timestamp=Timestamps(NOW - 3600.0 * np.arange(POINTS, dtype=np.float64))),
    )
    points = queries.select("ranker", ExperimentQuery(step=3600)).series().points
    assert len(points) == POINTS
    assert points[-1].n == POINTS


def test_a_crossing_that_an_older_release_kept_is_read(
    experiments: Experiments, queries: ExperimentQueries, store: Store
) -> None:
    filled(experiments)
    (record,) = store.records(KIND)
    kept = {"version": 7, "at": "2026-03-05T12:00:30.500000Z", "arm": "b", "verdict": "better"}
    kept |= {"effect": -0.25, "standard_error": 0.01, "sequence": [-0.4, -0.1], "e_value": 1e308}
    kept |= {"log_e_value": None}
    do(store, lambda tx: tx.attach(record.id, "crossing/1/b", json.dumps(kept).encode()))
    (crossing,) = queries.select("ranker").details().first_crossing
    assert json.loads(to_json(crossing)) == kept
    assert list(json.loads(to_json(crossing))) == list(kept)


def test_what_is_read_for_one_answer_serves_the_next(
    experiments: Experiments, queries: ExperimentQueries
) -> None:
    filled(experiments, WORSE)
    selection = queries.select("ranker")
    report = selection.report()
    with watched() as statements:
        points = selection.series(3600).points + selection.series(7200, "b").points
    assert statements == []
    assert {point.effect for point in points} == {report.comparisons[0].effect}


def test_steps_that_are_too_many_are_refused_before_sums_are_read(
    experiments: Experiments, queries: ExperimentQueries
) -> None:
    times = NOW - 3600.0 * np.arange(POINTS + 1, dtype=np.float64)
    filled(experiments, replace(paired(n=POINTS + 1), timestamp=Timestamps(times)))
    with watched() as statements, pytest.raises(InvalidInput, match="501 points"):
        queries.select("ranker", ExperimentQuery(step=3600)).series()
    assert tables(statements) == ["records", "parts"]
    assert not any("content" in text for text, _ in statements[1:])
