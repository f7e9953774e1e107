"""Readers of answers: their numbers, and what a refusal points at."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields

import numpy as np
import pytest

from kullback.errors import InvalidInput
from kullback.numerics.types import Array
from kullback.scoring.score import Score


@contextmanager
def refused(pointer: str, *says: str) -> Iterator[None]:
    """The block is refused, and the first offence is at this JSON Pointer and says this."""
    with pytest.raises(InvalidInput) as caught:
        yield
    assert caught.value.offences[0].pointer == pointer
    for words in says:
        assert words in caught.value.offences[0].detail


def answer(score: Score) -> dict[str, str]:
    """Every field of a score, to the last bit."""
    with np.printoptions(floatmode="unique", threshold=2**40):
        return {each.name: repr(getattr(score, each.name)) for each in fields(score)}


def number(score: Score, *path: str) -> float:
    """A finite number in the details."""
    found: object = score.details
    for step in path:
        assert isinstance(found, Mapping)
        found = found[step]
    assert isinstance(found, float)
    assert math.isfinite(found)
    return found


def numbers(score: Score, *path: str) -> list[float]:
    """A list of finite numbers in the details."""
    found: object = score.details
    for step in path:
        assert isinstance(found, Mapping)
        found = found[step]
    listed = found.tolist() if isinstance(found, np.ndarray) else found
    assert isinstance(listed, list)
    return [float(item) for item in listed]


def rows(score: Score, name: str) -> list[Mapping[str, object]]:
    """A table in the details."""
    found = score.details[name]
    assert isinstance(found, list)
    return found


def reason(score: Score, name: str) -> str:
    """Why a number in the details is missing."""
    assert score.details[name] is None
    reasons = score.details["reasons"]
    assert isinstance(reasons, Mapping)
    return str(reasons[name])


def per_row(score: Score) -> list[float]:
    """The losses of the rows, which were asked for."""
    assert score.per_row is not None
    return [float(value) for value in score.per_row]


def slope(score: Score) -> list[float]:
    """The gradient, which was asked for, as one list."""
    assert score.gradient is not None
    return [float(value) for value in score.gradient.reshape(-1)]


def floats(value: object) -> Iterator[float]:
    """Every float of an answer, wherever it stands."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, np.ndarray):
        yield from (float(item) for item in value.reshape(-1))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from floats(item)
    elif isinstance(value, Score):
        for field in fields(value):
            yield from floats(getattr(value, field.name))


def has_negative_zero(score: Score) -> bool:
    """Whether any number of the answer is −0.0."""
    return any(value == 0 and math.copysign(1.0, value) < 0 for value in floats(score))


def central_differences(
    value: Callable[[Array], Score], at: Array, *, step: float = 1e-6
) -> list[float]:
    """(f(x + h) − f(x − h)) / 2h for each entry of x."""
    found = []
    for place in np.ndindex(*at.shape):
        above, below = at.copy(), at.copy()
        above[place] += step
        below[place] -= step
        found.append((value(above).value - value(below).value) / (2 * step))
    return found
