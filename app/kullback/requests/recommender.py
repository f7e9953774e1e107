"""Requests with predictions of clicks."""

from typing import Annotated

from pydantic import BeforeValidator, Field, FiniteFloat

from kullback.payload.columns import Group, LabelRows, LogitRows, LogProbabilities, Probabilities
from kullback.requests.base import one_of
from kullback.requests.predictions import ClassLabels, ConventionRequest, Label
from kullback.scoring.cost import Cost, rows
from kullback.scoring.group_scores import MOST_ROWS
from kullback.scoring.recommender import RecommenderOptions, recommender
from kullback.scoring.score import Score

Cutoffs = Annotated[
    list[Annotated[int, Field(ge=1, le=1_000_000)]],
    Field(min_length=1, max_length=20),
    BeforeValidator(lambda value: [value] if isinstance(value, int) else value),
]


class RecommenderRequest(ConventionRequest):
    """Log loss of click predictions with normalized entropy, calibration ratio and AUC."""

    metric_name = "recommender"
    column_labels = "tasks"

    y_true: LabelRows = Field(
        description="Clicks [n]: 0 or 1, or click rates; [n][t] for several tasks."
    )
    y_proba: Probabilities | None = Field(
        default=None, description="P(click) [n]; or [n][t], a column per task."
    )
    log_proba: LogProbabilities | None = Field(
        default=None, description="ln P(click), in place of y_proba: nothing underflows."
    )
    logits: LogitRows | None = Field(
        default=None, description="In place of y_proba: P(click) = sigmoid(logits), exactly."
    )
    labels: ClassLabels | None = Field(
        default=None, description="The two labels of y_true, the label of a click last."
    )
    pos_label: Label | None = Field(
        default=None, description="Label of a click; default 1, or the last of labels."
    )
    tasks: ClassLabels | None = Field(default=None, description="Name of each column of [n][t].")
    group: Group | None = Field(default=None, description="Group of each row, such as a user id.")
    per_group: bool = Field(
        default=False, description=f"Return a row for each of the {MOST_ROWS:,} heaviest groups."
    )
    at: Cutoffs | None = Field(
        default=None, description="Cutoffs k for NDCG@k, MRR@k and hit rate@k of the groups."
    )
    negative_sampling_rate: Annotated[FiniteFloat, Field(gt=0, le=1)] | None = Field(
        default=None, description="Share of negatives that were kept in training."
    )

    def costs(self) -> list[Cost]:
        """The same, with a report of each task, a row of each listed group, and each cutoff."""
        costs = super().costs()
        forms = (self.y_proba, self.log_proba, self.logits)
        sent = next((form for form in forms if form is not None), None)
        tasks = sent.shape[1] if sent is not None and sent.ndim == 2 else 1
        cutoffs = len(self.at or ())
        few = "send fewer tasks at a time"
        costs.append(Cost("y_true", few, (tasks - 1) << 17, tasks * (12 + 5 * cutoffs)))
        if self.at is not None:
            costs.append(Cost("at", "ask for fewer", rows(sent) * tasks * (16 + 8 * cutoffs)))
        if self.per_group and self.group is not None:
            listed = min(rows(self.group), MOST_ROWS)
            costs.append(Cost("per_group", "leave it out", listed * 512, listed * 7))
        return costs

    def _score(self) -> Score:
        """See scoring.recommender."""
        options = RecommenderOptions(
            group=self.group,
            negative_sampling_rate=self.negative_sampling_rate,
            convention=self.convention,
            per_group=self.per_group,
            at=self.at or (),
            labels=self.labels,
            pos_label=self.pos_label,
            tasks=self.tasks,
            epsilon=self.epsilon,
            is_log=self.log_proba is not None,
        )
        sent = one_of(self, "y_proba", "log_proba", "logits")
        y_proba, logits = (sent, None) if self.logits is None else (None, sent)
        return recommender(self.y_true, y_proba, logits, options, self.options())
