"""What is compared within strata is right while shares and base rates move."""

from dataclasses import replace

import pytest

from tests.statistics.ramps import (
    PLANNED,
    RAMPS,
    complaints,
    planned_error,
    ramp_runs,
)

pytestmark = pytest.mark.untraced

RUNS, LOOKS = 150, 10


@pytest.mark.parametrize("name", RAMPS)
def test_strata_hold_the_truth_where_all_rows_do_not(name: str) -> None:
    assert complaints(name, ramp_runs(RAMPS[name], RUNS, LOOKS)) == []


def test_strata_find_what_all_rows_would() -> None:
    """Without a ramp nothing is lost: the planned effect is found as often as it should be."""
    ramp = RAMPS["no ramp, no drift"]
    moved = replace(ramp, effect=PLANNED * planned_error(ramp))
    found = ramp_runs(moved, RUNS, LOOKS)
    assert 0.35 <= found.found <= 0.65
    assert found.missed <= 0.05
