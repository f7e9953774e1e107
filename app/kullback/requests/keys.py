"""Keys, as an administrator asks for them."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from kullback.access.keys import KeyGrant, ScopeName
from kullback.errors import InvalidInput
from kullback.moments import DAY

_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)
_TEN_YEARS = 3650 * DAY


class KeySettings(BaseModel):
    """What a new key is to allow."""

    model_config = _STRICT

    label: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[ -~]+$")] = Field(
        description="What the key is for, to be recognized by; printable ASCII."
    )
    scopes: Annotated[list[ScopeName], Field(min_length=1, max_length=4)] = Field(
        description="What it allows: to score, to read, to write, to administer keys."
    )
    prefixes: Annotated[list[str], Field(max_length=20)] = Field(
        default=[],
        description=(
            "Beginnings of the names of monitors and experiments that it is for, each ending in "
            "`.`, `:`, `-` or `_`; none: all names."
        ),
    )
    requests_per_second: Annotated[FiniteFloat, Field(ge=0.001, le=1e6)] | None = Field(
        default=None, description="Requests that it may make in a second; default: any number."
    )
    lifetime_seconds: Annotated[int, Field(ge=1, le=_TEN_YEARS)] | None = Field(
        default=None, description="Seconds until it expires; default: never."
    )

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        flaw = self.grant().flaw()
        if flaw is not None:
            raise InvalidInput.at(flaw[1], flaw[0])
        return self

    def grant(self) -> KeyGrant:
        """The same, as keys are made from it."""
        return KeyGrant(
            self.label,
            tuple(self.scopes),
            tuple(self.prefixes),
            self.requests_per_second,
            self.lifetime_seconds,
        )


class KeyRotation(BaseModel):
    """How the secret of a key is replaced."""

    model_config = _STRICT

    overlap_seconds: Annotated[int, Field(ge=0, le=30 * DAY)] = Field(
        default=DAY,
        description=(
            "Seconds for which the secret from before stays valid; those before it stay as long as "
            "they were to, but 0 ends all at once."
        ),
    )
