"""Answers: experiments: written from the schemas of the service, not by hand."""

from datetime import datetime
from typing import Literal, TypeAlias

from ..documents import Document
from .monitors import FieldError


class Arm(Document):
    """One of the recommenders compared; `share` is the part of all units planned for it."""

    name: str
    share: float
    description: str | None


class Guardrail(Document):
    """Another metric of an experiment, which must not suffer."""

    metric: Literal["log_loss", "normalized_entropy", "brier", "base_rate", "outcome", "ratio"]
    minimum_effect: float | str
    objective: Literal["superiority", "non_inferiority", "equivalence"] | None
    outcome: str | None
    higher_is_better: bool | None


class Stop(Document):
    """From when on an epoch takes no more rows, and the note of whoever stopped it."""

    at: datetime
    note: str


class Winsorize(Document):
    """Bounds that the outcome, or the numerator, of each row is moved to where it is beyond."""

    lower: float | None
    upper: float | None


class ExperimentSetup(Document):
    """An experiment as it was set up; `epoch` is that of the rows that come now."""

    name: str
    epoch: int
    arms: list[Arm]
    control: str
    design: Literal["parallel", "paired"]
    assignment: Literal["unit", "request"]
    metric: Literal["log_loss", "normalized_entropy", "brier", "base_rate", "outcome", "ratio"]
    alpha: float
    minimum_effect: float | str | None
    minimum_units: int
    objective: Literal["superiority", "non_inferiority", "equivalence"]
    power: float | None
    convention: Literal[
        "exact",
        "sklearn",
        "torchrec",
        "lightgbm",
        "xgboost",
        "keras",
        "torch",
        "lightgbm_cross_entropy",
        "catboost",
        "river",
        "spark",
    ]
    slices: list[str]
    other_arms: Literal["error", "ignore"]
    stopped: Stop | None
    outcome: str | None
    higher_is_better: bool | None
    winsorize: Winsorize | None
    covariate: bool | None
    guardrails: list[Guardrail] | None


class PlanChange(Document):
    """What another plan changes: rows that stay behind are of the epoch that ends."""

    fields: list[str]
    opens_epoch: bool
    opens_stratum: bool
    rows_left_behind: int
    rows_kept: int


class ChangedExperiment(Document):
    """An experiment under the plan that was put, and what that changes, where it was there."""

    name: str
    epoch: int
    arms: list[Arm]
    control: str
    design: Literal["parallel", "paired"]
    assignment: Literal["unit", "request"]
    metric: Literal["log_loss", "normalized_entropy", "brier", "base_rate", "outcome", "ratio"]
    alpha: float
    minimum_effect: float | str | None
    minimum_units: int
    objective: Literal["superiority", "non_inferiority", "equivalence"]
    power: float | None
    convention: Literal[
        "exact",
        "sklearn",
        "torchrec",
        "lightgbm",
        "xgboost",
        "keras",
        "torch",
        "lightgbm_cross_entropy",
        "catboost",
        "river",
        "spark",
    ]
    slices: list[str]
    other_arms: Literal["error", "ignore"]
    stopped: Stop | None
    change: PlanChange | None
    outcome: str | None
    higher_is_better: bool | None
    winsorize: Winsorize | None
    covariate: bool | None
    guardrails: list[Guardrail] | None


VerdictWord: TypeAlias = Literal[
    "better", "worse", "equivalent", "not_worse", "undecided", "invalid"
]


class FirstAnswer(Document):
    """The first answer to a question that was not open, as it was kept: `verdict` is its word."""

    version: int
    at: datetime
    arm: str
    verdict: VerdictWord
    effect: float
    standard_error: float
    sequence: tuple[float, float] | None
    e_value: float
    log_e_value: float | None
    question: Literal["superiority", "margin", "horizon"]


class FirstCrossing(Document):
    """The first verdict on an arm that was not open, as it was kept, at a version."""

    version: int
    at: datetime
    arm: str
    verdict: VerdictWord
    effect: float
    standard_error: float
    sequence: tuple[float, float] | None
    e_value: float
    log_e_value: float | None


class ExperimentDetail(Document):
    """An experiment, the number of rows in each epoch, its first verdicts and answers."""

    name: str
    epoch: int
    arms: list[Arm]
    control: str
    design: Literal["parallel", "paired"]
    assignment: Literal["unit", "request"]
    metric: Literal["log_loss", "normalized_entropy", "brier", "base_rate", "outcome", "ratio"]
    alpha: float
    minimum_effect: float | str | None
    minimum_units: int
    objective: Literal["superiority", "non_inferiority", "equivalence"]
    power: float | None
    convention: Literal[
        "exact",
        "sklearn",
        "torchrec",
        "lightgbm",
        "xgboost",
        "keras",
        "torch",
        "lightgbm_cross_entropy",
        "catboost",
        "river",
        "spark",
    ]
    slices: list[str]
    other_arms: Literal["error", "ignore"]
    stopped: Stop | None
    created: datetime
    version: int
    observations: dict[str, int]
    last_window: datetime | None
    first_crossing: list[FirstCrossing]
    first_answers: list[FirstAnswer]
    outcome: str | None
    higher_is_better: bool | None
    winsorize: Winsorize | None
    covariate: bool | None
    guardrails: list[Guardrail] | None


class ListedExperiment(Document):
    """An experiment as it was set up, and when."""

    name: str
    epoch: int
    arms: list[Arm]
    control: str
    design: Literal["parallel", "paired"]
    assignment: Literal["unit", "request"]
    metric: Literal["log_loss", "normalized_entropy", "brier", "base_rate", "outcome", "ratio"]
    alpha: float
    minimum_effect: float | str | None
    minimum_units: int
    objective: Literal["superiority", "non_inferiority", "equivalence"]
    power: float | None
    convention: Literal[
        "exact",
        "sklearn",
        "torchrec",
        "lightgbm",
        "xgboost",
        "keras",
        "torch",
        "lightgbm_cross_entropy",
        "catboost",
        "river",
        "spark",
    ]
    slices: list[str]
    other_arms: Literal["error", "ignore"]
    stopped: Stop | None
    created: datetime
    outcome: str | None
    higher_is_better: bool | None
    winsorize: Winsorize | None
    covariate: bool | None
    guardrails: list[Guardrail] | None


class ExperimentList(Document):
    """Every experiment, by name."""

    experiments: list[ListedExperiment]


class AcceptedObservations(Document):
    """What became of observations that were sent, counted over all arms."""

    accepted: int
    ignored: int
    rejected: int
    rejections: list[FieldError]
    clipped: int
    infinite: int
    epoch: int
