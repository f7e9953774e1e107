"""Requests of every metric as rows: fields with an entry per row, and what stands beside them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

K = 3
Rng = np.random.Generator
Rows = Callable[[Rng, int], dict[str, list[Any]]]


@dataclass(frozen=True, slots=True)
class RowForm:
    """One form of a metric's request.

    Attributes:
        metric: its name.
        rows: so many rows, field by field.
        options: what is not of rows.
        weighted: whether it takes sample_weight.
    """

    metric: str
    rows: Rows
    options: Mapping[str, Any] = field(default_factory=dict)
    weighted: bool = True


def _distribution(rng: Rng, n: int) -> list[Any]:
    cells = rng.integers(1, 9, (n, K)) / 8.0
    listed: list[Any] = (cells / cells.sum(axis=1, keepdims=True)).tolist()
    return listed


def _numbers(rng: Rng, *shape: int) -> list[Any]:
    listed: list[Any] = (rng.integers(-32, 33, shape) / 8.0).tolist()
    return listed


def _probability(rng: Rng, *shape: int) -> list[Any]:
    listed: list[Any] = (rng.integers(1, 16, shape) / 16.0).tolist()
    return listed


def _classes(rng: Rng, n: int, k: int = K) -> list[Any]:
    listed: list[Any] = rng.integers(0, k, n).tolist()
    return listed


def _log(rows: list[Any]) -> list[Any]:
    logs: list[Any] = np.log(rows).tolist()
    return logs


def _words(rng: Rng, n: int) -> list[Any]:
    return [("cat", "dog", "owl")[label] for label in _classes(rng, n)]


def _sequences(rng: Rng, n: int) -> list[Any]:
    return [_log(_probability(rng, int(rng.integers(1, 5)))) for _ in range(n)]


def _kept(rng: Rng, n: int) -> list[Any]:
    return [[{"a": -0.5, "b": -1.5}] * int(rng.integers(1, 4)) for _ in range(n)]


def _tokens_of(kept: list[Any]) -> list[Any]:
    return [["a" if at % 2 else "b" for at in range(len(sequence))] for sequence in kept]


def _of_kept(rng: Rng, n: int) -> dict[str, list[Any]]:
    kept = _kept(rng, n)
    return {"top_logprobs": kept, "y_true": _tokens_of(kept)}


def _latents(rng: Rng, n: int) -> dict[str, list[Any]]:
    classes = [at % 2 for at in range(n)]
    return {"latents": _numbers(rng, n, 2), "y_true": classes}


def _boxes(n: int) -> list[Any]:
    return [[0, 0, 1 + at % 2, 2] for at in range(n)]


LABELS = {"labels": ["cat", "dog", "owl"]}
FORMS: Mapping[str, RowForm] = {
    "entropy": RowForm("entropy", lambda r, n: {"p": _distribution(r, n)}),
    "entropy of logits": RowForm("entropy", lambda r, n: {"logits": _numbers(r, n, K)}),
    "entropy of logs": RowForm("entropy", lambda r, n: {"p_log": _log(_distribution(r, n))}),
    "entropy of counts": RowForm(
        "entropy", lambda r, n: {"counts": r.integers(1, 9, (n, K)).tolist()}
    ),
    "cross-entropy": RowForm(
        "cross-entropy", lambda r, n: {"p": _distribution(r, n), "q": _distribution(r, n)}
    ),
    "one p beside many q": RowForm(
        "kl-divergence", lambda r, n: {"q": _distribution(r, n)}, {"p": [0.25, 0.25, 0.5]}
    ),
    "one q beside many p": RowForm(
        "cross-entropy", lambda r, n: {"p": _distribution(r, n)}, {"q_logits": [0.5, 0.25, -1]}
    ),
    "kl-divergence": RowForm(
        "kl-divergence", lambda r, n: {"p": _distribution(r, n), "q_logits": _numbers(r, n, K)}
    ),
    "kl-divergence of counts": RowForm(
        "kl-divergence",
        lambda r, n: {"p_counts": r.integers(1, 9, (n, K)).tolist(), "q": _distribution(r, n)},
    ),
    "js-divergence": RowForm(
        "js-divergence", lambda r, n: {"p": _distribution(r, n), "q": _distribution(r, n)}
    ),
    "binary log-loss": RowForm(
        "log-loss", lambda r, n: {"y_true": _classes(r, n, 2), "y_proba": _probability(r, n)}
    ),
    "balanced log-loss of words": RowForm(
        "log-loss",
        lambda r, n: {"y_true": _words(r, n), "y_proba": _distribution(r, n)},
        {**LABELS, "class_weight": "balanced"},
    ),
    "log-loss of soft rows": RowForm(
        "log-loss", lambda r, n: {"y_true": _distribution(r, n), "y_proba": _distribution(r, n)}
    ),
    "log-loss of logs": RowForm(
        "log-loss", lambda r, n: {"y_true": _classes(r, n), "log_proba": _log(_distribution(r, n))}
    ),
    "multilabel log-loss": RowForm(
        "log-loss",
        lambda r, n: {
            "y_true": r.integers(0, 2, (n, K)).tolist(),
            "y_proba": _probability(r, n, K),
        },
        {"task": "multilabel"},
    ),
    "softmax-cross-entropy": RowForm(
        "softmax-cross-entropy",
        lambda r, n: {"y_true": _classes(r, n), "logits": _numbers(r, n, K)},
        {"class_weight": [1, 2, 0.5], "label_smoothing": 0.125},
    ),
    "softmax-cross-entropy of soft rows": RowForm(
        "softmax-cross-entropy",
        lambda r, n: {"y_true": _distribution(r, n), "logits": _numbers(r, n, K)},
    ),
    "sigmoid-cross-entropy": RowForm(
        "sigmoid-cross-entropy",
        lambda r, n: {"y_true": _probability(r, n), "logits": _numbers(r, n)},
    ),
    "sigmoid-cross-entropy with a mask": RowForm(
        "sigmoid-cross-entropy",
        lambda r, n: {
            "y_true": _probability(r, n, K),
            "logits": _numbers(r, n, K),
            "mask": r.integers(0, 2, (n, K)).tolist(),
        },
    ),
    "binary focal-loss": RowForm(
        "focal-loss", lambda r, n: {"y_true": _classes(r, n, 2), "logits": _numbers(r, n)}
    ),
    "focal-loss": RowForm(
        "focal-loss",
        lambda r, n: {"y_true": _classes(r, n), "y_proba": _distribution(r, n)},
        {"alpha": [0.5, 1, 2]},
    ),
    "binary calibration": RowForm(
        "calibration",
        lambda r, n: {"y_true": _classes(r, n, 2), "y_proba": _probability(r, n)},
        {"strategy": "quantile"},
    ),
    "calibration of logits": RowForm(
        "calibration", lambda r, n: {"y_true": _classes(r, n), "logits": _numbers(r, n, K)}
    ),
    "recommender": RowForm(
        "recommender",
        lambda r, n: {
            "y_true": _classes(r, n, 2),
            "y_proba": _probability(r, n),
            "group": _words(r, n),
        },
        {"per_group": True},
    ),
    "recommender of integer groups": RowForm(
        "recommender",
        lambda r, n: {
            "y_true": _classes(r, n, 2),
            "logits": _numbers(r, n),
            "group": r.integers(2**60, 2**60 + 3, n).tolist(),
        },
    ),
    "perplexity": RowForm("perplexity", lambda r, n: {"token_logprobs": _sequences(r, n)}),
    "perplexity of logits": RowForm(
        "perplexity",
        lambda r, n: {
            "logits": _numbers(r, n, 2, K),
            "y_true": r.integers(0, K, (n, 2)).tolist(),
            "n_bytes": r.integers(1, 9, n).tolist(),
        },
    ),
    "perplexity of likeliest tokens": RowForm("perplexity", _of_kept),
    "mutual-information of labels": RowForm(
        "mutual-information", lambda r, n: {"x": _words(r, n), "y": _classes(r, n)}
    ),
    "mutual-information of a classifier": RowForm(
        "mutual-information", lambda r, n: {"logits": _numbers(r, n, K), "y_true": _classes(r, n)}
    ),
    "pc-softmax": RowForm(
        "pc-softmax",
        lambda r, n: {"logits": _numbers(r, n, K), "y_true": _classes(r, n)},
        {"prior": [0.25, 0.25, 0.5]},
    ),
    "gccs": RowForm("gccs", _latents, {"mu": 2.0, "sigma": 1.0}, weighted=False),
    "infocam": RowForm(
        "infocam",
        lambda r, n: {
            "features": _numbers(r, n, 1, 2, 2),
            "target": _classes(r, n, 2),
            "truth_box": _boxes(n),
        },
        {"weights": [[1.0], [-0.5]]},
    ),
    "listwise-softmax": RowForm(
        "listwise-softmax",
        lambda r, n: {
            "logits": _numbers(r, n),
            "y_true": _classes(r, n, 2),
            "group": [at // 3 for at in range(n)],
        },
    ),
    "bpr": RowForm(
        "bpr",
        lambda r, n: {"logits": _numbers(r, n), "y_true": _classes(r, n, 2), "group": _words(r, n)},
    ),
    "bpr of drawn negatives": RowForm(
        "bpr",
        lambda r, n: {"positive_logits": _numbers(r, n), "negative_logits": _numbers(r, n, 2)},
    ),
    "sampled-softmax": RowForm(
        "sampled-softmax",
        lambda r, n: {
            "positive_logits": _numbers(r, n),
            "negative_logits": _numbers(r, n, 2),
            "positive_log_q": _log(_probability(r, n)),
            "negative_log_q": _log(_probability(r, n, 2)),
        },
    ),
}
