"""The law of rows that count: junk beside them changes no bit of the score, whatever the metric."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.errors import InvalidInput
from kullback.requests import REQUESTS
from kullback.scoring.score import Diagnostics, Score
from tests.requests.forms import FORMS, RowForm
from tests.requests.test_counted import scored

law = settings(deadline=None, max_examples=25)
seeds = st.integers(0, 2**32 - 1)
GRADIENT = {name for name, model in REQUESTS.items() if "gradient" in model.model_fields}
NO_GRADIENT = {
    *("entropy of counts", "kl-divergence of counts", "mutual-information of labels"),
    *("perplexity", "perplexity of likeliest tokens"),
}
MAY_MISS_ENTRIES = {"perplexity", "sigmoid-cross-entropy with a mask"}
NEVER_MISSING = {"mask", "top_logprobs"}  # null there is a token without context
SHARED_GRADIENT = {"one q beside many p"}


def junk(entry: Any, rng: np.random.Generator) -> Any:  # noqa: ANN401 - any JSON
    """Something of the same shape that no check would pass."""
    if isinstance(entry, list):
        return [junk(each, rng) for each in entry]
    if isinstance(entry, (str, dict)):
        return entry
    return [None, "NaN", -777][rng.integers(3)] if isinstance(entry, float) else None


def missing(entry: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same with its last entry gone."""
    return [*entry[:-1], missing(entry[-1])] if isinstance(entry, list) else None


def options(name: str, form: RowForm) -> dict[str, Any]:
    """What is asked beside rows: all that has rows of its own in the answer."""
    asked = {**form.options, "per_row": "per_row" not in REQUESTS[form.metric].refused}
    return (
        asked | {"gradient": True} if form.metric in GRADIENT and name not in NO_GRADIENT else asked
    )


def score_of(form: RowForm, **fields: Any) -> Score | str:  # noqa: ANN401 - any JSON
    """The score, or what it is refused for."""
    try:
        return scored(form.metric, **fields)
    except InvalidInput as error:
        return error.message


def check_same(found: Score, rest: Score, kept: list[int], n: int, *, shared: bool) -> None:
    """That they differ by nothing but by rows that do not count."""
    assert (repr(found.value), found.reason, found.unit) == (
        repr(rest.value),
        rest.reason,
        rest.unit,
    )
    assert (found.n, found.weight) == (rest.n, rest.weight)
    assert found.standard_error == rest.standard_error
    at = found.diagnostics.infinite_rows
    assert list(at) == [kept[row] for row in rest.diagnostics.infinite_rows]
    assert without_places(found.diagnostics) == without_places(rest.diagnostics)
    for name, value in rest.details.items():
        told, expected = listed(found.details[name]), listed(value)
        if name in REQUESTS[found.metric.replace("_", "-")].row_details and n > len(kept):
            assert [told[row] for row in range(n) if row not in kept] == [None] * (n - len(kept))
            told = [told[row] for row in kept]
        assert str(told) == str(expected), name
    if rest.per_row is not None and found.per_row is not None:
        spread(found.per_row, rest.per_row, kept, n, np.nan)
    if rest.gradient is not None and not shared:
        spread(found.gradient, rest.gradient, kept, n, 0.0)
    elif shared:
        np.testing.assert_array_equal(found.gradient, rest.gradient)
    for name, slope in (rest.gradients or {}).items():
        assert found.gradients is not None
        spread(found.gradients[name], slope, kept, n, 0.0)


def without_places(diagnostics: Diagnostics) -> Diagnostics:
    return replace(diagnostics, infinite_rows=(), dropped=0, dropped_rows=())


def listed(detail: object) -> Any:  # noqa: ANN401 - any JSON
    return detail.tolist() if isinstance(detail, np.ndarray) else detail


def spread(whole: object, part: np.ndarray, kept: list[int], n: int, gone: float) -> None:
    """That the rows kept stand in their places, and nothing in the others."""
    assert isinstance(whole, np.ndarray)
    assert whole.shape == (n, *part.shape[1:])
    np.testing.assert_array_equal(whole[kept], part)
    others = np.delete(whole, kept, axis=0)
    np.testing.assert_array_equal(others, np.full_like(others, gone))


@st.composite
def batches(draw: st.DrawFn, form: RowForm) -> tuple[dict[str, list[Any]], list[int], Any]:
    """Rows of a form, which of them count, and a source of junk."""
    rng = np.random.default_rng(draw(seeds))
    few = 8 if form.metric == "gccs" else 4
    n = draw(st.integers(few, few + 4))
    counts = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return form.rows(rng, n), [row for row in range(n) if counts[row]], rng


@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if form.weighted])
@law
@given(data=st.data())
def test_junk_of_weight_0_changes_no_bit(name: str, data: st.DataObject) -> None:
    form = FORMS[name]
    rows, kept, rng = data.draw(batches(form))
    n = len(next(iter(rows.values())))
    weight = [2.0 if form.metric == "listwise-softmax" else 0.5 * (1 + row) for row in range(n)]
    sent = {
        field: [entry if row in kept else junk(entry, rng) for row, entry in enumerate(column)]
        for field, column in rows.items()
        if field != "mask"
    } | {field: rows[field] for field in rows if field == "mask"}
    found = score_of(
        form,
        **options(name, form),
        **sent,
        sample_weight=[w if row in kept else 0 for row, w in enumerate(weight)],
    )
    if not kept:
        assert isinstance(found, Score)
        assert (found.reason, found.n) == ("zero_weight", 0)
        return
    rest = score_of(
        form,
        **options(name, form),
        **{field: [column[row] for row in kept] for field, column in rows.items()},
        sample_weight=[weight[row] for row in kept],
    )
    if isinstance(rest, str) or isinstance(found, str):
        assert found == rest
    else:
        check_same(found, rest, kept, n, shared=name in SHARED_GRADIENT)


@pytest.mark.parametrize("name", sorted(FORMS.keys() - MAY_MISS_ENTRIES))
@law
@given(data=st.data())
def test_rows_that_miss_something_change_no_bit(name: str, data: st.DataObject) -> None:
    form = FORMS[name]
    rows, kept, _ = data.draw(batches(form))
    n = len(next(iter(rows.values())))
    gone = data.draw(st.sampled_from([field for field in rows if field not in NEVER_MISSING]))
    sent = rows | {
        gone: [entry if row in kept else missing(entry) for row, entry in enumerate(rows[gone])]
    }
    found = score_of(form, **options(name, form), **sent, missing="drop")
    if not kept:
        assert isinstance(found, Score)
        assert (found.reason, found.n, found.diagnostics.dropped) == ("empty", 0, n)
        return
    rest = score_of(
        form,
        **options(name, form),
        **{field: [column[row] for row in kept] for field, column in rows.items()},
    )
    if isinstance(rest, str) or isinstance(found, str):
        assert found == rest
        return
    check_same(found, rest, kept, n, shared=name in SHARED_GRADIENT)
    lost = [row for row in range(n) if row not in kept]
    assert (found.diagnostics.dropped, list(found.diagnostics.dropped_rows)) == (len(lost), lost)
    if lost:
        with pytest.raises(InvalidInput) as refused:
            scored(form.metric, **options(name, form), **sent)
        assert refused.value.offences[0].pointer.startswith(f"/{gone}/{lost[0]}")
        assert f"{len(lost)} of {n} rows" in refused.value.message
