"""Rows and entries that do not count, in the requests that have masks."""

import numpy as np
import pytest

import kullback
from kullback.errors import InvalidInput
from kullback.requests import REQUESTS
from kullback.requests.validation import validated
from kullback.scoring.nullable import Nullable
from kullback.scoring.score import Score

EVERY = {
    "log-loss": {"y_proba": np.array([0.5, 0.25, 0.9])},
    "focal-loss": {"logits": np.array([0.5, 0.25, 0.9])},
    "sigmoid-cross-entropy": {"logits": np.array([0.5, 0.25, 0.9])},
}


def score(metric: str, **fields: object) -> Score:
    return validated(REQUESTS[metric], fields).score()


@pytest.mark.parametrize("metric", EVERY)
def test_rows_of_weight_zero_are_left_out_with_their_weights(metric: str) -> None:
    truth, weight = np.array([1.0, 5.0, 0.0]), np.array([2.0, 0.0, 1.0])
    found = score(metric, **EVERY[metric], y_true=truth, sample_weight=weight)

    (name, values), *_ = EVERY[metric].items()
    rest = {name: values[[0, 2]], "y_true": truth[[0, 2]], "sample_weight": weight[[0, 2]]}
    assert found.value == score(metric, **rest).value


BINARY = np.array([0.5, 0.25, 0.9, 0.6])
LOGITS = np.array([[0.5, 1.0], [-np.inf, -np.inf], [2.0, 0.0], [0.3, 0.1]])
TABLE = np.array([[0.5, 0.5], [7.0, -1.0], [0.9, 0.1], [0.2, 0.8]])
CLASSES = {
    "log-loss": {"y_proba": TABLE},
    "focal-loss": {"logits": LOGITS},
    "softmax-cross-entropy": {"logits": LOGITS},
    "pc-softmax": {"logits": LOGITS},
}
KEPT = [0, 2, 3]


@pytest.mark.parametrize("metric", CLASSES)
def test_ignored_and_masked_rows_are_neither_validated_nor_counted(metric: str) -> None:
    truth = np.array([1, -100, 0, 1])
    sent = CLASSES[metric]
    rest = {name: values[KEPT] for name, values in sent.items()}
    expected = score(metric, **rest, y_true=truth[KEPT], per_row=True, gradient=True)
    mask = np.array([1.0, 0.0, 1.0, 1.0])
    for asked in ({"ignore_index": -100}, {"mask": mask}, {"mask": mask[:, None]}):
        found = score(metric, **sent, **asked, y_true=truth, per_row=True, gradient=True)
        assert (found.value, found.n) == (expected.value, 3)
        assert found.per_row is not None
        assert expected.per_row is not None
        assert found.per_row[KEPT].tolist() == expected.per_row.tolist()
        assert found.per_row[1] == 0.0
        assert found.gradient is not None
        assert found.gradient[1].tolist() == [0.0, 0.0]


def test_missing_labels_under_a_mask_are_not_missing() -> None:
    missing = Nullable(np.array([1, 0, 0, 1]), np.array([False, True, False, False]))
    mask = np.array([1.0, 0.0, 1.0, 1.0])
    found = score("log-loss", y_true=missing, y_proba=BINARY, mask=mask)

    rest = score("log-loss", y_true=np.array([1, 0, 1]), y_proba=BINARY[KEPT])
    assert found.value == rest.value
    assert found.diagnostics.dropped == 0


def test_missing_entries_under_a_mask_are_not_missing() -> None:
    truth = np.array([[1, 0], [0, 1]])
    missing = Nullable(truth, np.array([[False, True], [False, False]]))
    p, mask = np.array([[0.5, np.nan], [0.1, 0.7]]), np.array([[1.0, 0.0], [1.0, 1.0]])
    expected = -np.log([0.5, 0.9, 0.7]).mean()
    for drop in ("error", "drop"):
        found = score(
            "log-loss", y_true=missing, y_proba=p, mask=mask, task="multilabel", missing=drop
        )
        assert found.value == pytest.approx(expected, rel=1e-15)
        assert found.diagnostics.dropped == 0
    ignored = score(
        "log-loss",
        y_true=np.array([[1, -1], [0, 1], [7, 7]]),
        y_proba=np.vstack((p, p[:1])),
        sample_weight=np.array([1.0, 1.0, 0.0]),
        ignore_index=-1,
        task="multilabel",
        missing="drop",
    )
    assert ignored.value == found.value


def test_all_rows_ignored_leave_no_score() -> None:
    found = score("log-loss", y_true=np.array([-1, -1]), y_proba=BINARY[:2], ignore_index=-1)

    assert (found.status, found.reason, found.n) == ("undefined", "empty", 0)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"y_true": np.array([1, 0]), "mask": np.ones(3)}, "/mask"),
        ({"y_true": np.array([1, 0]), "mask": np.array([1.0, 0.5])}, "/mask/1"),
        ({"y_true": ["a", "b"], "labels": ["a", "b"], "ignore_index": 0}, "/y_true"),
        ({"y_true": np.eye(2), "ignore_index": 0}, "/ignore_index"),
        ({"y_true": np.array([1, -1]), "ignore_index": -2}, "/y_true/1"),
    ],
)
def test_a_mask_or_index_that_cannot_apply_is_refused(
    fields: dict[str, object], pointer: str
) -> None:
    p = np.array([[0.5, 0.5], [0.25, 0.75]])
    with pytest.raises(InvalidInput) as caught:
        score("log-loss", y_proba=p, **fields)
    assert caught.value.offences[0].pointer == pointer


CUBE = np.array([[[0.5, 1.0, -1.0], [2.0, 0.0, 0.3]], [[0.1, 0.2, 0.3], [4.0, -2.0, 1.0]]])
TOKENS = np.array([[1, 0], [2, -100]])


def test_every_token_of_a_sequence_is_a_row() -> None:
    asked = {"per_row": True, "gradient": True, "ignore_index": -100, "label_smoothing": 0.1}
    found = score("softmax-cross-entropy", logits=CUBE, y_true=TOKENS, **asked)
    flat = score(
        "softmax-cross-entropy", logits=CUBE.reshape(-1, 3), y_true=TOKENS.reshape(-1), **asked
    )

    assert (found.value, found.n, found.details) == (flat.value, 3, flat.details)
    assert found.per_row is not None
    assert flat.per_row is not None
    assert found.per_row.tolist() == flat.per_row.reshape(2, 2).tolist()
    assert found.gradient is not None
    assert found.gradient.shape == CUBE.shape
    masked = score(
        "softmax-cross-entropy",
        logits=CUBE,
        y_true=np.array([[1, 0], [2, 77]]),
        mask=np.array([[1.0, 1.0], [1.0, 0.0]]),
        label_smoothing=0.1,
    )
    assert masked.value == found.value
    soft = score("softmax-cross-entropy", logits=CUBE, y_true=np.eye(3)[np.abs(TOKENS) % 3])
    hard = score("softmax-cross-entropy", logits=CUBE, y_true=np.abs(TOKENS) % 3)
    assert soft.value == hard.value


def test_weights_of_sequences_are_those_of_their_tokens() -> None:
    truth = np.array([[1, 0], [2, 1]])
    by_sequence, by_token = (
        score("softmax-cross-entropy", logits=CUBE, y_true=truth, sample_weight=weight)
        for weight in (np.array([2.0, 0.5]), np.array([[2.0, 2.0], [0.5, 0.5]]))
    )

    assert by_sequence.value == by_token.value


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"y_true": np.array([[1, 0], [2, 3]])}, "/y_true/1/1"),
        ({"y_true": np.array([[1, 0, 2], [2, 1, 0]])}, "/y_true"),
        ({"y_true": ["a", "b"]}, "/y_true"),
        ({"y_true": TOKENS, "mask": np.ones(2)}, "/mask"),
        ({"y_true": TOKENS, "ignore_index": -100, "sample_weight": np.ones(3)}, "/sample_weight"),
        ({"y_true": np.abs(TOKENS) % 3, "sample_weight": -np.eye(2)}, "/sample_weight/0/0"),
    ],
)
def test_a_token_that_is_wrong_is_named_in_its_sequence(
    fields: dict[str, object], pointer: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        score("softmax-cross-entropy", logits=CUBE, **fields)
    assert caught.value.offences[0].pointer == pointer


def test_weights_by_the_names_of_labels_are_those_of_their_columns() -> None:
    p, labels = np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]), ["cat", "dog", "owl"]
    sent = {"y_true": ["owl", "cat"], "y_proba": p, "labels": labels}
    listed = score("log-loss", **sent, class_weight=np.array([1.0, 3.0, 2.0]))
    assert score("log-loss", **sent, class_weight={"owl": 2, "dog": 3.0}).value == listed.value
    logits = np.log(p)
    by_index = {"0": 0.5, "2": 2.0}
    for metric, name in (("softmax-cross-entropy", "class_weight"), ("focal-loss", "alpha")):
        rest = {"y_true": np.array([2, 0]), "logits": logits}
        listed = score(metric, **rest, **{name: np.array([0.5, 1.0, 2.0])})
        assert score(metric, **rest, **{name: by_index}).value == listed.value
    binary = {"y_true": np.array([1, 0]), "y_proba": np.array([0.5, 0.25])}
    listed = score("log-loss", **binary, class_weight=np.array([1.0, 4.0]))
    assert score("log-loss", **binary, class_weight={"1": 4.0}).value == listed.value
    named = {**binary, "y_true": ["no", "yes"], "labels": ["yes", "no"]}
    assert score("log-loss", **named, class_weight={"no": 4.0}).value == listed.value


@pytest.mark.parametrize(
    ("weights", "pointer"),
    [
        ({"owl": 2.0}, "/class_weight/owl"),
        ({"cat": -1.0}, "/class_weight/0"),
        ({"cat": True}, "/class_weight"),
        ({}, "/class_weight"),
        ({"cat": "2"}, "/class_weight"),
    ],
)
def test_a_weight_of_no_label_is_refused(weights: dict[str, object], pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        score(
            "log-loss",
            y_true=["cat", "dog"],
            y_proba=np.array([[0.5, 0.5], [0.25, 0.75]]),
            labels=["cat", "dog"],
            class_weight=weights,
        )
    assert caught.value.offences[0].pointer == pointer


@pytest.mark.parametrize("unseen", [{"mask": [0, 0]}, {"ignore_index": 1}])
@pytest.mark.parametrize(
    ("metric", "sent"),
    [
        ("log-loss", {"y_proba": [[0.5, 0.5], [0.25, 0.75]]}),
        ("log-loss", {"y_proba": [0.5, 0.25]}),
        ("focal-loss", {"y_proba": [0.5, 0.25]}),
        ("softmax-cross-entropy", {"logits": [[1.0, 2.0], [0.0, 3.0]]}),
        ("pc-softmax", {"logits": [[1.0, 2.0], [0.0, 3.0]]}),
    ],
)
def test_rows_of_which_none_counts_have_no_score(
    metric: str, sent: dict[str, object], unseen: dict[str, object]
) -> None:
    score = kullback.score(metric, y_true=[1, 1], **sent, **unseen).to_dict()
    assert (score["value"], score["status"], score["reason"]) == (None, "undefined", "empty")
    assert (score["n"], score["standard_error"]) == (0, None)
