"""Requests with predictions and their outcomes."""

import re
from dataclasses import replace
from typing import Annotated, get_args

from pydantic import BeforeValidator, Field, FiniteFloat
from pydantic_core import PydanticCustomError

from kullback.errors import InvalidInput
from kullback.numerics.types import Array
from kullback.payload.columns import (
    Column,
    EntryType,
    Flags,
    LabelRows,
    LogitRows,
    LogProbabilities,
    Probabilities,
)
from kullback.requests.base import GradientRequest, UnitInterval, one_of
from kullback.requests.masked import MaskedRequest
from kullback.requests.row_fields import RowFields
from kullback.scoring import (
    focal_loss,
    log_loss,
    sigmoid_cross_entropy,
)
from kullback.scoring.class_weights import ClassWeightName, named_weights
from kullback.scoring.conventions import CONVENTIONS, ConventionName
from kullback.scoring.focal_score import FocalNormalizer
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from kullback.scoring.task import Task

Numbers = Annotated[Array, Column(EntryType.NUMBER, 1, per_row=False, scalar=True)]
Shares = Annotated[Array, Column(EntryType.NUMBER, 2, booleans=True, typed=True, rows=True)]
ClassWeight = Annotated[
    Array | ClassWeightName | dict[str, float],
    Column(EntryType.NUMBER, 1, per_row=False, names=get_args(ClassWeightName), named=True),
]
Alpha = Annotated[
    Array | dict[str, float], Column(EntryType.NUMBER, 1, per_row=False, scalar=True, named=True)
]
Weights = Annotated[Array, Column(EntryType.NUMBER, 2, rows=True, of_one=True)]
EntryWeight = Field(default=None, description="Weight of each row [n], or of each entry [n][l].")
Beta = Annotated[
    Annotated[FiniteFloat, Field(ge=0, lt=1)] | None,
    Field(description="β of class_weight effective_number."),
]


def _whole(value: object) -> object:
    """A label as it is, or the integer that a float writes."""
    if not isinstance(value, float):
        return value
    if not value.is_integer():
        raise PydanticCustomError("label", "a label is a string, an integer or a boolean")
    return int(value)


Label = Annotated[Annotated[str, Field(max_length=1000)] | int | bool, BeforeValidator(_whole)]


def _listed(value: object) -> object:
    """One label, or several in one text with commas in between, as a list."""
    if isinstance(value, str):
        value = [_integer(part.strip()) for part in value.split(",")]
    return [value] if isinstance(value, int) else value


def _integer(text: str) -> str | int:
    return int(text) if re.fullmatch(r"0|-?[1-9][0-9]{0,17}", text) else text


ClassLabels = Annotated[
    list[Label],
    Field(min_length=1, max_length=1_000_000, fail_fast=True),
    BeforeValidator(_listed),
]


def columns(predictions: Array) -> int:
    """How many classes or labels there are: 2 for one probability or logit per row."""
    return predictions.shape[-1] if predictions.ndim > 1 and predictions.shape[-1] > 1 else 2


class ConventionRequest(GradientRequest):
    """A request of a metric that follows a named convention where p = 0 on the truth."""

    convention: ConventionName = Field(
        default="exact",
        description="Library whose number to print: it decides what p = 0 on the truth costs.",
    )
    epsilon: Annotated[FiniteFloat, Field(gt=0, lt=0.5)] | None = Field(
        default=None,
        description="In place of a convention: p is clipped to [epsilon, 1 − epsilon].",
    )

    def options(self) -> Options:
        """The shared part; a convention that prints bits does so unless a base is asked for.

        Raises:
            InvalidInput: both a convention and an epsilon were sent.
        """
        if self.epsilon is not None and "convention" in self.model_fields_set:
            detail = f"convention {self.convention} has its own: send one of the two"
            raise InvalidInput.at(f"epsilon: {detail}", "epsilon")
        options = super().options()
        if CONVENTIONS[self.convention].prints_bits and "base" not in self.model_fields_set:
            return replace(options, base="2")
        return options


class LogLossRequest(ConventionRequest, MaskedRequest):
    """Log loss of binary, multiclass or multilabel predictions."""

    metric_name = "log_loss"
    summed_fields = ("y_proba", "log_proba")

    y_true: LabelRows = Field(description="Labels [n]; soft labels [n] or [n][k].")
    y_proba: Probabilities | None = Field(
        default=None, description="P(pos_label) [n]; or [n][k], a column per class or label."
    )
    log_proba: LogProbabilities | None = Field(
        default=None, description="ln of what y_proba would be, in its place: nothing underflows."
    )
    task: Task | None = Field(default=None, description="binary for [n], multiclass for [n][k].")
    labels: ClassLabels | None = Field(
        default=None, description="Label of each column, in column order; never sorted."
    )
    pos_label: Label | None = Field(
        default=None, description="Positive label; default 1, or the last of labels."
    )
    class_weight: ClassWeight | None = Field(
        default=None,
        description="Weight of each class, in column order or by its label; or a rule that derives "
        "the weights from y_true.",
    )
    beta: Beta = None
    sample_weight: Weights | None = EntryWeight

    def _score(self) -> Score:
        """See scoring.log_loss."""
        sent = one_of(self, "y_proba", "log_proba")
        class_weight = self.class_weight
        if isinstance(class_weight, dict):
            class_weight = named_weights("class_weight", class_weight, self.labels, columns(sent))
        options = log_loss.LogLossOptions(
            task=self.task,
            labels=self.labels,
            pos_label=self.pos_label,
            class_weight=class_weight,
            beta=self.beta,
            convention=self.convention,
            epsilon=self.epsilon,
            is_log=self.y_proba is None,
            mask=self.mask if self.has_entries else None,
            ignore_index=self.ignore_index if self.has_entries else None,
        )
        return log_loss.log_loss(self.target(), sent, options, self.options())


class SigmoidCrossEntropyRequest(GradientRequest):
    """Binary and multi-label cross-entropy from logits."""

    metric_name = "sigmoid_cross_entropy"

    logits: LogitRows = Field(description="Logits [n] or [n][l].")
    y_true: Shares = Field(
        description="Labels in [0, 1], of the same shape; soft labels are allowed."
    )
    pos_weight: Numbers | None = Field(default=None, description="Weight of the positive term.")
    mask: Flags | None = Field(default=None, description="1 where an entry counts.")
    sample_weight: Weights | None = EntryWeight

    def _row_fields(self) -> RowFields:
        """The fields, of which masked entries may be missing."""
        if self.mask is None or not self.mask.shape == self.logits.shape == self.y_true.shape:
            return super()._row_fields()
        masked = self.mask == 0
        return RowFields.of(self, self.row_axes, masked={"logits": masked, "y_true": masked})

    def _score(self) -> Score:
        """See scoring.sigmoid_cross_entropy."""
        return sigmoid_cross_entropy.sigmoid_cross_entropy(
            self.logits, self.y_true, self.pos_weight, self.mask, self.options()
        )


class FocalLossRequest(MaskedRequest):
    """Focal loss of binary, multiclass or multilabel predictions."""

    metric_name = "focal_loss"
    summed_fields = ("y_proba",)

    y_true: LabelRows = Field(description="Labels [n], or rows [n][k]; soft ones too.")
    y_proba: Probabilities | None = Field(default=None, description="P(1) [n], or rows [n][k].")
    logits: LogitRows | None = Field(
        default=None, description="Logits of a sigmoid [n], or rows of logits [n][k]."
    )
    gamma: Annotated[FiniteFloat, Field(ge=0)] = Field(
        default=2.0, description="Focusing exponent: the larger, the less weight on easy rows."
    )
    alpha: Alpha | None = Field(
        default=None,
        description="Weight of class 1 (class 0 has 1 − alpha), or one per class or by its label.",
    )
    task: Task | None = Field(default=None, description="binary for [n], multiclass for [n][k].")
    labels: ClassLabels | None = Field(
        default=None, description="Label of each column, in column order; never sorted."
    )
    label_smoothing: UnitInterval = Field(
        default=0.0, description="Probability mass that is spread evenly over all classes."
    )
    normalizer: FocalNormalizer = Field(
        default="rows", description="What the mean is over: rows, or what is positive, at least 1."
    )
    sample_weight: Weights | None = EntryWeight

    def _score(self) -> Score:
        """See scoring.focal_loss."""
        alpha = self.alpha
        if isinstance(alpha, dict):
            sent = one_of(self, "y_proba", "logits")
            if self.has_entries:
                alpha = named_weights("alpha", alpha, None, 2)
            else:
                alpha = named_weights("alpha", alpha, self.labels, columns(sent))
        options = focal_loss.FocalOptions(
            task=self.task,
            gamma=self.gamma,
            alpha=alpha,
            labels=self.labels,
            label_smoothing=self.label_smoothing,
            normalizer=self.normalizer,
            mask=self.mask if self.has_entries else None,
            ignore_index=self.ignore_index if self.has_entries else None,
        )
        return focal_loss.focal_loss(
            self.target(), self.y_proba, self.logits, options, self.options()
        )
