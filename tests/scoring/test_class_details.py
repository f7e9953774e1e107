"""Accuracy, Brier score and mean over classes are those of plain NumPy, in blocks of any number."""

import numpy as np
import pytest

from kullback.scoring.class_details import _ROWS, class_details
from kullback.scoring.options import Options


@pytest.mark.parametrize("n", [1, 5, _ROWS, 2 * _ROWS + 3])
@pytest.mark.parametrize("is_tied", [False, True])
def test_details_are_those_of_all_rows_at_once(n: int, is_tied: bool) -> None:  # noqa: FBT001
    random = np.random.default_rng(n)
    p = random.dirichlet(np.ones(4), n)
    if is_tied:
        p[n // 2] = [0.1, 0.4, 0.4, 0.1]
    index, losses, w = random.integers(0, 4, n), random.random(n), random.random(n)
    index[n // 2] = 2
    details = class_details(index, p, losses, Options(sample_weight=w))
    right = p.argmax(axis=1) == index
    miss = p - np.eye(4)[index]
    means = [np.average(losses[index == k], weights=w[index == k]) for k in np.unique(index)]
    assert details["accuracy"] == pytest.approx(np.average(right, weights=w), rel=1e-13)
    assert details["brier"] == pytest.approx(np.average((miss**2).sum(1), weights=w), rel=1e-13)
    assert details["macro"] == pytest.approx(np.mean(means), rel=1e-13)


def test_the_brier_score_of_predictions_that_are_nearly_sure_keeps_its_digits() -> None:
    p = np.array([[1 - 1e-9, 1e-9]])
    details = class_details(np.array([0]), p, np.zeros(1), Options())
    assert details["brier"] == pytest.approx(2e-18, rel=1e-6)
