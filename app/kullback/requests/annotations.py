"""Annotations of a monitor, as a caller sends them."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kullback.payload.identifiers import check_note, check_web_address
from kullback.payload.timestamps import PeriodTime
from kullback.requests.monitor_fields import LinkAddress, Title


class MonitorAnnotation(BaseModel):
    """What happened to a model or its data, and when: it is marked in figures over time."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    text: Title = Field(description="What happened, such as deploy 1.4.")
    time: PeriodTime | None = Field(
        default=None,
        description=(
            "When: RFC 3339 or epoch seconds, now unless said; without an offset only where the "
            "monitor has a timezone."
        ),
    )
    link: LinkAddress | None = Field(
        default=None, description="Page about it: http:// or https://."
    )

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        check_note(self.text, "text")
        if self.link is not None:
            check_web_address(self.link, "link")
        return self
