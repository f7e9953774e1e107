"""Columns: the fields of a request that hold many numbers, and what they may contain."""

from dataclasses import dataclass, replace
from enum import Enum
from sys import float_info
from typing import Annotated, Any

import numpy as np
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from kullback.numerics.types import Array
from kullback.scoring.labels import Labels
from kullback.scoring.nullable import Nullable
from kullback.scoring.tokens import Ragged

LONGEST_NAME = 256
LISTED_TEXT = "a text in a list: send one label of each row, or 0 or 1 for each label of it"


class EntryType(Enum):
    """What an entry of a field is.

    A time is epoch seconds or RFC 3339; an id is a string or an integer, and so is a value that
    rows are sliced by, which may be a boolean too. A feature is a number, a string or a boolean;
    what is infinite only Arrow and Parquet can say.
    """

    NUMBER = "number"
    LOGIT = "logit"
    LABEL = "label"
    FLAG = "flag"
    TIME = "time"
    ID = "id"
    VALUE = "value"
    FEATURE = "feature"


WHOLE = (
    EntryType.LABEL,
    EntryType.ID,
    EntryType.VALUE,
    EntryType.FEATURE,
)  # kept as integers where they are
WORDS = (EntryType.VALUE, EntryType.FEATURE)  # whose booleans are the words true and false
TEXTUAL = (*WHOLE, EntryType.TIME)  # what may be strings


@dataclass(frozen=True, slots=True)
class Column:
    """A field of many entries: of what kind, along how many axes, one entry per row or not.

    `names` are words that may stand in place of the numbers; `scalar` says that one number may;
    `booleans` that true and false may stand for 1 and 0, as they do among labels; `ragged` that the
    rows may be of unequal lengths; `of_one` that each entry may be a list of one. Where `keys` is
    not 0 there are up to so many columns, each by a name of the caller's; `plain` says that one
    without a name may stand in place of them. float32 and float16 are widened, unless the column is
    `typed`: then a checker of the metric does, once it knows from the type how exact they can be.
    `rows` says that the column has rows that may be left out of a score, so that an entry may be
    missing: null, or NaN. `named` says that an object of numbers, by names of the caller's, may
    stand in their place. `empty` says that there may be no rows. `flat_texts` that texts are
    entries of rows and never of lists, whatever numbers may be.
    """

    entry: EntryType
    axes: int
    per_row: bool = True
    scalar: bool = False
    names: tuple[str, ...] = ()
    booleans: bool = False
    ragged: bool = False
    keys: int = 0
    plain: bool = False
    typed: bool = False
    rows: bool = False
    of_one: bool = False
    named: bool = False
    empty: bool = False
    flat_texts: bool = False

    @property
    def nullable(self) -> bool:
        """Whether an entry may be missing: a flag may not."""
        return self.rows and self.entry is not EntryType.FLAG

    @property
    def text_axes(self) -> int:
        """How many axes its texts may have: two, of which the second is of one entry."""
        return 1 if self.flat_texts else min(self.axes + self.of_one, 2)

    @property
    def may_be_option(self) -> bool:
        """Whether it may stand in the query, beside columns."""
        return self.scalar or not self.per_row

    @property
    def has_parts(self) -> bool:
        """Whether several columns may make its rows, each by a name of the caller's."""
        return self.axes > 1 and self.per_row and not (self.ragged or self.keys)

    @property
    def single(self) -> "Column":
        """One of the columns that it holds by name."""
        return replace(self, keys=0, plain=False)

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Take what the payload readers made; refuse what is no column at all."""
        check = self._check_keys if self.keys else self._check_nullable
        return core_schema.no_info_plain_validator_function(check)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Numbers, or rows of numbers, as a caller sends them in JSON."""
        entry = _ENTRY[self.entry]
        if self.booleans:
            entry = {"anyOf": [entry, _BOOLEAN]}
        if self.nullable:
            entry = {"anyOf": [*entry.get("anyOf", [entry]), _NULL]}
        if self.keys:
            each = self.single.__get_pydantic_json_schema__(schema, handler)
            named = {"type": "object", "additionalProperties": each, "maxProperties": self.keys}
            return {"anyOf": [each, named | {"minProperties": 1}]} if self.plain else named
        forms: list[JsonSchemaValue] = []
        rows = entry
        for _ in range(self.axes):
            rows = {"type": "array", "items": rows, "minItems": 1}
            forms.append(rows)
        if self.empty:
            forms = [{key: form[key] for key in ("type", "items")} for form in forms]
        if self.scalar:
            forms.insert(0, entry)
        if self.names:
            forms.append({"type": "string", "enum": list(self.names)})
        if self.named:
            forms.append({"type": "object", "additionalProperties": entry, "minProperties": 1})
        return forms[0] if len(forms) == 1 else {"anyOf": forms}

    def _check_keys(self, value: object) -> object:
        if self.plain and isinstance(value, (np.ndarray, list)):
            return self._check(value)
        if not isinstance(value, dict):
            instead = ", or one list without a name" if self.plain else ""
            detail = f"expected lists of {_PLURAL[self.entry]}, by name{instead}"
            raise PydanticCustomError("object", detail)
        if self.plain and not value:
            raise PydanticCustomError("empty", "an empty object")
        return {name: self._as_meant(entries) for name, entries in value.items()}

    def _as_meant(self, value: Any) -> Any:  # noqa: ANN401 - an array, or a list of strings
        """Lists of one entry as the entries where they may be, and numbers of float64."""
        if not isinstance(value, np.ndarray):
            return value
        if self.of_one and value.ndim == 2 and value.shape[1] == 1:
            value = value.reshape(-1)
        if value.dtype.kind == "f" and not self.typed:
            value = np.asarray(value, np.float64)
        return value

    def _check_nullable(self, value: object) -> object:
        if isinstance(value, Nullable):
            labels = self._check(value.values)
            return Nullable(labels, value.missing.reshape(-1) if self.of_one else value.missing)
        if self.named and isinstance(value, dict):
            return _numbers_by_name(value)
        return self._check(value)

    def _check(self, value: Any) -> Any:  # noqa: ANN401 - as read, or as a request holds it
        if isinstance(value, Ragged):
            if value.lengths.size == 0:
                raise PydanticCustomError("empty", "an empty list")
            return value
        if isinstance(value, np.ndarray) and not self.ragged:
            return self._checked_array(value)
        if isinstance(value, list) and self.entry in TEXTUAL:
            return value
        if isinstance(value, str) and value in self.names:
            return value
        if self.names:
            raise PydanticCustomError("list", f"expected numbers, or {_either(self.names)}")
        raise PydanticCustomError("list", f"expected a list of {_PLURAL[self.entry]}")

    def _checked_array(self, value: Array) -> Array:
        if value.ndim == 0 and not self.scalar:
            raise PydanticCustomError("list", "one number, where a list is expected")
        value = self._as_meant(value)
        if value.ndim > self.axes:
            raise PydanticCustomError(
                "axes", f"{value.ndim} axes, where at most {self.axes} are read"
            )
        if value.size == 0 and not (self.empty and len(value) == 0):
            raise PydanticCustomError("empty", "an empty list")
        return value


def _numbers_by_name(value: dict[object, object]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for name, number in value.items():
        if not isinstance(number, int | float) or isinstance(number, bool):
            raise PydanticCustomError("object", "expected numbers by name")
        if not abs(number) <= float_info.max:
            raise PydanticCustomError("object", "not a finite number")
        numbers[str(name)] = float(number)
    if not numbers:
        raise PydanticCustomError("empty", "an empty object")
    return numbers


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(f'"{name}"' for name in names)


_NULL: JsonSchemaValue = {"type": "null"}
_NUMBER: JsonSchemaValue = {"type": "number"}
_BOOLEAN: JsonSchemaValue = {"type": "boolean"}
_NAME: JsonSchemaValue = {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}
_ENTRY: dict[EntryType, JsonSchemaValue] = {
    EntryType.NUMBER: _NUMBER,
    EntryType.LOGIT: {"anyOf": [_NUMBER, {"type": "string", "const": "-Infinity"}]},
    EntryType.LABEL: {"anyOf": [_NUMBER, {"type": "string"}, _BOOLEAN]},
    EntryType.FLAG: {"anyOf": [_BOOLEAN, {"type": "integer", "enum": [0, 1]}]},
    EntryType.TIME: {"anyOf": [_NUMBER, {"type": "string", "format": "date-time"}]},
    EntryType.ID: {"anyOf": [_NAME, {"type": "integer"}]},
    EntryType.VALUE: {"anyOf": [_NAME, {"type": "integer"}, _BOOLEAN]},
    EntryType.FEATURE: {"anyOf": [_NUMBER, _NAME, _BOOLEAN]},
}
_PLURAL = {
    EntryType.NUMBER: "numbers",
    EntryType.LOGIT: "numbers",
    EntryType.LABEL: "labels",
    EntryType.FLAG: "flags",
    EntryType.TIME: "times",
    EntryType.ID: "strings or integers",
    EntryType.VALUE: "strings, integers or booleans",
    EntryType.FEATURE: "numbers, strings or booleans",
}

Vector = Annotated[Array, Column(EntryType.NUMBER, 1, rows=True, of_one=True)]
Rows = Annotated[Array, Column(EntryType.NUMBER, 2, rows=True)]
Probabilities = Annotated[Array, Column(EntryType.NUMBER, 2, typed=True, rows=True)]
LogitRows = Annotated[Array, Column(EntryType.LOGIT, 2, rows=True)]
LogitCubes = Annotated[Array, Column(EntryType.LOGIT, 3, rows=True)]
LogitVector = Annotated[Array, Column(EntryType.LOGIT, 1, rows=True, of_one=True)]
LogProbabilities = Annotated[Array, Column(EntryType.LOGIT, 2, typed=True, rows=True)]
LabelRows = Annotated[Labels, Column(EntryType.LABEL, 2, typed=True, rows=True)]
LabelRowsOrOne = Annotated[Labels, Column(EntryType.LABEL, 2, scalar=True, typed=True, rows=True)]
Flags = Annotated[Array, Column(EntryType.FLAG, 2, rows=True)]
Group = Annotated[Labels, Column(EntryType.LABEL, 1, rows=True, of_one=True)]
