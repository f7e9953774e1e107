"""One data set has one score: whatever form its labels and rows come in, in whatever body."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.errors import InvalidInput
from kullback.payload.media import ARROW, JSON, PARQUET
from tests.payload.answers import answer
from tests.payload.bodies import as_arrow, as_json, as_parquet

law = settings(deadline=None, max_examples=20)
Fields = Mapping[str, Any]
BINARY: Mapping[str, Callable[[np.ndarray[Any, Any]], tuple[Any, Fields]]] = {
    "integers": lambda y: (y.tolist(), {}),
    "floats": lambda y: (y.astype(float).tolist(), {}),
    "booleans": lambda y: (y.astype(bool).tolist(), {}),
    "lists of one": lambda y: (y[:, None].tolist(), {}),
    "rows": lambda y: (np.stack((1 - y, y), axis=1).tolist(), {}),
    "digits": lambda y: ([str(label) for label in y], {"pos_label": 1}),
    "words": lambda y: (["yes" if label else "no" for label in y], {"labels": ["no", "yes"]}),
    "words of one": lambda y: ([["b"] if label else ["a"] for label in y], {"labels": ["a", "b"]}),
    "spelt booleans": lambda y: (["True" if label else "False" for label in y], {}),
}
CLASSES: Mapping[str, Callable[[np.ndarray[Any, Any]], tuple[Any, Fields]]] = {
    "integers": lambda y: (y.tolist(), {}),
    "floats": lambda y: (y.astype(float).tolist(), {}),
    "lists of one": lambda y: (y[:, None].tolist(), {}),
    "rows": lambda y: (np.eye(3, dtype=int)[y].tolist(), {}),
    "rows of floats": lambda y: (np.eye(3)[y].tolist(), {}),
    "rows of booleans": lambda y: (np.eye(3, dtype=bool)[y].tolist(), {}),
    "digits": lambda y: ([str(label) for label in y], {}),
}
WITH_LABELS: Mapping[str, Callable[[np.ndarray[Any, Any]], tuple[Any, Fields]]] = {
    **CLASSES,
    "words": lambda y: (["abc"[label] for label in y], {"labels": ["a", "b", "c"]}),
    "named digits": lambda y: ([str(label) for label in y], {"labels": [0, 1, 2]}),
}
OPTIONS: Mapping[str, Fields] = {
    "log-loss": {"gradient": True, "per_row": True},
    "softmax-cross-entropy": {"gradient": True, "per_row": True},
    "focal-loss": {"gradient": True, "per_row": True},
    "pc-softmax": {"gradient": True, "per_row": True},
    "recommender": {"gradient": True},
    "calibration": {},
    "brier": {"gradient": True},
}


def answers(metric: str, columns: Fields, options: Fields) -> set[str]:
    """The different answers to these columns as JSON, as Arrow and as Parquet."""
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    bodies: tuple[tuple[str, bytes, Fields], ...] = (
        (JSON, as_json({**columns, **options}), {}),
        (ARROW, as_arrow(table), options),
        (PARQUET, as_parquet(table), options),
    )
    return {answer(metric, raw, kind, query).decode() for kind, raw, query in bodies}


@pytest.mark.parametrize(
    "metric", ["log-loss", "calibration", "focal-loss", "recommender", "brier"]
)
@law
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0.01, 0.99)), min_size=1, max_size=4))
def test_two_classes_have_one_answer_in_every_form(
    metric: str, rows: list[tuple[int, float]]
) -> None:
    y, p = np.array([label for label, _ in rows]), [share for _, share in rows]
    found: dict[str, dict[str, set[str]]] = {}
    for form, sent in BINARY.items():
        y_true, named = sent(y)
        if metric == "focal-loss" and "pos_label" in named:
            named = {}
        for weight in ({"class_weight": "balanced"}, {}) if metric == "log-loss" else ({},):
            fields = {**OPTIONS[metric], **named, **weight}
            said = answers(metric, {"y_true": y_true, "y_proba": p}, fields)
            found.setdefault(str(weight), {})[form] = said
    for each in found.values():
        assert len(set.union(*each.values())) == 1, each


@pytest.mark.parametrize(
    ("metric", "forms"),
    [
        ("log-loss", WITH_LABELS),
        ("calibration", WITH_LABELS),
        ("brier", WITH_LABELS),
        ("softmax-cross-entropy", CLASSES),
        ("focal-loss", CLASSES),
        ("pc-softmax", CLASSES),
    ],
)
@law
@given(
    y=st.lists(st.integers(0, 2), min_size=1, max_size=4),
    weight=st.sampled_from([{}, {"class_weight": "balanced"}, {"class_weight": [1, 2, 7]}]),
    data=st.data(),
)
def test_classes_have_one_answer_in_every_form(
    metric: str, forms: Mapping[str, Any], y: list[int], weight: Fields, data: st.DataObject
) -> None:
    cell = st.lists(st.floats(-3.0, 3.0), min_size=3, max_size=3)
    z = np.array(data.draw(st.lists(cell, min_size=len(y), max_size=len(y))))
    grown = np.exp(z)
    scores = "logits" if metric in ("softmax-cross-entropy", "pc-softmax") else "y_proba"
    rows = z if scores == "logits" else grown / grown.sum(axis=1, keepdims=True)
    weight = weight if metric in ("log-loss", "softmax-cross-entropy") else {}
    is_list = isinstance(weight.get("class_weight"), list)
    found = set()
    for sent in forms.values():
        y_true, named = sent(np.array(y))
        columns, options = {"y_true": y_true, scores: rows.tolist()}, {**OPTIONS[metric], **named}
        if is_list:  # a list that is not one entry per row is an option of a table
            options = {**options, "class_weight": weight["class_weight"]}
        found |= answers(metric, columns, {**options, **weight})
    assert len(found) == 1, found


def posted(metric: str, **fields: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer(metric, as_json(fields), JSON, {}))
    return found


def refusal(metric: str, **fields: object) -> str:
    with pytest.raises(InvalidInput) as caught:
        posted(metric, **fields)
    return caught.value.message


def test_a_column_of_probabilities_never_scores_as_perfect() -> None:
    found = posted("log-loss", y_true=[0, 0], y_proba=[[0.7], [0.3]])
    assert found["value"] == pytest.approx(0.780324, abs=1e-6)
    assert "the task is binary" in refusal(
        "log-loss", y_true=[0, 0], y_proba=[[0.7], [0.3]], on_unnormalized="renormalize"
    )
    for metric in ("softmax-cross-entropy", "pc-softmax", "mutual-information"):
        said = refusal(metric, y_true=[0, 0], logits=[[-5], [3]])
        assert "the softmax of one logit is always 1" in said
    for task in ("log-loss", "focal-loss", "calibration", "brier"):
        said = refusal(task, y_true=[0, 0], y_proba=[[1], [1]], task="multiclass")
        assert "a prediction of one class is always right" in said


@pytest.mark.parametrize(
    ("metric", "fields"),
    [
        ("sigmoid-cross-entropy", {"y_true": [0, 1], "logits": [0.5, -1.0]}),
        ("focal-loss", {"y_true": [0, 1], "logits": [0.5, -1.0]}),
        ("recommender", {"y_true": [0, 1], "y_proba": [0.2, 0.7]}),
        ("gan-loss", {"real_logits": [0.5, -1.0], "fake_logits": [0.1, 2.0]}),
        ("calibration", {"y_true": [0, 1], "logits": [0.5, -1.0]}),
    ],
)
def test_lists_of_one_are_their_entries(metric: str, fields: dict[str, list[float]]) -> None:
    plain = posted(metric, **fields)
    first, second = fields
    for chosen in ({first, second}, {first}, {second}):
        wrapped = {n: [[e] for e in f] if n in chosen else f for n, f in fields.items()}
        if metric == "gan-loss" and len(chosen) == 1:
            continue
        found = posted(metric, **wrapped)
        assert found["value"] == plain["value"]
        assert found["details"] == plain["details"]
    weighed = posted("log-loss", y_true=[0, 1], y_proba=[0.2, 0.7], sample_weight=[[1], [2]])
    assert weighed == posted("log-loss", y_true=[0, 1], y_proba=[0.2, 0.7], sample_weight=[1, 2])


def test_no_refusal_leads_to_a_wrong_number() -> None:
    rows = {"y_true": [[1, 0], [0, 1]], "y_proba": [[0.8, 0.8], [0.2, 0.2]]}
    for metric in ("log-loss", "focal-loss", "calibration", "brier"):
        said = refusal(metric, **rows)
        assert 'task: "multilabel"' in said
        assert "renormalize" not in said
    assert posted("log-loss", **rows, task="multilabel")["value"] == 0.9162907318741551
    several = refusal("softmax-cross-entropy", y_true=[[1, 1]], logits=[[1, 2]])
    assert "a row of 2 labels" in several
    assert "sigmoid-cross-entropy" in several
    soft = refusal(
        "log-loss", y_true=[[0.5, 0.4]], y_proba=[[0.5, 0.5]], on_unnormalized="renormalize"
    )
    assert soft.startswith("y_true: the row sums to 0.9")


def test_one_hot_labels_weigh_as_indices_do() -> None:
    sent = {"logits": [[2.3, 2.1, 4.5], [4.2, 3.2, 5.1]], "class_weight": [25, 25, 100]}
    one = posted("softmax-cross-entropy", **sent, y_true=[1, 2])
    assert one["value"] == pytest.approx(0.87048350145262, rel=1e-14)
    assert one == posted("softmax-cross-entropy", **sent, y_true=[[0, 1, 0], [0, 0, 1]])
    ignoring = {**sent, "ignore_index": 2}
    assert posted("softmax-cross-entropy", **ignoring, y_true=[1, 2])["value"] == pytest.approx(
        posted("softmax-cross-entropy", **ignoring, y_true=[[0, 1, 0], [0, 0, 1]])["value"]
    )


@pytest.mark.parametrize("metric", ["log-loss", "recommender", "calibration", "brier"])
def test_a_probability_just_above_one_is_one_and_counted(metric: str) -> None:
    found = posted(metric, y_true=[1, 0], y_proba=[1.0000001, -1e-9])
    assert found["diagnostics"]["clipped"] == 2
    assert posted(metric, y_true=[1, 0], y_proba=[1, 0])["value"] == found["value"]
    said = refusal(metric, y_true=[1], y_proba=[1.00000536])
    assert "1.0000054 is not in [0, 1] within sum_tolerance 1e-06" in said
    posted(metric, y_true=[1], y_proba=[1.00000536], sum_tolerance=1e-5)


def test_rounding_within_a_row_is_forgiven_too() -> None:
    found = posted("log-loss", y_true=[1], y_proba=[[-1e-9, 1.000000001]])
    assert (found["value"], found["diagnostics"]["clipped"]) == (0.0, 2)
    assert "0.9999999999 is not a class" in refusal(
        "log-loss", y_true=[0.9999999999, 1], y_proba=[[0.5, 0.5], [0.5, 0.5]]
    )


@pytest.mark.parametrize(("kind", "k"), [(pa.float32(), 30_000), (pa.float16(), 1000)])
def test_rows_of_a_narrow_type_are_taken_with_its_tolerance(kind: Any, k: int) -> None:  # noqa: ANN401
    z = np.random.default_rng(k).normal(0, 3, (1, k))
    p = np.exp(z)
    p = (p / p.sum() * (1 + 1e-4)).astype(kind.to_pandas_dtype())
    rows = pa.FixedSizeListArray.from_arrays(pa.array(p.reshape(-1), kind), k)
    for media, raw in ((ARROW, as_arrow), (PARQUET, as_parquet)):
        found = json.loads(answer("entropy", raw(pa.table({"p": rows})), media, {}))
        exact = p.astype(float)
        entropy = -math.fsum((exact[exact > 0] * np.log(exact[exact > 0])).tolist())
        assert found["value"] == pytest.approx(entropy, rel=1e-12)
        with pytest.raises(InvalidInput, match="sum_tolerance 1e-05"):
            answer("entropy", raw(pa.table({"p": rows})), media, {"sum_tolerance": 1e-5})


@pytest.mark.parametrize("options", [{"pos_label": 1}, {"labels": [0, 1]}, {"labels": "0,1"}, {}])
def test_options_speak_of_the_column_whatever_they_look_like(options: Fields) -> None:
    table = pa.table({"y_true": ["0", "1", "1"], "y_proba": [0.2, 0.7, 0.6]})
    expected = posted("log-loss", y_true=[0, 1, 1], y_proba=[0.2, 0.7, 0.6])
    for media, raw in ((ARROW, as_arrow), (PARQUET, as_parquet)):
        assert json.loads(answer("log-loss", raw(table), media, options)) == expected


def test_refusals_of_shapes_show_both_and_the_one_expected() -> None:
    rows = [[0, 1, 0], [1, 0, 0]]
    for metric in ("log-loss", "calibration", "focal-loss", "brier"):
        said = refusal(metric, y_true=rows, y_proba=[0.5, 0.5])
        assert said == "y_true has shape [2][3]; [2] is expected (y_proba is [2])"
    assert "[2] or [2][2] is expected (logits is [2][2])" in refusal(
        "pc-softmax", y_true=rows, logits=[[1, 2], [1, 2]]
    )
    assert "a label is a string, an integer or a boolean" in refusal(
        "log-loss", y_true=[1, 2], y_proba=[[0.2, 0.8]] * 2, labels=[1.5, 2.5]
    )
    assert "of more classes y_proba has a column each" in refusal(
        "log-loss", y_true=[1, 4, 2], y_proba=[0.2, 0.5, 0.3]
    )
    assert "did you mean y_proba?" in refusal("log-loss", y_true=[1], y_pred=[0.5])


@pytest.mark.parametrize("metric", ["log-loss", "brier", "calibration", "recommender"])
def test_one_odd_cell_is_named_where_it_makes_words_of_all_labels(metric: str) -> None:
    said = refusal(metric, y_true=["1", "?", "1"], y_proba=[0.5, 0.5, 0.5])
    assert said == "y_true: no integer, as most labels are"
    rows = [[0.5, 0.5]] * 3
    assert "no integer" in refusal("log-loss", y_true=["1", "?", "1"], y_proba=rows)
    assert "pos_label must name" in refusal("log-loss", y_true=["a", "b"], y_proba=[0.5, 0.5])


@pytest.mark.parametrize(
    ("metric", "fields"),
    [
        ("bpr", {"positive_logits": [1.0, 2.0], "negative_logits": [0.5, 3.0]}),
        ("bpr", {"logits": [1.0, 2.0, 0.5], "y_true": [1, 0, 0], "group": ["a", "a", "a"]}),
        ("sampled-softmax", {"positive_logits": [1.0, 2.0], "negative_logits": [0.5, 3.0]}),
        ("listwise-softmax", {"logits": [1.0, 2.0], "y_true": [1, 0], "group": ["a", "a"]}),
        ("recommender", {"y_true": [1, 0], "y_proba": [0.5, 0.25], "group": ["a", "a"]}),
        ("mutual-information", {"x": ["a", "b", "b"], "y": ["c", "d", "c"]}),
    ],
)
def test_rows_of_one_entry_are_entries_in_every_field(metric: str, fields: Fields) -> None:
    expected = answer(metric, as_json(dict(fields)), JSON, {})
    of_one = {name: [[entry] for entry in entries] for name, entries in fields.items()}
    assert answer(metric, as_json(of_one), JSON, {}) == expected
    for write, kind in ((as_arrow, ARROW), (as_parquet, PARQUET)):
        assert answer(metric, write(pa.table(of_one)), kind, {}) == expected
