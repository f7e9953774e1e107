"""Log-probabilities of the likeliest tokens, read until the first that is none."""

from sys import float_info
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, FiniteFloat

LogProb = FiniteFloat | Literal["-Infinity"]


def _first_wrong(tokens: object) -> object:
    """Of tokens with a wrong number that one alone: pydantic would name each of a million."""
    if not isinstance(tokens, dict):
        return tokens
    wrong = (item for item in tokens.items() if not _is_log_prob(item[1]))
    return dict([first]) if (first := next(wrong, None)) else tokens


def _is_log_prob(value: object) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return abs(value) <= float_info.max
    return value == "-Infinity"


_FAIL_FAST = Field(fail_fast=True)
_Tokens = Annotated[dict[str, LogProb], BeforeValidator(_first_wrong)]
TopLogProbs = Annotated[list[Annotated[list[_Tokens], _FAIL_FAST]], _FAIL_FAST]
