"""Figures that libraries printed of single rows, beside those of their conventions.

lightgbm 4.7.0, xgboost 3.4.1, catboost 1.2.10, river 0.26.1 and keras 3.15.1 (float32) printed them
of predictions that were handed to their metrics as they are; CatBoost, of raw scores ln p/(1 − p).
Spark's are by its rule (MulticlassMetrics.logLoss): Spark itself was not run.
"""

import numpy as np
import pytest

from kullback.scoring.conventions import ConventionName
from kullback.scoring.log_loss import LogLossOptions, log_loss
from kullback.scoring.options import Options

Figure = tuple[float, float, float]  # y, p, what was printed

BINARY: dict[ConventionName, list[Figure]] = {
    "lightgbm": [  # binary_logloss
        (1.0, 0.0, 34.53877639770508),
        (1.0, 1e-15, 34.53877639770508),
        (1.0, 2e-15, 33.84562921435074),
        (1.0, 1e-13, 29.933606208922594),
        (1.0, 0.3, 1.2039728043259361),
        (1.0, 1.0, 0.0),
        (0.0, 1 - 1e-12, 27.63104323789336),
        (0.0, 1 - 1e-15, 34.53877639770508),
        (0.0, 1.0, 34.53877639770508),
    ],
    "lightgbm_cross_entropy": [
        (1.0, 0.0, 27.631021115928547),
        (1.0, 1e-13, 27.631021115928547),
        (1.0, 1e-8, 18.420680743952367),
        (1.0, 1.0, 0.0),
        (0.0, 0.7, 1.203972804325936),
        (0.0, 1 - 1e-12, 27.631021115928547),
        (0.0, 1.0, 27.631021115928547),
        (0.3, 1e-13, 8.289306664166073),
        (0.023745793849229813, 0.9999999998753465, 22.263949272909166),
    ],
    "xgboost": [
        (1.0, 0.0, 36.84136199951172),
        (1.0, 5e-16, 35.2319221496582),
        (1.0, 1 - 1e-7, 1.1920928955e-07),
        (0.0, 1 - 1e-7, 15.942384719848633),
        (0.0, 1 - 1e-8, 36.84136199951172),
        (0.3, 1e-18, 11.052409172058105),
        (0.3, 0.2, 0.6390318870544434),
    ],
    "catboost": [
        (1.0, 0.0, np.inf),
        (1.0, 1e-300, 690.7755278982137),
        (1.0, 1e-20, 46.051701859880914),
        (1.0, 0.3, 1.203972804325936),
        (0.0, 1 - 1e-12, 27.63104323789336),
        (0.0, 1.0, np.inf),
        (0.3, 0.401312339887548, 0.6330152571683242),
    ],
    "keras": [
        (1.0, 0.0, 16.11809539794922),
        (1.0, 2e-7, 15.424948692321777),
        (1.0, 1.0, 1.1920930376163597e-07),
        (0.0, 2e-7, 1.788139627478813e-07),
        (0.0, 1 - 1e-7, 15.942384719848633),
        (0.3, 0.0, 4.835428714752197),
    ],
    "river": [
        (1.0, 0.0, 34.538776394910684),
        (1.0, 2e-15, 33.84562921435074),
        (1.0, 1.0, 9.992007221626415e-16),
        (0.0, 0.0, 9.992007221626415e-16),
        (0.0, 1.0, 34.53957599234088),
    ],
    "spark": [
        (1.0, 0.0, 34.538776394910684),
        (1.0, 1.0, 1.0000000000000005e-15),
        (0.0, 0.0, 1.0000000000000005e-15),
        (0.0, 1.0, 34.538776394910684),
        (1.0, 0.3, 1.2039728043259361),
    ],
}

CLASSES: dict[ConventionName, list[tuple[float, float]]] = {  # p of the truth, what was printed
    "lightgbm": [(0.0, 34.53877639770508), (2e-15, 33.84562921435074), (1.0, 0.0)],
    "xgboost": [(0.0, 36.84136199951172), (5e-16, 35.2319221496582), (1 - 1e-8, 0.0)],
    "catboost": [(0.0, np.inf), (0.3, 1.203972804325936)],
    "keras": [(0.0, 16.11809539794922), (2e-7, 15.424948692321777), (1.0, 1.1920930376163597e-07)],
    "river": [(0.0, 34.538776394910684), (1.0, 9.992007221626415e-16)],
    "spark": [(0.0, 34.538776394910684), (1.0, 1.0000000000000005e-15)],
}

SINGLE = {"xgboost", "keras"}


@pytest.mark.parametrize(
    ("name", "figure"), [(name, figure) for name in BINARY for figure in BINARY[name]]
)
def test_binary_rows_cost_what_was_printed(name: ConventionName, figure: Figure) -> None:
    y, p, printed = figure
    found = log_loss(np.array([y]), np.array([p]), LogLossOptions(convention=name), Options())
    assert found.value == pytest.approx(printed, rel=3e-7 if name in SINGLE else 1e-14, abs=0)


@pytest.mark.parametrize(
    ("name", "figure"), [(name, figure) for name in CLASSES for figure in CLASSES[name]]
)
def test_classes_cost_what_was_printed(name: ConventionName, figure: tuple[float, float]) -> None:
    p, printed = figure
    rows = np.array([[p, (1 - p) / 2, (1 - p) / 2]])
    found = log_loss(np.array([0]), rows, LogLossOptions(convention=name), Options())
    assert found.value == pytest.approx(printed, rel=3e-7 if name in SINGLE else 1e-14, abs=0)


BATCH: list[tuple[ConventionName, float]] = [
    ("lightgbm", 20.283820922596927),
    ("lightgbm_cross_entropy", 17.060201791287504),
]


@pytest.mark.parametrize(("name", "printed"), BATCH)
def test_a_batch_costs_what_each_of_the_two_metrics_of_lightgbm_printed(
    name: ConventionName, printed: float
) -> None:
    y, p = np.array([1.0, 0.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.3, 0.7, 1e-13])
    found = log_loss(y, p, LogLossOptions(convention=name), Options())
    assert found.value == pytest.approx(printed, rel=1e-14)
