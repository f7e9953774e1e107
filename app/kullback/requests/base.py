"""What every metric may be asked: unit, reduction, weights, gradient."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from kullback.errors import InvalidInput
from kullback.numerics.types import Array, Flags
from kullback.payload.columns import Vector
from kullback.requests.counted import Missing, RowsThatCount, ignored_targets
from kullback.requests.row_fields import RowFields, UnequalRows, row_columns
from kullback.requests.validation import array_fields
from kullback.scoring.cost import Cost, entries, rows
from kullback.scoring.nullable import Nullable
from kullback.scoring.options import Base, OnUnnormalized, Options, Reduction
from kullback.scoring.score import Context, Diagnostics, Score, conventions

UnitInterval = Annotated[FiniteFloat, Field(ge=0, le=1)]
Index = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class ScoreRequest(BaseModel):
    """Fields that every metric takes, and which of the rows in the others count.

    Attributes:
        metric_name: of the metric, as answers carry it.
        score_unit: of the score, where it is not that of `base`.
        row_axes: how many axes one row has, in fields of which [k] is one row; 0 in others.
        predicted_fields: those that the gradient has one row of, if they are one for all rows.
        row_details: details that are lists of rows, and of which sample; "" for all rows.
        summed_fields: those whose rows sum to 1, of which `on_unnormalized` is.
        refused: options that mean nothing to the metric, and why.
        column_labels: the field that names the columns of others, if the metric has it.
    """

    metric_name: ClassVar[str]
    score_unit: ClassVar[str | None] = None
    row_axes: ClassVar[Mapping[str, int]] = MappingProxyType({})
    predicted_fields: ClassVar[frozenset[str]] = frozenset()
    row_details: ClassVar[Mapping[str, str]] = MappingProxyType({})
    summed_fields: ClassVar[tuple[str, ...]] = ()
    refused: ClassVar[Mapping[str, str]] = MappingProxyType({})
    column_labels: ClassVar[str] = "labels"

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    base: Base = Field(default="e", description="Unit: nats (e), bits (2) or hartleys (10).")
    reduction: Reduction = Field(
        default="mean", description="How the losses of rows become one value."
    )
    per_row: bool = Field(default=False, description="Return the loss of each row too.")
    details: bool = Field(
        default=True, description="Return the details too; a small request is faster without."
    )
    sample_weight: Vector | None = Field(
        default=None, description="Weight of each row, at least 0."
    )
    missing: Missing = Field(
        default="error",
        description="Refuse rows in which a value is null or NaN, or drop and count them.",
    )
    sum_tolerance: UnitInterval | None = Field(
        default=None,
        description=(
            "Largest allowed distance of a row's sum from 1, and of a probability from [0, 1]; "
            "default 1e-6, or √ε of the type for columns of float32 (3.5e-4) and float16 (3.1e-2)."
        ),
    )
    on_unnormalized: OnUnnormalized = Field(
        default="error",
        description="Refuse rows that do not sum to 1, or divide them by their sum.",
    )

    def options(self) -> Options:
        """The part of the request that all metrics share.

        Raises:
            InvalidInput: one of them would change nothing.
        """
        self._refuse_idle()
        return Options(
            base=self.base,
            reduction=self.reduction,
            per_row=self.per_row,
            gradient=getattr(self, "gradient", False),
            sample_weight=self.sample_weight,
            sum_tolerance=self.sum_tolerance,
            on_unnormalized=self.on_unnormalized,
            details=self.details,
        )

    def _refuse_idle(self) -> None:
        """Refuse options that were asked for and would change nothing."""
        for name, why in self.refused.items():
            if getattr(self, name) != type(self).model_fields[name].default:
                raise InvalidInput.at(f"{why}: leave it out", name)
        if self.on_unnormalized != "error":
            self._refuse_alone("on_unnormalized", self.summed_fields)
        if self.sum_tolerance is not None:
            columns = array_fields(type(self)).items()
            typed = [name for name, column in columns if column.typed]
            self._refuse_alone("sum_tolerance", dict.fromkeys((*typed, *self.summed_fields)))

    def _refuse_alone(self, option: str, fields: Iterable[str]) -> None:
        """Refuse an option of probabilities, in these fields, where none of them was sent."""
        if all(getattr(self, name) is None for name in fields):
            which = ", ".join(fields)
            detail = f"no {which} was sent" if which else f"{self.metric_name} reads none"
            raise InvalidInput.at(f"it is of probabilities, and {detail}: leave it out", option)

    def sizes(self) -> list[int]:
        """How many entries each field holds."""
        return [entries(value) for value in self.__dict__.values()]

    def costs(self) -> list[Cost]:
        """What is asked for beyond a pass over what was sent."""
        if not self.per_row:
            return []
        return [Cost("per_row", "leave it out", numbers=max(map(rows, self.__dict__.values())))]

    def score(self) -> Score:
        """The score of the rows that count, with its details if they are asked for.

        Where all count no row is looked at twice: a formula refuses what is missing by itself.

        Raises:
            InvalidInput: what counts is missing, or cannot be scored.
        """
        return self._answer(self._score_of_those_that_count())

    def _answer(self, score: Score) -> Score:
        return score if self.details or not score.details else replace(score, details={})

    def _score_of_those_that_count(self) -> Score:
        refusal = None
        if not self._leaves_rows_out():
            try:
                return self._score()
            except InvalidInput as error:
                refusal = error
        try:
            return self._score_of_rows(refusal)
        except UnequalRows as error:
            raise refusal or error from None

    def _leaves_rows_out(self) -> bool:
        weight = self.sample_weight
        return (
            (weight is not None and not weight.min() > 0)
            or self._ignored() is not None
            or self._has_nullable()
        )

    def _has_nullable(self) -> bool:
        """Whether labels are missing in a way that no formula takes."""
        sent = self.__dict__
        return any(isinstance(sent[name], Nullable) for name in row_columns(type(self)))

    def _ignored(self) -> Flags | None:
        sent = self.__dict__
        return ignored_targets(sent.get("y_true"), sent.get("ignore_index"))

    def counted(self) -> Self | None:
        """The request of the rows that count alone; where none does the same, or None with gaps.

        Raises:
            InvalidInput: the fields are of different numbers of rows, or a weight is impossible.
        """
        counting = self._counting()
        if counting.are_none:
            return None if self._has_nullable() else self
        return self.model_copy(update=counting.fields.of_rows(counting.kept))

    def _counting(self) -> RowsThatCount:
        fields, weight = self._row_fields(), self.sample_weight
        is_of_rows = weight is not None and weight.shape == (fields.n,)
        return RowsThatCount.of(fields, weight if is_of_rows else None, self._ignored())

    def _score_of_rows(self, refusal: InvalidInput | None) -> Score:
        """The score of the rows that count, if that is not all of them, which are refused."""
        counting = self._counting()
        fields = counting.fields
        if self.missing == "error":
            counting.refuse_missing()
        kept = counting.kept
        if kept.size == fields.n and not self._has_nullable():
            if refusal is not None:
                raise refusal
            return self._score()
        if counting.are_none:
            return counting.whole(self._score_of_none(counting), {})
        rest = self.model_copy(update=fields.of_rows(kept))
        try:
            score = rest._score()  # noqa: SLF001
        except InvalidInput as error:
            raise fields.moved(error, kept) from error
        whole = counting.whole(replace(score, gradient=None), self.row_details)
        shared = [field.name for field in fields.fields if field.count is None]
        has_rows = self.predicted_fields.isdisjoint(shared)
        slope = counting.slopes(score.gradient) if has_rows else score.gradient
        return replace(whole, gradient=slope)

    def _score_of_none(self, counting: RowsThatCount) -> Score:
        """No score, and why; with details if the rows that do not count could be scored."""
        options = self.options()
        reason = counting.why_none()
        losses = np.full(counting.kept.size, np.nan) if self.per_row else None
        if not counting.missing.any() and not self._has_nullable():
            try:
                score = self._score()
            except InvalidInput as error:
                if not counting.fields.is_about_rows(error):
                    raise
            else:
                if math.isnan(score.value):  # it is a number where the metric knows no mask
                    return replace(
                        score,
                        reason=reason,
                        n=0,
                        weight=0.0,
                        per_row=losses,
                        gradient=None,
                        diagnostics=Diagnostics(),
                    )
        context = Context(self.metric_name, options, self.__dict__.get("convention", "exact"))
        return Score(
            self.metric_name,
            math.nan,
            reason,
            self.score_unit or options.unit,
            n=0,
            weight=0.0,
            per_row=losses,
            conventions=conventions(context),
        )

    def _row_fields(self) -> RowFields:
        """The fields that have rows."""
        return RowFields.of(self, self.row_axes)

    def _score(self) -> Score:
        """The score of rows that all count."""
        raise NotImplementedError


class GradientRequest(ScoreRequest):
    """A request of a metric that has a gradient."""

    gradient: bool = Field(
        default=False, description="Return the gradient with respect to the prediction too."
    )

    def costs(self) -> list[Cost]:
        """The same; a gradient has the shape of the largest array."""
        costs = super().costs()
        if self.gradient:
            costs.append(Cost("gradient", "leave it out", numbers=max(self.sizes())))
        return costs


def refuse_beside(why: str, request: GradientRequest, *names: str) -> None:
    """Refuse fields that mean nothing beside the form that was sent.

    Raises:
        InvalidInput: one of them was sent.
    """
    for name in names:
        if getattr(request, name) is not None:
            raise InvalidInput.at(f"{name} {why}", name)


def refuse_without(request: GradientRequest, *names: str) -> None:
    """Refuse a form of which a field is missing.

    Raises:
        InvalidInput: one of them was not sent.
    """
    for name in names:
        if getattr(request, name) is None:
            raise InvalidInput.at("this field is missing", name)


def one_of(request: ScoreRequest, *names: str) -> Array:
    """The one form of the predictions that was sent.

    Raises:
        InvalidInput: there is none, or more than one.
    """
    sent = [name for name in names if getattr(request, name) is not None]
    if not sent:
        raise InvalidInput.at(f"this field is missing, or {' or '.join(names[1:])}", names[0])
    if len(sent) > 1:
        raise InvalidInput.at(f"{sent[0]} and {sent[1]} exclude each other", sent[1])
    values: Array = getattr(request, sent[0])
    return values
