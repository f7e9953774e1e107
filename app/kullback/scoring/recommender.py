"""Recommender metrics: log loss, and what makes it comparable between logs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.means import sum_up, weighted_mean
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined
from kullback.scoring.arrays import CheckedProbabilities, probabilities, shown, weights
from kullback.scoring.arrays import logits as checked_logits
from kullback.scoring.click_losses import ClickLosses
from kullback.scoring.conventions import ConventionName, chosen_convention
from kullback.scoring.group_scores import GroupScores, group_numbers, normalized_entropy
from kullback.scoring.labels import Label, Labels, binary_target, row_count
from kullback.scoring.log_probabilities import sent_probabilities
from kullback.scoring.options import Options
from kullback.scoring.ranked_lists import ranking_scores
from kullback.scoring.ranking import Ranking, area
from kullback.scoring.reliability import Reliability
from kullback.scoring.score import Context, Losses, Score, in_unit, reduce_rows, score_rows

BINS = 15
_OF_ALL = ("grouped_auc_weight", "groups")  # the same of every task
_ONE_TASK = "is of one task, and several columns were sent"


@dataclass(frozen=True, slots=True)
class RecommenderOptions:
    """What the recommender report can be asked beside Options."""

    group: Labels | None = None
    negative_sampling_rate: float | None = None
    convention: ConventionName = "exact"
    per_group: bool = False
    at: Sequence[int] = ()
    labels: Sequence[Label] | None = None
    pos_label: Label | None = None
    tasks: Sequence[Label] | None = None
    epsilon: float | None = None
    is_log: bool = False  # ln P(click) was sent


def recommender(
    y_true: Labels,
    y_proba: Array | None,
    logits: Array | None,
    settings: RecommenderOptions,
    options: Options,
) -> Score:
    """Log loss of click predictions, with what makes it comparable between logs.

        NE  = LL / H_b(r),  r = Σ wy / Σ w        RIG = 1 − NE
        calibration ratio = Σ wp / Σ wy
        with negatives kept at rate s, p is first corrected to p / (p + (1 − p)/s)

    Args:
        y_true: clicks (n,), 0 or 1, or click rates in [0, 1] of aggregated rows; any two labels
            with `labels` or `pos_label`; (n, t) for t tasks.
        y_proba: P(click) (n,), or (n, t); or its logarithm, if `settings.is_log`.
        logits: in place of y_proba: P(click) = σ(logits), of which no digit is lost.
        settings: `group` (n,), such as user ids, with a row for each if `per_group`, and NDCG, MRR
            and hit rate of each group at the cutoffs `at`; `negative_sampling_rate` s in (0, 1];
            `tasks` names the columns; convention or epsilon, of y_proba.
        options: see Options; the gradient is with respect to the prediction as sent.

    Returns:
        Log loss in [0, ∞] nats. NE, RIG and AUC are undefined (`one_class`) without clicks or
        without non-clicks. `grouped_auc` weighs the groups that have both by impressions (the
        sum of their sample weights); `macro_log_loss` is the plain mean over groups. `groups`
        are at most the 10,000 heaviest; `groups_rest` sums up the others. Of several tasks each
        number is the plain mean of those of `tasks`, undefined where that of a task is.

    Raises:
        InvalidInput: a probability, a label, a weight or the rate is impossible.

    Source: He et al., ADKDD (2014), §3 and §6.3; Fawcett (2006) for AUC.
    """
    columns, outside = _columns(y_true, y_proba, logits, settings, options)
    n = columns[0].y.size
    options = replace(options, sample_weight=weights("sample_weight", options.sample_weight, n))
    group = None if settings.group is None else group_numbers(settings.group, n)
    if group is None and (settings.per_group or settings.at):
        name = "per_group" if settings.per_group else "at"
        raise InvalidInput.at(f"{name} needs group, an id for each row", name)
    reports = [_report(clicks, group, settings, options) for clicks in columns]
    details = reports[0]
    losses = columns[0].losses
    if settings.tasks is not None or len(columns) > 1:
        losses = np.mean([clicks.losses for clicks in columns], axis=0)
        details = _of_tasks(reports, settings)
    gradient = None
    if options.gradient:
        sent = logits if y_proba is None else y_proba
        assert sent is not None
        slopes = [clicks.slope() for clicks in columns]
        gradient = np.stack(slopes, axis=1).reshape(sent.shape) / len(columns)
    context = Context(
        "recommender",
        options,
        settings.convention,
        {"negative_sampling_rate": settings.negative_sampling_rate, "bins": BINS},
        clipped=sum(clicks.clipped for clicks in columns) + outside,
        epsilon=settings.epsilon,
    )
    return score_rows(Losses(losses, gradient=gradient), details, context)


def _columns(
    y_true: Labels,
    y_proba: Array | None,
    logits: Array | None,
    settings: RecommenderOptions,
    options: Options,
) -> tuple[list[ClickLosses], int]:
    """The predictions of each task, with their outcomes, and how many lay outside [0, 1]."""
    if (y_proba is None) == (logits is None):
        raise InvalidInput.at("send one of y_proba, log_proba and logits", "y_proba")
    if logits is not None and (settings.convention != "exact" or settings.epsilon is not None):
        option = "convention" if settings.epsilon is None else "epsilon"
        raise InvalidInput.at(f"{option} bounds y_proba near 0 and 1; logits are exact", option)
    name = "logits" if y_proba is None else "log_proba" if settings.is_log else "y_proba"
    checked = _predictions(y_proba, logits, settings, options)
    sent = checked.values if checked.logs is None else checked.logs
    if sent.ndim > 2:
        raise InvalidInput.at(f"{name} has shape {shown(sent)}; [n] or [n][t] is expected", name)
    predictions = sent.reshape(sent.shape[0], -1)
    truth = _outcomes(y_true, predictions, name, settings, options)
    outcomes, outside = truth.values.reshape(predictions.shape), checked.clipped + truth.clipped
    _check_tasks(predictions, settings)
    rate = settings.negative_sampling_rate or 1.0
    pairs = zip(outcomes.T.copy(), predictions.T.copy(), strict=True)
    if logits is not None:
        return [ClickLosses.of_logits(y, x, rate) for y, x in pairs], outside
    assert y_proba is not None
    convention = chosen_convention(settings.convention, settings.epsilon, y_proba.dtype)
    made = ClickLosses.of_logs if settings.is_log else ClickLosses.of_probabilities
    return [made(y, p, rate, convention) for y, p in pairs], outside


def _predictions(
    y_proba: Array | None, logits: Array | None, settings: RecommenderOptions, options: Options
) -> CheckedProbabilities:
    if y_proba is not None:
        return sent_probabilities(y_proba, options, is_log=settings.is_log)
    assert logits is not None
    return CheckedProbabilities(checked_logits("logits", logits))


def _outcomes(
    y_true: Labels, predictions: Array, name: str, settings: RecommenderOptions, options: Options
) -> CheckedProbabilities:
    """Outcomes of the size of the predictions (n, t)."""
    n, t = predictions.shape
    if row_count(y_true) != n:
        raise InvalidInput.at(f"y_true has {row_count(y_true)} rows but {name} has {n}", "y_true")
    if t == 1:
        return binary_target("y_true", y_true, settings.labels, settings.pos_label, options)
    sizes = shown(predictions)
    if isinstance(y_true, list) or y_true.ndim == 1:
        detail = f"{name} is {sizes} but y_true [{n}]: of two classes send P(click) alone, [{n}]"
        raise InvalidInput.at(f"{detail}; several tasks are columns of both", name)
    if y_true.shape != predictions.shape:
        detail = f"y_true has shape {shown(y_true)} but {name} has {sizes}"
        raise InvalidInput.at(detail, "y_true")
    for option in ("labels", "pos_label"):
        if getattr(settings, option) is not None:
            raise InvalidInput.at(f"{option} {_ONE_TASK}", option)
    return probabilities("y_true", y_true, options)


def _check_tasks(predictions: Array, settings: RecommenderOptions) -> None:
    n, t = predictions.shape
    if settings.tasks is None:
        if t > 1 and settings.per_group:
            raise InvalidInput.at(f"per_group {_ONE_TASK}", "per_group")
        return
    if settings.per_group:
        raise InvalidInput.at("per_group is of one task without a name", "per_group")
    if len(settings.tasks) != t:
        hint = ": rows are examples, and columns tasks" if len(settings.tasks) == n else ""
        detail = f"tasks names {len(settings.tasks)} tasks but there are {t} columns{hint}"
        raise InvalidInput.at(detail, "tasks")
    if len({str(task) for task in settings.tasks}) != t:
        raise InvalidInput.at("tasks names a task twice", "tasks")


def _report(
    clicks: ClickLosses, group: Indices | None, settings: RecommenderOptions, options: Options
) -> dict[str, object]:
    """The details of one task."""
    ranking = Ranking.of(clicks.score)
    details = _overall(clicks, ranking, options)
    if group is None or settings.group is None:
        none = Undefined(Reason.NO_GROUP)
        return details | {"grouped_auc": none, "macro_log_loss": none, "groups": []}
    ranking = ranking.within(clicks.score, group)
    scores = GroupScores.of(ranking, clicks.y, clicks.losses, options.sample_weight)
    details |= {
        "grouped_auc": scores.grouped_auc(),
        "grouped_auc_weight": "impressions",
        "macro_log_loss": scores.macro_log_loss(options),
        "group_summary": scores.summary(),
    }
    if settings.at:
        details["ranking"] = ranking_scores(ranking, clicks.y, group, settings.at)
    listed = scores.heaviest(settings.group, options) if settings.per_group else {"groups": []}
    return details | listed


def _overall(clicks: ClickLosses, ranking: Ranking, options: Options) -> dict[str, object]:
    p, y, weight = clicks.p, clicks.y, options.sample_weight
    base_rate, mean_prediction = weighted_mean(y, weight), weighted_mean(p, weight)
    log_loss = reduce_rows(Losses(clicks.losses), weight).value()
    normalized = (
        log_loss if isinstance(log_loss, Undefined) else normalized_entropy(log_loss, base_rate)
    )
    return {
        "log_loss": in_unit(log_loss, options),
        "normalized_entropy": normalized,
        "relative_information_gain": (
            normalized if isinstance(normalized, Undefined) else 1.0 - normalized
        ),
        "calibration_ratio": _ratio(mean_prediction, base_rate),
        "base_rate": base_rate,
        "mean_prediction": mean_prediction,
        "brier": weighted_mean(clicks.miss**2, weight),
        "ece": (
            base_rate
            if isinstance(base_rate, Undefined)
            else Reliability.of(p, y, weight, BINS, "uniform").ece()
        ),
        "auc": base_rate if isinstance(base_rate, Undefined) else area(ranking, y, weight),
    }


def _ratio(mean_prediction: float | Undefined, base_rate: float | Undefined) -> float | Undefined:
    if isinstance(base_rate, Undefined) or isinstance(mean_prediction, Undefined):
        return base_rate
    return mean_prediction / base_rate if base_rate > 0 else Undefined(Reason.NO_POSITIVES)


def _of_tasks(
    reports: Sequence[Mapping[str, object]], settings: RecommenderOptions
) -> dict[str, object]:
    """The plain mean over tasks of each number, and the numbers of each task."""
    names = settings.tasks or range(len(reports))
    means = {
        key: _mean([report[key] for report in reports])
        for key, value in reports[0].items()
        if isinstance(value, float | Undefined)
    }
    shared = {key: reports[0][key] for key in _OF_ALL if key in reports[0]}
    tasks = [
        {"task": name} | {key: value for key, value in report.items() if key not in _OF_ALL}
        for name, report in zip(names, reports, strict=True)
    ]
    return means | shared | {"tasks": tasks}


def _mean(values: Sequence[object]) -> float | Undefined:
    """The plain mean of numbers, undefined for the reason of the first that is."""
    numbers: list[float] = []
    for value in values:
        if isinstance(value, Undefined):
            return value
        assert isinstance(value, float)
        numbers.append(value)
    return sum_up(numbers) / len(numbers)
