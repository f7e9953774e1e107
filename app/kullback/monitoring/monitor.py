"""Monitors: the task, the windows and the slices that each was set up for."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from pydantic import TypeAdapter

from kullback.errors import InvalidInput
from kullback.judgement.settings import DEFAULTS, ChosenThresholds, Thresholds
from kullback.moments import DAY
from kullback.monitoring.crossed_slices import declared, slice_parts
from kullback.numerics.types import Array, Indices
from kullback.scoring.arrays import row_sums
from kullback.scoring.column_names import Names, label_order
from kullback.scoring.conventions import ConventionName
from kullback.scoring.label_types import in_one_type, not_among, refuse_words
from kullback.scoring.labels import Label, Labels, class_indices, positive_shares
from kullback.scoring.options import Options
from kullback.scoring.refusals import off_sum, refuse
from kullback.tally.feature_counts import FeatureKind
from kullback.tally.tally import Layout, Task

WINDOWS_KEPT_SECONDS = DAY  # how long windows stay as configured; then they become hours
HOURS_KEPT_SECONDS = 30 * DAY  # how long hours stay; then they become days


NAMED = 10  # labels in a refusal
NO_NAMES: Mapping[str, Names] = {}


@dataclass(frozen=True, slots=True)
class Link:
    """A page about a monitor; `url` begins with http:// or https://."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Monitor:
    """The settings of a monitor; `labels` are in column order, the last of two is positive."""

    task: Task = "binary"
    labels: tuple[Label, ...] | None = None
    pos_label: Label | None = None
    window_seconds: int = 60
    retention_days: int = 30
    slices: tuple[str, ...] = ()
    convention: ConventionName = "sklearn"
    ttl_seconds: int = 7 * DAY
    label_lag: int | None = None  # seconds; learned where it is not said
    timezone: str | None = None  # an IANA name
    description: str = ""
    owner: str | None = None
    tags: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    default_label: Label | None = None
    label_window: int | None = None  # seconds from arrival; None with the label before
    checks: Mapping[str, ChosenThresholds] = field(default_factory=dict)
    reference_offset: int | None = None  # of a moving reference, beside which it is kept
    features: Mapping[str, FeatureKind] = field(default_factory=dict)

    @property
    def layout(self) -> Layout:
        """What tallies of this monitor are of."""
        classes = len(self.labels) if self.labels and self.task != "binary" else 2
        return Layout(self.task, classes, self.convention)

    @property
    def labels_apart(self) -> tuple[Label, ...]:
        """The labels that each have an outcome of their own: those of a multilabel task."""
        return (self.labels or ()) if self.task == "multilabel" else ()

    @property
    def positive_first(self) -> bool:
        """Whether the positive label of a binary task is the first of its two."""
        return self.task == "binary" and self.pos_label == (self.labels or (0, 1))[0]

    @property
    def default_outcome(self) -> float | None:
        """The outcome of predictions whose labels have not come in time; None without one."""
        if self.default_label is None:
            return None
        label = self.default_label
        y_true = [label] if isinstance(label, str) else np.array([label])
        return float(self.outcomes("default_label", y_true)[0])

    def fixed(self) -> tuple[object, ...]:
        """What cannot change once rows have come: sums before and after would not add up."""
        return tuple(getattr(self, name) for name in _FIXED)

    def differs_in(self, other: "Monitor") -> str | None:
        """The first setting of another monitor whose sums do not add to those of this one.

        A class may come behind those that there are: sums of fewer classes add to those of more.
        """
        for name, mine, theirs in zip(_FIXED, self.fixed(), other.fixed(), strict=True):
            if mine != theirs and not (name == "labels" and self._has_added(other)):
                return name
        return None

    def features_gone(self, other: "Monitor") -> tuple[str, ...]:
        """The features whose counts another monitor has no use for: it has none such."""
        kept = other.features
        return tuple(name for name, kind in self.features.items() if kept.get(name) != kind)

    def is_scored_like(self, other: "Monitor") -> bool:
        """Whether rows of both have the same scores and labels, in whatever windows."""
        return self.differs_in(replace(other, window_seconds=self.window_seconds)) is None

    def _has_added(self, other: "Monitor") -> bool:
        have, want = self.labels or (), other.labels or ()
        return self.task == other.task == "multiclass" and want[: len(have)] == have

    @property
    def thresholds(self) -> Mapping[str, Thresholds]:
        """The thresholds of every check: as they were set, or by default."""
        as_default = ChosenThresholds()
        return {
            name: self.checks.get(name, as_default).over(limits)
            for name, limits in DEFAULTS.items()
        }

    def without_notes(self) -> "Monitor":
        """The same without what only people read: whatever is counted follows from this."""
        return replace(self, description="", owner=None, tags=(), links=())

    def outcomes(
        self, name: str, y_true: Labels, names: Mapping[str, Names] = NO_NAMES
    ) -> Array | Indices:
        """Labels as outcomes in [0, 1] of a binary task, as classes 0..k−1 of a multiclass one.

        Those of a multilabel task are outcomes of each of its labels, (n, k), in their order
        where the columns came under `names`.

        Raises:
            InvalidInput: a label is not one of this monitor's.
        """
        if len(y_true) == 0:
            return np.zeros(0)
        if self.task == "multilabel":
            ordered = y_true
            if not isinstance(y_true, list):
                ordered = self.in_label_order(name, np.asarray(y_true, np.float64), names)
            return self._label_outcomes(name, ordered)
        if not isinstance(y_true, list) and y_true.ndim > 1:
            raise InvalidInput.at(f"the monitor is {self.task}: [n], one label per row", name)
        labels = (0, 1) if self.labels is None else self.labels
        y_true, _ = in_one_type(y_true, labels)
        if isinstance(y_true, list) and not any(isinstance(label, str) for label in labels):
            refuse_words(name, y_true, not_among(labels))
        if self.task == "binary":
            positive = labels[-1] if self.pos_label is None else self.pos_label
            if self.labels is None and positive == 1:
                _refuse_classes(name, y_true)
                return positive_shares(name, y_true).values
            index = class_indices(name, y_true, labels, 2, not_among(labels))
            return np.where(index == labels.index(positive), 1.0, 0.0)
        return class_indices(name, y_true, labels, self.layout.classes, not_among(labels))

    def in_label_order(self, name: str, values: Array, names: Mapping[str, Names]) -> Array:
        """The columns of a field in the order of the labels, if they came under names.

        Raises:
            InvalidInput: a label has no column, or a column is of no label.
        """
        if name not in names or self.task == "binary" or self.labels is None:
            return values
        ordered: Array = values[:, label_order(name, names[name], self.labels)]
        return ordered

    def _label_outcomes(self, name: str, y_true: Labels) -> Array:
        k = self.layout.classes
        if isinstance(y_true, list) or y_true.ndim != 2 or y_true.shape[1] != k:
            detail = (
                f"the monitor has {k} labels ({self._names}): [n][{k}], 0 or 1 per label and row"
            )
            raise InvalidInput.at(detail, name)
        refuse(name, ~((y_true >= 0) & (y_true <= 1)), lambda _: "not 0, 1, or a share between")
        return (
            np.asarray(y_true, np.float64) + 0.0
        )  # no zero is negative: equal outcomes have equal bytes

    @property
    def _names(self) -> str:
        labels = self.labels or ()
        return ", ".join(map(str, labels[:NAMED])) + (", …" if len(labels) > NAMED else "")

    def predictions(self, y_proba: Array) -> Array:
        """Predictions as doubles.

        Args:
            y_proba: in [0, 1], of the type that they were sent as.

        Raises:
            InvalidInput: they are not [n] of a binary task, [n][k] of another; of a multiclass
                one a row does not sum to 1.
        """
        if y_proba.size == 0:  # [] is [0][k] as well
            return np.zeros(0)
        if self.task == "binary" and y_proba.ndim != 1:
            detail = "the monitor is binary: [n], one probability of the positive label per row"
            raise InvalidInput.at(detail, "y_proba")
        k = self.layout.classes
        if self.task != "binary" and (y_proba.ndim != 2 or y_proba.shape[1] != k):
            detail = (
                f"the monitor has {k} labels ({self._names}): [n][{k}], one probability per label "
                "and row, in this order"
            )
            raise InvalidInput.at(detail, "y_proba")
        wide = np.asarray(y_proba, np.float64)
        if self.task == "multiclass":
            sums, tolerance = row_sums(wide), _OPTIONS.tolerance(y_proba.dtype)
            refuse(
                "y_proba",
                ~(np.abs(sums - 1) <= tolerance),
                lambda at: off_sum(float(sums[at]), tolerance, ""),
            )
        return wide

    def check_slice(self, name: str, *place: str) -> None:
        """Refuse a slice that rows of the monitor do not have, sent at this place.

        Raises:
            InvalidInput: it is neither one of `slices` nor what one of them is crossed of.
        """
        if all(name not in slice_parts(each) for each in self.slices):
            raise self._no_slice(place)

    def check_feature(self, name: str, *place: str) -> None:
        """Refuse a feature that the monitor does not count, sent at this place.

        Raises:
            InvalidInput: it is none of `features`.
        """
        if name not in self.features:
            names = list(self.features)
            listed = ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
            detail = f"not a feature of this monitor, which has {listed or 'none'}"
            raise InvalidInput.at(detail, *place)

    def slice_named(self, name: str, *place: str) -> str:
        """The slice of this name as it is declared, named at this place.

        Raises:
            InvalidInput: rows are not counted by it.
        """
        there = declared(name, self.slices)
        if there is None:
            raise self._no_slice(place)
        return there

    def _no_slice(self, place: tuple[str, ...]) -> InvalidInput:
        names = ", ".join(self.slices) or "none"
        return InvalidInput.at(f"not a slice of this monitor, which has {names}", *place)

    def encoded(self) -> bytes:
        """The bytes that `decoded` makes it from."""
        return _JSON.dump_json(self)

    @classmethod
    def decoded(cls, document: bytes) -> "Monitor":
        """See encoded."""
        return _JSON.validate_json(document)


_FIXED = ("task", "labels", "pos_label", "window_seconds", "convention")


def _refuse_classes(name: str, y_true: Labels) -> None:
    """Refuse what is neither 0 nor 1, nor a share between."""
    if isinstance(y_true, list) or y_true.ndim != 1:
        return
    detail = "not among the labels: 0, 1, or a share between"
    refuse(name, ~((y_true >= 0) & (y_true <= 1)), lambda _: detail)


_JSON = TypeAdapter(Monitor)
_OPTIONS = Options()
