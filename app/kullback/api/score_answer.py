"""The answer of every metric, as its schema; `score_json` writes it."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from kullback.numerics.reasons import Reason
from kullback.scoring.binning import BinRule, Strategy
from kullback.scoring.class_weights import ClassWeightName
from kullback.scoring.conventions import ConventionName
from kullback.scoring.entropy_estimators import Estimator
from kullback.scoring.focal_score import FocalNormalizer
from kullback.scoring.gan_loss import GanKind
from kullback.scoring.gccs import Covariance, Layout
from kullback.scoring.infocam import Mode
from kullback.scoring.kl_divergence import Direction
from kullback.scoring.listwise_softmax import ListTarget
from kullback.scoring.options import Base, OnUnnormalized, Reduction
from kullback.scoring.score import Diagnostics, Status
from kullback.scoring.table_information import Average
from kullback.scoring.task import Task

Losses1 = Sequence[float | None]
Losses2 = Sequence[Losses1]
Losses3 = Sequence[Losses2]
Losses4 = Sequence[Losses3]
Entries = Losses1 | Losses2 | Losses3 | Losses4


class Conventions(BaseModel):
    """What was assumed: the first four by every metric, the others by the metrics they are of."""

    base: Base
    reduction: Reduction
    convention: ConventionName | Literal["epsilon"]
    on_unnormalized: OnUnnormalized
    task: Task = Field(
        default="binary", description="Of log-loss, focal-loss, calibration and brier."
    )
    class_weight: ClassWeightName | Literal["given"] | None = Field(
        default=None, description="Of log-loss: the rule, or that weights were given."
    )
    direction: Direction = Field(default="forward", description="Of kl-divergence.")
    mixture_weight: float = Field(default=0.5, description="Of js-divergence.")
    epsilon: float | None = Field(
        default=None, description="Of log-loss and recommender, where it was sent."
    )
    label_smoothing: float = Field(
        default=0.0, description="Of softmax-cross-entropy, focal-loss and gan-loss."
    )
    ignore_index: int | None = Field(default=None, description="Of softmax-cross-entropy.")
    gamma: float = Field(default=2.0, description="Of focal-loss.")
    alpha: float | Sequence[float] | None = Field(default=None, description="Of focal-loss.")
    normalizer: FocalNormalizer = Field(default="rows", description="Of focal-loss.")
    bins: int | BinRule | Literal["given"] = Field(
        default=15,
        description="Of calibration, brier and recommender: how many, the rule, or given edges.",
    )
    strategy: Strategy = Field(default="uniform", description="Of calibration and brier.")
    negative_sampling_rate: float | None = Field(default=None, description="Of recommender.")
    estimator: Estimator = Field(default="plugin", description="Of entropy from counts.")
    average: Average = Field(
        default="arithmetic", description="Of mutual-information from tables and labels."
    )
    kind: GanKind = Field(default="non_saturating", description="Of gan-loss.")
    layout: Layout = Field(default="standard", description="Of gccs.")
    covariance: Covariance = Field(default="diag", description="Of gccs.")
    ddof: int = Field(default=1, description="Of gccs.")
    mode: Mode = Field(default="mean_others", description="Of infocam.")
    threshold: float = Field(default=0.2, description="Of infocam.")
    window: int | None = Field(default=None, description="Of infocam.")
    target: ListTarget = Field(default="normalized", description="Of listwise-softmax.")


class ScoreAnswer(BaseModel):
    """One number that says what it is; every field is always there."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)
    metric: str = Field(description="The name of the metric, with `_` for `-`.")
    value: float | None = Field(description="The score, or null where it is not finite.")
    status: Status = Field(description="All three are answers.")
    reason: Reason | None = Field(description="Why there is no finite number.")
    unit: str = Field(description="`nats`, `bits`, `hartleys`, or what else the metric is in.")
    n: int = Field(description="Rows that count.")
    weight: float = Field(description="The sum of their sample weights.")
    standard_error: float | None = Field(description="Of `value`.")
    per_row: Losses1 | Losses2 | None = Field(
        description="If asked for; null where infinite, and in rows that do not count."
    )
    gradient: Entries | Mapping[str, Entries] | None = Field(
        description="Of `value`, in the shape of the prediction, if asked for; or two by name."
    )
    details: Mapping[str, object] = Field(
        description="More numbers, by metric; null with a word in `reasons` where not finite."
    )
    conventions: Conventions
    diagnostics: Diagnostics = Field(description="What happened to the rows.")
