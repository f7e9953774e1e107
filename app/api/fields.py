"""This file is about the fields of a request that hold many numbers: what may stand in them."""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import numpy as np
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from app.scoring.labels import Labels
from app.scoring.means import Array
from app.scoring.tokens import Ragged


class Kind(Enum):
    """What an entry of a field is."""

    NUMBER = "number"
    LOGIT = "logit"
    LABEL = "label"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Column:
    """A field of many entries: of what kind, along how many axes, one entry per row or not.

    `names` are words that may stand in place of the numbers; `scalar` says that one number may;
    `ragged` that the rows may be of unequal lengths.
    """

    kind: Kind
    axes: int
    per_row: bool = True
    scalar: bool = False
    names: tuple[str, ...] = ()
    ragged: bool = False

    @property
    def may_be_option(self) -> bool:
        """Whether it may stand in the query, beside columns."""
        return self.scalar or not self.per_row

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Take what the payload readers made; refuse what is no column at all."""
        return core_schema.no_info_plain_validator_function(self._check)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Numbers, or rows of numbers, as a caller sends them in JSON."""
        entry = _ENTRY[self.kind]
        forms: list[JsonSchemaValue] = []
        rows = entry
        for _ in range(self.axes):
            rows = {"type": "array", "items": rows, "minItems": 1}
            forms.append(rows)
        if self.scalar:
            forms.insert(0, entry)
        if self.names:
            forms.append({"type": "string", "enum": list(self.names)})
        return forms[0] if len(forms) == 1 else {"anyOf": forms}

    def _check(self, value: object) -> object:
        if self.ragged and isinstance(value, Ragged):
            if value.lengths.size == 0:
                raise PydanticCustomError("empty", "an empty list")
            return value
        if isinstance(value, np.ndarray):
            if value.ndim == 0 and not self.scalar:
                raise PydanticCustomError("list", "one number, where a list is expected")
            if value.ndim > self.axes:
                raise PydanticCustomError(
                    "axes", f"{value.ndim} axes, where at most {self.axes} are read"
                )
            if value.size == 0:
                raise PydanticCustomError("empty", "an empty list")
            return value
        if isinstance(value, list) and self.kind is Kind.LABEL:
            return value
        if isinstance(value, str) and value in self.names:
            return value
        if self.names:
            raise PydanticCustomError("list", f"expected numbers, or {_either(self.names)}")
        raise PydanticCustomError("list", f"expected a list of {_PLURAL[self.kind]}")


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(f'"{name}"' for name in names)


_NUMBER: JsonSchemaValue = {"type": "number"}
_ENTRY: dict[Kind, JsonSchemaValue] = {
    Kind.NUMBER: _NUMBER,
    Kind.LOGIT: {"anyOf": [_NUMBER, {"type": "string", "const": "-Infinity"}]},
    Kind.LABEL: {"anyOf": [_NUMBER, {"type": "string"}]},
    Kind.FLAG: {"anyOf": [{"type": "boolean"}, {"type": "integer", "enum": [0, 1]}]},
}
_PLURAL = {
    Kind.NUMBER: "numbers",
    Kind.LOGIT: "numbers",
    Kind.LABEL: "labels",
    Kind.FLAG: "flags",
}

Vector = Annotated[Array, Column(Kind.NUMBER, 1)]
Rows = Annotated[Array, Column(Kind.NUMBER, 2)]
LogitRows = Annotated[Array, Column(Kind.LOGIT, 2)]
LabelRows = Annotated[Labels, Column(Kind.LABEL, 2)]
LabelRowsOrOne = Annotated[Labels, Column(Kind.LABEL, 2, scalar=True)]
Flags = Annotated[Array, Column(Kind.FLAG, 2)]
Group = Annotated[Labels, Column(Kind.LABEL, 1)]
