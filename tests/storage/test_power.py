"""What was answered outlives a power failure, and kill -9 at every call that reaches the disk."""

from pathlib import Path

import pytest

from kullback.storage.base import IdempotencyKey
from tests.storage.power import Disk, chosen_places, cut_often
from tests.storage.trace import STRACE, Event, recorded
from tests.storage.writes import Opening, adding, cell

pytestmark = pytest.mark.skipif(STRACE is None, reason="strace is missing: NO POWER IS CUT HERE")
WRITES = 40
CUTS = 100
KILLS = 60
SEED = 12


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    """What a process does with the disk."""
    return recorded(tmp_path_factory.mktemp("power") / "full", "FULL", WRITES)


def test_no_cut_of_the_power_loses_or_tears_what_was_answered(
    events: list[Event], tmp_path: Path
) -> None:
    places = chosen_places(events, CUTS, SEED)
    figures = cut_often(events, places, SEED, tmp_path / "disk", is_power=True)
    assert (figures.cuts, figures.lost, figures.torn) == (CUTS, 0, 0), figures
    assert figures.acknowledged > WRITES / 2


def test_no_kill_at_any_call_loses_or_tears_what_was_answered(
    events: list[Event], tmp_path: Path
) -> None:
    places = [len(events), *range(1, len(events), max(1, len(events) // KILLS))]
    figures = cut_often(events, places, SEED, tmp_path / "disk", is_power=False)
    assert (figures.lost, figures.torn, figures.acknowledged) == (0, 0, WRITES), figures


def test_a_store_that_synchronizes_less_loses_what_was_answered(tmp_path: Path) -> None:
    events = recorded(tmp_path / "normal", "NORMAL", WRITES)
    places = chosen_places(events, CUTS, SEED)
    figures = cut_often(events, places, SEED, tmp_path / "disk", is_power=True)
    assert figures.lost > CUTS / 4, figures


def test_a_store_goes_on_after_the_power_failed(
    events: list[Event], tmp_path: Path, opening: Opening
) -> None:
    disk = Disk()
    for event in events[: len(events) * 2 // 3]:
        disk.play(event)
    answered = [event.at for event in events[: len(events) * 2 // 3] if event.what == "ack"]
    for name, content in disk.cut(None).items():
        (tmp_path / name).write_bytes(content)
    store = opening(f"sqlite:///{tmp_path}/kullback.db")
    record = store.record("monitor", "clicks")
    assert record is not None
    for number in range(len(answered)):
        key = IdempotencyKey("recorded", f"{number}", b"")
        assert store.write(adding(record.id, {cell(0): 1}), key).result(30).replayed
    assert not store.write(adding(record.id, {cell(0): 1})).result(30).replayed
