"""The metric `compare`: an experiment in one call, of which nothing is kept."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kullback.documents import to_mapping
from kullback.experiments.arm_tallies import tally_arms
from kullback.experiments.compared import Comparison
from kullback.experiments.comparison import Findings, compare
from kullback.experiments.plan import Plan
from kullback.experiments.questions import primary
from kullback.experiments.reporting import arms_report
from kullback.experiments.rows import ArmRows
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Flags, Undefined
from kullback.scoring.conventions import CONVENTIONS, EXACT
from kullback.scoring.labels import positive_shares
from kullback.scoring.losses import binary_losses
from kullback.scoring.options import Options
from kullback.scoring.score import ROWS_NAMED, Context, Diagnostics, Score, conventions, explained
from kullback.tally.metrics import TallyMetrics

_IN_NATS = "log_loss"


def compare_once(plan: Plan, rows: ArmRows, options: Options) -> Score:
    """Which arm is better: the effect of the first treatment, with the report of the experiment.

        effect = metric(treatment) − metric(control)

    Args:
        plan: what is compared, and by what.
        rows: what each arm predicted, and what happened.
        options: `base` and `per_row` only: of paired arms the treatment's loss minus the
            control's, of parallel ones the loss of each row.

    Returns:
        In the metric's unit; infinite where the log loss of one of the two arms is.

    Raises:
        InvalidInput: rows and plan do not fit.

    Source: docs/statistics.md.
    """
    findings = compare(plan, tally_arms(plan, rows))
    comparison, tallies = findings.comparisons[""][0], findings.tallies[""]
    unit = options.nats if plan.metric == _IN_NATS else 1.0
    value, reason = _value(findings, comparison)
    effect = comparison.effect
    error = None if isinstance(effect, Undefined) else effect.standard_error / unit
    losses = _losses(plan, rows, comparison, is_needed=options.per_row)
    paired = plan.design == "paired"
    arms = [tallies[plan.control]] if paired else list(tallies.values())
    context = Context("compare", options, plan.convention)
    return Score(
        metric="compare",
        value=value / unit,
        reason=reason,
        unit=options.unit if plan.metric == _IN_NATS else "dimensionless",
        n=sum(tally.scalar("rows") for tally in arms),
        weight=sum(TallyMetrics(tally).weight for tally in arms),
        standard_error=error,
        per_row=losses.rows / options.nats + 0.0 if options.per_row else None,
        details=explained(to_mapping(arms_report(findings))),
        conventions=conventions(context),
        diagnostics=Diagnostics(
            infinite=int(np.count_nonzero(losses.infinite)),
            infinite_rows=tuple(np.flatnonzero(losses.infinite)[:ROWS_NAMED].tolist()),
            clipped=sum(tally.scalar("clipped") for tally in tallies.values()),
            dropped=len(rows) - sum(tally.scalar("rows") for tally in arms),
        ),
    )


def _value(findings: Findings, comparison: Comparison) -> tuple[float, Reason | None]:
    """The effect, as a number that is not finite where there is none, and why."""
    if not isinstance(comparison.effect, Undefined):
        return comparison.effect.effect, None
    tallies, metric = findings.tallies[""], primary(findings.plan).metric
    treatment = metric(tallies[comparison.arm]).value
    control = metric(tallies[comparison.control]).value
    if not isinstance(treatment, Undefined) and not isinstance(control, Undefined):
        difference = treatment - control
        if math.isinf(difference):
            return difference, Reason.of_infinity(difference)
        if not math.isnan(difference):
            return difference, None
    return math.nan, comparison.effect.reason


@dataclass(frozen=True, slots=True)
class _Losses:
    rows: Array
    infinite: Flags


def _losses(plan: Plan, rows: ArmRows, comparison: Comparison, *, is_needed: bool) -> _Losses:
    """The losses of rows, which tallies do not keep; none where nobody asks and all are finite."""
    convention = CONVENTIONS[plan.convention]
    if not is_needed and convention is not EXACT:
        return _Losses(np.empty(0), np.empty(0, np.bool_))
    assert rows.y_true is not None
    assert rows.y_proba is not None
    y = positive_shares("y_true", rows.y_true).values
    if not isinstance(rows.y_proba, Mapping):
        losses, _ = binary_losses(y, rows.y_proba, convention)
        return _Losses(losses, np.isinf(losses))
    treatment, _ = binary_losses(y, rows.y_proba[comparison.arm], convention)
    control, _ = binary_losses(y, rows.y_proba[comparison.control], convention)
    with np.errstate(invalid="ignore"):  # ∞ − ∞: neither is better there
        difference: Array = treatment - control
    return _Losses(difference, ~np.isfinite(difference))
