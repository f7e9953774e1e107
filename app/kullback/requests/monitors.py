"""Settings of a monitor, as a caller sends them."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kullback.errors import InvalidInput
from kullback.moments import DAY, HOUR
from kullback.monitoring.monitor import Monitor
from kullback.payload.columns import LONGEST_NAME
from kullback.payload.identifiers import are_names, refuse_twice
from kullback.requests.batches import SliceNames
from kullback.scoring.conventions import ConventionName

Label = (
    Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    | Annotated[int, Field(ge=-(2**63), lt=2**63)]
)
LabelNames = Annotated[list[Label], Field(min_length=2, max_length=1000, fail_fast=True)]
_WEEK = 7 * DAY


class MonitorSettings(BaseModel):
    """Settings of a monitor."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    task: Literal["binary", "multiclass"] = Field(
        default="binary", description="Binary: two outcomes. Multiclass: one of several classes."
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
    slices: SliceNames = Field(default=[])
    convention: ConventionName = Field(
        default="sklearn",
        description="Library whose log loss to keep: it decides what p = 0 on the truth costs.",
    )
    ttl_seconds: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Seconds that a prediction or a label waits for its other half, up to 7 days.",
    )

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        self._check_labels()
        whole_hours = self.window_seconds % HOUR == 0 and DAY % self.window_seconds == 0
        if HOUR % self.window_seconds and not whole_hours:
            detail = "neither divides an hour, nor is it whole hours that divide a day"
            raise InvalidInput.at(detail, "window_seconds")
        if self.ttl_seconds is not None and self.ttl_seconds > self.retention_days * DAY:
            raise InvalidInput.at("longer than retention_days", "ttl_seconds")
        refuse_twice("slices", self.slices)
        return self

    def _check_labels(self) -> None:
        labels = self.labels
        if labels is None:
            if self.task == "multiclass":
                raise InvalidInput.at("a multiclass monitor names its labels", "labels")
            if self.pos_label not in (None, 0, 1):
                raise InvalidInput.at("the labels must be named, the positive one last", "labels")
            return
        refuse_twice("labels", labels)
        for index, label in enumerate(labels):
            if isinstance(label, str) and not are_names([label]):
                raise InvalidInput.at("a control character in it", "labels", index)
        if self.task == "multiclass":
            if self.pos_label is not None:
                raise InvalidInput.at("a multiclass monitor has no positive label", "pos_label")
        elif len(labels) != 2:
            raise InvalidInput.at("a binary monitor has two labels", "labels")
        elif self.pos_label is not None and self.pos_label not in labels:
            raise InvalidInput.at("pos_label is not among labels", "pos_label")

    def monitor(self) -> Monitor:
        """The monitor that is asked for, with nothing left open."""
        positive: Label = self.labels[-1] if self.labels else 1
        if self.pos_label is not None:
            positive = self.pos_label
        return Monitor(
            task=self.task,
            labels=None if self.labels is None else tuple(self.labels),
            pos_label=positive if self.task == "binary" else None,
            window_seconds=self.window_seconds,
            retention_days=self.retention_days,
            slices=tuple(self.slices),
            convention=self.convention,
            ttl_seconds=self.ttl_seconds or min(_WEEK, self.retention_days * DAY),
        )
