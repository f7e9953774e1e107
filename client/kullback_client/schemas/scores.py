"""Answers: scores: written from the schemas of the service, not by hand."""

from typing import Any, Literal, TypeAlias

from ..documents import Document


class Conventions(Document):
    """What was assumed: the first four by every metric, the others by the metrics they are of."""

    base: Literal["e", "2", "10"]
    reduction: Literal["mean", "sum"]
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
        "epsilon",
    ]
    on_unnormalized: Literal["error", "renormalize"]
    task: Literal["binary", "multiclass", "multilabel"] | None
    class_weight: Literal["balanced", "inverse", "effective_number", "given"] | None
    direction: Literal["forward", "reverse", "symmetric"] | None
    mixture_weight: float | None
    epsilon: float | None
    label_smoothing: float | None
    ignore_index: int | None
    gamma: float | None
    alpha: float | list[float] | None
    normalizer: Literal["rows", "positives"] | None
    bins: Literal["cube_root", "sweep", "given"] | int | None
    strategy: Literal["uniform", "quantile"] | None
    negative_sampling_rate: float | None
    estimator: (
        Literal["plugin", "miller_madow", "jackknife", "chao_shen", "james_stein", "combinatorial"]
        | None
    )
    average: Literal["arithmetic", "geometric", "min", "max"] | None
    kind: (
        Literal[
            "minimax",
            "non_saturating",
            "hinge",
            "wasserstein",
            "least_squares",
            "relativistic_average",
        ]
        | None
    )
    layout: Literal["standard", "regular_k_minus_1"] | None
    covariance: Literal["diag", "full"] | None
    ddof: int | None
    mode: Literal["mean_others", "argmin", "pair", "cam"] | None
    threshold: float | None
    window: int | None
    target: Literal["normalized", "softmax"] | None


class Diagnostics(Document):
    """What happened to the rows on the way to the value."""

    infinite: int
    infinite_rows: list[int]
    clipped: int
    renormalized: int
    max_sum_error: float
    dropped: int
    dropped_rows: list[int]


Reason: TypeAlias = Literal[
    "positive_infinity",
    "negative_infinity",
    "positive_overflow",
    "undefined",
    "empty",
    "zero_weight",
    "one_class",
    "one_outcome",
    "one_cell",
    "one_prediction",
    "no_positives",
    "no_predictions",
    "missing_predictions",
    "missing_labels",
    "zero_denominator",
    "no_reference",
    "empty_reference",
    "no_group",
    "no_logits",
    "no_bytes",
    "no_chars",
    "no_words",
    "zero_bytes",
    "zero_chars",
    "zero_words",
    "no_spread",
    "no_adversarial_latents",
    "no_region",
    "no_truth_box",
    "none_correct",
    "soft_labels",
    "binary",
    "multiclass",
    "absent",
    "empty_bin",
    "separable",
    "anti_predictive",
    "infinite_loss",
    "infinite",
    "unbounded",
    "fractional_counts",
    "not_of_this_game",
    "too_few_rows",
    "too_few_units",
    "beyond_doubles",
    "control_is_zero",
    "control_near_zero",
    "effective_sample_size",
]


class ScoreAnswer(Document):
    """One number that says what it is; every field is always there."""

    metric: str
    value: float | None
    status: Literal["finite", "infinite", "undefined"]
    reason: Reason | None
    unit: str
    n: int
    weight: float
    standard_error: float | None
    per_row: list[float | None] | list[list[float | None]] | None
    gradient: (
        list[float | None]
        | list[list[float | None]]
        | list[list[list[float | None]]]
        | list[list[list[list[float | None]]]]
        | dict[
            str,
            list[float | None]
            | list[list[float | None]]
            | list[list[list[float | None]]]
            | list[list[list[list[float | None]]]],
        ]
        | None
    )
    details: dict[str, Any]
    conventions: Conventions
    diagnostics: Diagnostics


class MetricSummary(Document):
    """One metric, in short."""

    name: str
    title: str
    summary: str
    unit: str
    range: str
    direction: Literal["lower", "higher", "neither"]
    href: str


class MetricCatalog(Document):
    """All metrics."""

    scores: list[MetricSummary]


class ExampleAnswer(Document):
    """Part of the answer to the example."""

    value: float
    details: dict[str, Any]
    explanation: str


class MetricEntry(Document):
    """Metric to explain."""

    name: str
    title: str
    summary: str
    unit: str
    range: str
    direction: Literal["lower", "higher", "neither"]
    href: str
    formula: str
    example: dict[str, Any]
    answer: ExampleAnswer
    request_schema: dict[str, Any]
    media_types: list[str]
