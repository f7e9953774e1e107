"""What is debiased is near the truth, and a calibrated model reads about 0."""

from dataclasses import replace

import pytest

from tests.statistics.calibration import MODELS, ece_complaints, ece_runs

pytestmark = pytest.mark.untraced

RUNS = 300


@pytest.mark.parametrize("name", MODELS)
def test_the_calibration_error_without_chance_is_near_the_truth(name: str) -> None:
    assert ece_complaints(name, MODELS[name], ece_runs(MODELS[name], RUNS)) == []


def test_the_plain_error_of_a_calibrated_model_is_noticed() -> None:
    name = "calibrated, 1,000 rows"
    found = ece_runs(MODELS[name], RUNS)
    wrong = replace(found, debiased=found.plain, debiased_held=found.plain_held)
    assert ece_complaints(name, MODELS[name], wrong) != []
