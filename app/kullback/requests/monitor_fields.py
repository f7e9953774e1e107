"""Fields of a monitor's settings: its task, its slices, links and thresholds of checks."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from kullback.errors import InvalidInput
from kullback.judgement.settings import DEFAULTS, CheckName, ChosenThresholds
from kullback.monitoring.crossed_slices import CROSS, MAX_PARTS
from kullback.payload.columns import LONGEST_NAME
from kullback.requests.batch_columns import MAX_SLICES, SLICE_NAME
from kullback.requests.feature_columns import MAX_FEATURES

FeatureType = Literal["numeric", "categorical"]


def _slice_names(names: list[str]) -> list[str]:
    """Names of slices; of crossed ones with × between their parts."""
    for index, name in enumerate(names):
        parts = name.replace("*", CROSS).split(CROSS)
        if len(parts) > MAX_PARTS or not all(re.fullmatch(SLICE_NAME, part) for part in parts):
            detail = (
                "a name is up to 63 letters, digits, _, . and -, the first a letter or _; two to "
                f"{MAX_PARTS} of them with {CROSS} or * between are crossed"
            )
            raise InvalidInput.at(detail, "slices", index)
    return [name.replace("*", CROSS) for name in names]


MonitorSlices = Annotated[
    list[str],
    Field(
        max_length=MAX_SLICES,
        description="Names by which rows may be sliced; country×device is of both together.",
    ),
    AfterValidator(_slice_names),
]


def _features(kinds: object) -> object:
    """Kinds of features by their names, which are as those of slices are."""
    for name, kind in kinds.items() if isinstance(kinds, dict) else ():
        if kind not in get_args(FeatureType):
            raise InvalidInput.at(
                "numeric or categorical is expected", "features", name[:LONGEST_NAME]
            )
        if not re.fullmatch(SLICE_NAME, name):
            detail = "a name is up to 63 letters, digits, _, . and -, the first a letter or _"
            raise InvalidInput.at(detail, "features", name[:LONGEST_NAME])
    return kinds


MonitorFeatures = Annotated[
    dict[str, FeatureType],
    Field(
        max_length=MAX_FEATURES,
        description=(
            "Features whose drift is watched, by name: numeric, or categorical. Rows may carry "
            "their values."
        ),
    ),
    BeforeValidator(_features),
]


Task = Literal["binary", "multiclass", "multilabel"]


def _task(name: object) -> object:
    """A task that there are monitors of, or a word of where another one is served."""
    if isinstance(name, str) and name not in get_args(Task):
        detail = "monitors are binary, multiclass or multilabel; regression and ranking have none"
        raise PydanticCustomError("task", detail)
    return name


TaskName = Annotated[Task, BeforeValidator(_task)]


Title = Annotated[str, Field(min_length=1, max_length=200)]
LinkAddress = Annotated[str, Field(min_length=1, max_length=2000)]


class MonitorLink(BaseModel):
    """A page about a monitor."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    title: Title = Field(description="What the page is.")
    url: LinkAddress = Field(description="Where it is: http:// or https://.")


class CheckThresholds(BaseModel):
    """Thresholds of a check; what is not said is as by default."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    tolerance: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] | None = Field(
        default=None, description="How far off is not worth an alarm, in the unit of its value."
    )
    critical: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] | None = Field(
        default=None, description="How far off is critical; as much further as the tolerance is."
    )
    minimum_rows: Annotated[int, Field(ge=1, le=10**9)] | None = Field(
        default=None, description="Fewer rows are not judged."
    )
    alarms_per_year: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] | None = Field(
        default=None, description="How many false alarms a year it may raise, at most."
    )
    enabled: bool = Field(default=True, description="Whether it is looked at.")

    def refuse_meaningless(self, check: CheckName) -> None:
        """Refuse those that mean nothing of this check."""
        for name, detail in _MEANINGLESS.get(check, {}).items():
            if getattr(self, name) is not None:
                raise InvalidInput.at(f"{name}: {detail}", "checks", check, name)
        for name, most in _SHARES.get(check, {}).items():
            if (getattr(self, name) or 0.0) > most:
                detail = f"{name}: a share of rows, {most} at most"
                raise InvalidInput.at(detail, "checks", check, name)
        chosen = ChosenThresholds.like(self).over(DEFAULTS[check])
        if chosen.critical < chosen.tolerance:
            detail = f"critical: less than the tolerance, {chosen.tolerance:g}"
            raise InvalidInput.at(detail, "checks", check, "critical")


def chosen_thresholds(checks: Mapping[CheckName, object]) -> dict[str, ChosenThresholds]:
    """Thresholds of checks, as they are asked for or as they are at present.

    Raises:
        InvalidInput: one that is asked for means nothing of its check.
    """
    for name, each in checks.items():
        if isinstance(each, CheckThresholds):
            each.refuse_meaningless(name)
    return {name: ChosenThresholds.like(each) for name, each in checks.items()}


_ALWAYS_CRITICAL = "it is critical whenever it is sure"
_MEANINGLESS: Mapping[str, Mapping[str, str]] = {
    "no_skill": {
        "tolerance": "ranking at chance has no size: alarms_per_year says how sure it has to be",
        "critical": _ALWAYS_CRITICAL,
    },
    "silence": {"critical": _ALWAYS_CRITICAL},
}
_SHARES: Mapping[str, Mapping[str, float]] = {
    "silence": {"tolerance": 0.99},
    "maturity": {"tolerance": 0.99, "critical": 1.0},
}
