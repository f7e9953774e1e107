"""This file is about what an experiment reports: its findings as a document."""

from kullback.experiments.comparison import AdjustedComparison, Comparison, Findings
from kullback.experiments.explanation import Diagnosis, Explanation
from kullback.experiments.verdict import WARN_CROSSED, too_thin
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Undefined
from kullback.tally.contrast import Contrast
from kullback.tally.documents import Document, bins, estimate, finite, numbers
from kullback.tally.inference import kish
from kullback.tally.inference import occupied_buckets as occupied
from kullback.tally.metrics import Estimate, TallyMetrics
from kullback.tally.multiplicity import benjamini_hochberg
from kullback.tally.tally import Tally

RELIABILITY_BINS = 10
SCORE_BINS = 64
OWN_TRAFFIC = (
    "On split traffic log loss says who predicts its own traffic better, not who recommends "
    "better: see base_rate_difference, and score every row by every arm (paired) where you can."
)
ONE_LOOK = "fixed_interval and fixed_p_value are valid for one look, at a time planned in advance."
CROSSED = "{:.1%} of all units met more than one arm."


def report(found: Findings, by: str | None = None) -> Document:
    """The report of docs/api.md; of the segments those of one slice, where one is named."""
    plan = found.plan
    segments = [name for name in sorted(found.comparisons) if name]
    if by is not None:
        segments = [name for name in segments if name.startswith(f"{by}=")]
    document: Document = {
        "design": plan.design,
        "assignment": plan.assignment,
        "metric": plan.metric,
        "control": plan.control,
        "alpha": plan.alpha,
        "minimum_effect": plan.minimum_effect,
        "minimum_units": plan.minimum_units,
        "convention": plan.convention,
        "arms": arms(found, ""),
        "comparisons": [comparison(one, plan.alpha) for one in found.comparisons[""]],
        "sample_ratio": _ratio(found),
        "crossover": found.crossover,
        "groups": [group(found, name) for name in segments],
        "warnings": _warnings(found),
    }
    if plan.design == "parallel":
        rates = {
            one.arm: one.other_metrics["base_rate"]
            for one in found.comparisons[""]
            if one.other_metrics
        }
        document["base_rate_difference"] = {arm: _effect(rate) for arm, rate in rates.items()}
    return document


def arms(found: Findings, segment: str) -> list[Document]:
    """Every arm with its metrics; of all rows also what they are made of."""
    documents = []
    for arm in found.plan.arms:
        tally = found.tallies[segment][arm.name]
        known = found.units is not None and not segment
        documents.append(
            {
                "arm": arm.name,
                "share": arm.share,
                "units": round(found.units[arm.name]) if known and found.units else None,
                "clusters": occupied(tally),
                **_told(tally),
                "clipped": tally.scalar("clipped"),
                "infinite": tally.scalar("infinite"),
                "effective_sample_size": kish(tally),
            }
            | ({} if segment else _in_depth(tally))
        )
    return documents


def comparison(one: Comparison, alpha: float) -> Document:
    """An arm against the control, with why, among its family, and by every other metric."""
    document = brief(one, alpha) | {
        "why": None if one.explanation is None else _why(one.explanation),
        "adjusted": None if one.adjusted is None else _adjusted(one.adjusted),
    }
    if one.other_metrics:
        document["metrics"] = _others(one, alpha)
    if "base_rate" in one.other_metrics:
        document["base_rate_difference"] = _effect(one.other_metrics["base_rate"])
    return document


def brief(one: Comparison, alpha: float) -> Document:
    """An arm against the control; the fixed interval is true in 1 − alpha of all experiments."""
    sure = one.confidence_sequence
    return {
        "arm": one.arm,
        "control": one.control,
        **_contrast(one.effect, alpha),
        "relative_effect": finite(one.relative),
        "sequence": None if sure is None else _interval((sure.low, sure.high)),
        "e_value": None if sure is None else sure.e_value,
        "log_e_value": None if sure is None else finite(sure.log_e_value),
        "p_value": None if sure is None else sure.p_value,
        "information": None if sure is None else finite(sure.information),
        "verdict": one.verdict.word,
        "reason": one.verdict.reason,
        "reason_code": one.verdict.code,
        "information_needed": one.verdict.needed,
    }


def group(found: Findings, name: str) -> Document:
    """The arms and their comparisons in a segment."""
    key, _, value = name.partition("=")
    return {
        "slice": {key: value},
        "arms": arms(found, name),
        "comparisons": [comparison(one, found.plan.alpha) for one in found.comparisons[name]],
    }


def _told(tally: Tally) -> Document:
    """The metrics of an arm; none where its weights leave too little of it."""
    refused = too_thin(tally)
    document = numbers(TallyMetrics(tally))
    if refused is not None:
        missing = Undefined(Reason.EFFECTIVE_SAMPLE_SIZE)
        names = TallyMetrics(tally).names()
        document["metrics"] = {name: estimate(Estimate(missing, missing)) for name in names}
        document["refused"] = refused.reason
    return document


def _in_depth(tally: Tally) -> Document:
    diagnosis, reading = Diagnosis.of(tally), TallyMetrics(tally)
    parts = ("miscalibration", "discrimination", "uncertainty", "slope", "intercept")
    return {
        "diagnosis": {name: finite(getattr(diagnosis, name)) for name in parts},
        "reliability": bins(reading.quantiles(RELIABILITY_BINS)),
        "score_histogram": bins(reading.scores(SCORE_BINS)),
    }


def _contrast(found: Contrast | Undefined, alpha: float) -> Document:
    if isinstance(found, Undefined):
        names = ("effect", "standard_error", "degrees_of_freedom", "clusters", "largest_share")
        return dict.fromkeys((*names, "fixed_interval", "fixed_p_value"))
    return {
        "effect": found.effect,
        "standard_error": found.standard_error,
        "degrees_of_freedom": found.degrees_of_freedom,
        "clusters": found.clusters,
        "largest_share": found.largest_share,
        "fixed_interval": _interval(found.interval(alpha)),
        "fixed_p_value": found.p_value(),
    }


def _adjusted(found: AdjustedComparison) -> Document:
    return {
        "holm": found.holm,
        "benjamini_hochberg": found.benjamini_hochberg,
        "e_bh": found.e_bh,
        "sequence": None
        if found.confidence_sequence is None
        else _interval((found.confidence_sequence.low, found.confidence_sequence.high)),
    }


def _others(one: Comparison, alpha: float) -> Document:
    """Every other metric for one look, with Benjamini-Hochberg's correction for their number."""
    others = dict(one.other_metrics)
    if one.explanation is not None:
        others["auc"] = one.explanation.auc
    p_values = [found.p_value() for found in others.values() if not isinstance(found, Undefined)]
    corrected = iter(benjamini_hochberg(p_values))
    documents: dict[str, object] = {}
    for name, found in others.items():
        missing = isinstance(found, Undefined)
        documents[name] = {
            **_contrast(found, alpha),
            "benjamini_hochberg": None if missing else next(corrected),
            "reason": found.reason if isinstance(found, Undefined) else None,
        }
    return documents


def _why(found: Explanation) -> Document:
    parts = {name: finite(getattr(found, name)) for name in ("calibration", "ranking", "rows")}
    return {"statement": found.statement, **parts, "auc_difference": _effect(found.auc)}


def _ratio(found: Findings) -> Document:
    names = found.plan.names
    counts = found.units and {name: round(count) for name, count in found.units.items()}
    ratio = found.sample_ratio
    if ratio is None:
        missing = dict.fromkeys(("e_value", "log_e_value", "p_value", "chi_square_p_value"))
        return missing | {"alarm": False, "units": counts, "expected": None}
    return {
        "e_value": ratio.e_value,
        "log_e_value": finite(ratio.log_e_value),
        "p_value": ratio.p_value,
        "chi_square_p_value": ratio.chi_square_p_value,
        "alarm": ratio.alarm,
        "units": counts,
        "expected": dict(zip(names, ratio.expected, strict=True)),
    }


def _warnings(found: Findings) -> list[str]:
    warnings = [OWN_TRAFFIC] if found.plan.design == "parallel" else []
    if found.crossover >= WARN_CROSSED:
        warnings.append(CROSSED.format(found.crossover))
    return [*warnings, ONE_LOOK]


def _effect(found: Contrast | Undefined) -> float | None:
    return None if isinstance(found, Undefined) else found.effect


def _interval(bounds: tuple[float, float]) -> list[float] | None:
    low, high = map(finite, bounds)
    return None if low is None or high is None else [low, high]
