"""Labels of a monitor as outcomes, whichever of them is the positive one."""

import numpy as np
import pytest

from kullback.monitoring.monitor import Monitor
from kullback.scoring.labels import Label


@pytest.mark.parametrize(
    ("labels", "positive", "expected"),
    [
        (None, None, [0, 1, 1]),
        (None, 1, [0, 1, 1]),
        (None, 0, [1, 0, 0]),
        ((3, 7), None, [0, 1, 1]),
        ((3, 7), 3, [1, 0, 0]),
        (("", "spam"), None, [0, 1, 1]),
        (("", "spam"), "", [1, 0, 0]),
    ],
)
def test_the_positive_label_is_that_of_the_settings_or_the_last(
    labels: tuple[Label, Label] | None, positive: Label | None, expected: list[int]
) -> None:
    first, second = labels or (0, 1)
    sent = [first, second, second]
    y_true = np.array(sent) if isinstance(first, int) else [str(each) for each in sent]
    outcomes = Monitor(labels=labels, pos_label=positive).outcomes("y_true", y_true)
    assert outcomes.tolist() == expected
