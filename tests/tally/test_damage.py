"""Sums that are not what they were when they were stored are refused, to the last bit."""

import numpy as np
import pytest

from kullback.errors import DamagedTally, TallyMismatch
from kullback.tally.binary import binary_terms
from kullback.tally.merge import merge
from kullback.tally.tally import Layout, Tally
from kullback.tally.unit_set import UnitSet

RNG = np.random.default_rng(7)
ROWS = 20
TALLY = binary_terms(
    Layout("binary", 2, "sklearn"),
    (RNG.random(ROWS) < 0.5).astype(np.float64),
    RNG.random(ROWS),
    None,
    RNG.integers(0, 9, ROWS),
).tally()
UNITS = UnitSet.of([f"user {n}" for n in range(ROWS)])
ENCODED = {"tally": TALLY.encoded(), "units": UNITS.encoded()}


def without_checksum(content: bytes) -> bytes:
    """As the version before has stored it."""
    if UnitSet.is_of(content):
        return b"\x55" + content[5:]
    return b"\x01" + content[1:5] + content[9:]


@pytest.mark.parametrize("content", ENCODED.values(), ids=ENCODED)
def test_every_bit_that_flips_is_noticed(content: bytes) -> None:
    number = int.from_bytes(content, "little")
    for place in range(8 * len(content)):
        flipped = (number ^ 1 << place).to_bytes(len(content), "little")
        with pytest.raises(TallyMismatch):
            merge([flipped])
        if place >= 8:  # of the first byte another version comes
            with pytest.raises(DamagedTally, match="damaged"):
                merge([content, flipped])


@pytest.mark.parametrize("content", ENCODED.values(), ids=ENCODED)
def test_what_is_cut_off_or_made_longer_is_noticed(content: bytes) -> None:
    for cut in range(1, len(content)):
        with pytest.raises(DamagedTally):
            merge([content[:cut]])
    with pytest.raises(DamagedTally):
        merge([content + b"\0"])


def test_what_was_stored_without_a_checksum_is_read_and_added() -> None:
    for content in ENCODED.values():
        old = without_checksum(content)
        assert merge([old]) == content
        assert merge([old, content]) == merge([content, content])
    assert Tally.decoded(without_checksum(ENCODED["tally"])) == TALLY
    assert UnitSet.decoded(without_checksum(ENCODED["units"])) == UNITS


def test_damage_of_what_has_no_checksum_is_never_another_error() -> None:
    for name, content in ENCODED.items():
        old = without_checksum(content)
        refused = 0
        for _ in range(300):
            damaged = bytearray(old)
            for place in RNG.integers(0, len(old), 3).tolist():
                damaged[place] = int(RNG.integers(0, 256))
            try:
                merge([bytes(damaged[: int(RNG.integers(1, len(old)))])])
            except TallyMismatch:
                refused += 1
        assert refused > 100, name
