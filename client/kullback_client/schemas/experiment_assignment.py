"""Answers: experiment assignment: written from the schemas of the service, not by hand."""

from datetime import datetime

from ..documents import Document


class SharePeriodReport(Document):
    """A period of constant shares: what came to each arm, and evidence against its shares."""

    since: datetime | None
    shares: dict[str, float]
    observed: dict[str, int]
    expected: dict[str, float]
    e_value: float
    log_e_value: float | None


class SampleRatioReport(Document):
    """Whether units or requests went to the arms as planned; null where that is no question."""

    e_value: float | None
    log_e_value: float | None
    p_value: float | None
    chi_square_p_value: float | None
    alarm: bool
    units: dict[str, int] | None
    requests: dict[str, int] | None
    expected: dict[str, float] | None
    design_effect: float | None
    periods: list[SharePeriodReport]


class StrataReport(Document):
    """In how many strata of rows arms are compared, and how many say nothing."""

    count: int
    left_out: dict[str, int]
    rows_left_out: dict[str, int]
