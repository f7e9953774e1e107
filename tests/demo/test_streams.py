"""A stream brings the same rows for the same seed, and labels after their predictions."""

from itertools import pairwise

import numpy as np
import pytest

from kullback.demo.scenarios import scenarios
from kullback.demo.streams import LabelledLater, Post, Stream

NOW = 1_700_000_000.0
HISTORY = 2


def everything(stream: Stream, ends: list[int]) -> list[Post]:
    return [post for start, stop in pairwise(ends) for post in stream.posts(start, stop)]


def intents(seed: int = 0) -> LabelledLater:
    return labelled_later("intent-multiclass", seed)


def labelled_later(name: str, seed: int = 0) -> LabelledLater:
    (stream,) = (one for one in scenarios(HISTORY, seed, NOW) if one.source.address.endswith(name))
    assert isinstance(stream, LabelledLater)
    return stream


@pytest.mark.parametrize("place", range(7))
def test_the_same_seed_brings_the_same_rows_and_another_seed_others(place: int) -> None:
    ends = [0, 1800, 3600, 3601]
    one, same, other = (
        everything(scenarios(HISTORY, seed, NOW)[place], ends) for seed in (0, 0, 1)
    )
    assert len(one) == len(same)
    for post, again in zip(one, same, strict=True):
        assert (post.path, post.rows) == (again.path, again.rows)
        for name, column in post.columns.items():
            np.testing.assert_array_equal(column, again.columns[name])  # NaN is NaN here
    assert [post.rows for post in one] != [post.rows for post in other]


def test_two_streams_have_other_random_numbers() -> None:
    (healthy, drifting, *_) = (next(one.posts(0, 600)) for one in scenarios(HISTORY, 0, NOW))
    assert healthy.columns["y_proba"][0] != drifting.columns["y_proba"][0]


def test_seconds_have_other_random_numbers() -> None:
    (healthy, *_) = scenarios(HISTORY, 0, NOW)
    assert len({healthy.count(second, second + 1) for second in range(60)}) > 3


@pytest.mark.parametrize("place", range(7))
def test_rows_are_counted_before_they_are_made(place: int) -> None:
    stream = scenarios(HISTORY, 0, NOW)[place]
    assert sum(post.rows for post in stream.posts(600, 4200)) == stream.count(600, 4200) > 0


@pytest.mark.parametrize("place", range(7))
def test_rows_lie_within_their_seconds_of_a_history_that_ends_now(place: int) -> None:
    stream = scenarios(HISTORY, 0, NOW)[place]
    end = round(stream.source.hours * 3600)
    (first, *_) = stream.posts(end - 900, end)
    times = first.columns["timestamp"].astype(np.float64)
    assert NOW - 900 <= times.min() < times.max() < NOW


def test_a_label_is_posted_once_and_after_its_prediction() -> None:
    predicted: set[int] = set()
    labelled: list[int] = []
    for post in everything(intents(), list(range(0, 7201, 300))):
        ids = [int(one) for one in post.columns["id"]]
        if post.path.endswith("/labels"):
            assert set(ids) <= predicted
            labelled += ids
        else:
            assert "y_true" not in post.columns
            assert not predicted & set(ids)
            predicted |= set(ids)
    assert len(labelled) == len(set(labelled))
    assert 0.85 < len(labelled) / len(predicted) < 0.97


def test_half_of_the_labels_take_four_minutes() -> None:
    (predictions, labels) = intents().posts(0, 3600)
    end = NOW - HISTORY * 3600 + 3600
    age = end - predictions.columns["timestamp"].astype(np.float64)
    known = np.isin(predictions.columns["id"], labels.columns["id"])
    assert known[age < 240].mean() == pytest.approx(0.28, abs=0.12)
    assert known[(age > 180) & (age < 300)].mean() == pytest.approx(0.5, abs=0.17)
    assert known[age > 1200].mean() > 0.9


def test_nearly_all_labels_come_within_the_lag_of_their_monitor_and_not_much_sooner() -> None:
    stream = intents()
    lag = stream.source.settings["label_lag"]
    assert isinstance(lag, int)
    (predictions, labels) = stream.posts(0, 7200)
    age = NOW - predictions.columns["timestamp"].astype(np.float64)
    known = np.isin(predictions.columns["id"], labels.columns["id"])
    assert known[age > lag].mean() > 0.95
    assert known[age < lag / 3].mean() < 0.95


def test_a_few_labels_never_come() -> None:
    stream = intents()
    posts = everything(stream, [0, 7200, 90_000, 90_001])
    first = set(map(int, posts[0].columns["id"]))
    labelled = {
        int(one) for post in posts if post.path.endswith("/labels") for one in post.columns["id"]
    }
    assert 0.002 < len(first - labelled) / len(first) < 0.03


def test_of_a_default_label_only_the_others_come_and_after_the_history() -> None:
    stream = labelled_later("feed-default")
    posts = everything(stream, [0, 7200, *range(7210, 9000, 10)])
    assert posts[0].path.endswith("/observations")
    later = posts[1:]
    assert {post.path.rsplit("/", 1)[1] for post in later} == {"predictions", "labels"}
    labelled = [post.columns for post in later if post.path.endswith("/labels")]
    assert {str(label) for columns in labelled for label in columns["y_true"]} == {"1"}
    predicted = sum(post.rows for post in later)
    assert 0.08 < sum(columns["id"].size for columns in labelled) / predicted < 0.25
