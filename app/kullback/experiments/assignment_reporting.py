"""What was found of assignment and strata made into its report."""

from collections.abc import Sequence

from kullback.experiments.assignment_report import (
    SampleRatioReport,
    SharePeriodReport,
    StrataReport,
)
from kullback.experiments.comparison import Findings
from kullback.tally.report_types import finite


def sample_ratio_report(findings: Findings) -> SampleRatioReport:
    """Whether units or requests went to the arms as planned."""
    ratio, counts = findings.sample_ratio, findings.units
    units = None if counts is None else {arm: round(count) for arm, count in counts.items()}
    if ratio is None:
        nothing = None, None, None, None
        return SampleRatioReport(*nothing, False, units, None, None, None, ())  # noqa: FBT003 - no alarm
    names, of_requests = findings.plan.names, ratio.trials == "requests"
    return SampleRatioReport(
        ratio.e_value,
        finite(ratio.log_e_value),
        ratio.p_value,
        ratio.chi_square_p_value,
        ratio.alarm,
        units,
        _counts(names, ratio.units) if of_requests else None,
        dict(zip(names, ratio.expected, strict=True)),
        ratio.design_effect if of_requests else None,
        tuple(
            SharePeriodReport(
                period.since,
                period.shares,
                _counts(names, each.units),
                dict(zip(names, each.expected, strict=True)),
                each.e_value,
                finite(each.log_e_value),
            )
            for period, each in findings.assignment.periods
        ),
    )


def strata_report(findings: Findings) -> StrataReport | None:
    """The strata that arms are compared in; None where they are compared by all rows at once."""
    compared = findings.compared
    several = [both.strata for both in compared.values()]
    if not any(several):
        return None
    rows = {
        arm: sum(tally.scalar("rows") for each in both.left_out for tally in each.arms)
        for arm, both in compared.items()
    }
    left_out = {arm: len(both.left_out) for arm, both in compared.items()}
    return StrataReport(max(map(len, several)), left_out, rows)


def _counts(names: Sequence[str], counts: Sequence[float]) -> dict[str, int]:
    return {name: round(count) for name, count in zip(names, counts, strict=True)}
