"""The made-up worlds are what the demonstration says of them, whatever the seed."""

import numpy as np
import pytest

from kullback.demo.arrivals import arrivals
from kullback.demo.clicks import CAMPAIGN, Clicks
from kullback.demo.columns import Columns, Numbers
from kullback.demo.fraud import LOST, Fraud
from kullback.demo.intents import INTENTS, Intents
from kullback.demo.trials import LAYOUTS, PairedRankers, ParallelLayouts

SEEDS = range(3)
ROWS = 60_000
SOUND, LATER = np.linspace(0, 9, ROWS), np.linspace(12, 24, ROWS)
DRIFTING = Clicks(onset=10, ramp=2)


def drawn(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def numbers(rows: Columns, name: str) -> Numbers:
    return rows[name].astype(np.float64)


def loss(happened: Numbers, predicted: Numbers) -> Numbers:
    losses: Numbers = -np.log(np.where(happened == 1, predicted, 1 - predicted))
    return losses


def errors_from_zero(values: Numbers) -> float:
    """The mean of independent values, in standard errors."""
    return float(values.mean() / values.std() * np.sqrt(values.size))


def errors_off(rows: Columns) -> float:
    """How far clicks are from what was predicted, in standard errors."""
    return errors_from_zero(numbers(rows, "y_true") - numbers(rows, "y_proba"))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("hours", [SOUND, LATER])
def test_the_healthy_model_is_right_at_any_time_and_in_every_slice(
    seed: int, hours: Numbers
) -> None:
    rows = Clicks().rows(drawn(seed), hours)
    assert 0.12 < numbers(rows, "y_true").mean() < 0.2
    for name in ("slice.country", "slice.device"):
        for value in np.unique(rows[name]):
            part = {key: column[rows[name] == value] for key, column in rows.items()}
            assert abs(errors_off(part)) < 4.5


@pytest.mark.parametrize("seed", SEEDS)
def test_high_predictions_of_the_healthy_model_are_as_right_as_low_ones(seed: int) -> None:
    rows = Clicks().rows(drawn(seed), SOUND)
    tenths = np.argsort(numbers(rows, "y_proba")).reshape(10, -1)
    for tenth in tenths:
        assert abs(errors_off({key: column[tenth] for key, column in rows.items()})) < 4.5


@pytest.mark.parametrize("seed", SEEDS)
def test_the_drifting_model_is_right_before_others_come(seed: int) -> None:
    before, healthy = (world.rows(drawn(seed), SOUND) for world in (DRIFTING, Clicks()))
    assert all(np.array_equal(before[name], healthy[name]) for name in before)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_drifting_model_promises_too_much_afterwards_and_pays_for_it(seed: int) -> None:
    rows, sound = (world.rows(drawn(seed), LATER) for world in (DRIFTING, Clicks()))
    ratio = numbers(rows, "y_proba").sum() / numbers(rows, "y_true").sum()
    assert 1.6 < ratio < 1.9
    drifting, healthy = (
        loss(numbers(one, "y_true"), numbers(one, "y_proba")).mean() for one in (rows, sound)
    )
    assert drifting > 1.1 * healthy


@pytest.mark.parametrize("seed", SEEDS)
def test_scores_and_countries_of_the_drifting_model_are_others_afterwards(seed: int) -> None:
    before, after = (DRIFTING.rows(drawn(seed), hours) for hours in (SOUND, LATER))
    edges = np.quantile(numbers(before, "y_proba"), np.linspace(0, 1, 11)[1:-1])
    shares = [
        np.bincount(np.searchsorted(edges, numbers(rows, "y_proba")), minlength=10) / ROWS
        for rows in (before, after)
    ]
    psi = ((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum()
    assert psi > 0.15
    from_br = (after["slice.country"] == "BR").mean()
    assert from_br == pytest.approx(0.1 + CAMPAIGN * 0.75, abs=0.01)


def test_others_come_little_by_little() -> None:
    half = DRIFTING.rows(drawn(0), np.full(ROWS, 11.0))
    assert (half["slice.country"] == "BR").mean() == pytest.approx(
        0.1 + CAMPAIGN / 2 * 0.75, abs=0.01
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_intents_are_as_likely_as_the_model_says(seed: int) -> None:
    rows = Intents().rows(drawn(seed), SOUND)
    predicted = numbers(rows, "y_proba")
    assert predicted.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    for place, intent in enumerate(INTENTS):
        off = (rows["y_true"] == intent) - predicted[:, place]
        assert abs(errors_from_zero(off)) < 4.5
    best = np.array(INTENTS)[predicted.argmax(axis=1)]
    assert 0.7 < (best == rows["y_true"]).mean() < 0.9


@pytest.mark.parametrize("seed", SEEDS)
def test_the_new_ranker_is_better_on_the_same_rows(seed: int) -> None:
    rows = PairedRankers().rows(drawn(seed), SOUND)
    happened = numbers(rows, "y_true")
    old, new = (loss(happened, numbers(rows, f"y_proba.{name}")) for name in ("old", "new"))
    assert errors_from_zero(new - old) < -8
    assert -0.02 < (new - old).mean() < -0.008


@pytest.mark.parametrize("seed", SEEDS)
def test_a_user_sees_one_layout_and_clicks_as_all_others_do(seed: int) -> None:
    rows = ParallelLayouts().rows(drawn(seed), SOUND)
    happened, is_list = numbers(rows, "y_true"), rows["arm"] == "list"
    difference = happened[is_list].mean() - happened[~is_list].mean()
    error = happened.std() * 2 / np.sqrt(ROWS)
    assert abs(difference) < 4.5 * error
    assert is_list.mean() == pytest.approx(0.5, abs=0.01)
    arms = {int(user): str(arm) for user, arm in zip(rows["unit"], rows["arm"], strict=True)}
    assert set(arms.values()) == set(LAYOUTS)
    assert all(arms[user] == LAYOUTS[user % 2] for user in arms)


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_come_at_the_rate_that_is_asked_for_and_more_by_day(seed: int) -> None:
    hours = arrivals(drawn(seed), 0, 24, 2_000)
    assert hours.size == pytest.approx(48_000, rel=0.03)
    assert (np.diff(hours) >= 0).all()
    assert 0 <= hours[0] < hours[-1] < 24
    assert (hours < 12).mean() == pytest.approx(0.5 + 0.3 / np.pi, abs=0.01)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_model_of_fraud_is_right_until_it_has_lost_its_amounts(seed: int) -> None:
    world = Fraud(onset=10)
    before, after = (world.rows(drawn(seed), hours) for hours in (SOUND, LATER))
    assert abs(errors_off(before)) < 4.5
    assert not np.isnan(numbers(before, "features.amount")).any()
    assert np.isnan(numbers(after, "features.amount")).mean() == pytest.approx(LOST, abs=0.01)
    assert errors_off(after) > 12  # too low: frauds are of large amounts
    worse = [
        loss(numbers(rows, "y_true"), numbers(rows, "y_proba")).mean() for rows in (after, before)
    ]
    assert worse[0] > 1.1 * worse[1]
