"""Masked entries, rows and tokens may hold anything, whatever form they are sent in."""

import numpy as np
import pytest

from kullback.errors import InvalidInput
from tests.requests.test_counted import listed, refusal, scored

EVERY = {
    "log-loss": ("y_proba", [0.5, 0.25]),
    "focal-loss": ("logits", [0.5, 0.25]),
    "sigmoid-cross-entropy": ("logits", [0.5, 0.25]),
}
JUNK = (None, "NaN", -1, -100, 7)
MULTILABEL = {"task": "multilabel"}
ENTRIES: dict[str, tuple[str, list[list[float]], dict[str, str]]] = {
    "log-loss": ("y_proba", [[0.5, 0.25], [0.75, 0.5]], MULTILABEL),
    "focal-loss": ("logits", [[0.5, 0.25], [-0.75, 0.5]], MULTILABEL),
    "sigmoid-cross-entropy": ("logits", [[0.1, 0.9], [-0.75, 0.5]], {}),
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("metric", ENTRIES)
def test_a_masked_entry_may_hold_anything(metric: str, junk: object) -> None:
    name, values, asked = ENTRIES[metric]
    sent = {"mask": [[1, 0], [1, 1]], "per_row": True, "gradient": True, **asked}
    clean = scored(metric, y_true=[[1, 0], [0, 1]], **{name: values}, **sent)
    for cells in ([values[0][0], junk], [values[0][0], values[0][1]]):
        dirty = {name: [cells, values[1]], "y_true": [[1, junk], [0, 1]]}
        found = scored(metric, **dirty, **sent)
        assert (found.value, found.n, found.details) == (clean.value, clean.n, clean.details)
        assert listed(found.per_row) == listed(clean.per_row)
        assert listed(found.gradient) == listed(clean.gradient)


def test_the_masked_label_of_the_case_has_its_value() -> None:
    for junk in JUNK:
        found = scored(
            "sigmoid-cross-entropy", logits=[[0.1, 0.9]], y_true=[[1, junk]], mask=[[1, 0]]
        )
        assert found.value == pytest.approx(0.6443966600735709, rel=1e-15)


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("metric", EVERY)
def test_a_masked_row_may_hold_anything(metric: str, junk: object) -> None:
    name, values = EVERY[metric]
    rest = scored(metric, y_true=[1, 0], **{name: values}, gradient=True)
    sent = {"y_true": [1, 0, junk], name: [*values, junk]}
    found = scored(metric, **sent, mask=[1, 1, 0], per_row=True, gradient=True)
    assert (found.value, found.n, found.weight) == (rest.value, 2, 2.0)
    assert listed(found.per_row)[2] == 0.0
    assert listed(found.gradient) == [*listed(rest.gradient), 0.0]


def test_rows_of_an_ignored_target_do_not_count() -> None:
    forms: dict[str, dict[str, object]] = {
        "log-loss": {"y_proba": [0.5, None]},
        "focal-loss": {"logits": [0.5, "NaN"]},
        "pc-softmax": {"logits": [[0.5, 1], [None, 1]]},
    }
    for metric, sent in forms.items():
        found = scored(metric, y_true=[1, -1], **sent, ignore_index=-1)
        assert (found.n, found.diagnostics.dropped) == (1, 0)
        gone = scored(metric, y_true=[-1, -1], **sent, ignore_index=-1)
        assert (gone.reason, gone.n) == ("empty", 0)


@pytest.mark.parametrize("mask", [[1], [1, 2], [1, 1, 1]])
def test_a_mask_of_rows_has_a_0_or_1_for_each(mask: list[int]) -> None:
    with pytest.raises(InvalidInput) as refused:
        scored("log-loss", y_true=[1, 0], y_proba=[0.5, 0.5], mask=mask)
    assert refused.value.offences[0].pointer.startswith("/mask")


def test_tokens_that_do_not_count_may_hold_anything() -> None:
    token = scored("perplexity", logits=[[[1, 2]]], y_true=[[1]])
    for row, junk in ((["-Infinity", "-Infinity"], -100), ([None, 1], None), (["NaN", 1], "NaN")):
        sent = {"logits": [[row, [1, 2]]], "y_true": [[junk, 1]]}
        assert scored("perplexity", **sent, mask=[[0, 1]]).value == token.value
    ignored = {"logits": [[[None, None], [1, 2]]], "y_true": [[-100, 1]], "ignore_index": -100}
    assert scored("perplexity", **ignored).value == token.value
    for junk in (None, "NaN", "-Infinity", 3):
        sent = {"token_logprobs": [[-1.2, -0.3, junk]], "mask": [[1, 1, 0]]}
        assert scored("perplexity", **sent).value == pytest.approx(np.exp(0.75), rel=1e-15)
    kept = {"top_logprobs": [[{"a": -0.5}, {"b": None}]], "y_true": [["a", None]]}
    assert scored("perplexity", **kept, mask=[[1, 0]]).value == pytest.approx(np.exp(0.5))


def test_a_sequence_without_a_token_that_counts_has_no_bytes() -> None:
    for size in (5, None, -1):
        found = scored(
            "perplexity",
            token_logprobs=[[-1, -2], [-3]],
            n_bytes=[4, size],
            mask=[[1, 1], [0]],
        )
        assert found.details["bits_per_byte"] == pytest.approx(1.0820212806667227, rel=1e-15)


def test_a_token_that_is_missing_and_counts_makes_its_sequence_miss_something() -> None:
    sent = {"token_logprobs": [[None, -0.5], [-1, None]]}  # the first has no context: it is none
    assert refusal("perplexity", **sent).offences[0].pointer == "/token_logprobs/1/1"
    found = scored("perplexity", **sent, missing="drop")
    assert found.value == pytest.approx(np.exp(0.5), rel=1e-15)
    assert (found.n, found.diagnostics.dropped_rows) == (1, (1,))
    top = {"top_logprobs": [[None, {"a": -0.5}], [{"a": None}, None]], "y_true": [["a", "a"]] * 2}
    assert scored("perplexity", **top, missing="drop").diagnostics.dropped_rows == (1,)


@pytest.mark.parametrize("metric", ["bpr", "sampled-softmax"])
def test_a_negative_that_does_not_count_may_be_missing(metric: str) -> None:
    sent = {"positive_logits": [1, 2, None], "mask": [[1, 0], [1, 1], [1, 1]], "missing": "drop"}
    found = scored(metric, **sent, negative_logits=[[1, None], [2, 3], [1, 1]])
    clean = scored(metric, **sent, negative_logits=[[1, 0], [2, 3], [1, 1]])
    assert (found.value, found.n, found.diagnostics.dropped_rows) == (clean.value, 2, (2,))
