"""Decoding JSON: bytes in, arrays out, without HTTP and without a score."""

import json

import numpy as np
import orjson

from bench.measure import ROUNDS, Row, Rows, Target, WrongResult, interleaved
from kullback.numerics.types import Array, Indices
from kullback.payload.json_object import parse
from kullback.requests.predictions import LogLossRequest
from kullback.requests.validation import array_fields


def pairs(n: int) -> tuple[Indices, Array]:
    """Labels 0 and 1, and probabilities of full precision."""
    random = np.random.default_rng(7)
    return random.integers(0, 2, n), random.random(n)


def rows(n: int, k: int) -> tuple[Indices, Array]:
    """Class indices, and a distribution of full precision per row."""
    random = np.random.default_rng(7)
    return random.integers(0, k, n), random.dirichlet(np.ones(k), n)


def pairs_json(n: int) -> bytes:
    """A log-loss request of n pairs, as json.dumps writes it."""
    y, p = pairs(n)
    return json.dumps({"y_true": y.tolist(), "y_proba": p.tolist()}).encode()


def rows_json(n: int, k: int) -> bytes:
    """A log-loss request of n rows of k probabilities, as json.dumps writes it."""
    y, p = rows(n, k)
    return json.dumps({"y_true": y.tolist(), "y_proba": p.tolist()}).encode()


def decode(n: int = 200_000, k: int = 10, rounds: int = ROUNDS) -> Rows:
    """JSON to arrays against orjson and np.asarray."""
    target = Target("≤", 1.6, stretch=1.0)
    yield _row(f"decode JSON, {n:,} pairs, vs orjson + asarray", pairs_json(n), rounds, target)
    n //= k
    yield _row(f"decode JSON, {n:,} x {k}, vs orjson + asarray", rows_json(n, k), rounds, None)


def _row(name: str, body: bytes, rounds: int, target: Target | None) -> Row:
    known = array_fields(LogLossRequest)
    buffer = bytearray(body)

    def ours() -> dict[str, object]:
        return parse(buffer, known)

    def rival() -> dict[str, object]:
        return {field: np.asarray(values) for field, values in orjson.loads(body).items()}

    mine, theirs = ours(), rival()
    same = all(np.array_equal(_array(mine[field]), _array(theirs[field])) for field in theirs)
    if mine.keys() != theirs.keys() or not same:
        raise WrongResult("decode: the arrays differ")
    return interleaved(ours, rival, rounds).share(name, target)


def _array(value: object) -> Array | Indices:
    assert isinstance(value, np.ndarray)
    return value
