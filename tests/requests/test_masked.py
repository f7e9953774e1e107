"""Rows and entries that do not count, in the requests that have masks."""

import numpy as np
import pytest

from kullback.requests import REQUESTS
from kullback.requests.validation import validated
from kullback.scoring.score import Score

EVERY = {
    "log-loss": {"y_proba": np.array([0.5, 0.25, 0.9])},
    "focal-loss": {"logits": np.array([0.5, 0.25, 0.9])},
    "sigmoid-cross-entropy": {"logits": np.array([0.5, 0.25, 0.9])},
}


def score(metric: str, **fields: object) -> Score:
    return validated(REQUESTS[metric], fields).score()


@pytest.mark.parametrize("metric", EVERY)
def test_rows_of_weight_zero_are_left_out_with_their_weights(metric: str) -> None:
    truth, weight = np.array([1.0, 5.0, 0.0]), np.array([2.0, 0.0, 1.0])
    found = score(metric, **EVERY[metric], y_true=truth, sample_weight=weight)

    (name, values), *_ = EVERY[metric].items()
    rest = {name: values[[0, 2]], "y_true": truth[[0, 2]], "sample_weight": weight[[0, 2]]}
    assert found.value == score(metric, **rest).value
