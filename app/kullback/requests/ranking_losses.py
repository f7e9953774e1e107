"""Requests of losses that rank items: over lists, over pairs, over sampled negatives."""

from typing import Annotated

from pydantic import Field

from kullback.errors import InvalidInput
from kullback.numerics.types import Array
from kullback.numerics.types import Flags as FlagArray
from kullback.payload.columns import (
    Column,
    EntryType,
    Flags,
    Group,
    LogitRows,
    LogitVector,
    Rows,
    Vector,
)
from kullback.requests.base import GradientRequest, refuse_beside, refuse_without
from kullback.requests.row_fields import RowFields
from kullback.scoring.bpr import bpr, bpr_of_candidates, pair_count
from kullback.scoring.cost import Cost, Parts
from kullback.scoring.labels import Labels
from kullback.scoring.listwise_softmax import ListTarget, listwise_softmax
from kullback.scoring.sampled_softmax import sampled_softmax
from kullback.scoring.score import Score

Relevances = Annotated[Labels, Column(EntryType.LABEL, 2, rows=True)]
_STEPS_PER_PAIR = 8


class ListwiseSoftmaxRequest(GradientRequest):
    """Cross-entropy of the softmax over each list with the relevances of its items."""

    metric_name = "listwise_softmax"

    logits: LogitVector = Field(description="Score of each item [n].")
    y_true: Relevances = Field(
        description="Relevance of each item [n], at least 0: clicks, or grades."
    )
    group: Group = Field(description="List of each item, such as a query or a session.")
    target: ListTarget = Field(
        default="normalized",
        description="What the relevances of a list become: y / Σ y, or softmax(y).",
    )

    def _score(self) -> Score:
        """See scoring.listwise_softmax."""
        return listwise_softmax(self.logits, self.y_true, self.group, self.target, self.options())


class BPRRequest(GradientRequest):
    """Logistic loss of pairs of a positive and a negative item."""

    metric_name = "bpr"

    logits: LogitVector | None = Field(default=None, description="Score of each item [n].")
    y_true: Relevances | None = Field(
        default=None, description="1 for a positive item, else 0, [n]."
    )
    group: Group | None = Field(
        default=None, description="Whose items are paired, such as a user; default all."
    )
    positive_logits: LogitVector | None = Field(
        default=None, description="In place of logits: score of a positive item [n]."
    )
    negative_logits: LogitRows | None = Field(
        default=None, description="Scores of the negatives drawn with it [n][m], or one each [n]."
    )
    mask: Flags | None = Field(default=None, description="1 where a negative counts.")

    def costs(self) -> list[Cost]:
        """The same, with the pairs of each group."""
        counted = self if self.y_true is None else self.counted()
        if counted is None or counted.y_true is None:
            return super().costs()
        pairs = pair_count(counted.y_true, counted.group)
        parts = Parts(f"{pairs} pairs", pairs, _STEPS_PER_PAIR)
        remedy = "send negatives drawn for each positive item, as negative_logits"
        work = pairs * _STEPS_PER_PAIR
        return [*super().costs(), Cost("y_true", remedy, work, parts=parts)]

    def _row_fields(self) -> RowFields:
        """The fields, of which negatives that do not count may be missing."""
        return RowFields.of(
            self, {}, masked=_masked(self.mask, negative_logits=self.negative_logits)
        )

    def _score(self) -> Score:
        """See scoring.bpr."""
        if (self.logits is None) == (self.positive_logits is None):
            raise InvalidInput.at("send one of logits and positive_logits", "logits")
        if self.positive_logits is not None:
            refuse_beside(
                "is of logits and not of negatives that were drawn", self, "y_true", "group"
            )
            refuse_without(self, "negative_logits")
            assert self.negative_logits is not None
            logits = self.positive_logits, self.negative_logits
            return bpr_of_candidates(logits, self.mask, self.options())
        refuse_beside("is of positive_logits", self, "negative_logits", "mask")
        refuse_without(self, "y_true")
        assert self.logits is not None
        assert self.y_true is not None
        return bpr(self.logits, self.y_true, self.group, self.options())


class SampledSoftmaxRequest(GradientRequest):
    """Cross-entropy of a positive item among negatives that were drawn."""

    metric_name = "sampled_softmax"

    positive_logits: LogitVector = Field(description="Score of each positive item [n].")
    negative_logits: LogitRows = Field(
        description="Scores of the negatives drawn with it [n][m], or one each [n]."
    )
    positive_log_q: Vector | None = Field(
        default=None, description="ln of the probability with which the positive item is drawn [n]."
    )
    negative_log_q: Rows | None = Field(
        default=None, description="The same of each negative, of the shape of negative_logits."
    )
    mask: Flags | None = Field(
        default=None, description="1 where a negative counts; 0 for an accidental hit."
    )

    def _row_fields(self) -> RowFields:
        """The fields, of which negatives that do not count may be missing."""
        negatives = {"negative_logits": self.negative_logits, "negative_log_q": self.negative_log_q}
        return RowFields.of(self, {}, masked=_masked(self.mask, **negatives))

    def _score(self) -> Score:
        """See scoring.sampled_softmax."""
        logits = (self.positive_logits, self.negative_logits)
        log_q = (self.positive_log_q, self.negative_log_q)
        return sampled_softmax(logits, log_q, self.mask, self.options())


def _masked(mask: Array | None, **negatives: Array | None) -> dict[str, FlagArray]:
    """Which entries of these fields the mask leaves out."""
    return {
        name: mask == 0
        for name, values in negatives.items()
        if mask is not None and values is not None and values.shape == mask.shape
    }
