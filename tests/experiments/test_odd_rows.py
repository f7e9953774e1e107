"""Whatever the rows were, the report is JSON and holds every name that it promises."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from kullback.experiments.measured import MetricName
from kullback.experiments.plan import Plan
from kullback.experiments.rows import ArmRows
from kullback.numerics.types import Array
from tests.experiments.arms import PAIRED, batches, found, of_arms, paired
from tests.experiments.reports import written


def broken_scores(rows: ArmRows, *arms: str) -> ArmRows:
    """Rows of which one that came true was ruled out by these arms."""
    scores = {name: p.copy() for name, p in of_arms(rows).items()}
    for at, name in enumerate(arms):
        scores[name][np.flatnonzero(np.asarray(rows.y_true))[at]] = 0.0
    return replace(rows, y_proba=scores)


def taking(rows: ArmRows, n: int) -> ArmRows:
    assert isinstance(rows.unit, np.ndarray)
    scores = {name: p[:n] for name, p in of_arms(rows).items()}
    return ArmRows(np.asarray(rows.y_true)[:n], scores, rows.unit[:n])


def weighty(weight: Callable[[Array], Array]) -> ArmRows:
    return replace(paired(n=600), weight=weight(np.arange(600.0)))


ODD: dict[str, Callable[[], ArmRows]] = {
    "one row": lambda: taking(paired(n=600), 1),
    "two rows": lambda: taking(paired(n=600), 2),
    "an infinite loss of the arm": lambda: broken_scores(paired(n=600), "b"),
    "an infinite loss of the control": lambda: broken_scores(paired(n=600), "a"),
    "infinite losses of both": lambda: broken_scores(paired(n=600), "a", "b"),
    "weights of 0": lambda: weighty(np.zeros_like),
    "one weight": lambda: weighty(lambda row: np.where(row == 3, 1.0, 0.0)),
    "weights of 0 for one arm": lambda: weighty(lambda row: row % 2),
    "subnormal weights": lambda: weighty(lambda row: np.where(row, 5e-324, 1.0)),
    "small weights": lambda: weighty(lambda row: np.full_like(row, 1e-100)),
    "huge weights": lambda: weighty(lambda row: np.full_like(row, 1e100)),
    "weights of all sizes": lambda: weighty(lambda row: 10.0 ** (row % 200 - 100)),
    "no clicks": lambda: replace(paired(n=600), y_true=np.zeros(600)),
    "clicks alone": lambda: replace(paired(n=600), y_true=np.ones(600)),
    "hardly a click": lambda: replace(paired(n=600), y_true=np.full(600, 5e-324)),
    "one unit": lambda: replace(paired(n=600), unit=np.zeros(600, np.int64)),
    "no units": lambda: replace(paired(n=600), unit=None),
    "all alike": lambda: replace(paired(n=600), y_proba=dict.fromkeys("ab", np.full(600, 0.3))),
    "sure and wrong": lambda: replace(
        paired(n=600), y_proba={"a": np.zeros(600), "b": np.ones(600)}
    ),
}
every_metric = pytest.mark.parametrize(
    "metric", ["log_loss", "normalized_entropy", "brier", "base_rate"]
)


@every_metric
@pytest.mark.parametrize("odd", ODD)
def test_whatever_the_rows_the_report_is_json(odd: str, metric: MetricName) -> None:
    rows = ODD[odd]()
    plan = replace(PAIRED, metric=metric, convention="exact")
    if metric != "base_rate":
        written(found(plan, rows))
    scores, n = of_arms(rows), len(rows)
    even = np.arange(n) % 2 == 0
    p = np.where(even, scores["a"], scores["b"])
    arm = ["a" if one else "b" for one in even.tolist()]
    parallel = replace(plan, design="parallel")
    written(found(parallel, replace(rows, y_proba=p, arm=arm)))
    written(found(parallel, replace(rows, y_proba=p, arm=["b"] * n)))


@pytest.mark.parametrize("minimum", [None, 1e-100, 1e100])
@pytest.mark.parametrize("odd", ["one row", "two rows", "weights of all sizes", "sure and wrong"])
def test_whatever_effect_is_worth_knowing_of_the_report_is_json(
    odd: str, minimum: float | None
) -> None:
    written(found(replace(PAIRED, minimum_effect=minimum), ODD[odd]()))


@settings(max_examples=20)
@given(batches())
def test_of_any_rows_the_report_is_json(batch: tuple[Plan, ArmRows]) -> None:
    plan, rows = batch
    for convention in ("exact", "sklearn"):
        written(found(replace(plan, convention=convention, minimum_effect=0.1), rows))
