"""The Score: losses of rows, reduced to one number with its unit, rows and conventions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from pydantic_core import from_json

from kullback.numerics.means import blocks, sum_of_squares, sum_up
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Flags, Undefined
from kullback.scoring.options import Options

Status = Literal["finite", "infinite", "undefined"]

ROWS_NAMED = 20


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """What happened to the rows on the way to the value."""

    infinite: int = 0
    infinite_rows: tuple[int, ...] = ()
    clipped: int = 0
    renormalized: int = 0
    max_sum_error: float = 0.0
    dropped: int = 0
    dropped_rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Losses:
    """Losses of n rows in nats, before sample weights.

    `total` (n,) is what a row adds to the numerator, `share` (n,) what it adds to the
    denominator: 1, its class weight, or how many of its entries are unmasked. Rows that are
    `ignored` have neither and do not count. `gradient` (n, k) is that of `total`.
    """

    total: Array
    share: Array | None = None
    ignored: Flags | None = None
    per_row: Array | None = None
    gradient: Array | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """One number that says what it is: docs/api.md has the meaning of each field.

    `value` is inf where the score is infinite and nan where it is undefined; `details` holds
    no such number: it holds None, and the reason under `reasons`. A score of two arrays has
    `gradients` by their names in place of a gradient.
    """

    metric: str
    value: float
    reason: Reason | None
    unit: str
    n: int
    weight: float
    standard_error: float | None = None
    per_row: Array | None = None
    gradient: Array | None = None
    gradients: Mapping[str, Array] | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    conventions: Mapping[str, object] = field(default_factory=dict)
    diagnostics: Diagnostics = field(default_factory=Diagnostics)

    @property
    def status(self) -> Status:
        """Whether the value is a number, an infinity, or nothing at all."""
        if math.isnan(self.value):
            return "undefined"
        return "finite" if math.isfinite(self.value) else "infinite"

    def __float__(self) -> float:
        return self.value

    def to_dict(self) -> dict[str, object]:
        """What the service answers: lists in place of arrays, None for what is not finite."""
        from kullback.scoring.score_json import encode  # noqa: PLC0415 - it knows the Score

        return dict(from_json(encode(self)))


@dataclass(frozen=True, slots=True)
class Reduced:
    """A weighted mean over rows with all that is read beside it, in nats."""

    mean: float
    normalizer: float
    n: int
    weight: float
    standard_error: float | None
    reason: Reason | None

    def value(self) -> "float | Undefined":
        """The mean, or why there is none."""
        return Undefined(self.reason or Reason.UNDEFINED) if math.isnan(self.mean) else self.mean


def reduce_rows(losses: Losses, weight: Array | None) -> Reduced:
    """The weighted mean Σ w·total / Σ w·share and its standard error.

        SE = √(Σ w²(totalᵢ − m·shareᵢ)²) / Σ w·share · √(n / (n − 1))

    n counts the rows that have weight. A row of weight 0 adds nothing, even an infinite one.
    Source: Cochran, Sampling Techniques (1977), §6.3, the ratio estimator.
    """
    ignored = losses.ignored
    if weight is None and losses.share is None and ignored is None and losses.total.size:
        return _plain_mean(losses.total)
    rows = losses.total.size - (0 if ignored is None else int(np.count_nonzero(ignored)))
    sums, shares, sent, alive = [], [], [], 0
    for block in blocks(losses.total.size):
        w, share, added = _weighed(losses, weight, block)
        alive += int(np.count_nonzero(w * share))
        sums.append(float(np.sum(added)))
        shares.append(float(np.sum(w * share)))
        sent.append(float(np.sum(w)))
    normalizer = math.fsum(shares)
    if normalizer == 0:
        reason = Reason.ZERO_WEIGHT if rows else Reason.EMPTY
        return Reduced(math.nan, 0.0, rows, math.fsum(sent), None, reason)
    mean = sum_up(sums) / normalizer
    error = None
    if alive > 1 and math.isfinite(mean):
        error = _deviation(losses, weight, mean) / normalizer * math.sqrt(alive / (alive - 1))
    return Reduced(mean, normalizer, rows, math.fsum(sent), error, Reason.of_infinity(mean))


def _plain_mean(losses: Array) -> Reduced:
    """The same where all rows count alike: without arrays of ones."""
    n = losses.size
    mean = sum_up([float(losses[block].sum()) for block in blocks(n)]) / n
    error = None
    if n > 1 and math.isfinite(mean):
        scale = abs(mean) or 1.0
        deviations = ((losses[block] - mean) / scale for block in blocks(n))
        spread = scale * math.sqrt(sum_up([sum_of_squares(d) for d in deviations]))
        error = spread / n * math.sqrt(n / (n - 1))
    return Reduced(mean, float(n), n, float(n), error, Reason.of_infinity(mean))


def _weighed(losses: Losses, weight: Array | None, block: slice) -> tuple[Array, Array, Array]:
    """Weights, shares and weighted losses of a block; ignored rows have weight 0."""
    sums = losses.total[block]
    share = np.ones_like(sums) if losses.share is None else losses.share[block]
    w = np.ones_like(sums) if weight is None else weight[block]
    if losses.ignored is not None:
        w = np.where(losses.ignored[block], 0.0, w)
    elif weight is None:
        return w, share, sums
    with np.errstate(invalid="ignore"):  # 0 · ∞, which adds nothing
        added = np.where(w > 0, w * sums, 0.0)
    return w, share, added


def _deviation(losses: Losses, weight: Array | None, mean: float) -> float:
    """√(Σ w²(totalᵢ − m·shareᵢ)²), in units of the mean: squares of tiny losses underflow."""
    scale = abs(mean) or 1.0
    squares = []
    for block in blocks(losses.total.size):
        w, share, added = _weighed(losses, weight, block)
        deviations = (added - w * share * mean) / scale
        squares.append(sum_of_squares(deviations))
    return scale * math.sqrt(sum_up(squares))


@dataclass(frozen=True, slots=True)
class Context:
    """What a metric adds to its losses to make a score.

    A `single` row was sent as [k]; the one prediction that all rows are `is_shared` between has
    the sum of their gradients.
    """

    metric: str
    options: Options
    convention: str = "exact"
    conventions: Mapping[str, object] = field(default_factory=dict)
    clipped: int = 0
    renormalized: int = 0
    max_sum_error: float = 0.0
    single: bool = False
    is_shared: bool = False
    epsilon: float | None = None
    column: bool = False  # [n] was sent as [n][1]


def score_rows(
    losses: Losses, details: Mapping[str, object], context: Context, reduced: Reduced | None = None
) -> Score:
    """The score of these rows, in the unit that was asked for."""
    options = context.options
    reduced = reduced or reduce_rows(losses, options.sample_weight)
    factor = reduced.normalizer if options.reduction == "sum" else 1.0
    value = reduced.mean * factor / options.nats + 0.0
    error = reduced.standard_error
    rows = losses.total if losses.per_row is None else losses.per_row
    return Score(
        metric=context.metric,
        value=value,
        reason=reduced.reason or Reason.of_infinity(value),
        unit=options.unit,
        n=reduced.n,
        weight=reduced.weight,
        standard_error=None if error is None else error * factor / options.nats,
        per_row=rows / options.nats + 0.0 if options.per_row else None,
        gradient=_gradient(losses, reduced, context) if options.gradient else None,
        details=explained(details),
        conventions=conventions(context),
        diagnostics=diagnostics(rows, context),
    )


def in_unit(nats: float | Undefined, options: Options) -> float | Undefined:
    """A number of nats in the unit of the answer, if there is one."""
    return nats if isinstance(nats, Undefined) else nats / options.nats


def conventions(context: Context) -> dict[str, object]:
    """What was assumed, in the words of the request."""
    options, epsilon = context.options, context.epsilon
    return {
        "base": options.base,
        "reduction": options.reduction,
        "convention": context.convention if epsilon is None else "epsilon",
        "on_unnormalized": options.on_unnormalized,
        **context.conventions,
        **({} if epsilon is None else {"epsilon": epsilon}),
    }


def diagnostics(rows: Array, context: Context) -> Diagnostics:
    """Count the infinite rows, name the first of them, and carry what the context saw."""
    is_finite = math.isfinite(rows.sum())  # then every row is: no array of flags is needed
    infinite = np.empty(0, np.int64) if is_finite else np.flatnonzero(np.isinf(rows))
    return Diagnostics(
        infinite=infinite.size,
        infinite_rows=tuple(infinite[:ROWS_NAMED].tolist()),
        clipped=context.clipped,
        renormalized=context.renormalized,
        max_sum_error=context.max_sum_error,
    )


def _gradient(losses: Losses, reduced: Reduced, context: Context) -> Array | None:
    if losses.gradient is None or reduced.normalizer == 0:
        return None
    options = context.options
    scale = options.nats * (reduced.normalizer if options.reduction == "mean" else 1.0)
    if options.sample_weight is None:
        gradient = losses.gradient / scale
    else:
        w = options.sample_weight.reshape(-1, *[1] * (losses.gradient.ndim - 1))
        with np.errstate(over="ignore"):  # a slope of a sum may be beyond doubles
            gradient = np.where(w > 0, losses.gradient, 0.0) * (w / scale)
    if context.is_shared:
        gradient = gradient.sum(axis=0, keepdims=True)
    gradient += 0.0  # never -0.0
    if context.column:
        return gradient.reshape(-1, 1)
    return gradient[0] if context.single and gradient.ndim > 1 else gradient


def explained(details: Mapping[str, object]) -> dict[str, object]:
    """The same details, with None and a reason in place of what is no finite number."""
    reasons: dict[str, str] = {}
    answer = {name: _explain(value, name, reasons) for name, value in details.items()}
    if reasons:
        answer["reasons"] = reasons
    return answer


def _explain(value: object, path: str, reasons: dict[str, str]) -> object:
    if isinstance(value, (int, str)):  # before the abstract classes, which are slow to ask
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value + 0.0
    if isinstance(value, (float, Undefined)):
        reasons[path] = _why(value)
        return None
    if isinstance(value, (dict, Mapping)):
        return {name: _explain(item, f"{path}.{name}", reasons) for name, item in value.items()}
    if isinstance(value, (list, Sequence)):
        return [_explain(item, path, reasons) for item in value]
    return value


def _why(value: float | Undefined) -> str:
    return (
        value.reason if isinstance(value, Undefined) else Reason.of_infinity(value) or "undefined"
    )
