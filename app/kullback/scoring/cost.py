"""Cost of a score beyond reading its request, stated before anything is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kullback.errors import InvalidInput
from kullback.scoring.labels import Labels
from kullback.scoring.nullable import Nullable
from kullback.scoring.tokens import Ragged
from kullback.scoring.top_log_probs import KeptTokens

NUMBER_BYTES = 20  # of an answer, with its comma
LEAST_ANSWER = (16 << 20) // NUMBER_BYTES
_NUMBERS_PER_NUMBER = 3
_LEAST_WORK = 1 << 24
_WORK_PER_NUMBER = 1 << 8
_MOST_WORK = 1 << 31
_CHEAP = 1 << 19
_STEPS_PER_NUMBER = 8  # to write it


@dataclass(frozen=True, slots=True)
class Cost:
    """What a field of a request makes necessary.

    Attributes:
        field: whose size or value asks for it.
        remedy: how to ask for less.
        work: steps of about 10 ns, such as a visit of a cell; an object of Python is 100 and more.
        numbers: how many numbers the answer holds for it.
        parts: what the work consists of, where a caller can count it.
    """

    field: str
    remedy: str
    work: int = 0
    numbers: int = 0
    parts: "Parts | None" = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What a caller counts in the place of steps: so many, of so many steps each."""

    name: str
    count: int
    each: int

    def excess(self, steps: int) -> str:
        """That there are too many, where all that is asked for takes so many steps too many."""
        limit = max(0, self.count - -(-steps // self.each))
        return f"{self.name}, where {limit} are the limit for what was sent"


def entries(value: object) -> int:
    """How many numbers, labels or names a field holds."""
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, Ragged):
        return len(value.values) + value.lengths.size
    if isinstance(value, (KeptTokens, Nullable)):
        return value.size
    if isinstance(value, Mapping):
        return sum(map(entries, value.values()))
    if isinstance(value, (list, tuple)):
        return sum(map(entries, value)) if _is_nested(value) else len(value)
    return 1


def _is_nested(values: Sequence[object]) -> bool:
    return bool(values) and isinstance(values[0], (list, Mapping))


def rows(value: object) -> int:
    """How many entries a field has along its first axis."""
    if isinstance(value, np.ndarray):
        return value.shape[0] if value.ndim else 0
    if isinstance(value, (Ragged, KeptTokens)):
        return value.lengths.size
    if isinstance(value, Mapping):
        return max(map(rows, value.values()), default=0)
    return len(value) if isinstance(value, (list, Nullable)) else 0


def distinct(values: Labels | Nullable | Sequence[str | None]) -> int:
    """How many different values there are; client integers never enter a hash table."""
    if isinstance(values, Nullable):
        return distinct(values.values)
    return np.unique(values).size if isinstance(values, np.ndarray) else len(set(values))


def is_cheap(costs: Sequence[Cost]) -> bool:
    """Whether they are a matter of a few milliseconds."""
    return sum(cost.work + _STEPS_PER_NUMBER * cost.numbers for cost in costs) <= _CHEAP


def check(costs: Sequence[Cost], sent: int, answer_cap: int) -> None:
    """Refuse what takes far more work than was sent, or whose answer is far larger.

    Args:
        costs: of the request.
        sent: how many numbers came with it.
        answer_cap: bytes that an answer may have, however much was sent; 16 MiB at least.

    Raises:
        InvalidInput: work or answer are beyond the limit; the field that asks for most is named.
    """
    work = sum(cost.work for cost in costs)
    limit = min(max(_LEAST_WORK, _WORK_PER_NUMBER * sent), _MOST_WORK)
    if work > limit:
        largest = max(costs, key=lambda cost: cost.work)
        detail = f"about {work} steps of work, where {limit} are the limit for what was sent"
        if largest.parts is not None:
            detail = largest.parts.excess(work - limit)
        raise InvalidInput.at(f"{detail}: {largest.remedy}", largest.field)
    numbers = sum(cost.numbers for cost in costs)
    limit = max(LEAST_ANSWER, min(_NUMBERS_PER_NUMBER * sent, answer_cap // NUMBER_BYTES))
    if numbers > limit:
        largest = max(costs, key=lambda cost: cost.numbers)
        detail = f"an answer of about {numbers} numbers, where {limit} are the limit"
        raise InvalidInput.at(f"{detail}: {largest.remedy}", largest.field)
