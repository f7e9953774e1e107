"""Mutual information of a joint table, of counts, and of two columns of labels."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.numerals import numeral
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from kullback.scoring.arrays import distributions, matrix, shown, weights
from kullback.scoring.checks import after_checks
from kullback.scoring.contingency import ContingencyTable, table_of_counts, table_of_labels
from kullback.scoring.entropy_estimators import ESTIMATORS, Estimator, needs_whole, shrunk
from kullback.scoring.expected_information import expected_information
from kullback.scoring.information_rows import entropy_rows, kl_rows
from kullback.scoring.labels import Labels
from kullback.scoring.options import Options
from kullback.scoring.refusals import refuse
from kullback.scoring.score import Context, Losses, Score, in_unit, reduce_rows, score_rows

Average = Literal["arithmetic", "geometric", "min", "max"]
AVERAGES: dict[Average, Callable[[float, float], float]] = {
    "arithmetic": lambda x, y: (x + y) / 2,
    "geometric": lambda x, y: math.sqrt(x) * math.sqrt(y),
    "min": min,
    "max": max,
}
_ERROR_OF_PLUGIN: frozenset[Estimator] = frozenset({"plugin", "miller_madow"})
_ROUNDING = 64 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class TableOptions:
    """What the information of a table can be asked beside Options."""

    estimator: Estimator = "plugin"
    average: Average = "arithmetic"
    adjusted: bool = True


def information_of_joint(joint: Array, average: Average, options: Options) -> Score:
    """How much two discrete variables tell of each other, from their joint distribution.

        I(X; Y) = KL(J ‖ p_X p_Y) = Σ J ln(J / (p_X p_Y))

    Args:
        joint: J, shape (a, b), rows X and columns Y, sums to 1 in all (or is divided by its sum,
            with `on_unnormalized: "renormalize"`, as counts are).
        average: of H(X) and H(Y), by which `normalized_mutual_information` divides.
        options: see Options.

    Returns:
        In [0, min(H(X), H(Y))] nats, with `entropy_x`, `entropy_y`, `conditional_entropy`
        H(Y|X), and `upper_bound` H(Y).

    Raises:
        InvalidInput: an entry is negative, the table does not sum to 1, or weights were sent.

    Source: Cover & Thomas, Elements of Information Theory (2006), §2.3.
    """
    table, _ = matrix("joint", joint)
    if joint.ndim != 2:
        raise InvalidInput.at(f"joint has shape {shown(joint)}; [a][b] is expected", "joint")
    _refuse_weights(options, "a table")
    least = -options.tolerance(joint.dtype)
    refuse(
        "joint",
        ~(table >= least),
        lambda at: f"{numeral(table[at], 0.0, least)} is not a probability",
    )
    _refuse_counts(table, options)
    checked = distributions("joint", joint.reshape(-1), options)
    j = checked.values.reshape(table.shape)
    x, y = j.sum(axis=1), j.sum(axis=0)
    entropies = _entropy(x), _entropy(y)
    divergence = kl_rows(j.reshape(1, -1), np.outer(x, y).reshape(1, -1), None)
    information = np.minimum(divergence, min(entropies))  # but for rounding it is
    seen = x > 0
    conditional = float(x[seen] @ entropy_rows(j[seen] / x[seen, None], None))
    details = {
        **_entropies(entropies, conditional, "joint", options),
        "normalized_mutual_information": _ratio(
            float(information[0]), AVERAGES[average](*entropies)
        ),
    }
    context = Context("mutual_information", options, conventions={"average": average})
    return score_rows(Losses(information), details, after_checks(context, checked))


def _refuse_counts(table: Array, options: Options) -> None:
    """A table of whole numbers is one of counts; divided by its sum it is a distribution."""
    total = float(table.sum())
    whole = bool((table == np.floor(table)).all())
    if whole and total > 1 and options.on_unnormalized == "error":
        detail = f"the table sums to {numeral(total, 1.0)}, not 1: send counts as `counts`"
        raise InvalidInput.at(detail, "joint")


def _refuse_weights(options: Options, form: str) -> None:
    if options.sample_weight is not None:
        raise InvalidInput.at(f"sample_weight does not apply to {form}", "sample_weight")


def information_of_counts(counts: Array, settings: TableOptions, options: Options) -> Score:
    """The same from how often values were seen together: see information_of_labels.

    Args:
        counts: n, shape (a, b), at least 0; whole numbers for some estimators.
        settings: `estimator`, `average` and whether to adjust for chance.
        options: see Options; the standard error is that of the plug-in (the delta method).

    Returns:
        The same as of labels, as one row.

    Raises:
        InvalidInput: a count is impossible, or weights were sent.
    """
    _refuse_weights(options, "a table")
    whole = needs_whole(settings.estimator)
    table = table_of_counts("counts", counts, whole_counts=whole)
    information, details = _information(table, settings, options)
    rows = Losses(np.array([information]))
    error = _error(table) if settings.estimator in _ERROR_OF_PLUGIN else None
    reduced = replace(reduce_rows(rows, None), standard_error=error)
    return score_rows(rows, details, _context(settings, options), reduced)


def information_of_labels(x: Labels, y: Labels, settings: TableOptions, options: Options) -> Score:
    """How much two columns of labels tell of each other, from their contingency table.

        I = Σ (n_ij/N) ln(N n_ij / (a_i b_j))
        normalized_mutual_information = I / average(H(X), H(Y))
        adjusted_mutual_information = (I − E[I]) / (average(H(X), H(Y)) − E[I])

    E[I] is the mean over all ways to arrange the N labels; it needs whole numbers of them.

    Args:
        x: labels (n,), integers or strings.
        y: labels (n,).
        settings: `estimator` of the three entropies, I = H(X) + H(Y) − H(X, Y); `average`, and
            whether to adjust for chance. The two ratios are of the plug-in whatever it is.
        options: see Options; `sample_weight` counts a row so often. `per_row` is the pointwise
            information ln(N n_ij / (a_i b_j)).

    Returns:
        Nats; at least 0 for the plug-in, james_stein, else maybe less.

    Raises:
        InvalidInput: the columns differ in length, a label is a fraction, or weights are not
            whole for an estimator that counts observations.

    Source: Strehl & Ghosh, Journal of Machine Learning Research 3 (2002); Vinh, Epps & Bailey,
        Journal of Machine Learning Research 11 (2010).
    """
    n = len(x)
    weight = weights("sample_weight", options.sample_weight, n)
    options = replace(options, sample_weight=weight)
    table, cell, alive = table_of_labels(x, y, weight)
    if needs_whole(settings.estimator) and not table.is_whole:
        detail = f"{settings.estimator} counts observations: its weights are whole numbers"
        raise InvalidInput.at(detail, "sample_weight")
    pointwise = np.zeros(n)
    pointwise[alive] = table.pointwise_information()[cell]
    rows = Losses(pointwise)
    reduced = reduce_rows(rows, weight)
    details: dict[str, object] = {}
    if not math.isnan(reduced.mean):
        information, details = _information(table, settings, options)
        has_error = settings.estimator in _ERROR_OF_PLUGIN
        error = reduced.standard_error if has_error else None
        reduced = replace(reduced, mean=information, standard_error=error)
    return score_rows(rows, details, _context(settings, options), reduced)


def _context(settings: TableOptions, options: Options) -> Context:
    return Context("mutual_information", options, conventions={"average": settings.average})


def _information(
    table: ContingencyTable, settings: TableOptions, options: Options
) -> tuple[float, dict[str, object]]:
    """The estimate, and the details of a table of counts."""
    plugin = _estimates(table, "plugin")
    chosen = plugin if settings.estimator == "plugin" else _estimates(table, settings.estimator)
    information, x, y = chosen
    conditional = _conditional(table) if settings.estimator == "plugin" else y - information
    details = _entropies((x, y), conditional, settings.estimator, options)
    average = AVERAGES[settings.average](*plugin[1:])
    details["normalized_mutual_information"] = _ratio(plugin[0], average)
    if settings.adjusted:
        details |= _adjusted(table, plugin[0], average, options)
    return information, details


def _estimates(table: ContingencyTable, estimator: Estimator) -> tuple[float, float, float]:
    """I, H(X) and H(Y) in nats."""
    if estimator == "james_stein":
        shape = table.row_sums.size, table.column_sums.size
        return _of_shares(shrunk(table.dense().reshape(1, -1)).reshape(shape))
    estimate = ESTIMATORS[estimator]
    x, y = (float(estimate(sums[None])[0]) for sums in (table.row_sums, table.column_sums))
    if estimator == "plugin":
        return min(_divergence(table), x, y), x, y
    return x + y - float(estimate(table.counts[None])[0]), x, y


def _of_shares(joint: Array) -> tuple[float, float, float]:
    x, y = joint.sum(axis=1), joint.sum(axis=0)
    information = kl_rows(joint.reshape(1, -1), np.outer(x, y).reshape(1, -1), None)
    return float(information[0]), _entropy(x), _entropy(y)


def _divergence(table: ContingencyTable) -> float:
    """KL of the cells from their products; what cells without a count would have, as one more."""
    joint, products = table.shares(), table.products()
    if joint.size < table.row_sums.size * table.column_sums.size:
        rest = max(0.0, 1.0 - math.fsum(products.tolist()))
        joint, products = np.append(joint, 0.0), np.append(products, rest)
    return float(kl_rows(joint[None], products[None], None)[0])


def _conditional(table: ContingencyTable) -> float:
    """H(Y|X) = −Σ (n_ij/N) ln(n_ij/a_i)."""
    logs = np.log(table.counts / table.row_sums[table.row])
    return 0.0 - float(table.shares() @ logs)


def _error(table: ContingencyTable) -> float | None:
    """√(Σ p·i² − I²)/√(N − 1) of the pointwise information i: the delta method."""
    if table.total <= 1:
        return None
    shares, pointwise = table.shares(), table.pointwise_information()
    deviations = pointwise - float(shares @ pointwise)
    return math.sqrt(float(shares @ deviations**2) / (table.total - 1))


def _adjusted(
    table: ContingencyTable, information: float, average: float, options: Options
) -> dict[str, object]:
    if not table.is_whole:
        missing = Undefined(Reason.FRACTIONAL_COUNTS)
        return {"expected_mutual_information": missing, "adjusted_mutual_information": missing}
    expected = expected_information(table.row_sums, table.column_sums)
    return {
        "expected_mutual_information": expected / options.nats,
        "adjusted_mutual_information": _ratio(information - expected, average - expected, average),
    }


def _ratio(part: float, whole: float, scale: float | None = None) -> float | Undefined:
    """A part of the whole; nothing where the whole is 0, but for rounding of a difference."""
    if whole == 0 and scale in (None, 0):
        return Undefined(Reason.ONE_CLASS)
    if scale is not None and whole <= _ROUNDING * scale:
        return Undefined(Reason.UNDEFINED)
    return part / whole


def _entropies(
    entropies: tuple[float, float], conditional: float, estimator: str, options: Options
) -> dict[str, object]:
    x, y = entropies
    return {
        "entropy_x": in_unit(x, options),
        "entropy_y": in_unit(y, options),
        "conditional_entropy": in_unit(conditional, options),
        "upper_bound": in_unit(y, options),
        "estimator": estimator,
    }


def _entropy(p: Array) -> float:
    return float(entropy_rows(p.reshape(1, -1), None)[0])
