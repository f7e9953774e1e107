"""What a covariate has taken from an effect, made into its report."""

from kullback.experiments.compared import Comparison
from kullback.experiments.measure_reports import CovariateReport
from kullback.experiments.report_warnings import is_unbalanced


def covariate_report(comparison: Comparison) -> CovariateReport | None:
    """The report of it, where there is a covariate."""
    adjustment = comparison.covariate
    if adjustment is None:
        return None
    return CovariateReport(
        correlation=adjustment.correlation,
        reduction=adjustment.reduction,
        unadjusted_effect=adjustment.unadjusted.effect,
        unadjusted_standard_error=adjustment.unadjusted.standard_error,
        difference=adjustment.covariate.effect,
        difference_p_value=adjustment.covariate.p_value(),
        is_balanced=not is_unbalanced(comparison),
    )
