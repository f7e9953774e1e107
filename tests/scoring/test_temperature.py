"""The temperature that makes logits fit best."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.types import Array, Indices, Undefined
from kullback.scoring.temperature import temperature
from tests import oracles
from tests import strategies as draw


def fitted(z: list[list[float]], y: list[int], weight: list[float] | None = None) -> float:
    w = None if weight is None else np.array(weight)
    found = temperature(np.array(z), np.array(y), w)
    assert isinstance(found, float)
    return found


def why(z: list[list[float]], y: list[int], weight: list[float] | None = None) -> str:
    w = None if weight is None else np.array(weight)
    found = temperature(np.array(z), np.array(y), w)
    assert isinstance(found, Undefined)
    return found.reason


def test_by_hand() -> None:
    # three of four right with a gap of 1: the gap that says 3/4 is ln 3
    z = [[1.0, 0.0]] * 4
    assert fitted(z, [0, 0, 0, 1]) == pytest.approx(1 / np.log(3), rel=1e-14)
    assert fitted(z[:2], [0, 1], [3.0, 1.0]) == pytest.approx(1 / np.log(3), rel=1e-14)


@pytest.mark.parametrize("scale", [5e-320, 1e-300, 1e-9, 1.0, 1e9, 1e300])
def test_the_scale_of_the_logits_is_the_scale_of_the_temperature(scale: float) -> None:
    z = [[scale, 0.0]] * 4
    assert fitted(z, [0, 0, 0, 1]) == pytest.approx(
        scale / np.log(3), rel=1e-4 if scale < 1e-310 else 1e-13
    )


def test_a_mask_changes_nothing() -> None:
    z = [[1.0, 0.0, -np.inf]] * 4
    assert fitted(z, [0, 0, 0, 1]) == pytest.approx(1 / np.log(3), rel=1e-14)


def test_there_may_be_no_best() -> None:
    assert why([[1.0, 0.0], [0.0, 1.0]], [0, 1]) == "separable"
    assert why([[1.0, 0.0], [0.0, 1.0]], [1, 0]) == "anti_predictive"
    assert why([[1.0, 0.0], [1.0, 0.0]], [0, 1]) == "anti_predictive"
    assert why([[1.0, -np.inf]], [1]) == "infinite_loss"
    assert why([[1.0, 0.0]], [0], [0.0]) == "zero_weight"
    assert why([[1.0], [2.0]], [0, 0]) == "separable"


@given(
    st.integers(4, 12).flatmap(
        lambda n: st.tuples(draw.tables_of(n, 3, draw.mild_logit), draw.indices(n, 3))
    )
)
def test_the_slope_vanishes_at_the_temperature(rows: tuple[Array, Indices]) -> None:
    z, y = rows
    found = temperature(z, y, None)
    if isinstance(found, Undefined):
        assert found.reason in {"separable", "anti_predictive"}
        return
    low, high = (
        oracles.temperature_slope(z.tolist(), y.tolist(), found * factor)
        for factor in (1 + 1e-9, 1 - 1e-9)
    )
    assert low <= 1e-12
    assert high >= -1e-12
