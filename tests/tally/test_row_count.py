"""The rows of a stored tally are counted without reading the rest of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.errors import DamagedTally, TallyMismatch
from kullback.tally.row_count import stored_rows
from kullback.tally.tally import Tally
from tests.tally.strategies import KINDS, Kind
from tests.tally.test_damage import ENCODED, TALLY, without_checksum


@given(st.data(), st.sampled_from(KINDS), st.integers(0, 70_000))
def test_as_many_as_the_tally_has(data: st.DataObject, kind: Kind, times: int) -> None:
    (batch,) = data.draw(kind.streams(1))
    tally = batch.tally()
    assert stored_rows(tally.encoded()) == tally.scalar("rows")
    assert stored_rows(Tally(tally.layout).encoded()) == 0
    many = Tally(tally.layout, tuple(times * scalar for scalar in tally.scalars), tally.vectors)
    assert stored_rows(many.encoded()) == times * tally.scalar("rows")


def test_damage_is_noticed_and_an_old_version_read() -> None:
    content = ENCODED["tally"]
    assert stored_rows(without_checksum(content)) == TALLY.scalar("rows")
    number = int.from_bytes(content, "little")
    for place in range(8, 8 * len(content), 7):
        with pytest.raises(DamagedTally):
            stored_rows((number ^ 1 << place).to_bytes(len(content), "little"))
    with pytest.raises(TallyMismatch):
        stored_rows(b"\x77" + content[1:])
    with pytest.raises(TallyMismatch):
        stored_rows(b"")
