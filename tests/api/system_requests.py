"""One realistic request for each form that the later metrics take."""

from typing import Any

import numpy as np

from tests.api.asking import Score

RANDOM = np.random.default_rng(20_261_121)


def listed(*shape: int) -> list[Any]:
    """Numbers of this shape, a third of them with few digits."""
    numbers = RANDOM.normal(size=shape)
    found: list[Any] = np.where(RANDOM.random(shape) < 1 / 3, np.round(numbers), numbers).tolist()
    return found


def softmax(logits: Any) -> Any:  # noqa: ANN401 - of any shape
    grown = np.exp(np.asarray(logits, np.float64))
    return grown / grown.sum(axis=-1, keepdims=True)


LOG_PROBS = [(-np.abs(RANDOM.normal(size=size))).tolist() for size in (3, 1, 7, 1, 4, 0, 2)]
LOG_PROBS += [LOG_PROBS[2], LOG_PROBS[2]]  # the same answer may be sampled three times
MASK = [[int(i % 3 != 1) for i in range(len(row))] for row in LOG_PROBS]
TOKENS = RANDOM.integers(0, 5, (4, 3)).tolist()
LATENTS = (np.eye(3)[[0, 1, 2] * 4] * 3 + RANDOM.normal(size=(12, 3))).tolist()
CLASSES = [0, 1, 2] * 4
COUNTS = [[12, 5, 0, 1], [3, 3, 3, 4], [1, 1, 1, 1]]
PRIOR = [0.5, 0.3, 0.2]

REQUESTS: dict[str, tuple[str, Score]] = {
    "perplexity of log-probabilities": ("perplexity", {"token_logprobs": LOG_PROBS}),
    "perplexity under a mask": (
        "perplexity",
        {"token_logprobs": LOG_PROBS, "mask": MASK, "n_bytes": [9, 4, 21, 3, 12, 0, 6, 20, 20]},
    ),
    "perplexity of boolean masks": (
        "perplexity",
        {"token_logprobs": LOG_PROBS, "mask": [[m == 1 for m in row] for row in MASK]},
    ),
    "perplexity with a token ruled out": (
        "perplexity",
        {"token_logprobs": [[-0.5, "-Infinity"], [-1.0]], "mask": [[1, 0], [1]]},
    ),
    "perplexity of logits": (
        "perplexity",
        {"logits": listed(4, 3, 5), "y_true": TOKENS, "gradient": True, "ignore_index": 0},
    ),
    "perplexity of masked logits": (
        "perplexity",
        {
            "logits": [[[0.5, "-Infinity", 2.0], [1.0, 0.0, 0.0]]],
            "y_true": [[0, 2]],
            "mask": [[1, 1]],
            "sample_weight": [2.0],
        },
    ),
    "information of a table": ("mutual-information", {"joint": [[0.25, 0.25], [0.125, 0.375]]}),
    "information of a classifier": (
        "mutual-information",
        {
            "logits": listed(6, 3),
            "y_true": [0, 1, 2, 0, 0, 1],
            "prior": PRIOR,
            "logit_kind": "posterior",
            "gradient": True,
            "sample_weight": [1, 2, 0, 1, 1, 3],
        },
    ),
    "information of pairs": (
        "mutual-information",
        {"pair_scores": listed(5, 5), "estimator": "nwj", "gradient": True},
    ),
    "pc-softmax": (
        "pc-softmax",
        {"logits": listed(6, 3), "y_true": [0, 1, 2, 0, 0, 1], "prior": PRIOR, "gradient": True},
    ),
    "a game of unequal sides": (
        "gan-loss",
        {"real_logits": listed(7), "fake_logits": listed(3), "kind": "hinge", "gradient": True},
    ),
    "latents under attack": (
        "gccs",
        {
            "latents": LATENTS,
            "y_true": CLASSES,
            "mu": 3.0,
            "sigma": 1.0,
            "gradient": True,
            "adversarial_latents": listed(12, 3),
            "covariance": "full",
        },
    ),
    "one image": (
        "infocam",
        {
            "features": listed(4, 5, 6),
            "weights": listed(3, 4),
            "bias": listed(3),
            "target": 2,
            "truth_box": [1, 1, 4, 5],
            "gradient": True,
        },
    ),
    "a batch of images": (
        "infocam",
        {
            "features": listed(3, 4, 5, 6),
            "weights": listed(3, 4),
            "target": [0, 2, 0],
            "window": 2,
            "upsample_to": [10, 12],
            "mode": "pair",
            "reference": 1,
            "truth_box": [[1, 1, 4, 5], [0, 0, 2, 2], [3, 3, 9, 9]],
        },
    ),
    "entropy of counts": ("entropy", {"counts": COUNTS, "estimator": "chao_shen"}),
    "divergence of counts": (
        "kl-divergence",
        {"p_counts": COUNTS, "q": [[0.5, 0.25, 0.125, 0.125]] * 3, "gradient": True},
    ),
}
