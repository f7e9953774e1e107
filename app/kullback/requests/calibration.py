"""What the calibration of predictions may be asked, and what is said of bins."""

import math
from types import MappingProxyType
from typing import Annotated, get_args

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from kullback.errors import InvalidInput
from kullback.numerics.types import Array
from kullback.payload.columns import LabelRows, LogitRows, LogProbabilities, Probabilities
from kullback.requests.base import ScoreRequest, one_of
from kullback.requests.predictions import ClassLabels, Label
from kullback.scoring import calibration
from kullback.scoring.binning import MOST_BINS, MOST_SWEPT, BinRule, Bins, Strategy
from kullback.scoring.cost import Cost, entries, rows
from kullback.scoring.score import Score
from kullback.scoring.task import Task

_SMOOTHING = 1 << 17


def _bins(*rules: str) -> BeforeValidator:
    """A whole number however it is written, edges, or a rule; anything else is refused in words."""
    words = " or ".join(f'"{rule}"' for rule in rules)
    detail = "expected a whole number or edges, as in [0, 0.1, 1]" + (words and f"; or {words}")

    def check(value: object) -> object:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        edges = (
            isinstance(value, list) and len(value) > 1 and not {*map(type, value)} - {int, float}
        )
        if edges or type(value) is int or value in rules:
            return value
        raise PydanticCustomError("bins", "{detail}", {"detail": detail})

    return BeforeValidator(check)


_Count = Annotated[int, Field(ge=1, le=MOST_BINS)]
_Edges = Annotated[list[float], Field(min_length=2, max_length=MOST_BINS + 1)]
BinsOrRule = Annotated[_Count | _Edges | BinRule, _bins(*get_args(BinRule))]
NumberOrEdges = Annotated[_Count | _Edges, _bins()]


def laid(bins: Bins, strategy: Strategy | None) -> Strategy:
    """The strategy, uniform where none was sent.

    Raises:
        InvalidInput: one was sent for edges.
    """
    if strategy is not None and isinstance(bins, list):
        raise InvalidInput.at("edges are laid already: leave it out", "strategy")
    return strategy or "uniform"


def bin_costs(bins: Bins, strategy: Strategy | None, sent: Array | None) -> Cost:
    """The table of bins, the quantiles of each column, and each number that a sweep tries."""
    n, columns = rows(sent), sent.shape[1] if sent is not None and sent.ndim == 2 else 1
    most = {"cube_root": math.ceil(n ** (1 / 3)) + 1, "sweep": min(n * columns, MOST_SWEPT)}
    if isinstance(bins, str):
        size, tried = most[bins], most[bins] if bins == "sweep" else 0
    else:
        size, tried = (bins if isinstance(bins, int) else len(bins) - 1), 0
    quantiles = columns * ((1 << 14) + size * 8) if strategy == "quantile" else 0
    return Cost("bins", "ask for fewer bins", size * 256 + quantiles + tried * (1 << 13), size * 8)


class CalibrationRequest(ScoreRequest):
    """Calibration error, with and without bins, reliability, decomposition and temperature."""

    metric_name = "calibration"
    score_unit = "probability"
    summed_fields = ("y_proba", "log_proba")
    refused = MappingProxyType(
        {
            "reduction": "an error of bins is no sum over rows",
            "per_row": "an error of bins has no rows",
        }
    )

    y_true: LabelRows = Field(description="Labels [n], or rows of 0 and 1 [n][k].")
    y_proba: Probabilities | None = Field(
        default=None, description="P(pos_label) [n]; or [n][k], a column per class or label."
    )
    log_proba: LogProbabilities | None = Field(
        default=None, description="ln of what y_proba would be, in its place."
    )
    logits: LogitRows | None = Field(
        default=None, description="Logits of a sigmoid [n], or of a softmax [n][k]."
    )
    task: Task | None = Field(default=None, description="binary for [n], multiclass for [n][k].")
    bins: BinsOrRule = Field(
        default=15,
        description="Number of bins, their edges from 0 to 1, or a rule: cube_root or sweep.",
    )
    strategy: Strategy | None = Field(
        default=None, description="Bins of equal width (uniform, the default), or weight."
    )
    labels: ClassLabels | None = Field(default=None, description="Label of each column.")
    pos_label: Label | None = Field(default=None, description="Positive label.")

    def costs(self) -> list[Cost]:
        """The same, with the bins, the smoothing, and the temperature."""
        forms = (self.y_proba, self.log_proba, self.logits)
        sent = next((form for form in forms if form is not None), None)
        scaled = entries(self.logits if self.log_proba is None else self.log_proba)
        return [
            *super().costs(),
            bin_costs(self.bins, self.strategy, sent),
            Cost("y_proba", "send fewer rows at a time", _SMOOTHING + 32 * entries(sent)),
            Cost("logits", "send fewer rows at a time", 64 * scaled),
        ]

    def _score(self) -> Score:
        """See scoring.calibration."""
        strategy = laid(self.bins, self.strategy)
        options = calibration.CalibrationOptions(
            self.bins,
            strategy,
            self.labels,
            self.pos_label,
            self.task,
            is_log=self.log_proba is not None,
        )
        sent = one_of(self, "y_proba", "log_proba", "logits")
        y_proba, logits = (sent, None) if self.logits is None else (None, sent)
        return calibration.calibration(self.y_true, y_proba, logits, options, self.options())
