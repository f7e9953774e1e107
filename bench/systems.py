"""Larger scores: logits of a language model, maps of many images."""

import numpy as np
import pyarrow as pa
from scipy.special import log_softmax

from bench.measure import ROUNDS, Rows, Target, agree, interleaved
from kullback.numerics.types import Array
from kullback.payload.arrow import parse_arrow
from kullback.requests.sequences import PerplexityRequest
from kullback.requests.validation import array_fields, validated
from kullback.scoring.infocam import InfocamOptions
from kullback.scoring.infocam import infocam as located
from kullback.scoring.options import Options

_CAP = 1 << 26


def perplexity(n: int = 8, t: int = 64, v: int = 8_000, rounds: int = ROUNDS) -> Rows:
    """An Arrow stream of logits to its perplexity, against scipy on the array it was made from."""
    random = np.random.default_rng(7)
    z, y = random.normal(size=(n, t, v)), random.integers(0, v, (n, t))
    tokens = pa.FixedSizeListArray.from_arrays(pa.array(z.reshape(-1)), v)
    table = pa.table({"logits": pa.FixedSizeListArray.from_arrays(tokens, t), "y_true": list(y)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    body, known = bytearray(sink.getvalue()), array_fields(PerplexityRequest)

    def ours() -> float:
        return validated(PerplexityRequest, parse_arrow(body, known, _CAP)).score().value

    def rival() -> float:
        chosen = np.take_along_axis(log_softmax(z, axis=-1), y[..., None], axis=-1)
        return float(np.exp(-chosen.mean()))

    agree("perplexity", ours(), rival())
    name = f"perplexity of Arrow logits, {n} x {t} x {v:,}, vs scipy log_softmax + gather"
    yield interleaved(ours, rival, rounds).share(name, Target("≤", 1.5))


def infocam(n: int = 64, c: int = 512, side: int = 14, k: int = 200, rounds: int = ROUNDS) -> Rows:
    """Maps, boxes and information of a batch, against the einsum of every class's map.

    And against that of the difference maps alone, which is all that linearity leaves to do.
    """
    random = np.random.default_rng(7)
    features, weights = random.random((n, c, side, side)), random.normal(size=(k, c))
    target = random.integers(0, k, n)
    asked, options = InfocamOptions(target=target), Options()
    direction = weights[target] - (weights.sum(axis=0) - weights[target]) / (k - 1)

    def ours() -> float:
        return located(features, weights, None, asked, options).value

    def every_map() -> Array:
        maps: Array = np.einsum("kc,nchw->nkhw", weights, features, optimize=True)
        return maps

    def difference() -> Array:
        maps: Array = np.einsum("nc,nchw->nhw", direction, features, optimize=True)
        return maps

    maps = np.asarray(located(features, weights, None, asked, options).details["map"])
    every = every_map()
    own = every[np.arange(n), target]
    agree("infocam", maps.sum(), (own - (every.sum(axis=1) - own) / (k - 1)).sum())
    agree("infocam", maps.sum(), difference().sum())
    name = f"infoCAM of {n} images {c} x {side} x {side}, {k} classes"
    yield interleaved(ours, every_map, rounds).share(f"{name}, vs einsum", Target("≤", 2))
    yield interleaved(ours, difference, rounds).share(f"{name}, vs einsum of the difference")
