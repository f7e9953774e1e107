"""Tables of Python's libraries have their columns matched by name, as tables that are sent."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from kullback import score

PETS = ["cat", "dog", "owl"]
ROWS = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.25, 0.25, 0.5]])
TRUTH = ["cat", "owl", "owl"]
every_library = pytest.mark.parametrize(
    "make", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "pyarrow"]
)


@every_library
@pytest.mark.parametrize("names", [PETS, ["p_0", "p_1", "p_2"]], ids=["labels", "numbers"])
def test_columns_may_come_in_any_order(
    make: Callable[[dict[str, Any]], Any], names: list[str]
) -> None:
    expected = score("log-loss", y_true=TRUTH, y_proba=ROWS, labels=PETS)
    rows = make({names[at]: ROWS[:, at] for at in (2, 0, 1)})
    assert score("log-loss", y_true=TRUTH, y_proba=rows, labels=PETS).value == expected.value


@every_library
def test_a_column_of_no_label_is_refused(make: Callable[[dict[str, Any]], Any]) -> None:
    rows = make({name: ROWS[:, at] for at, name in enumerate(["cat", "dog", "elk"])})
    with pytest.raises(ValueError, match=r"y_proba\.elk: its name is not among the labels"):
        score("log-loss", y_true=TRUTH, y_proba=rows, labels=PETS)


def test_columns_that_pandas_only_counts_stand_in_their_places() -> None:
    counted = score("log-loss", y_true=[1, 0, 2], y_proba=pd.DataFrame(ROWS), labels=[1, 0, 2])
    plain = score("log-loss", y_true=[1, 0, 2], y_proba=ROWS, labels=[1, 0, 2])
    assert counted.value == plain.value
    named = pd.DataFrame(ROWS, columns=[1, 0, 2])[[2, 1, 0]]
    found = score("log-loss", y_true=[1, 0, 2], y_proba=named, labels=[1, 0, 2])
    assert found.value == plain.value
