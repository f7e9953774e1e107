"""Requests of softmax cross-entropy, of rows and of sequences of tokens."""

from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from kullback.errors import FieldError, InvalidInput
from kullback.numerics.types import Array, Flags
from kullback.payload.columns import Column, EntryType, LogitCubes
from kullback.requests.base import UnitInterval
from kullback.requests.counted import ignored_targets
from kullback.requests.masked import MaskedRequest
from kullback.requests.predictions import Beta, ClassWeight, EntryWeight, Weights
from kullback.scoring.arrays import shown
from kullback.scoring.class_weights import named_weights
from kullback.scoring.cost import Cost
from kullback.scoring.labels import Labels
from kullback.scoring.nullable import Nullable
from kullback.scoring.score import Score
from kullback.scoring.softmax_cross_entropy import SoftmaxOptions, softmax_cross_entropy

LabelCubes = Annotated[Labels, Column(EntryType.LABEL, 3, scalar=True, typed=True, rows=True)]


class SoftmaxCrossEntropyRequest(MaskedRequest):
    """Cross-entropy of softmax logits with class indices or soft rows."""

    metric_name = "softmax_cross_entropy"
    row_axes = MappingProxyType({"logits": 1})

    logits: LogitCubes = Field(
        description="Logits [n][k], [k] for one row, or [n][t][k] of tokens; "
        "-Infinity masks a class."
    )
    y_true: LabelCubes = Field(
        description="Class indices [n], or [n][t] of tokens; or soft rows [n][k]."
    )
    class_weight: ClassWeight | None = Field(
        default=None, description="Weight of each class, or by its index; or a rule."
    )
    beta: Beta = None
    label_smoothing: UnitInterval = Field(
        default=0.0, description="Probability mass that is spread evenly over all classes."
    )
    sample_weight: Weights | None = EntryWeight

    def costs(self) -> list[Cost]:
        """The same, with a loss of each token."""
        costs = super().costs()
        if self.per_row and self.logits.ndim == 3:
            tokens = self.logits.shape[0] * self.logits.shape[1]
            costs.append(Cost("per_row", "leave it out", numbers=tokens))
        return costs

    def score(self) -> Score:
        """The score of the rows that count; of [n][t][k] every token is a row."""
        if self.logits.ndim < 3:
            return super().score()
        n, t, k = self.logits.shape
        try:
            score = self._tokens().score()
        except InvalidInput as error:
            raise _of_sequences(error, t) from error
        return replace(
            score,
            per_row=None if score.per_row is None else score.per_row.reshape(-1, t),
            gradient=None if score.gradient is None else score.gradient.reshape(n, t, k),
        )

    def _tokens(self) -> Self:
        """The same, token by token.

        Raises:
            InvalidInput: another field is not of n lists of t.
        """
        n, t, k = self.logits.shape
        sent: object = self.__dict__["y_true"]
        labels = sent.values if isinstance(sent, Nullable) else sent
        if isinstance(labels, list):
            raise InvalidInput.at("y_true holds strings; class indices are expected", "y_true")
        assert isinstance(labels, np.ndarray)
        if labels.shape not in ((n, t), (n, t, k)):
            detail = (
                f"y_true has shape {shown(labels)} but logits has {shown(self.logits)}: [n][t] and "
                "[n][t][k] are expected, with the classes last"
            )
            raise InvalidInput.at(detail, "y_true")
        shape = (n * t, k) if labels.ndim == 3 else (n * t,)
        target: object = labels.reshape(shape)
        if isinstance(sent, Nullable):
            target = Nullable(labels.reshape(-1), sent.missing.reshape(-1))
        weight = self.sample_weight
        if weight is not None and weight.shape == (n,):
            weight = np.repeat(weight, t)
        fields = {
            "logits": self.logits.reshape(-1, k),
            "y_true": target,
            "sample_weight": _flat("sample_weight", weight, n, t),
            "mask": _flat("mask", self.mask, n, t),
        }
        return self.model_copy(update=fields)

    def _by_target(self, sent: object) -> Flags | None:
        return ignored_targets(sent, self.ignore_index)

    def _score(self) -> Score:
        """See scoring.softmax_cross_entropy."""
        class_weight = self.class_weight
        if isinstance(class_weight, dict):
            k = self.logits.shape[-1]
            class_weight = named_weights("class_weight", class_weight, None, k)
        options = SoftmaxOptions(class_weight, self.beta, self.ignore_index, self.label_smoothing)
        return softmax_cross_entropy(self.logits, self.y_true, options, self.options())


def _flat(name: str, values: Array | None, n: int, t: int) -> Array | None:
    if values is None or values.shape == (n * t,):
        return values
    if values.shape != (n, t):
        raise InvalidInput.at(f"{name} has shape {shown(values)}; [{n}][{t}] is expected", name)
    return values.reshape(-1)


def _of_sequences(error: InvalidInput, t: int) -> InvalidInput:
    """A refusal of rows of tokens, with the place of each in its sequence."""
    offences = []
    for offence in error.offences:
        _, name, *steps = offence.pointer.split("/")
        if name in ("logits", "y_true", "mask", "sample_weight") and steps:
            row, *rest = steps
            steps = [*map(str, divmod(int(row), t)), *rest] if row.isdecimal() else steps
        offences.append(FieldError("/".join(("", name, *steps)), offence.detail))
    return InvalidInput(error.message, offences, error.total)
