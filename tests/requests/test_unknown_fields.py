"""A field that is not there is named, and so is the one that was meant."""

import pytest

from kullback.errors import InvalidInput
from kullback.payload.body import Body
from kullback.payload.media import JSON, LINES
from kullback.requests import REQUESTS
from kullback.requests.batches import LabelBatch
from kullback.requests.monitors import MonitorSettings
from kullback.requests.reading import read_batch
from kullback.requests.validation import Model, validated


@pytest.mark.parametrize(
    ("model", "name", "meant"),
    [
        (MonitorSettings, "slice", "slices"),
        (REQUESTS["log-loss"], "bse", "base"),
        (REQUESTS["log-loss"], "y_prob", "y_proba"),
    ],
)
def test_the_field_that_was_meant_is_named(model: type[Model], name: str, meant: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        validated(model, {name: 1, "x" * 500: 2})
    near, far = refusal.value.offences
    assert (near.pointer, near.detail) == (
        f"/{name}",
        f"there is no such field: did you mean {meant}?",
    )
    assert far.detail == "there is no such field"


@pytest.mark.parametrize("media_type", [JSON, *LINES])
def test_so_it_is_in_rows(media_type: str) -> None:
    body = Body(bytearray(b'{"ids": ["a"], "y_true": [1]}'), media_type, "identity")
    with pytest.raises(InvalidInput, match="there is no such field: did you mean id\\?"):
        read_batch(body, [], LabelBatch, 1 << 20)


def test_of_many_fields_some_are_named_and_all_are_counted() -> None:
    with pytest.raises(InvalidInput) as refusal:
        validated(MonitorSettings, {f"slices{number}": 1 for number in range(100_000)})
    assert (len(refusal.value.offences), refusal.value.total) == (20, 100_000)
