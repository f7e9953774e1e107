"""What the Brier score of predictions may be asked."""

from types import MappingProxyType

from pydantic import Field

from kullback.payload.columns import LabelRows, Probabilities
from kullback.requests.base import GradientRequest
from kullback.requests.calibration import NumberOrEdges, bin_costs, laid
from kullback.requests.predictions import ClassLabels, Label
from kullback.scoring import brier
from kullback.scoring.binning import Strategy
from kullback.scoring.cost import Cost, entries
from kullback.scoring.score import Score
from kullback.scoring.task import Task


class BrierRequest(GradientRequest):
    """Brier score, with its skill, its parts, and the score of ranked classes."""

    metric_name = "brier"
    score_unit = "squared probability"
    summed_fields = ("y_proba",)
    refused = MappingProxyType({"base": "a squared probability has no base"})

    y_true: LabelRows = Field(description="Labels [n]; soft labels [n] or [n][k].")
    y_proba: Probabilities = Field(
        description="P(pos_label) [n]; or [n][k], a column per class or label."
    )
    task: Task | None = Field(default=None, description="binary for [n], multiclass for [n][k].")
    labels: ClassLabels | None = Field(
        default=None, description="Label of each column, in column order, which is their rank."
    )
    pos_label: Label | None = Field(
        default=None, description="Positive label; default 1, or the last of labels."
    )
    bins: NumberOrEdges = Field(
        default=15, description="Number of bins of the parts, or their edges from 0 to 1."
    )
    strategy: Strategy | None = Field(
        default=None, description="Bins of equal width (uniform, the default), or weight."
    )

    def costs(self) -> list[Cost]:
        """The same, with the bins, and a score of each label."""
        labels = (
            self.y_proba.shape[1] if self.task == "multilabel" and self.y_proba.ndim == 2 else 0
        )
        few = "send fewer rows at a time"
        return [
            *super().costs(),
            bin_costs(self.bins, self.strategy, self.y_proba),
            Cost(
                "y_proba", few, (1 << 14) + 64 * entries(self.y_proba) + labels * (1 << 12), labels
            ),
        ]

    def _score(self) -> Score:
        """See scoring.brier."""
        strategy = laid(self.bins, self.strategy)
        options = brier.BrierOptions(self.task, self.labels, self.pos_label, self.bins, strategy)
        return brier.brier(self.y_true, self.y_proba, options, self.options())
