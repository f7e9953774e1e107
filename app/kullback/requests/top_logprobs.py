"""Log-probabilities of the likeliest tokens, from the forms in which providers return them.

A position of a sequence is null (a first token without context); an object token → ln p; an object
id → {logprob}, as vLLM has it; an object {token, logprob, top_logprobs}, as OpenAI's chat has it,
which names the token itself; or a list of objects {token, logprob}. Reading stops at the first that
is none of these: pydantic would try every form, and name each of a million wrong ones.
"""

from sys import float_info
from typing import Annotated, Never

import numpy as np
from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

from kullback.errors import InvalidInput, Step
from kullback.scoring.top_log_probs import KeptTokens
from kullback.scoring.truncated import KeptOutcomes

_FIELD = "top_logprobs"
_Position = tuple[dict[str, float] | None, str | None]


def _read(value: object) -> KeptTokens:
    if isinstance(value, KeptTokens):
        return value
    if not isinstance(value, list):
        raise InvalidInput.at(_of_a_completion(value, "expected a list of tokens"), _FIELD)
    first = next((item for item in value if item is not None), None)
    is_one = isinstance(first, dict)
    sequences = [value] if is_one else value
    positions: list[_Position] = []
    lengths = np.zeros(len(sequences), np.int64)
    for row, sequence in enumerate(sequences):
        if not isinstance(sequence, list):
            _refuse("a list of tokens is expected", _FIELD, row)
        lengths[row] = len(sequence)
        for at, position in enumerate(sequence):
            place = (_FIELD, at) if is_one else (_FIELD, row, at)
            positions.append(_position(position, place))
    kept, chosen = [each[0] for each in positions], [each[1] for each in positions]
    return KeptTokens(kept, chosen, lengths, is_one)


def _read_outcomes(value: object, info: ValidationInfo) -> KeptOutcomes:
    """The outcomes that were kept of one row, an object, or of each row of a list."""
    name = info.field_name or ""
    if isinstance(value, dict):
        return [_position(value, (name,))[0]]
    if not isinstance(value, list) or not value:
        _refuse("expected an object outcome → ln p, or a list of such, one per row", name)
    return [_position(row, (name, at))[0] for at, row in enumerate(value)]


def _refuse(detail: str, *place: Step) -> Never:
    raise InvalidInput.at(detail, *place)


def _position(position: object, place: tuple[Step, ...]) -> _Position:
    if position is None:
        return None, None
    if isinstance(position, list):
        return _listed(position, place), None
    if not isinstance(position, dict):
        _refuse("neither an object of tokens nor a list of them", *place)
    token = position.get("token")
    if isinstance(token, str) and "logprob" in position:
        kept = _listed(position.get("top_logprobs") or [], (*place, "top_logprobs"))
        kept.setdefault(token, _log_prob(position["logprob"], place))
        return kept, token
    if isinstance(position.get("content"), list):
        _refuse(_of_a_completion(position, "an object of a token is expected"), *place)
    return {name: _log_prob(value, place) for name, value in position.items()}, None


def _of_a_completion(value: object, detail: str) -> str:
    """What to send of an object of a whole completion, as OpenAI's chat has it."""
    held = isinstance(value, dict) and isinstance(value.get("content"), list)
    return f"{detail}: of such an object send what its content holds" if held else detail


def _listed(entries: object, place: tuple[Step, ...]) -> dict[str, float]:
    """Objects {token, logprob}; of a token that stands twice the first, which is the likelier."""
    kept: dict[str, float] = {}
    if not isinstance(entries, list):
        _refuse("a list of objects {token, logprob} is expected", *place)
    for entry in entries:
        token = entry.get("token") if isinstance(entry, dict) else None
        if not isinstance(token, str):
            _refuse("each is an object {token, logprob}", *place)
        kept.setdefault(token, _log_prob(entry.get("logprob"), place))
    return kept


def _log_prob(value: object, place: tuple[Step, ...]) -> float:
    if type(value) is float and -float_info.max <= value <= float_info.max:
        return value
    if isinstance(value, dict):
        return _log_prob(value.get("logprob"), place)
    if value in ("-Infinity", -np.inf):
        return -np.inf
    if value is None or value == "NaN" or value != value:  # noqa: PLR0124 - it may be missing
        return np.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) <= float_info.max:
            return float(value)
        _refuse("not a finite number", *place)
    return _refuse('a log-probability is neither a number nor "-Infinity"', *place)


_Schema = dict[str, object]
_LOG_PROB: _Schema = {
    "anyOf": [{"type": "number"}, {"type": "string", "const": "-Infinity"}, {"type": "null"}]
}
_PAIR: _Schema = {"token": {"type": "string"}, "logprob": _LOG_PROB}
_NAMED: _Schema = {"type": "object", "properties": _PAIR, "required": ["token", "logprob"]}
_LISTED: _Schema = {"type": "array", "items": _NAMED}
_CHOSEN: _Schema = {**_NAMED, "properties": {**_PAIR, "top_logprobs": _LISTED}}
_BY_ID: _Schema = {
    "type": "object",
    "properties": {"logprob": _LOG_PROB},
    "required": ["logprob"],
}
_BY_TOKEN: _Schema = {"type": "object", "additionalProperties": {"anyOf": [_LOG_PROB, _BY_ID]}}
_POSITION: _Schema = {"anyOf": [_BY_TOKEN, _CHOSEN, _LISTED, {"type": "null"}]}
_SEQUENCE: _Schema = {"type": "array", "items": _POSITION}
TopLogProbs = Annotated[
    KeptTokens,
    PlainValidator(_read),
    WithJsonSchema({"type": "array", "items": _SEQUENCE, "minItems": 1}),
]
TopOutcomes = Annotated[
    KeptOutcomes,
    PlainValidator(_read_outcomes),
    WithJsonSchema({"anyOf": [_BY_TOKEN, {"type": "array", "items": _POSITION, "minItems": 1}]}),
]
