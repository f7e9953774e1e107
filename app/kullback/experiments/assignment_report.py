"""Reports of how units or requests went to the arms, and of strata of their rows."""

from collections.abc import Mapping
from dataclasses import dataclass

from kullback.moments import Moment


@dataclass(frozen=True, slots=True)
class SharePeriodReport:
    """A period of constant shares: what came to each arm, and evidence against its shares.

    `since` is null of the first; `observed` are units, or rows of requests.
    """

    since: Moment | None
    shares: Mapping[str, float]
    observed: Mapping[str, int]
    expected: Mapping[str, float]
    e_value: float
    log_e_value: float | None


@dataclass(frozen=True, slots=True)
class SampleRatioReport:
    """Whether units or requests went to the arms as planned; null where that is no question.

    `requests` are their rows by arm, of which `design_effect` count as one: those go together.
    """

    e_value: float | None
    log_e_value: float | None
    p_value: float | None
    chi_square_p_value: float | None
    alarm: bool
    units: Mapping[str, int] | None
    requests: Mapping[str, int] | None
    expected: Mapping[str, float] | None
    design_effect: float | None
    periods: tuple[SharePeriodReport, ...]


@dataclass(frozen=True, slots=True)
class StrataReport:
    """In how many strata of rows arms are compared, and how many say nothing.

    `left_out` and `rows_left_out` are by arm: of strata where it or the control has rows of fewer
    than two buckets of units.
    """

    count: int
    left_out: Mapping[str, int]
    rows_left_out: Mapping[str, int]
