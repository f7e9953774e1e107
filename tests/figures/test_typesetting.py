"""Numbers and moments as pages have them."""

import pytest

from kullback.figures.typesetting import dated, measured
from kullback.numerics.reasons import Reason
from kullback.tally.report_types import MetricValue


@pytest.mark.parametrize(
    ("value", "standard_error", "text"),
    [
        (0.40871234, 0.00143, "0.4087 ± 0.0014"),
        (-0.0308, 0.0021, "−0.0308 ± 0.0021"),
        (1.05, 0.38, "1.05 ± 0.38"),
        (17251.0, 25.0, "17,251 ± 25"),
        (1.0, 0.0, "1.000"),
        (0.6931471805599453, 4.6e-17, "0.6931"),
        (0.735530, None, "0.7355"),
        (-2e-12, 2e-12, "−2.0\u00a0×\u00a010⁻¹² ± 2.0\u00a0×\u00a010⁻¹²"),
        (1e-300, None, "1.000\u00a0×\u00a010⁻³⁰⁰"),
    ],
)
def test_a_metric_has_two_digits_of_its_standard_error(
    value: float, standard_error: float | None, text: str
) -> None:
    assert measured(MetricValue(value, "finite", None, standard_error)) == text


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason.POSITIVE_INFINITY, "∞"),
        (Reason.NEGATIVE_INFINITY, "−∞"),
        (Reason.ONE_CLASS, "—"),
    ],
)
def test_a_metric_without_a_value_is_no_number(reason: Reason, text: str) -> None:
    assert measured(MetricValue(None, "undefined", reason, None)) == text


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("Since 2026-11-30T08:00:00Z.", "Since 30 Nov 08:00 UTC."),
        ("since 2025-01-02T03:04:05.250000Z: about 3", "since 2 Jan 2025 03:04 UTC: about 3"),
        ("Look at hour = 2026-11-30T08:00:00Z.", "Look at hour = 2026-11-30T08:00:00Z."),
        ("Feature 2026-99-30T08:00:00Z", "Feature 2026-99-30T08:00:00Z"),
    ],
)
def test_moments_in_sentences_are_as_people_write_them(words: str, text: str) -> None:
    assert dated(words, 2026) == text
