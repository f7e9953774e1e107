"""A list is cut between its rows, wherever rows are null or texts hold commas and brackets."""

import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.payload import json_cuts

TEXTS = st.text('a,]["\\ é', max_size=5)
NUMBERS = st.sampled_from([0, -1.5, 1e-300, None])


def rows_of(entries: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    row = st.lists(entries, min_size=1, max_size=4)
    return st.lists(st.none() | row, min_size=1, max_size=30)


@pytest.mark.parametrize("name", ["texts", "rows of texts", "rows of numbers", "rows of rows"])
@given(data=st.data(), piece=st.integers(1, 40))
def test_every_piece_is_a_list_and_together_they_are_the_whole(
    name: str, data: st.DataObject, piece: int
) -> None:
    lists: dict[str, st.SearchStrategy[list[Any]]] = {
        "texts": st.lists(st.none() | TEXTS, min_size=1, max_size=40),
        "rows of texts": rows_of(TEXTS),
        "rows of numbers": rows_of(NUMBERS),
        "rows of rows": rows_of(st.none() | st.lists(NUMBERS, min_size=1, max_size=2)),
    }
    sent = data.draw(lists[name])
    body = bytearray(json.dumps(sent).encode())[1:-1]
    cut = json_cuts.between_numbers
    if "texts" in name:
        cut = partial(json_cuts.between_texts, in_rows="rows" in name)
    pieces, at = list[Any](), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_cuts, "PIECE", piece)
        while at <= len(body):
            comma = cut(body, at, len(body))
            pieces += json.loads(b"[" + body[at:comma] + b"]")
            at = comma + 1
    assert pieces == sent


@pytest.mark.parametrize(
    "row", [b"null,", b"[0.5, 1], null,", b"[[1], null],", b"0.5,", b"[],", b"[[1], [2]] ,"]
)
def test_a_piece_of_numbers_stays_small(row: bytes) -> None:
    body = bytearray(row * (4 * json_cuts.PIECE // len(row)) + b"null")
    assert json_cuts.between_numbers(body, 0, len(body)) < json_cuts.PIECE + 2 * len(row)


@pytest.mark.parametrize("row", [b'null, "a",', b'["a"],', b"null,", b'[ "a", "]" ] ,'])
def test_a_piece_of_texts_stays_small(row: bytes) -> None:
    body = bytearray(row * (4 * json_cuts.PIECE // len(row)) + b"null")
    cut = json_cuts.between_texts(body, 0, len(body), in_rows=b"[" in row)
    assert 0 < cut < json_cuts.PIECE
