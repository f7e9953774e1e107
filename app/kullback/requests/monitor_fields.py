"""Fields of a monitor's settings whose refusals lead on: its task and its slices."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from kullback.errors import InvalidInput
from kullback.monitoring.crossed_slices import CROSS, MAX_PARTS
from kullback.requests.batch_columns import MAX_SLICES, SLICE_NAME


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


def _task(name: object) -> object:
    """A task that there are monitors of, or a word of where another one is served."""
    if isinstance(name, str) and name not in {"binary", "multiclass"}:
        detail = (
            "monitors are binary or multiclass; several labels at once are as many binary "
            "monitors, and regression and ranking have none"
        )
        raise PydanticCustomError("task", detail)
    return name


TaskName = Annotated[Literal["binary", "multiclass"], BeforeValidator(_task)]
