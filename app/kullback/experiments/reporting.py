"""Findings of an experiment made into its report."""

import math
from collections.abc import Mapping

from kullback.documents import extended
from kullback.experiments.assignment_reporting import sample_ratio_report, strata_report
from kullback.experiments.compared import AdjustedComparison, Comparison
from kullback.experiments.comparison import Findings
from kullback.experiments.covariate_reporting import covariate_report
from kullback.experiments.explanation import Diagnosis, Explanation
from kullback.experiments.horizon_answers import horizon_report
from kullback.experiments.measure_reports import planned_measures
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.questions import measured_metrics, winsorized_share
from kullback.experiments.relative_fields import relative_fields
from kullback.experiments.report import (
    SCORE_BINS,
    AdjustedValues,
    ArmDiagnosis,
    ArmEffect,
    ArmReport,
    ArmsReport,
    ComparisonReport,
    ContrastReport,
    ExplanationReport,
    GuardrailReport,
    Interval,
    MetricDifference,
    OverallArm,
    OverallComparison,
    ParallelComparison,
    SegmentReport,
)
from kullback.experiments.report_warnings import report_warnings
from kullback.experiments.verdict import too_thin
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Undefined
from kullback.tally.confidence_sequence import ConfidenceSequence, confidence_sequence
from kullback.tally.contrast import Contrast
from kullback.tally.inference import kish, occupied_buckets
from kullback.tally.metrics import RELIABILITY_BINS, TallyMetrics, estimate
from kullback.tally.multiplicity import benjamini_hochberg
from kullback.tally.report_types import MetricValue, finite, metric_values, reliability_bins
from kullback.tally.tally import Tally

AUC_SCALE = 0.005  # the effect whose square is the scale of its mixture
_NO_CONTRAST = ContrastReport(**dict.fromkeys(ContrastReport.__dataclass_fields__))


def arms_report(findings: Findings, by: str | None = None) -> ArmsReport:
    """The report of docs/api.md; of the segments those of one slice, where one is named."""
    plan = findings.plan
    segments = [name for name in sorted(findings.comparisons) if name]
    if by is not None:
        segments = [name for name in segments if name.startswith(f"{by}=")]
    comparisons = findings.comparisons[""]
    is_parallel = plan.design == "parallel"
    return extended(
        ArmsReport,
        planned_measures(plan),
        design=plan.design,
        assignment=plan.assignment,
        metric=plan.metric,
        control=plan.control,
        alpha=plan.alpha,
        minimum_effect=plan.minimum_effect,
        minimum_units=plan.minimum_units,
        objective=plan.objective,
        power=plan.power,
        convention=plan.convention,
        arms=tuple(_overall_arm(findings, arm) for arm in plan.arms),
        comparisons=tuple(_overall(comparison, plan.alpha) for comparison in comparisons),
        sample_ratio=sample_ratio_report(findings),
        crossover=findings.crossover,
        strata=strata_report(findings),
        groups=tuple(_segment(findings, name) for name in segments),
        warnings=report_warnings(findings),
        base_rate_difference={
            comparison.arm: _base_rate_difference(comparison) for comparison in comparisons
        }
        if is_parallel
        else None,
    )


def arm_effect(comparison: Comparison, alpha: float) -> ArmEffect:
    """The effect of an arm; the fixed interval is true in 1 − alpha of all experiments."""
    sequence, verdict = comparison.confidence_sequence, comparison.verdict
    return extended(
        ArmEffect,
        _contrast(comparison.effect, alpha),
        arm=comparison.arm,
        control=comparison.control,
        relative_effect=finite(comparison.relative),
        sequence=_bounds(sequence),
        e_value=None if sequence is None else sequence.e_value,
        log_e_value=None if sequence is None else finite(sequence.log_e_value),
        p_value=None if sequence is None else sequence.p_value,
        information=None if sequence is None else finite(sequence.information),
        verdict=verdict.word,
        superiority=verdict.superiority,
        margin=verdict.margin,
        reason=verdict.reason,
        reason_code=verdict.code,
        information_needed=verdict.needed,
    )


def _overall_arm(findings: Findings, arm: Arm) -> OverallArm:
    tally = findings.tallies[""][arm.name]
    diagnosis, metrics = Diagnosis.of(tally), TallyMetrics(tally)
    units = None if findings.units is None else round(findings.units[arm.name])
    return extended(
        OverallArm,
        _arm(findings.plan, arm, tally, units),
        diagnosis=ArmDiagnosis(
            finite(diagnosis.miscalibration),
            finite(diagnosis.discrimination),
            finite(diagnosis.uncertainty),
            finite(diagnosis.slope),
            finite(diagnosis.intercept),
            diagnosis.slope_standard_error,
            diagnosis.intercept_standard_error,
        ),
        reliability=reliability_bins(metrics.quantiles(RELIABILITY_BINS)),
        score_histogram=reliability_bins(metrics.scores(SCORE_BINS)),
    )


def _arm(plan: Plan, arm: Arm, tally: Tally, units: int | None) -> ArmReport:
    """An arm without metrics where its weights leave too little of it."""
    metrics, thin = TallyMetrics(tally), too_thin(tally)
    own = {name: estimate(tally, metric) for name, metric in measured_metrics(plan).items()}
    values = {**metric_values(metrics), **{name: MetricValue.of(own[name]) for name in own}}
    if thin is not None:
        values = dict.fromkeys(
            values, MetricValue(None, "undefined", Reason.EFFECTIVE_SAMPLE_SIZE, None)
        )
    return ArmReport(
        arm=arm.name,
        share=arm.share,
        units=units,
        clusters=occupied_buckets(tally),
        n=metrics.rows,
        weight=metrics.weight,
        metrics=values,
        refused=None if thin is None else thin.reason,
        clipped=tally.scalar("clipped"),
        infinite=tally.scalar("infinite"),
        effective_sample_size=kish(tally),
        winsorized=winsorized_share(plan, tally),
    )


def _overall(comparison: Comparison, alpha: float) -> OverallComparison:
    overall = extended(
        OverallComparison,
        _compared(comparison, alpha),
        horizon=horizon_report(comparison),
        metrics=_differences(comparison, alpha),
    )
    if "base_rate" not in comparison.other_metrics:
        return overall
    difference = _base_rate_difference(comparison)
    return extended(ParallelComparison, overall, base_rate_difference=difference)


def _compared(comparison: Comparison, alpha: float) -> ComparisonReport:
    explanation, adjusted = comparison.explanation, comparison.adjusted
    return extended(
        ComparisonReport,
        arm_effect(comparison, alpha),
        **relative_fields(comparison.relative_sets),
        why=None if explanation is None else _explanation(explanation),
        adjusted=None if adjusted is None else _adjusted(adjusted),
        covariate=covariate_report(comparison),
        guardrails={name: _guardrail(each, alpha) for name, each in comparison.guardrails.items()},
    )


def _guardrail(comparison: Comparison, alpha: float) -> GuardrailReport:
    plan, adjusted = comparison.plan, comparison.adjusted
    return extended(
        GuardrailReport,
        arm_effect(comparison, alpha),
        metric=plan.metric,
        objective=plan.objective,
        minimum_effect=plan.minimum_effect,
        adjusted=None if adjusted is None else _adjusted(adjusted),
        covariate=covariate_report(comparison),
    )


def _segment(findings: Findings, name: str) -> SegmentReport:
    key, _, value = name.partition("=")
    plan, tallies = findings.plan, findings.tallies[name]
    return SegmentReport(
        {key: value},
        tuple(_arm(plan, arm, tallies[arm.name], None) for arm in plan.arms),
        tuple(_compared(comparison, plan.alpha) for comparison in findings.comparisons[name]),
    )


def _contrast(contrast: Contrast | Undefined, alpha: float) -> ContrastReport:
    if isinstance(contrast, Undefined):
        return _NO_CONTRAST
    return ContrastReport(
        effect=contrast.effect,
        standard_error=contrast.standard_error,
        degrees_of_freedom=contrast.degrees_of_freedom,
        clusters=contrast.clusters,
        largest_share=contrast.largest_share,
        skewness=contrast.skewness,
        fixed_interval=_interval(*contrast.interval(alpha)),
        fixed_p_value=contrast.p_value(),
    )


def _differences(comparison: Comparison, alpha: float) -> Mapping[str, MetricDifference]:
    """Every other metric for one look, with Benjamini-Hochberg's correction for their number."""
    contrasts = dict(comparison.other_metrics)
    if comparison.explanation is not None:
        contrasts["auc"] = comparison.explanation.auc
    defined = {
        name: contrast
        for name, contrast in contrasts.items()
        if not isinstance(contrast, Undefined)
    }
    p_values = benjamini_hochberg([contrast.p_value() for contrast in defined.values()])
    corrected = dict(zip(defined, p_values, strict=True))
    return {
        name: extended(
            MetricDifference,
            _contrast(contrast, alpha),
            sequence=_auc_sequence(comparison, alpha) if name == "auc" else None,
            benjamini_hochberg=corrected.get(name),
            reason=contrast.reason if isinstance(contrast, Undefined) else None,
        )
        for name, contrast in contrasts.items()
    }


def _auc_sequence(comparison: Comparison, alpha: float) -> Interval | None:
    """What holds of the difference of AUC at every look, from the burn-in on."""
    explanation = comparison.explanation
    if explanation is None or isinstance(explanation.auc, Undefined) or not comparison.may_claim:
        return None
    return _bounds(confidence_sequence(explanation.auc, AUC_SCALE, alpha))


def _explanation(explanation: Explanation) -> ExplanationReport:
    return ExplanationReport(
        explanation.statement,
        finite(explanation.calibration),
        finite(explanation.ranking),
        finite(explanation.rows),
        _effect(explanation.auc),
    )


def _adjusted(adjusted: AdjustedComparison) -> AdjustedValues:
    return AdjustedValues(
        adjusted.holm,
        adjusted.benjamini_hochberg,
        adjusted.e_bh,
        _bounds(adjusted.confidence_sequence),
    )


def _base_rate_difference(comparison: Comparison) -> float | None:
    return _effect(comparison.other_metrics["base_rate"])


def _effect(contrast: Contrast | Undefined) -> float | None:
    return None if isinstance(contrast, Undefined) else contrast.effect


def _bounds(sequence: ConfidenceSequence | None) -> Interval | None:
    return None if sequence is None else _interval(sequence.low, sequence.high)


def _interval(low: float, high: float) -> Interval | None:
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None
