"""Sizes of checks stand beside what is tolerated, in a unit that people read."""

import math
from pathlib import Path

import pytest

from kullback.judgement.findings import State
from kullback.monitoring.checks import Check, MonitorChecks
from kullback.ui.check_rows import WORST_FIRST, badness, sizes

DOCS = Path(__file__).parents[2] / "docs"


def check(name: str, value: float | None, threshold: float | None) -> Check:
    return Check(name, State.CRITICAL, value, threshold, 9, 1, None, None, None, None, None, "")


@pytest.mark.parametrize(
    ("name", "value", "threshold", "shown"),
    [
        ("calibration", 0.73, 1.1, ("0.73×", "0.91× to 1.10×")),
        ("calibration", 1.0557, 1.0058, ("1.056×", "0.994× to 1.006×")),
        ("calibration", 0.0, 1.1, ("0.00×", "0.91× to 1.10×")),
        ("calibration", math.inf, 1.1, ("—", "0.91× to 1.10×")),
        ("calibration", 2.0, 1.0, ("2.00×", "1.00× to 1.00×")),
        ("calibration", None, None, ("—", "—")),
        ("label_drift", 0.5, 1.5, ("0.50×", "0.67× to 1.50×")),
        ("slice", 0.5, 1.1, ("0.50×", "0.91× to 1.10×")),
        ("slice", -0.2, 0.0, ("NE 1.200", "NE 1")),
        ("slice", 0.3, 0.1, ("30%", "10%")),
        ("no_skill", -20.64, 0.0, ("NE 21.640", "NE 1")),
        ("no_skill", -math.inf, 0.0, ("NE ∞", "NE 1")),
        ("log_loss", 1.0, 0.3, ("100% off", "30% off")),
        ("score_drift", 6.58, 0.25, ("PSI 6.58", "PSI 0.25")),
        ("maturity", 0.1, 0.2, ("10% labelled", "20% labelled")),
        ("silence", 7200.0, 3600.0, ("2 hours", "60 minutes")),
    ],
)
def test_a_size_stands_beside_what_is_tolerated(
    name: str, value: float | None, threshold: float | None, shown: tuple[str, str]
) -> None:
    assert sizes(check(name, value, threshold)) == shown


@pytest.mark.parametrize("value", [0.0, math.inf])
def test_what_cannot_be_divided_is_furthest_off(value: float) -> None:
    far = MonitorChecks("m", State.CRITICAL, 0.0, (check("calibration", value, 1.1),))
    near = MonitorChecks("m", State.CRITICAL, 0.0, (check("calibration", 500.0, 1.1),))
    assert badness(far) < badness(near)


def test_the_order_of_monitors_is_documented() -> None:
    text = " ".join((DOCS / "monitors.md").read_text().split())
    assert WORST_FIRST.removeprefix("The worst first: ") in text
