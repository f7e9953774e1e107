"""A field by the name that another library gives it is told by its name here."""

import pyarrow as pa
import pytest

from kullback.errors import InvalidInput
from kullback.payload.arrow import parse_arrow
from kullback.payload.field_names import no_such_field
from kullback.requests import REQUESTS
from kullback.requests.batches import ObservationBatch
from kullback.requests.validation import array_fields
from tests.payload.bodies import as_arrow

HERE = "there is no such field: did you mean {}?"


@pytest.mark.parametrize(
    ("metric", "name", "meant"),
    [
        ("mutual-information", "labels_true", "x"),
        ("mutual-information", "labels_pred", "y"),
        ("mutual-information", "contingency", "counts"),
        ("perplexity", "prompt_logprobs", "top_logprobs"),
        ("perplexity", "num_words", "n_words"),
        ("gan-loss", "d_real", "real_logits"),
        *(("log-loss", name, "y_proba") for name in ("y_pred", "predictions", "probs", "preds")),
        *(("log-loss", name, "y_proba") for name in ("y_score", "Y_Prob", "yhat", "y_probaa")),
        *(("log-loss", name, "y_true") for name in ("target", "targets", "label", "y_test", "y")),
        *(("recommender", name, "sample_weight") for name in ("weight", "weights", "w")),
        ("softmax-cross-entropy", "labels", "y_true"),
        ("kl-divergence", "target", "p"),
        ("cross-entropy", "y_pred", "q"),
        ("recommender", "user_id", "group"),
        ("calibration", "n_bins", "bins"),
    ],
)
def test_the_name_here_is_told(metric: str, name: str, meant: str) -> None:
    assert no_such_field(name, [*REQUESTS[metric].model_fields]) == HERE.format(meant)


@pytest.mark.parametrize("name", ["y_pred", "probs", "predictions"])
def test_probabilities_are_not_taken_for_logits(name: str) -> None:
    told = no_such_field(name, [*REQUESTS["softmax-cross-entropy"].model_fields])
    assert "logits are expected here" in told
    assert "log-loss" in told
    assert "y_true" not in told


def test_what_means_nothing_known_is_told_by_nearness_or_not_at_all() -> None:
    assert no_such_field("bse", ["base", "p"]) == HERE.format("base")
    assert no_such_field("target", ["tarqet", "base"]) == "there is no such field"
    assert no_such_field("x" * 10_000, ["base"]) == "there is no such field"


def test_a_column_of_another_name_is_told_too() -> None:
    columns = array_fields(REQUESTS["log-loss"])
    with pytest.raises(InvalidInput, match="no such column: did you mean y_proba"):
        parse_arrow(bytearray(as_arrow(pa.table({"y_pred": [0.5]}))), columns, 1 << 20)
    with pytest.raises(InvalidInput, match="no such column; options are query parameters"):
        parse_arrow(bytearray(as_arrow(pa.table({"reduction": ["sum"]}))), columns, 1 << 20)


def test_a_column_of_no_field_is_told_how_those_of_slices_are_named() -> None:
    columns = array_fields(ObservationBatch)
    table = pa.table({"y_true": [1], "y_proba": [0.5], "country": ["DE"]})
    with pytest.raises(
        InvalidInput, match=r"no such column: .* slices are named as slice\.country"
    ):
        parse_arrow(bytearray(as_arrow(table)), columns, 1 << 20)


def test_probabilities_of_a_game_are_told_of_their_logits() -> None:
    told = no_such_field("fake_proba", [*REQUESTS["gan-loss"].model_fields])
    assert told.endswith("ln p − ln(1 − p) of probabilities p as fake_logits")
    assert "logits" not in no_such_field("fake_proba", [*REQUESTS["entropy"].model_fields])
