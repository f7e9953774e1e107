"""Several metrics of one body: how it is read for all of them, and what each makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from kullback.errors import FieldError, InvalidInput, ScoringError, hint
from kullback.payload import read
from kullback.payload.body import Body
from kullback.payload.columns import Column, EntryType
from kullback.payload.identifiers import refuse_twice
from kullback.payload.json_object import member
from kullback.payload.media import JSON
from kullback.payload.read import Query
from kullback.requests import REQUESTS
from kullback.requests.base import ScoreRequest
from kullback.requests.column_order import score_request
from kullback.requests.validation import array_fields, refuse_unknown, word_options
from kullback.scoring import cost
from kullback.scoring.column_names import NamedColumns, without_names
from kullback.scoring.cost import Cost, entries
from kullback.scoring.nullable import Nullable
from kullback.scoring.score import Score

FIELD = "metrics"
_COLUMNS = {name: array_fields(model) for name, model in REQUESTS.items()}
_TEXTS = {name: word_options(model) for name, model in REQUESTS.items()}
_Name = Annotated[str, Field(json_schema_extra={"enum": [*REQUESTS]})]


class SeveralRequest(BaseModel):
    """Several metrics, and the fields of all of them: each takes those that it knows."""

    model_config = ConfigDict(extra="allow")

    metrics: list[_Name] = Field(
        min_length=1, max_length=len(REQUESTS), description="Names of metrics in the catalog."
    )


@dataclass(frozen=True, slots=True)
class SeveralRequests:
    """The request of each metric, or why there is none, in the order in which they are named.

    Attributes:
        requests: by the name of the metric.
        entries: how many numbers the body holds, which all of them share.
        cost: what all of them ask for beyond a pass over what was sent.
    """

    requests: Mapping[str, ScoreRequest | ScoringError]
    entries: int
    cost: list[Cost]

    @classmethod
    def of(
        cls, requests: Mapping[str, ScoreRequest | ScoringError], count: int
    ) -> "SeveralRequests":
        """The same, with what they cost; whose cost cannot be told is refused."""
        costs: list[Cost] = []
        priced = dict(requests)
        for name, request in requests.items():
            try:
                costs += request.costs() if isinstance(request, ScoreRequest) else ()
            except ScoringError as error:
                priced[name] = error
        return cls(priced, count, costs)

    def costs(self) -> list[Cost]:
        """See ScoreRequest."""
        return self.cost

    def check(self, answer_cap: int) -> None:
        """Refuse what is too dear together: see cost.check."""
        cost.check(self.cost, self.entries, answer_cap)

    def scores(self) -> dict[str, Score | ScoringError]:
        """The score of each, or its refusal.

        Raises:
            InvalidInput: every one is refused.
        """
        outcomes = {name: _outcome(request) for name, request in self.requests.items()}
        refusals = {
            name: outcome for name, outcome in outcomes.items() if isinstance(outcome, ScoringError)
        }
        if len(refusals) == len(outcomes):
            raise _of_all(refusals)
        return outcomes


@dataclass(frozen=True, slots=True)
class Reading:
    """Metrics for which a body is read in one way."""

    columns: dict[str, Column]
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> bool:
        """Take a metric, unless a field of it is read in another way."""
        merged = {
            each: _merged(self.columns.get(each, column), column)
            for each, column in _COLUMNS[name].items()
        }
        if None in merged.values():
            return False
        self.columns.update({each: column for each, column in merged.items() if column})
        self.names.append(name)
        return True


def read_several(body: Body, query: Query, cap: int) -> SeveralRequests:
    """The requests of the metrics that a body, or the query beside it, names.

    Raises:
        BodyError: the body cannot be read.
        InvalidInput: no metric is named, or one that there is not; or a field stands twice, or is
            one of none of them.
    """
    named = [each for name, value in query if name == FIELD for each in value.split(",")]
    query = [pair for pair in query if pair[0] != FIELD]
    body, cap = read.inflated(body, cap)
    names = metric_names(named or _names_within(body))
    texts = frozenset().union(*(_TEXTS[name] for name in names))
    requests: dict[str, ScoreRequest | ScoringError] = {}
    count = 0
    for reading in readings(names):
        fields = read.fields(body, query, reading.columns, texts, cap)
        if fields.pop(FIELD, None) is not None and named:
            raise InvalidInput.at("named in the query and in the body", FIELD)
        count = max(count, sum(map(entries, without_names(fields)[0].values())))
        refuse_unknown(fields, [each for name in names for each in REQUESTS[name].model_fields])
        requests |= {name: _request(name, fields) for name in reading.names}
    return SeveralRequests.of({name: requests[name] for name in names}, count)


def metric_names(names: object) -> list[str]:
    """Names of metrics, with - for _.

    Raises:
        InvalidInput: they are no list of names, or one of them is of no metric.
    """
    if not isinstance(names, list) or not names:
        raise InvalidInput.at('name them, as in ["log-loss", "calibration"]', FIELD)
    spelt = [str(name).strip().replace("_", "-") for name in names]
    for at, name in enumerate(spelt):
        if name not in REQUESTS:
            detail = f"there is no such metric; {hint(name, [*REQUESTS], 'there are')}"
            raise InvalidInput.at(detail, FIELD, at)
    refuse_twice(FIELD, spelt)
    return spelt


def columns_of(names: Sequence[str]) -> dict[str, Column]:
    """The fields that these metrics take from a table, each as the first that has it reads it."""
    return readings(names)[0].columns


def _names_within(body: Body) -> object:
    if body.media_type != JSON:
        raise InvalidInput.at("name them in the query: ?metrics=log-loss,calibration", FIELD)
    return member(body.raw, FIELD)


def readings(names: Sequence[str]) -> list[Reading]:
    """As few ways of reading as there can be, of which each knows the fields of all metrics."""
    readings: list[Reading] = []
    for name in names:
        if not any(reading.add(name) for reading in readings):
            readings.append(Reading(dict(_COLUMNS[name]), [name]))
    every = {each: column for name in reversed(names) for each, column in _COLUMNS[name].items()}
    return [replace(reading, columns=every | reading.columns) for reading in readings]


def _merged(first: Column, second: Column) -> Column | None:
    """A column that is read as either, if there is one: whoever takes less refuses the rest."""
    if _form(first) != _form(second):
        return None
    return replace(
        first,
        entry=first.entry if first.entry is second.entry else EntryType.LABEL,
        axes=max(first.axes, second.axes),
        scalar=first.scalar or second.scalar,
        booleans=first.booleans or second.booleans,
        names=first.names or second.names,
        typed=first.typed or second.typed,
        rows=first.rows or second.rows,
        named=first.named or second.named,
    )


def _form(column: Column) -> tuple[object, ...]:
    """What decides how a reader reads it; the rest a metric takes or refuses by itself."""
    entry = EntryType.LABEL if column.entry is EntryType.NUMBER else column.entry
    return entry, column.per_row, column.ragged, column.keys, column.plain


def _request(name: str, fields: Mapping[str, object]) -> ScoreRequest | ScoringError:
    """The request of one metric, of the fields that it knows."""
    model = REQUESTS[name]
    columns = _COLUMNS[name]
    try:
        sent = {
            each: _narrowed(each, value, columns[each]) if each in columns else value
            for each, value in fields.items()
            if each in model.model_fields
        }
        return score_request(model, sent)
    except ScoringError as error:
        return error


def _narrowed(name: str, value: object, column: Column) -> object:
    """What was read for several metrics as it would have been for this one.

    Raises:
        InvalidInput: an entry is missing that may be in another metric alone.
    """
    if isinstance(value, Nullable) and not column.nullable:
        first = [int(step) for step in np.argwhere(value.missing)[0]]
        raise InvalidInput.at("null, where a value is expected", name, *first)
    array = value.values if isinstance(value, NamedColumns) else value
    is_narrow = isinstance(array, np.ndarray) and array.dtype in (np.float32, np.float16)
    if not is_narrow or column.typed:
        return value
    wide = np.asarray(array, np.float64)
    return NamedColumns(wide, value.names) if isinstance(value, NamedColumns) else wide


def _outcome(request: ScoreRequest | ScoringError) -> Score | ScoringError:
    if isinstance(request, ScoringError):
        return request
    try:
        return request.score()
    except ScoringError as error:
        return error


def _of_all(refusals: Mapping[str, ScoringError]) -> InvalidInput:
    """One refusal that lists those of all metrics, each place with the name of its metric."""
    places = [
        FieldError(offence.pointer, f"{name}: {offence.detail}")
        for name, error in refusals.items()
        for offence in error.offences or [FieldError("", error.message)]
    ]
    message = "; ".join(f"{name}: {error.message}" for name, error in refusals.items())
    total = sum(max(error.total, 1) for error in refusals.values())
    return InvalidInput(f"no metric takes this: {message}", places, total)
