"""Requests with predictions of clicks."""

from typing import Annotated

from pydantic import Field, FiniteFloat

from kullback.payload.columns import Group, LabelRows, Vector
from kullback.requests.predictions import ConventionRequest
from kullback.scoring.cost import Cost
from kullback.scoring.group_scores import MOST_ROWS
from kullback.scoring.labels import row_count
from kullback.scoring.recommender import RecommenderOptions, recommender
from kullback.scoring.score import Score


class RecommenderRequest(ConventionRequest):
    """Log loss of click predictions with normalized entropy, calibration ratio and AUC."""

    y_true: LabelRows = Field(description="Clicks [n]: 0 or 1, or click rates.")
    y_proba: Vector = Field(description="P(click) [n].")
    group: Group | None = Field(default=None, description="Group of each row, such as a user id.")
    per_group: bool = Field(
        default=False, description=f"Return a row for each of the {MOST_ROWS:,} heaviest groups."
    )
    negative_sampling_rate: Annotated[FiniteFloat, Field(gt=0, le=1)] | None = Field(
        default=None, description="Share of negatives that were kept in training."
    )

    def costs(self) -> list[Cost]:
        """The same, with a row of the answer for each group that is listed."""
        if not self.per_group or self.group is None:
            return super().costs()
        listed = min(row_count(self.group), MOST_ROWS)
        return [*super().costs(), Cost("per_group", "leave it out", listed * 512, listed * 7)]

    def score(self) -> Score:
        """See scoring.recommender."""
        options = RecommenderOptions(
            self.group,
            self.negative_sampling_rate,
            self.convention,
            self.per_group,
            self.epsilon,
        )
        return recommender(self.y_true, self.y_proba, options, self.options())
