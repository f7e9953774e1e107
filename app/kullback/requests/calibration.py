"""What the calibration of predictions may be asked."""

from typing import Annotated

from pydantic import Field

from kullback.payload.columns import LabelRows, LogitRows, Probabilities
from kullback.requests.base import ScoreRequest
from kullback.requests.predictions import ClassLabels, Label
from kullback.scoring import calibration as calibrating
from kullback.scoring.binning import Strategy
from kullback.scoring.cost import Cost, entries
from kullback.scoring.score import Score


class CalibrationRequest(ScoreRequest):
    """Calibration error, reliability table, decomposition and temperature."""

    metric_name = "calibration"
    score_unit = "probability"

    y_true: LabelRows = Field(description="Labels [n].")
    y_proba: Probabilities | None = Field(
        default=None, description="P(pos_label) [n], or rows [n][k]."
    )
    logits: LogitRows | None = Field(
        default=None, description="Logits of a sigmoid [n], or of a softmax [n][k]."
    )
    bins: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=15, description="Number of bins, each (low, high]."
    )
    strategy: Strategy = Field(
        default="uniform", description="Bins of equal width, or of equal counts."
    )
    labels: ClassLabels | None = Field(default=None, description="Label of each column.")
    pos_label: Label | None = Field(default=None, description="Positive label.")

    def costs(self) -> list[Cost]:
        """The same, with the table of bins, the quantiles of each class, and the temperature."""
        sent = self.logits if self.y_proba is None else self.y_proba
        columns = sent.shape[1] if sent is not None and sent.ndim == 2 else 1
        quantiles = columns * ((1 << 14) + self.bins * 8) if self.strategy == "quantile" else 0
        return [
            *super().costs(),
            Cost("bins", "ask for fewer bins", self.bins * 256 + quantiles, self.bins * 8),
            Cost("logits", "send fewer rows at a time", 64 * entries(self.logits)),
        ]

    def _score(self) -> Score:
        """See calibration.calibration."""
        options = calibrating.CalibrationOptions(
            self.bins, self.strategy, self.labels, self.pos_label
        )
        return calibrating.calibration(
            self.y_true, self.y_proba, self.logits, options, self.options()
        )
