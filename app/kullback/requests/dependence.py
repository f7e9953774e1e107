"""Requests about how much variables tell of each other."""

import math
from types import MappingProxyType
from typing import Annotated

import numpy as np
from pydantic import Field

from kullback.errors import InvalidInput
from kullback.numerics.types import Array
from kullback.payload.columns import (
    Column,
    EntryType,
    Group,
    LabelRows,
    LogitRows,
    Probabilities,
    Rows,
)
from kullback.requests.base import GradientRequest, refuse_beside, refuse_without
from kullback.requests.masked import MaskedRequest
from kullback.scoring import mutual_information, pc_softmax, table_information
from kullback.scoring.contingency import label_sums
from kullback.scoring.cost import Cost, distinct
from kullback.scoring.entropy_estimators import ESTIMATORS, Estimator
from kullback.scoring.expected_information import expected_terms
from kullback.scoring.score import Score

Prior = Annotated[Array, Column(EntryType.NUMBER, 1, per_row=False, typed=True)]
ClassPrior = Annotated[
    Prior | None, Field(description="Prior of the classes [k]; default uniform.")
]
_STEPS_OF_CHANCE = 32  # for each term of its sum


class MutualInformationRequest(GradientRequest):
    """Mutual information of labels, of a table, of a classifier, or of pair scores."""

    metric_name = "mutual_information"
    row_axes = MappingProxyType({"counts": 2, "joint": 2, "logits": 1, "pair_scores": 2})
    summed_fields = ("joint", "prior")

    x: Group | None = Field(default=None, description="Labels [n] of X, with y.")
    y: Group | None = Field(default=None, description="Labels [n] of Y.")
    counts: Rows | None = Field(
        default=None, description="Contingency table [a][b] of counts: rows X, columns Y."
    )
    joint: Probabilities | None = Field(
        default=None, description="Joint distribution [a][b]: rows X, columns Y."
    )
    logits: LogitRows | None = Field(default=None, description="Logits [n][k] of a classifier.")
    y_true: LabelRows | None = Field(default=None, description="Class indices [n].")
    prior: ClassPrior = None
    logit_kind: mutual_information.LogitKind | None = Field(
        default=None,
        description=(
            "Kind of the logits: trained with cross-entropy (posterior) or with PC-softmax (pc)."
        ),
    )
    pair_scores: LogitRows | None = Field(
        default=None, description="Scores of pairs [n][n]; joint pairs on the diagonal."
    )
    estimator: mutual_information.PairEstimator | Estimator | None = Field(
        default=None,
        description="Bound for pair_scores, default infonce; of counts and labels, default plugin.",
    )
    average: table_information.Average | None = Field(
        default=None,
        description="Average of the entropies that normalizes; default arithmetic.",
    )
    adjusted: bool | None = Field(
        default=None,
        description="Whether counts and labels are adjusted for chance; default true.",
    )

    def costs(self) -> list[Cost]:
        """The same, with all cells where they are shrunk, and the information that is by chance."""
        counted = self.counted()
        sums = () if counted is None else counted._margins()  # noqa: SLF001 - of the same class
        cells = math.prod(side.size for side in sums) if self.estimator == "james_stein" else 0
        field = "x" if self.counts is None else "counts"
        dense = Cost(field, "choose another estimator", 8 * cells)
        if not sums or self.adjusted is False:
            return [*super().costs(), dense]
        chance = expected_terms(*sums) * _STEPS_OF_CHANCE + min(map(distinct, sums)) * (1 << 14)
        return [*super().costs(), dense, Cost("adjusted", "send adjusted: false", chance)]

    def _margins(self) -> tuple[Array, Array] | tuple[()]:
        """How often each value of X and of Y was seen, where that is whole."""
        if self.counts is not None and self.counts.ndim == 2:
            sides = [self.counts.sum(axis=1), self.counts.sum(axis=0)]
        elif self.x is not None and self.y is not None and self._are_equal_in_rows():
            sides = [label_sums(self.x, self.sample_weight), label_sums(self.y, self.sample_weight)]
        else:
            return ()
        whole = all(np.isfinite(side).all() and (side % 1 == 0).all() for side in sides)
        return (sides[0][sides[0] > 0], sides[1][sides[1] > 0]) if whole else ()

    def _are_equal_in_rows(self) -> bool:
        fields = (self.x, self.y, self.sample_weight)
        return len({len(field) for field in fields if field is not None}) == 1

    def _score(self) -> Score:
        """See scoring.table_information and scoring.mutual_information."""
        labels = self.x if self.x is not None else self.y
        forms = (labels, self.counts, self.joint, self.logits, self.pair_scores)
        if sum(form is not None for form in forms) != 1:
            detail = "send one of x and y, counts, joint, logits and pair_scores"
            raise InvalidInput.at(detail, "joint")
        if self.logits is None:
            refuse_beside("is of a classifier", self, "y_true", "prior", "logit_kind")
        if labels is not None or self.counts is not None:
            return self._of_observations()
        refuse_beside("is of labels and of counts", self, "adjusted")
        if self.joint is not None:
            return self._of_joint(self.joint)
        refuse_beside("is of labels and of tables", self, "average")
        if self.pair_scores is not None:
            return mutual_information.information_of_pairs(
                self.pair_scores, self._bound(), self.options()
            )
        refuse_beside("is of labels, of counts and of pair_scores", self, "estimator")
        refuse_without(self, "y_true")
        assert self.logits is not None
        assert self.y_true is not None
        return mutual_information.information_of_classifier(
            self.logits, self.y_true, self.prior, self.logit_kind, self.options()
        )

    def _bound(self) -> mutual_information.PairEstimator:
        if self.estimator is None:
            return "infonce"
        if self.estimator in ("infonce", "dv", "nwj"):
            return self.estimator
        raise InvalidInput.at(f"{self.estimator} is of labels and of counts", "estimator")

    def _of_joint(self, joint: Array) -> Score:
        refuse_beside("is of labels, of counts and of pair_scores", self, "estimator")
        self._refuse_gradient("a table")
        average = self.average or "arithmetic"
        return table_information.information_of_joint(joint, average, self.options())

    def _of_observations(self) -> Score:
        self._refuse_gradient("a table of counts")
        settings = table_information.TableOptions(
            self._estimator(), self.average or "arithmetic", self.adjusted is not False
        )
        if self.counts is not None:
            return table_information.information_of_counts(self.counts, settings, self.options())
        refuse_without(self, "x", "y")
        assert self.x is not None
        assert self.y is not None
        return table_information.information_of_labels(self.x, self.y, settings, self.options())

    def _estimator(self) -> Estimator:
        if self.estimator is None:
            return "plugin"
        for name in ESTIMATORS:
            if name == self.estimator:
                return name
        raise InvalidInput.at(f"{self.estimator} is of pair_scores", "estimator")

    def _refuse_gradient(self, form: str) -> None:
        if self.gradient:
            raise InvalidInput.at(f"{form} has no gradient", "gradient")


class PCSoftmaxRequest(MaskedRequest):
    """The probability-corrected softmax loss."""

    metric_name = "pc_softmax"
    row_details = MappingProxyType(
        dict.fromkeys(("pointwise_information", "predictions", "predictions_prior"), "")
    )
    row_axes = MappingProxyType({"logits": 1})
    summed_fields = ("prior",)

    logits: LogitRows = Field(description="Logits [n][k].")
    y_true: LabelRows = Field(description="Class indices [n].")
    prior: ClassPrior = None

    def _score(self) -> Score:
        """See scoring.pc_softmax."""
        return pc_softmax.pc_softmax(self.logits, self.y_true, self.prior, self.options())
