"""Requests about how much variables tell of each other."""

from typing import Annotated

from pydantic import Field

from kullback.errors import InvalidInput
from kullback.numerics.types import Array
from kullback.payload.columns import Column, EntryType, LabelRows, LogitRows, Rows
from kullback.requests.base import GradientRequest, refuse_beside
from kullback.scoring import mutual_information, pc_softmax
from kullback.scoring.score import Score

Prior = Annotated[Array, Column(EntryType.NUMBER, 1, per_row=False)]
ClassPrior = Annotated[
    Prior | None, Field(description="Prior of the classes [k]; default uniform.")
]


class MutualInformationRequest(GradientRequest):
    """Mutual information of a table, of a classifier, or of pair scores."""

    joint: Rows | None = Field(
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
    estimator: mutual_information.PairEstimator | None = Field(
        default=None, description="Estimator for pair_scores; default infonce."
    )

    def score(self) -> Score:
        """See dependence."""
        forms = (self.joint, self.logits, self.pair_scores)
        if sum(form is not None for form in forms) != 1:
            raise InvalidInput.at("send one of joint, logits and pair_scores", "joint")
        if self.estimator is not None and self.pair_scores is None:
            raise InvalidInput.at("an estimator is of pair_scores", "estimator")
        if self.logits is None:
            refuse_beside("is of a classifier", self, "y_true", "prior", "logit_kind")
        if self.pair_scores is not None:
            estimator = self.estimator or "infonce"
            return mutual_information.information_of_pairs(
                self.pair_scores, estimator, self.options()
            )
        if self.joint is not None:
            if self.gradient:
                raise InvalidInput.at("a table has no gradient", "gradient")
            return mutual_information.information_of_table(self.joint, self.options())
        assert self.logits is not None
        if self.y_true is None:
            raise InvalidInput.at("this field is missing", "y_true")
        return mutual_information.information_of_classifier(
            self.logits, self.y_true, self.prior, self.logit_kind, self.options()
        )


class PCSoftmaxRequest(GradientRequest):
    """The probability-corrected softmax loss."""

    logits: LogitRows = Field(description="Logits [n][k].")
    y_true: LabelRows = Field(description="Class indices [n].")
    prior: ClassPrior = None

    def score(self) -> Score:
        """See pc_softmax.pc_softmax."""
        return pc_softmax.pc_softmax(self.logits, self.y_true, self.prior, self.options())
