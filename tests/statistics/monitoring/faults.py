"""Faults of models and of their pipelines, each as what becomes of an hour of rows."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kullback.moments import HOUR
from kullback.numerics.types import Array, Flags
from tests.statistics.monitoring.simulated_features import Texts, of_another_hour
from tests.statistics.monitoring.simulated_rows import NEVER, SimulatedRows, joined, logit
from tests.statistics.monitoring.streams import Fault
from tests.statistics.worlds import probability

Scores = Callable[[Array], Array]
Column = Array | Texts
_MOST = 1 - 1e-9


def misjoined(share: float) -> Fault:
    """Predictions of this part of rows are those of other rows."""

    def fault(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
        del age
        return _shuffled(rng, rows, share)

    return fault


def rescored(scores: Scores, country: str = "") -> Fault:
    """Predictions are a function of what they were, of all rows or of one country."""

    def fault(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
        del rng, age
        chosen = _of(rows, country)
        p = rows.p.copy()
        p[chosen] = scores(rows.p[chosen])
        return replace(rows, p=p)

    return fault


def scaled(factor: float, country: str = "") -> Fault:
    """Predictions are so many times what they were."""
    return rescored(lambda p: np.minimum(p * factor, _MOST), country)


def likelier(factor: float, country: str = "") -> Fault:
    """What is predicted happens so many times as often."""

    def fault(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
        del rng, age
        chosen = _of(rows, country)
        truth = rows.truth.copy()
        truth[chosen] = np.minimum(truth[chosen] * factor, _MOST)
        return replace(rows, truth=truth)

    return fault


def new_country(name: str, share: float, factor: float) -> Fault:
    """This part of rows is of a new country, where predictions are so many times what happens."""

    def fault(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
        chosen = rng.random(len(rows)) < share
        countries = np.where(chosen, name, rows.slices["country"])
        return likelier(1 / factor, name)(rng, rows.having("country", countries), age)

    return fault


def without(country: str) -> Fault:
    """No row comes of a country, or of any."""

    def fault(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
        del rng, age
        return rows.taken(~_of(rows, country))

    return fault


def null_feature(default: float) -> Fault:
    """The feature is missing, and the model takes a default for it."""

    def fault(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
        del rng, age
        eta = logit(rows.p)
        spread = float(np.std(eta)) if len(rows) > 1 else 0.0
        shifted = eta + spread * np.sqrt(0.5) * (default - rows.x)
        return replace(rows, p=probability(shifted), x=np.full(len(rows), np.nan))

    return fault


def label_likelier(label: int, factor: float) -> Fault:
    """One of the labels of rows happens so many times as often."""

    def fault(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
        del rng, age
        truth = rows.truth.copy()
        truth[:, label] = np.minimum(truth[:, label] * factor, _MOST)
        return replace(rows, truth=truth)

    return fault


def resent(name: str, change: Callable[[Column], Column], share: float = 1.0) -> Fault:
    """A feature is sent as a function of what it was, of this part of rows."""

    def fault(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
        del age
        values = rows.features[name]
        chosen = rng.random(len(rows)) < share
        return replace(
            rows, features={**rows.features, name: np.where(chosen, change(values), values)}
        )

    return fault


def repriced(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
    """Prices are sent in thousandths."""
    del rng, age
    price = 1000.0 * np.asarray(rows.features["price"], np.float64)
    return replace(rows, features={**rows.features, "price": price})


def stale_price(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
    """Prices are those of the hour in which they were last brought up to date."""
    del rng
    price = of_another_hour(np.asarray(rows.features["price"], np.float64), rows.time, age)
    return replace(rows, features={**rows.features, "price": price})


def decaying(hours: float, most: float) -> Fault:
    """A growing part of rows has other rows' scores, and all are ever larger."""

    def fault(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
        part = min((age + 1) / hours, 1.0)
        rows = _shuffled(rng, rows, most * part)
        return replace(rows, p=probability(logit(rows.p) + most * part))

    return fault


def class_unpredicted(place: int) -> Fault:
    """The model gives a class nearly nothing."""

    def fault(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
        del rng, age
        p = rows.p.copy()
        p[:, place] *= 1e-3
        return replace(rows, p=p / p.sum(axis=1, keepdims=True))

    return fault


def class_unlabelled(place: int) -> Fault:
    """Rows of a class never come with their labels."""

    def fault(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
        del rng, age
        return rows.taken(rows.y != place)

    return fault


def lost_positives(share: float) -> Fault:
    """This part of positive outcomes is told as negative."""

    def fault(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
        del age
        lost = rng.random(len(rows)) < share
        return replace(rows, y=np.where(lost, 0.0, rows.y))

    return fault


def flipped(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
    """Labels say the opposite."""
    del rng, age
    return replace(rows, y=1.0 - rows.y)


def unlabelled(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
    """No label comes."""
    del rng, age
    return replace(rows, labelled=np.full(len(rows), NEVER))


def later(hours: float) -> Fault:
    """Labels take so many hours more."""

    def fault(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
        del rng, age
        return replace(rows, labelled=rows.labelled + hours * HOUR)

    return fault


def twice(rng: np.random.Generator, rows: SimulatedRows, age: float) -> SimulatedRows:
    """Each row is logged twice."""
    del rng, age
    return joined([rows, rows])


def _of(rows: SimulatedRows, country: str) -> Flags:
    chosen: Flags = rows.slices["country"] == country
    return chosen if country else np.ones(len(rows), np.bool_)


def _shuffled(rng: np.random.Generator, rows: SimulatedRows, share: float) -> SimulatedRows:
    chosen = np.flatnonzero(rng.random(len(rows)) < share)
    p = rows.p.copy()
    p[chosen] = rows.p[rng.permutation(chosen)]
    return replace(rows, p=p)
