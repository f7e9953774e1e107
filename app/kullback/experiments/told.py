"""This file is about a report read again: its document in types that a page may trust."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from kullback.experiments.plan import Design, MetricName
from kullback.experiments.verdict import Word
from kullback.tally.documents import Document

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of an arm; `value` is None where `reason` says why there is none."""

    value: float | None
    standard_error: float | None = None
    reason: str | None = None
    error_bound: float | None = None


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions from `low` to `high`, beside what was observed."""

    low: float
    high: float
    weight: float
    mean_predicted: float | None
    observed: float | None


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm and its metrics; `refused` says why there are none."""

    arm: str
    n: int
    weight: float
    metrics: Mapping[str, Metric]
    units: int | None = None
    effective_sample_size: float | None = None
    clipped: float = 0
    infinite: float = 0
    refused: str | None = None
    reliability: tuple[Bin, ...] = ()
    score_histogram: tuple[Bin, ...] = ()


@dataclass(frozen=True, slots=True)
class Effect:
    """The difference of a metric, for one look."""

    effect: float | None = None
    standard_error: float | None = None
    fixed_interval: Interval | None = None
    fixed_p_value: float | None = None
    benjamini_hochberg: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What is left of a comparison among all of its family."""

    holm: float
    benjamini_hochberg: float
    e_bh: bool | None = None
    sequence: Interval | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """Where the difference comes from, in words."""

    statement: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """An arm against the control."""

    arm: str
    control: str
    verdict: Word
    reason: str
    effect: float | None = None
    relative_effect: float | None = None
    standard_error: float | None = None
    fixed_interval: Interval | None = None
    fixed_p_value: float | None = None
    sequence: Interval | None = None
    e_value: float | None = None
    log_e_value: float | None = None
    why: Why | None = None
    adjusted: Adjusted | None = None
    metrics: Mapping[str, Effect] = field(default_factory=dict)
    base_rate_difference: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The comparisons in a segment."""

    slice: Mapping[str, str]
    arms: tuple[Arm, ...]
    comparisons: tuple[Comparison, ...]

    @property
    def name(self) -> str:
        """The segment, as "country = DE"."""
        return ", ".join(f"{key} = {value}" for key, value in self.slice.items())


@dataclass(frozen=True, slots=True)
class Ratio:
    """Whether units went to the arms as planned."""

    alarm: bool = False
    e_value: float | None = None
    log_e_value: float | None = None
    units: Mapping[str, float] | None = None
    expected: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What a comparison said at some number of rows."""

    arm: str
    effect: float | None = None
    sequence: Interval | None = None
    fixed_interval: Interval | None = None
    e_value: float | None = None
    log_e_value: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What was known at `n` rows."""

    n: int
    comparisons: tuple[Look, ...]


@dataclass(frozen=True, slots=True)
class Crossing:
    """The first verdict on an arm, as it was written down."""

    arm: str
    verdict: Word
    version: int | None = None
    at: str | float | None = None
    effect: float | None = None
    e_value: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A report of arms, from an experiment or from files."""

    design: Design
    metric: MetricName
    control: str
    alpha: float
    arms: tuple[Arm, ...]
    comparisons: tuple[Comparison, ...]
    minimum_effect: float | None = None
    minimum_units: int | None = None
    convention: str = "sklearn"
    sample_ratio: Ratio = field(default_factory=Ratio)
    crossover: float = 0.0
    groups: tuple[Group, ...] = ()
    warnings: tuple[str, ...] = ()
    experiment: str | None = None
    version: int | None = None
    epoch: int | str | None = None
    first_crossing: tuple[Crossing, ...] = ()
    rows: int | None = None
    excluded: Mapping[str, int] = field(default_factory=dict)
    path: tuple[Step, ...] = ()

    @classmethod
    def of(cls, document: Document) -> "Report":
        """The report that a document is of, however much else stands in it."""
        return TypeAdapter(cls).validate_python(document)

    def looks(self, arm: str) -> list[tuple[int, Look]]:
        """What was known of an arm, with the number of rows, in order."""
        return [
            (step.n, look) for step in self.path for look in step.comparisons if look.arm == arm
        ]
