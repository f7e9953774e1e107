"""How grave it is that labels do not come, and when that is not judged."""

from dataclasses import replace

import numpy as np
import pytest

from kullback.judgement.flow import maturity
from kullback.judgement.history import DueRows, History
from kullback.judgement.judged import judged
from kullback.judgement.recalibration import Tolerance
from kullback.judgement.settings import DEFAULTS, ChosenThresholds
from tests.judgement.worlds import HOUR, block_of, drawn


def history(share: float, **thresholds: float) -> History:
    """Ten hours whose rows all have labels, and due rows of which a share has."""
    rng = np.random.default_rng(1)
    blocks = [judged(block_of(*drawn(rng, 300), hour), Tolerance(0.1)) for hour in range(10)]
    limits = ChosenThresholds(**thresholds).over(DEFAULTS["maturity"])  # type: ignore[arg-type]
    due = DueRows(9 * HOUR, 10 * HOUR, scored=1000, labelled=round(1000 * share))
    return History(
        11.0 * HOUR, blocks, due=due, lag=HOUR / 2, thresholds={**DEFAULTS, "maturity": limits}
    )


@pytest.mark.parametrize(
    ("share", "thresholds", "state"),
    [
        (0.3, {}, "ok"),
        (0.1, {}, "critical"),
        (0.0, {}, "critical"),
        (0.3, {"tolerance": 0.6}, "critical"),
        (0.3, {"tolerance": 0.6, "critical": 0.9}, "warning"),
        (0.05, {"tolerance": 0.6, "critical": 0.9}, "critical"),
        (0.0, {"minimum_rows": 1001}, "ok"),
    ],
)
def test_labels_that_are_missing_are_as_grave_as_is_asked(
    share: float, thresholds: dict[str, float], state: str
) -> None:
    assert maturity(history(share, **thresholds)).state == state


def test_without_due_rows_nothing_is_late() -> None:
    assert maturity(replace(history(0.0), due=None)).state == "ok"
