"""Forms of every request with the axes of its arrays: what a walk makes as long as it likes."""

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

from kullback.requests import REQUESTS

Sizes = Mapping[str, int]
Fill = Callable[[tuple[int, ...], Sizes], Any]


def _probability(at: tuple[int, ...], _: Sizes) -> float:
    return (at[-1] * 7919 % 1000) / 1000


def _one_hot(at: tuple[int, ...], sizes: Sizes) -> int:
    return int(at[-1] == (at[0] % sizes["k"] if len(at) > 1 else 0))


FILLS: dict[str, Fill] = {
    "rows": _one_hot,  # of a distribution over k
    "probability": _probability,
    "logit": lambda at, _: sum(at) * 7 % 5,
    "log_prob": lambda at, _: -(at[-1] % 3),
    "class": lambda at, sizes: at[0] % sizes["k"],
    "flag": lambda at, _: sum(at) % 2,
    "one": lambda *_: 1,
    "count": lambda at, _: at[-1] % 4 + 1,
    "share": lambda _, sizes: 1 / sizes["k"],
    "log_share": lambda _, sizes: -math.log(sizes["k"]),
    "name": lambda at, _: str(at[-1]),
    "number": lambda at, _: at[-1],
    "box": lambda at, _: at[-1] // 2,
    "best": lambda *_: {"0": 0},
    "token": lambda *_: "0",
    "arm": lambda at, sizes: f"a{at[-1] % sizes['arms']}",
}
FORMS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("entropy", {"p": "rows n k"}),
    ("entropy", {"logits": "logit n k"}),
    ("entropy", {"p_log": "log_share n k"}),
    ("entropy", {"counts": "count n k"}),
    ("cross-entropy", {"p": "rows n k", "q": "rows n k", "sample_weight": "one n"}),
    ("cross-entropy", {"p_logits": "logit n k", "q_logits": "logit n k"}),
    ("cross-entropy", {"p_log": "log_share n k", "q_log": "log_share n k"}),
    (
        "cross-entropy",
        {"p_top_logprobs": "log_share n {k}", "q_top_logprobs": "log_share n {k}"},
    ),
    ("kl-divergence", {"p": "rows n k", "q": "rows n k"}),
    ("kl-divergence", {"p_logits": "logit n k", "q_logits": "logit n k"}),
    ("kl-divergence", {"p_counts": "count n k", "q_logits": "logit n k"}),
    ("kl-divergence", {"p_log": "log_share n k", "q_log": "log_share n k"}),
    (
        "kl-divergence",
        {"p_top_logprobs": "log_share n {k}", "q_top_logprobs": "log_share n {k}"},
    ),
    ("js-divergence", {"p": "rows n k", "q": "rows n k"}),
    ("js-divergence", {"p_logits": "logit n k", "q_logits": "logit k"}),
    ("js-divergence", {"p_log": "log_share k", "q_log": "log_share n k"}),
    (
        "js-divergence",
        {"p_top_logprobs": "log_share n {k}", "q_top_logprobs": "log_share n {k}"},
    ),
    ("log-loss", {"y_true": "flag n", "y_proba": "probability n"}),
    ("log-loss", {"y_true": "class n", "y_proba": "rows n k"}),
    ("log-loss", {"y_true": "rows n k", "y_proba": "rows n k"}),
    ("log-loss", {"y_true": "class n", "log_proba": "log_share n k", "mask": "flag n"}),
    (
        "log-loss",
        {"y_true": "class n", "y_proba": "rows n k", "labels": "number k", "class_weight": "one k"},
    ),
    (
        "softmax-cross-entropy",
        {"y_true": "class n", "logits": "logit n k", "class_weight": "one k", "mask": "flag n"},
    ),
    ("softmax-cross-entropy", {"y_true": "rows n k", "logits": "logit n k"}),
    (
        "sigmoid-cross-entropy",
        {
            "y_true": "flag n k",
            "logits": "logit n k",
            "mask": "one n k",
            "pos_weight": "one k",
        },
    ),
    ("focal-loss", {"y_true": "flag n", "y_proba": "probability n"}),
    ("focal-loss", {"y_true": "class n", "logits": "logit n k", "alpha": "one k"}),
    (
        "focal-loss",
        {"y_true": "class n", "y_proba": "rows n k", "labels": "number k", "mask": "flag n"},
    ),
    ("calibration", {"y_true": "flag n", "y_proba": "probability n"}),
    ("calibration", {"y_true": "class n", "y_proba": "rows n k"}),
    ("calibration", {"y_true": "class n", "log_proba": "log_share n k"}),
    ("calibration", {"y_true": "flag n", "logits": "logit n"}),
    ("calibration", {"y_true": "class n", "logits": "logit n k", "labels": "number k"}),
    ("brier", {"y_true": "flag n", "y_proba": "probability n"}),
    ("brier", {"y_true": "class n", "y_proba": "rows n k"}),
    ("brier", {"y_true": "rows n k", "y_proba": "rows n k", "labels": "number k"}),
    ("recommender", {"y_true": "flag n", "y_proba": "probability n", "group": "number n"}),
    ("recommender", {"y_true": "flag n", "y_proba": "probability n", "group": "name n"}),
    ("recommender", {"y_true": "flag n", "log_proba": "log_prob n", "group": "class n"}),
    (
        "recommender",
        {"y_true": "flag n", "y_proba": "share n", "group": "one n", "labels": "number 2"},
    ),
    (
        "recommender",
        {"y_true": "flag n k", "logits": "logit n k", "group": "number n", "tasks": "name k"},
    ),
    ("perplexity", {"token_logprobs": "log_prob n t", "n_bytes": "one n", "mask": "one n t"}),
    ("perplexity", {"logits": "logit n t k", "y_true": "class n t"}),
    ("perplexity", {"top_logprobs": "best n t", "y_true": "token n t"}),
    ("mutual-information", {"joint": "share 1 k"}),
    ("mutual-information", {"counts": "number n k"}),
    ("mutual-information", {"x": "number n", "y": "name n"}),
    ("mutual-information", {"x": "class n", "y": "class n", "sample_weight": "one n"}),
    ("mutual-information", {"logits": "logit n k", "y_true": "class n", "prior": "share k"}),
    ("mutual-information", {"pair_scores": "logit n n"}),
    (
        "pc-softmax",
        {"logits": "logit n k", "y_true": "class n", "prior": "share k", "mask": "flag n"},
    ),
    ("gan-loss", {"real_logits": "logit n", "fake_logits": "logit m"}),
    ("gccs", {"latents": "probability n k", "y_true": "class n"}),
    (
        "gccs",
        {"latents": "logit n k", "y_true": "class n", "adversarial_latents": "logit n k"},
    ),
    ("infocam", {"features": "flag n c h w", "weights": "number k c", "bias": "one k"}),
    (
        "infocam",
        {
            "features": "logit n c h w",
            "weights": "flag k c",
            "target": "class n",
            "truth_box": "box n 4",
        },
    ),
    (
        "compare",
        {
            "y_true": "flag n",
            "y_proba": "probability {arms} n",
            "slice": "name {slices} n",
            "arms": "arm arms",
        },
    ),
    (
        "compare",
        {
            "y_true": "flag n",
            "y_proba": "probability n",
            "arm": "arm n",
            "unit": "number n",
            "slice": "name {slices} n",
            "propensity": "one n",
            "target_propensity": "one n",
        },
    ),
    ("listwise-softmax", {"logits": "logit n", "y_true": "count n", "group": "class n"}),
    ("bpr", {"logits": "logit n", "y_true": "flag n", "group": "one n"}),
    ("bpr", {"logits": "logit n", "y_true": "flag n", "group": "name n"}),
    (
        "bpr",
        {"positive_logits": "logit n", "negative_logits": "logit n k", "mask": "flag n k"},
    ),
    (
        "sampled-softmax",
        {
            "positive_logits": "logit n",
            "negative_logits": "logit n k",
            "positive_log_q": "log_prob n",
            "negative_log_q": "log_prob n k",
            "mask": "one n k",
        },
    ),
)
NEEDED: Mapping[str, Mapping[str, Any]] = {"gccs": {"mu": 1, "sigma": 1}}
LONG = 10**9
WEIGHTS = "sample_weight"
MOST = {"arms": 20, "slices": 20}  # keys of an object
FEW = {"arms": 2, "k": 2}


def arrays(form: Mapping[str, str], sizes: Sizes) -> dict[str, Any]:
    """The arrays of a form, of these sizes."""
    return {name: _array(*axes.split(), sizes=sizes) for name, axes in form.items()}


def _array(kind: str, *axes: str, sizes: Sizes, at: tuple[int, ...] = ()) -> Any:  # noqa: ANN401
    if len(at) == len(axes):
        return FILLS[kind](at, sizes)
    axis = axes[len(at)]
    name = axis.strip("{}")
    steps = range(int(axis) if axis.isdigit() else sizes[name])
    values = [_array(kind, *axes, sizes=sizes, at=(*at, step)) for step in steps]
    return (
        {f"{name[0]}{step}": value for step, value in enumerate(values)} if name != axis else values
    )


def axes_of(form: Mapping[str, str]) -> list[str]:
    """The names of a form's axes."""
    names = [axis.strip("{}") for axes in form.values() for axis in axes.split()[1:]]
    return [*dict.fromkeys(name for name in names if not name.isdigit())]


def entries_of(form: Mapping[str, str], sizes: Sizes) -> int:
    """How many entries the arrays of a form have."""
    total = 0
    for axes in form.values():
        cells = 1
        for axis in axes.split()[1:]:
            cells *= int(axis) if axis.isdigit() else sizes[axis.strip("{}")]
        total += cells
    return total


def shapes(form: Mapping[str, str], entries: int) -> Iterator[dict[str, int]]:
    """Sizes whose arrays have about so many entries: each subset of the axes is long in turn."""
    names = axes_of(form)
    for chosen in product((False, True), repeat=len(names)):
        long = [name for name, is_long in zip(names, chosen, strict=True) if is_long]
        if not any(name not in MOST for name in long):
            continue
        sizes = {name: FEW.get(name, 1) for name in names} | FEW
        sizes |= {name: most for name, most in MOST.items() if name in long}
        growing = [name for name in long if name not in MOST]
        low, high = 2, max(entries, 2) + 1
        while high - low > 1:
            middle = (low + high) // 2
            sizes |= dict.fromkeys(growing, middle)
            low, high = (middle, high) if entries_of(form, sizes) <= entries else (low, middle)
        yield sizes | dict.fromkeys(growing, low)


def options(metric: str, form: Mapping[str, str], rows: int) -> Iterator[tuple[str, Any]]:
    """Each field of a request that is not among its arrays, at each of its limits."""
    if WEIGHTS not in form:
        yield WEIGHTS, [1] * rows
    schema = REQUESTS[metric].model_json_schema()
    for name, field in schema["properties"].items():
        if name not in form and name not in NEEDED.get(metric, {}):
            for value in _limits(field):
                yield name, value


def _limits(schema: Mapping[str, Any]) -> Iterator[Any]:
    if "anyOf" in schema:
        for each in schema["anyOf"]:
            yield from _limits(each)
    elif "enum" in schema:
        yield from schema["enum"]
    elif "const" in schema:
        yield schema["const"]
    elif schema.get("type") == "boolean":
        yield True
    elif schema.get("type") == "string":
        yield "0"
    elif schema.get("type") in {"integer", "number"}:
        yield schema.get("maximum", LONG)
    elif schema.get("type") == "array" and schema.get("items", {}).get("type") == "integer":
        yield [next(_limits(schema["items"]))] * schema.get("maxItems", 1)
