"""Settings of a monitor, as a caller sends them."""

from collections.abc import Callable
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from kullback.errors import InvalidInput
from kullback.judgement.settings import CheckName
from kullback.moments import DAY, HOUR
from kullback.monitoring.crossed_slices import CROSS, slice_parts
from kullback.monitoring.monitor import Link, Monitor
from kullback.payload.columns import LONGEST_NAME
from kullback.payload.identifiers import (
    A_CONTROL,
    A_NAME,
    NAME,
    are_names,
    check_note,
    check_web_address,
    is_name,
    is_text,
    refuse_twice,
)
from kullback.requests.batch_columns import MAX_SLICES
from kullback.requests.monitor_fields import (
    CheckThresholds,
    MonitorFeatures,
    MonitorLink,
    MonitorSlices,
    TaskName,
    Title,
    chosen_thresholds,
)
from kullback.scoring.conventions import ConventionName
from kullback.timezones import check_timezone, finest_width

Label = (
    Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    | Annotated[int, Field(ge=-(2**63), lt=2**63)]
)

LabelNames = Annotated[list[Label], Field(min_length=2, max_length=1000, fail_fast=True)]
Word = Annotated[str, Field(min_length=1, max_length=64)]


class MonitorRename(BaseModel):
    """Another name for a monitor."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str = Field(description="The new name.", json_schema_extra={"pattern": NAME})

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if not is_name(self.name):
            raise InvalidInput.at(A_NAME, "name")
        return self

    def for_caller(self, check: Callable[[str], None]) -> str:
        """The name, if whoever asks may give it, as `check` says."""
        check(self.name)
        return self.name


class MonitorSettings(BaseModel):
    """Settings of a monitor."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    task: TaskName = Field(
        default="binary",
        description=(
            "Binary: two outcomes. Multiclass: one of several classes. Multilabel: any of several "
            "labels."
        ),
    )
    labels: LabelNames | None = Field(
        default=None, description="The labels, in column order; the last of two is positive."
    )
    pos_label: Label | None = Field(
        default=None, description="Positive label; default 1, or the last of labels."
    )
    window_seconds: Annotated[int, Field(ge=1, le=DAY)] = Field(
        default=60,
        description=(
            "Length of a window: it divides an hour, or is whole hours that divide a day."
        ),
    )
    retention_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        default=30, description="Days that windows are kept."
    )
    slices: MonitorSlices = Field(default=[])
    convention: ConventionName = Field(
        default="sklearn",
        description="Library whose log loss to keep: it decides what p = 0 on the truth costs.",
    )
    ttl_seconds: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Seconds that an id is kept: in which a label may come, or be corrected.",
    )
    default_label: Label | None = Field(
        default=None,
        description="Label that a prediction counts with when none has come in label_window.",
    )
    label_window: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Seconds from the arrival of a prediction until it counts with default_label.",
    )
    label_lag: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description=(
            "Seconds after which the labels of predictions are in, up to retention_days: only "
            "older time is judged. Null: learned from the labels that come."
        ),
    )
    timezone: Annotated[str, Field(max_length=64)] | None = Field(
        default=None,
        description=(
            "IANA name of the time zone, such as Europe/Berlin, whose days are those of series, "
            "and in which times without an offset are read; without one days are those of UTC."
        ),
    )
    features: MonitorFeatures = Field(default={})
    description: Annotated[str, Field(max_length=2000)] = Field(
        default="", description="What it is, for those who read its page."
    )
    owner: Title | None = Field(default=None, description="Whose it is: a team, or an address.")
    tags: Annotated[list[Word], Field(max_length=20)] = Field(
        default=[], description="Names that it is found by in the list of monitors."
    )
    links: Annotated[list[MonitorLink], Field(max_length=20)] = Field(
        default=[], description="Pages about it, each with `title` and `url`."
    )
    checks: dict[CheckName, CheckThresholds] = Field(
        default={}, description="Thresholds of checks, by their name; {} for the default ones."
    )

    def _check_default(self) -> None:
        named = {"default_label": self.default_label, "label_window": self.label_window}
        for name, other in (("default_label", "label_window"), ("label_window", "default_label")):
            if named[name] is not None and named[other] is None:
                raise InvalidInput.at(f"{other} is missing beside it", name)
        kept = self.ttl_seconds or _longest_wait(self.retention_days)
        if self.label_window is not None and self.label_window > kept:
            detail = f"longer than ttl_seconds, the {kept} seconds that an id is kept"
            raise InvalidInput.at(detail, "label_window")
        if self.default_label is not None and self.task == "multilabel":
            detail = (
                "a row of a multilabel monitor has an outcome for each label, and none by default: "
                "send the labels of rows for which nothing came as 0"
            )
            raise InvalidInput.at(detail, "default_label")
        labels = self.labels or [0, 1]
        if self.default_label is not None and self.default_label not in labels:
            raise InvalidInput.at("not one of labels", "default_label")

    def _check_timezone(self) -> None:
        """Refuse a time zone whose days are no whole windows."""
        if self.timezone is None:
            return
        check_timezone("timezone", self.timezone)
        width = finest_width(self.timezone)
        if width % self.window_seconds:
            detail = f"divides not {width}, as it must for whole days of {self.timezone}"
            raise InvalidInput.at(detail, "window_seconds")

    def _check_labels(self) -> None:
        labels = self.labels
        if labels is None:
            if self.task != "binary":
                raise InvalidInput.at(f"a {self.task} monitor names its labels", "labels")
            if self.pos_label not in (None, 0, 1):
                raise InvalidInput.at("the labels must be named, the positive one last", "labels")
            return
        refuse_twice("labels", labels)
        for index, label in enumerate(labels):
            if isinstance(label, str) and not are_names([label]):
                raise InvalidInput.at(A_CONTROL, "labels", index)
        if self.task != "binary":
            if self.pos_label is not None:
                raise InvalidInput.at(f"a {self.task} monitor has no positive label", "pos_label")
        elif len(labels) != 2:
            raise InvalidInput.at("a binary monitor has two labels", "labels")
        elif self.pos_label is not None and self.pos_label not in labels:
            raise InvalidInput.at("pos_label is not among labels", "pos_label")

    def _check_notes(self) -> None:
        if not is_text(self.description):
            raise InvalidInput.at(A_CONTROL, "description")
        if self.owner is not None:
            check_note(self.owner, "owner")
        for index, tag in enumerate(self.tags):
            check_note(tag, "tags", index)
        refuse_twice("tags", self.tags)
        for index, link in enumerate(self.links):
            check_note(link.title, "links", index, "title")
            check_web_address(link.url, "links", index, "url")

    def _check_slices(self) -> None:
        parts = [slice_parts(name) for name in self.slices]
        refuse_twice("slices", [CROSS.join(sorted(of)) for of in parts])
        for index, of in enumerate(parts):
            if len(set(of)) < len(of):
                raise InvalidInput.at("crossed with itself", "slices", index)
        if len({part for of in parts for part in of}) > MAX_SLICES:
            detail = f"crossed of more than {MAX_SLICES} slices, and a row has no more"
            raise InvalidInput.at(detail, "slices")

    def monitor(self, present: Monitor | None = None) -> Monitor:
        """The monitor that is asked for: what is not named is as it is at present, or by default.

        Raises:
            InvalidInput: what is named does not fit together, or not what stays as it is.
        """
        whole = self if present is None else self._beside(present)
        whole.check()
        labels, retention = whole.labels, whole.retention_days
        positive: Label = labels[-1] if labels else 1
        if whole.pos_label is not None:
            positive = whole.pos_label
        return Monitor(
            task=whole.task,
            labels=None if labels is None else tuple(labels),
            pos_label=positive if whole.task == "binary" else None,
            window_seconds=whole.window_seconds,
            retention_days=retention,
            slices=tuple(whole.slices),
            convention=whole.convention,
            ttl_seconds=whole.ttl_seconds or _longest_wait(retention),
            label_lag=whole.label_lag,
            timezone=whole.timezone,
            description=whole.description,
            owner=whole.owner,
            tags=tuple(whole.tags),
            default_label=whole.default_label,
            label_window=whole.label_window,
            links=tuple(Link(link.title, link.url) for link in whole.links),
            checks=chosen_thresholds(whole.checks),
            reference_offset=None if present is None else present.reference_offset,
            features=whole.features,
        )

    def _beside(self, present: Monitor) -> Self:
        """The same with what is not named as it is at present."""
        rest = {
            name: getattr(present, name)
            for name in type(self).model_fields
            if name not in self.model_fields_set
        }
        whole = self.model_copy(update=rest)
        more: dict[str, object] = {}
        # what followed from other settings follows from these
        if "pos_label" in rest and present.pos_label not in (whole.labels or (0, 1)):
            more["pos_label"] = None
        if "pos_label" in rest and whole.task != "binary":
            more["pos_label"] = None
        if "ttl_seconds" in rest and present.ttl_seconds == _longest_wait(present.retention_days):
            more["ttl_seconds"] = None
        return whole.model_copy(update=more)

    def check(self) -> None:
        """Refuse settings that do not fit together.

        Raises:
            InvalidInput: the field is named.
        """
        self._check_labels()
        whole_hours = self.window_seconds % HOUR == 0 and DAY % self.window_seconds == 0
        if HOUR % self.window_seconds and not whole_hours:
            detail = "neither divides an hour, nor is it whole hours that divide a day"
            raise InvalidInput.at(detail, "window_seconds")
        if self.ttl_seconds is not None and self.ttl_seconds > self.retention_days * DAY:
            detail = f"{self.ttl_seconds} is longer than retention_days, {self.retention_days} days"
            raise InvalidInput.at(detail, "ttl_seconds")
        if self.label_lag is not None and self.label_lag > self.retention_days * DAY:
            detail = f"{self.label_lag} is longer than retention_days, {self.retention_days} days"
            raise InvalidInput.at(detail, "label_lag")
        self._check_slices()
        self._check_default()
        self._check_timezone()
        self._check_notes()


def _longest_wait(retention_days: int) -> int:
    """How long rows wait where nobody said so, in seconds."""
    return min(7 * DAY, retention_days * DAY)
